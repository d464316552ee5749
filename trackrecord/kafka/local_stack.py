"""The local stack of a folder: which folder that is, and where what runs in it listens.

A strategy, a script and every command find the stack that `trackrecord up` has started, with no
variable set. Where its *home* is, the first that holds:

1. ``TRACKRECORD_HOME`` (for commands also ``--home``),
2. the nearest folder ``.trackrecord`` in which a stack was started: that of the current folder,
   else of the folder above, and so on, as git finds its repository,
3. ``trackrecord`` under ``XDG_STATE_HOME`` (``~/.local/state``), if a stack was started there.

Folders that belong to another account are passed over unless they are named: who may write to a
folder above, such as ``/tmp``, could otherwise have our events. What was named explicitly wins
over what a stack would say, and a stack that is down says nothing.

Standard library only, for a strategy's process reads this.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HOME_VARIABLE: Final = "TRACKRECORD_HOME"
BROKERS_VARIABLE: Final = "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS"
TOPIC_PREFIX_VARIABLE: Final = "TRACKRECORD_TOPIC_PREFIX"
DATABASE_VARIABLE: Final = "DATABASE_URL"

HOME_NAME: Final = ".trackrecord"
"""The folder that `trackrecord up` makes where no other is named."""

STATE_FILE: Final = "state.json"
"""What runs, as the supervisor writes it down; there only while a stack runs, or after a crash."""
PORTS_FILE: Final = "ports.json"
"""The ports of the stack, from its first start on."""
LOCK_FILE: Final = "supervisor.lock"
"""Locked by the supervisor for as long as it lives."""

_ENDING: Final = {"stopping", "failed"}
# The local broker speaks plain text: what protects the way to another one would lock us out.
_PROTECTION: Final = tuple(
    f"TRACKRECORD_KAFKA_{name}" for name in ("SECURITY_", "SASL_", "SSL_", "ENABLE_SSL_")
)


@dataclass(frozen=True)
class LocalStack:
    """A stack that runs.

    Attributes:
        home: Its folder.
        brokers: Its broker, ``host:port``.
        database_url: Its database, password included; empty until known.
        topic_prefix: What the names of its topics begin with.
    """

    home: Path
    brokers: str
    database_url: str
    topic_prefix: str


def home_of(environ: Mapping[str, str]) -> Path | None:
    """The home in use: the one that is named, or the one that is found; None without any.

    Args:
        environ: The environment, such as ``os.environ``.
    """
    if named := environ.get(HOME_VARIABLE, "").strip():
        return Path(named).expanduser().absolute()
    return found_from(current_folder(), environ)


def found_from(folder: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The home that a process in a folder finds where none is named.

    Args:
        folder: An absolute path; None: only the user's own home is looked at.
        environ: Says where the user's own is.
    """
    above = [] if folder is None else [folder, *folder.parents]
    for candidate in [*(each / HOME_NAME for each in above), user_home(environ)]:
        if _is_home(candidate):
            return candidate
    return None


def user_home(environ: Mapping[str, str]) -> Path:
    """The home of whoever has no other: also where events wait when there is no stack."""
    state = environ.get("XDG_STATE_HOME") or "~/.local/state"
    try:
        return Path(state).expanduser().absolute() / "trackrecord"
    except RuntimeError:  # an account without a home folder
        return Path(state).absolute() / "trackrecord"


def current_folder() -> Path | None:
    """The current folder; None if it was deleted meanwhile."""
    try:
        return Path.cwd()
    except OSError:
        return None


def running(home: Path) -> LocalStack | None:
    """The stack that runs in a home; None if none does, or it is on its way up or down.

    Args:
        home: The folder.
    """
    if not _is_locked(home / LOCK_FILE):
        return None
    try:
        state = json.loads((home / STATE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(state, dict) or state.get("phase") in _ENDING:
        return None
    texts = [state.get(name) or "" for name in ("kafka", "database_url", "topic_prefix")]
    if not all(isinstance(each, str) for each in texts) or not texts[0]:
        return None
    return LocalStack(home, *texts)


def completed(environ: Mapping[str, str], home: Path | None = None) -> dict[str, str]:
    """An environment, with what the local stack says where the environment says nothing.

    Args:
        environ: The environment, such as ``os.environ``.
        home: The home; left out: as :func:`home_of` finds it.

    Returns:
        The environment with the home, and if a stack runs there its broker, topic prefix and
        database, each unless it is named already.
    """
    result = dict(environ)
    home = home or home_of(environ)
    if home is None:
        return result
    result[HOME_VARIABLE] = str(home)
    stack = running(home)
    if stack is None:
        return result
    named = result.get(BROKERS_VARIABLE, "").strip()
    if not named:
        result = {k: v for k, v in result.items() if not k.startswith(_PROTECTION)}
        result[BROKERS_VARIABLE] = stack.brokers
    if named in {"", stack.brokers} and stack.topic_prefix:
        result[TOPIC_PREFIX_VARIABLE] = (
            result.get(TOPIC_PREFIX_VARIABLE, "").strip() or stack.topic_prefix
        )
    if stack.database_url and not result.get(DATABASE_VARIABLE):
        result[DATABASE_VARIABLE] = stack.database_url
    return result


def _is_home(folder: Path) -> bool:
    """Whether a stack of this account was started in a folder."""
    try:
        # Both the folder and, if it is one, the link to it must be ours.
        if {folder.lstat().st_uid, folder.stat().st_uid} != {os.geteuid()}:
            return False
    except OSError:
        return False
    return any(_exists(folder / name) for name in (PORTS_FILE, STATE_FILE))


def _exists(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _is_locked(path: Path) -> bool:
    """Whether a living process holds a file's lock; the system lets go of a dead one's."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    else:
        return False
    finally:
        os.close(file)
