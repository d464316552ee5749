"""``trackrecord run``, ``migrate``, ``topics`` and ``settings``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.table import Table

from trackrecord.cli.common import (
    DEFAULT_HOME,
    HomeOption,
    JsonOption,
    answer,
    environment,
    load,
    screen,
)
from trackrecord.runtime.errors import (
    ConfigurationError,
    PassingError,
    UnreachableError,
)
from trackrecord.stages import STAGES

if TYPE_CHECKING:
    from trackrecord.runtime.settings import Settings

API: Final = "api"
"""The process that is no stage: the record over HTTP."""


def run(
    stage: Annotated[
        str,
        typer.Argument(help=f"The stage to run: {', '.join(STAGES)}; or api, the HTTP API."),
    ],
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Run one stage in the foreground, or the HTTP API, with the settings of the environment.

    It serves /metrics, /healthz, /readyz and /status over HTTP, and stops in
    good order on SIGTERM. Exit code 3 means that it stopped itself on purpose:
    its last log line says why.
    """
    if stage == API:
        raise typer.Exit(_run_api(home))
    try:
        from services import lacking, stage_named
    except ModuleNotFoundError:
        raise ConfigurationError(
            "stages run from the checkout or the image: the installed package holds the rules "
            "and the SDK only"
        ) from None
    if stage not in STAGES:
        raise ConfigurationError(
            f"there is no stage {stage!r}: choose from {', '.join(STAGES)}, or {API}"
        )
    if missing := lacking(stage):
        raise ConfigurationError(
            f"{stage} needs {', '.join(missing)}: install 'trackrecord[learning,strategies]', or "
            "use the checkout's `make setup`"
        )
    from trackrecord.runtime.process.memory_and_threads import give_memory_back, stop_at_once

    stop_at_once()
    give_memory_back()
    from trackrecord.runtime.stage import Stage

    found = stage_named(stage)
    if isinstance(found, Stage):
        from trackrecord.runtime.process.run import run as run_stage

        raise typer.Exit(run_stage(found, load(home)))
    from trackrecord.runtime.jobs import run as run_jobs

    raise typer.Exit(run_jobs(found, load(home)))


def _run_api(home: Path) -> int:
    from trackrecord.local.first_admin import api_environment
    from trackrecord.runtime.settings import load_settings

    settings = load_settings(api_environment(environment(home), home))
    try:
        from trackrecord.api.server import run as run_server
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"the API needs {error.name}: install 'trackrecord[api]', or use the checkout's "
            "`make setup`"
        ) from None
    return run_server(settings)


def migrate(
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    grant: Annotated[
        str | None,
        typer.Option(
            "--grant",
            metavar="ROLE",
            help="Give this role of the database what the HTTP API needs, and no more; again after "
            "each update. With a password in TRACKRECORD_API_ROLE_PASSWORD it is made.",
        ),
    ] = None,
    grant_reading: Annotated[
        str | None,
        typer.Option(
            "--grant-reading",
            metavar="ROLE",
            help="Let this role of the database read the record, for Grafana; again after each "
            "update. With a password in TRACKRECORD_READER_ROLE_PASSWORD it is made.",
        ),
    ] = None,
    local_access: Annotated[
        bool,
        typer.Option(
            "--local-access",
            help="As `up` does it: also make the API's role, its secret and a first admin, if "
            "they are not there, and keep them in the home.",
        ),
    ] = False,
) -> None:
    """Create or update the tables; safe to repeat."""
    from trackrecord.runtime.admin.migrate import migrate as bring_up_to_date

    settings = load(home, database=True)
    before, after = bring_up_to_date(settings)
    if local_access:
        from trackrecord.local.first_admin import ensure_access

        ensure_access(settings, home)
    if grant is not None or grant_reading is not None:
        _grant(settings, grant, grant_reading)
    if as_json:
        answer({"before": before, "after": after})
    elif before == after:
        screen.print(f"tables are at version {after}")
    else:
        screen.print(f"tables brought from version {before or 'none'} to {after}")


def _grant(settings: Settings, api: str | None, reader: str | None) -> None:
    """Give roles their rights, and make those for which there is a password."""
    from trackrecord.access.store import database_role
    from trackrecord.access.store.reader_role import grant_reading
    from trackrecord.runtime.database import session

    with session(settings, application="trackrecord migrate") as cursor:
        for role, grant, password in (
            (api, database_role.grant, os.environ.get("TRACKRECORD_API_ROLE_PASSWORD")),
            (reader, grant_reading, os.environ.get("TRACKRECORD_READER_ROLE_PASSWORD")),
        ):
            if role is None:
                continue
            if password:
                database_role.make(cursor, role, password)
            grant(cursor, role)


def topics(
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    accept_new: Annotated[
        bool,
        typer.Option(
            "--accept-new",
            help="Start stages at the beginning of topics that were deleted and made anew.",
        ),
    ] = False,
) -> None:
    """Create the topics that are missing; topics that exist are not changed."""
    from trackrecord.runtime import kafka

    settings = load(home, broker=True, database=accept_new)
    try:
        outcome = kafka.ensure_topics(settings)
    except PassingError as error:
        raise UnreachableError(
            f"no broker at {settings.kafka_bootstrap_servers}: {error}"
        ) from None
    if accept_new:
        from trackrecord.runtime.admin.accept_topics import accept_new_topics

        outcome |= dict.fromkeys(accept_new_topics(settings), "accepted as new")
    if as_json:
        answer({"topics": outcome})
    else:
        table = Table("topic", "", box=None)
        for name, state in sorted(outcome.items()):
            table.add_row(name, state)
        screen.print(table)
    if any(state not in {"there", "made", "accepted as new"} for state in outcome.values()):
        raise typer.Exit(1)


def settings(
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the table of docs/settings.md.")
    ] = False,
) -> None:
    """Show every setting: its variable, present value, default and meaning."""
    from trackrecord.redaction import hide_secrets
    from trackrecord.runtime.settings import Settings

    now = load(home)
    listed = []
    for name, field in Settings.model_fields.items():
        value = getattr(now, name)
        shown = hide_secrets(str(value))
        if name == "kafka":
            shown = ", ".join(sorted(value)) or "none"
        listed.append(
            {
                "variable": str(field.validation_alias),
                "value": shown,
                "default": "" if name == "kafka" else str(field.default),
                "meaning": " ".join((field.description or "").split()),
            }
        )
    if as_json:
        answer(listed)
        return
    if markdown:
        typer.echo("| variable | default | meaning |\n|---|---|---|")
        for row in listed:
            typer.echo(f"| `{row['variable']}` | {row['default']} | {row['meaning']} |")
        return
    table = Table("variable", "now", "meaning", box=None)
    for row in listed:
        mark = "" if row["value"] == row["default"] else " *"
        table.add_row(row["variable"], row["value"] + mark, row["meaning"])
    screen.print(table)
    screen.print("* differs from the default")
