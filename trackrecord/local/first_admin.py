"""What the API of a local stack needs to ask who is there: made once, and kept in the home.

Its role in the database and its secret are in one file of mode 600, the first admin's name and
password in another. What is there is left as it is.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit, urlunsplit

from trackrecord.local.layout import Home, read_json, write_private
from trackrecord.redaction import remember
from trackrecord.runtime.settings import Settings

NAME: Final = "admin"
"""The first admin's; others are added with `trackrecord users add`."""

_SECRET: Final = "TRACKRECORD_JWT_SECRET"  # noqa: S105 - its name
_URL: Final = "TRACKRECORD_API_DATABASE_URL"


def ensure_access(settings: Settings, home: Path | str) -> None:
    """Make the API's role, its secret and a first admin, where they are not there.

    Args:
        settings: Of the tables' owner, whose tables are up to date.
        home: The stack's folder.

    Raises:
        PassingError: The database does not answer.
        RoleRefusedError: The role cannot be one to serve others with.
    """
    from trackrecord.access import passwords  # noqa: PLC0415 - only where there is an API
    from trackrecord.access.store import database_role, users  # noqa: PLC0415
    from trackrecord.access.store.audit import COMMAND_LINE  # noqa: PLC0415
    from trackrecord.clock import SYSTEM_CLOCK  # noqa: PLC0415
    from trackrecord.runtime.database import session  # noqa: PLC0415

    place = Home.at(home)
    kept = read_json(place.api) or {}
    if not {"secret", "database_password"} <= kept.keys():
        kept = {
            "secret": secrets.token_urlsafe(48),
            "database_password": secrets.token_urlsafe(24),
        }
        _write(place.api, kept)
    with session(settings, application="trackrecord migrate") as cursor:
        database_role.make(cursor, database_role.NAME, kept["database_password"])
        database_role.grant(cursor, database_role.NAME)
        if users.count(cursor):
            return
        # The file first: a user whose password nobody knows would be of no use.
        first = read_json(place.credentials) or {}
        if "password" not in first:
            first = {"username": NAME, "password": passwords.new_password()}
            _write(place.credentials, first)
        password = passwords.kept(first["password"])
        users.add(cursor, COMMAND_LINE, NAME, "admin", password, SYSTEM_CLOCK.now())


def api_environment(environ: Mapping[str, str], home: Path | str) -> Mapping[str, str]:
    """The environment of the API, completed by what the home keeps for it.

    Args:
        environ: What names its own secret and role is left alone.
        home: The stack's folder.
    """
    kept = read_json(Home.at(home).api)
    url = environ.get("DATABASE_URL", "")
    if kept is None or environ.get(_SECRET) or environ.get(_URL) or not _is_of(url, home):
        return environ
    from trackrecord.access.store import database_role  # noqa: PLC0415

    remember(kept["secret"], kept["database_password"])
    parts = urlsplit(url)
    where = parts.netloc.rpartition("@")[2]
    who = f"{database_role.NAME}:{quote(kept['database_password'], safe='')}"
    its_own = urlunsplit(parts._replace(netloc=f"{who}@{where}"))
    return {**environ, _SECRET: kept["secret"], _URL: its_own}


def _is_of(url: str, home: Path | str) -> bool:
    """Whether a database is that of the stack in a home, whose password stands there."""
    try:
        password = Home.at(home).password.read_text(encoding="utf-8").strip()
    except OSError:
        return False
    return bool(password) and f":{password}@" in url


def _write(path: Path, content: Mapping[str, Any]) -> None:
    write_private(path, json.dumps(content, indent=1) + "\n")
