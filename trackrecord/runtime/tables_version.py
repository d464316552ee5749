"""Which versions of the tables this code knows; the migrations bear them in their names."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path

from trackrecord.runtime.errors import ConfigurationError, FatalError


def migrations_folder() -> Path:
    """Where the migrations are: beside the package, in the checkout or the image.

    Raises:
        ConfigurationError: This is an installation without them.
    """
    folder = Path(str(resources.files("trackrecord"))).parent / "migrations"
    if not (folder / "env.py").is_file():
        raise ConfigurationError(
            "this command needs the checkout (or the image): the installed package holds the "
            "rules and the SDK, not the services and their migrations"
        )
    return folder


@cache
def known_versions() -> tuple[str, ...]:
    """Every version up to the one that this code works with; empty without the migrations."""
    try:
        folder = migrations_folder()
    except ConfigurationError:
        return ()
    return tuple(sorted(path.name[:4] for path in (folder / "versions").glob("[0-9]*.py")))


def check_version(found: str | None, schema: str) -> None:
    """See that tables are of a version that this code knows.

    Args:
        found: The version that the schema says; None for one that was never migrated.
        schema: For the message.

    Raises:
        FatalError: It is another: of a newer trackrecord, or of another program.
    """
    known = known_versions()
    if found is None or not known or found in known:
        return
    raise FatalError(
        f"the tables of the schema {schema} are at version {found}, and this trackrecord knows "
        f"{known[0]} to {known[-1]}: run the newer one that made them, or name another schema with "
        "TRACKRECORD_DATABASE_SCHEMA"
    )
