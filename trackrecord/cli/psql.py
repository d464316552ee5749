"""``trackrecord psql``: a look into the tables with PostgreSQL's own client."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Annotated

import typer

from trackrecord.cli.common import DEFAULT_HOME, HomeOption, load
from trackrecord.kafka.local_stack import STATE_FILE

_KEPT = frozenset({"PGAPPNAME", "PGCLIENTENCODING", "PGTZ"})
"""Variables of the user's that do not choose another server, database or way to reach it."""


def psql(
    context: typer.Context,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PSQL OPTIONS]", help="Options for psql: -c 'SELECT ...', -f FILE."
        ),
    ] = None,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Open psql on the tables: those of the local stack, or of DATABASE_URL.

    It is the psql of the local stack's PostgreSQL, else that of this machine.
    An error of psql's own ends with the exit code of psql.
    """
    from psycopg2.extensions import make_dsn, parse_dsn

    from trackrecord.local.postgres_binaries import find_program
    from trackrecord.runtime.errors import ConfigurationError

    settings = load(home)
    parts = parse_dsn(settings.database_url)
    password = parts.pop("password", None)
    where = make_dsn(**parts)
    program = find_program("psql")
    if program is None:
        raise ConfigurationError(
            f'no psql is installed here; any client can open "{where}", with the password in '
            f"database_url of {home / STATE_FILE}"
        )
    environ = environment_of(os.environ, settings.database_schema, password)
    sys.stdout.flush()
    given = [*(arguments or []), *context.args]
    # Its arguments are for everybody to read; the password stands in its environment.
    os.execve(program, ["psql", "--dbname", where, *given], environ)  # noqa: S606 - no shell


def environment_of(own: Mapping[str, str], schema: str, password: str | None) -> dict[str, str]:
    """The user's environment, without what would lead psql elsewhere."""
    environ = {
        name: value for name, value in own.items() if not name.startswith("PG") or name in _KEPT
    }
    environ["PGOPTIONS"] = f"-c search_path={schema}"
    if password is not None:
        environ["PGPASSWORD"] = password
    return environ
