"""Bring a schema's tables to the version that the code expects."""

from __future__ import annotations

import re

import psycopg2
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from trackrecord.redaction import hide_secrets
from trackrecord.runtime.database import unreachable
from trackrecord.runtime.errors import ConfigurationError, UnreachableError
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.tables_version import check_version, migrations_folder

_LOCK = 7_230_114_902
"""Held while migrating, so that two starts of the services do not meet."""

_MADE = re.compile(r"CREATE (?:TABLE|(?:OR REPLACE )?VIEW|SEQUENCE) (?:IF NOT EXISTS )?(\w+)")


def config() -> Config:
    """Alembic's configuration."""
    result = Config()
    result.set_main_option("script_location", str(migrations_folder()))
    return result


def migrate(settings: Settings, schema: str | None = None) -> tuple[str | None, str]:
    """Apply what is missing, in one transaction; safe to run by several at once, and again.

    Returns:
        The revision that was found (None for an empty schema), and the one that is there now.

    Raises:
        UnreachableError: The database does not answer.
        FatalError: The tables are of a version that this code does not know.
        ConfigurationError: The database refuses it: a right is missing, or tables of others are
            in the way.
    """
    schema = schema or settings.database_schema
    alembic = config()
    head = ScriptDirectory.from_config(alembic).get_current_head() or ""
    # The URL goes to the driver as it is: others understand some characters of a password anew.
    engine = create_engine(
        "postgresql+psycopg2://",
        poolclass=NullPool,
        creator=lambda: psycopg2.connect(
            settings.database_url, application_name="trackrecord migrate", connect_timeout=5
        ),
    )
    try:
        with engine.begin() as connection:
            _take_schema(connection, schema)
            before = current(connection, schema)
            check_version(before, schema)
            if before is None:
                _look_for_others(connection, schema)
            alembic.attributes.update(connection=connection, schema=schema)
            command.upgrade(alembic, "head")
    except DBAPIError as error:
        raise _explained(settings, schema, error) from None
    finally:
        engine.dispose()
    return before, head


def _take_schema(connection: Connection, schema: str) -> None:
    """Wait for others who migrate, and make the schema the one that is meant until the end."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    # Even where it is there, to make it "if not exists" asks for a right on the whole database.
    there = text("SELECT FROM pg_namespace WHERE nspname = :schema")
    if connection.execute(there, {"schema": schema}).first() is None:
        connection.execute(text(f'CREATE SCHEMA "{schema}"'))
    # For this transaction only, so that it holds whatever stands between us and the database.
    connection.execute(text(f'SET LOCAL search_path = "{schema}"'))


def _look_for_others(connection: Connection, schema: str) -> None:
    """See that nobody else's tables bear the names of ours.

    Raises:
        ConfigurationError: Some do.
    """
    files = sorted((migrations_folder() / "versions").glob("*.py"))
    ours = sorted({name for file in files for name in _MADE.findall(file.read_text())})
    found = connection.execute(
        text(
            "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(:schema)"
            " AND relname = ANY(:names) ORDER BY relname"
        ),
        {"schema": f'"{schema}"', "names": ours},
    ).all()
    if found:
        raise ConfigurationError(
            f"the schema {schema} holds tables that trackrecord has not made and whose names it "
            f"needs: {', '.join(name for (name,) in found)}; give it a schema of its own with "
            "TRACKRECORD_DATABASE_SCHEMA"
        )


def _explained(
    settings: Settings, schema: str, error: DBAPIError
) -> ConfigurationError | UnreachableError:
    origin = error.orig
    code = getattr(origin, "pgcode", None) or ""
    if not code or error.connection_invalidated:
        return UnreachableError(str(unreachable(settings, origin or error)))
    words = next(iter(str(origin).strip().splitlines()), code)
    said = f"the tables of the schema {schema} stay as they are: the database says: {words}"
    if code == "42501":
        said += (
            f"; let the role that migrates own the schema {schema}, or let it create one "
            "(GRANT CREATE ON DATABASE)"
        )
    if code.startswith(("08", "25006", "53", "55", "57")):
        return UnreachableError(hide_secrets(said))
    return ConfigurationError(hide_secrets(said))


def current(connection: Connection, schema: str) -> str | None:
    """The revision that a schema is at; None for one that was never migrated."""
    context = MigrationContext.configure(connection, opts={"version_table_schema": schema})
    return context.get_current_revision()
