"""Bring a schema's tables to the version that the code expects."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError

from trackrecord.runtime.errors import ConfigurationError, UnreachableError
from trackrecord.runtime.settings import Settings, hide_password

_LOCK = 7_230_114_902
"""Held while migrating, so that two starts of the services do not meet."""


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


def config() -> Config:
    """Alembic's configuration."""
    result = Config()
    result.set_main_option("script_location", str(migrations_folder()))
    return result


def migrate(settings: Settings, schema: str | None = None) -> tuple[str | None, str]:
    """Apply what is missing; safe to run by several at once, and again.

    Returns:
        The revision that was found (None for an empty schema), and the one that is there now.

    Raises:
        UnreachableError: The database does not answer.
    """
    schema = schema or settings.database_schema
    alembic = config()
    head = ScriptDirectory.from_config(alembic).get_current_head() or ""
    engine = create_engine(_sqlalchemy_url(settings.database_url))
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
            connection.execute(text(f'SET search_path = "{schema}"'))
            connection.commit()
            before = current(connection, schema)
            alembic.attributes.update(connection=connection, schema=schema)
            command.upgrade(alembic, "head")
            connection.commit()
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
            connection.commit()
    except OperationalError as error:
        first_line = str(error.orig).strip().splitlines()[0]
        raise UnreachableError(
            f"no database at {hide_password(settings.database_url)}: {first_line}"
        ) from None
    finally:
        engine.dispose()
    return before, head


def current(connection: Connection, schema: str) -> str | None:
    """The revision that a schema is at; None for one that was never migrated."""
    context = MigrationContext.configure(connection, opts={"version_table_schema": schema})
    return context.get_current_revision()


def _sqlalchemy_url(url: str) -> str:
    scheme, rest = url.split("://", 1)
    return f"postgresql+psycopg2://{rest}" if scheme in {"postgres", "postgresql"} else url
