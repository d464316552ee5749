"""The tables, made on an empty schema, again, by two at once, and on the oldest PostgreSQL."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine, text

from services import STAGES, stage_named
from tests.integration.test_signal_tracker_store import run
from tests.support import compare, histories, oracle
from tests.support.servers import Services
from trackrecord.events import SignalEmitted
from trackrecord.runtime.admin.migrate import config, migrate
from trackrecord.runtime.settings import Settings, load_settings

OLDEST = Path("/usr/lib/postgresql/15/bin")
TABLES = {
    "alembic_version", "assessments", "bars", "champions", "closings", "consumer_offsets",
    "dead_letters", "executions", "exits", "feature_sets", "kept_calibration",
    "ml_training_log", "model_files", "models", "outbox", "outcomes", "recommendations",
    "script_days", "sessions", "signals", "strategy_days", "strategy_measures", "symbol_days",
    # Strategies that were asked for, and those that run.
    "strategies", "strategy_versions", "strategy_tries", "strategy_requests", "generation_log",
    "strategy_bars", "strategy_symbols", "strategy_sessions", "strategy_positions",
    "strategy_decisions", "strategy_counts", "strategy_failures",
    "training_jobs", "verdict_totals", "watched_signals", "watched_symbols",
    "users", "logins", "refresh_tokens", "api_keys", "claims", "login_attempts", "audit_log",
} | {table.name for stage in STAGES for table in stage_named(stage).tables}  # fmt: skip


def tables(settings: Settings) -> set[str]:
    found = compare.fetch(
        settings,
        "SELECT table_name FROM information_schema.tables WHERE table_schema = %s"
        " AND table_type = 'BASE TABLE'",
        (settings.database_schema,),
    )
    return {name for (name,) in found}


def downgrade(settings: Settings, revision: str) -> None:
    engine = create_engine(settings.database_url.replace("://", "+psycopg2://", 1))
    with engine.begin() as connection:
        connection.execute(text(f'SET search_path = "{settings.database_schema}"'))
        alembic = config()
        alembic.attributes.update(connection=connection, schema=settings.database_schema)
        command.downgrade(alembic, revision)
    engine.dispose()


def empty(url: str) -> Settings:
    return load_settings(
        {"DATABASE_URL": url, "TRACKRECORD_DATABASE_SCHEMA": f"m{secrets.token_hex(5)}"}
    )


@pytest.fixture
def schema(services: Services) -> Iterator[Settings]:
    settings = empty(services.database_url)
    yield settings
    name = settings.database_schema
    compare.fetch(settings, f'DROP SCHEMA IF EXISTS "{name}" CASCADE; SELECT 1')


@pytest.mark.kafka
def test_an_empty_schema_gets_every_table_and_a_second_run_changes_nothing(
    schema: Settings,
) -> None:
    before, after = migrate(schema)
    assert before is None
    assert tables(schema) == TABLES
    assert migrate(schema) == (after, after)


@pytest.mark.kafka
def test_two_that_start_at_once_do_not_meet(schema: Settings) -> None:
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(migrate, [schema, schema]))
    assert sorted(before is None for before, _ in found) == [False, True]
    assert tables(schema) == TABLES


@pytest.mark.kafka
def test_symbols_that_ceased_before_0006_are_known_to_have_ceased_at_the_tenth_session(
    schema: Settings,
) -> None:
    migrate(schema)
    day = "timestamptz '2026-01-05' + {} * interval '1 day'"
    rows = ", ".join(f"('1d', {day.format(n)}, 0, 0, 0, 0, 0)" for n in range(1, 15))
    symbol = "INSERT INTO watched_symbols (symbol, timeframe, version, last_closed_at, ceased_at)"
    compare.fetch(
        schema,
        "INSERT INTO sessions (timeframe, closed_at, partition, moved, movers, above, compared)"
        f" VALUES {rows}; {symbol} VALUES ('GONE', '1d', 1, {day.format(2)}, {day.format(12)}),"
        f" ('THERE', '1d', 1, {day.format(14)}, NULL); SELECT 1",
    )
    read = "SELECT symbol, ceased_at FROM watched_symbols ORDER BY symbol"
    before = compare.fetch(schema, read)
    downgrade(schema, "0005")
    assert compare.fetch(schema, "SELECT symbol, ceased FROM watched_symbols ORDER BY symbol") == [
        ("GONE", True),
        ("THERE", False),
    ]
    migrate(schema)
    assert compare.fetch(schema, read) == before


@pytest.mark.kafka
def test_sums_by_partition_before_0008_are_added_up_with_those_by_lane(schema: Settings) -> None:
    migrate(schema)
    # What 0010 tells of a signal, a schema of before cannot hold.
    shape = histories.Shape(early=0, moved=0, below_zero=0)
    # Nor does it count them by the account that they name.
    events = [
        event.model_copy(update={"account": None}) if isinstance(event, SignalEmitted) else event
        for event in histories.make("by-lane", 200, shape)
    ]
    half = len(events) // 2
    run(schema, events[:half], [20] * (half // 20) + [half % 20])
    downgrade(schema, "0007")
    columns = "SELECT DISTINCT table_name FROM information_schema.columns"
    had = f"{columns} WHERE table_schema = %s AND column_name = 'partition' ORDER BY 1"
    assert {name for (name,) in compare.fetch(schema, had, (schema.database_schema,))} >= {
        "script_days",
        "strategy_days",
        "symbol_days",
    }
    migrate(schema)
    run(schema, events[half:], [len(events) - half])
    compare.check(schema, oracle.expect(events))


@pytest.mark.kafka
def test_every_table_and_its_columns_that_need_it_are_explained(settings: Settings) -> None:
    found = compare.fetch(
        settings,
        "SELECT relname, obj_description(oid) FROM pg_class"
        " WHERE relkind IN ('r', 'v') AND relnamespace = %s::regnamespace",
        (settings.database_schema,),
    )
    assert {name for name, words in found if not words} == {"alembic_version"}


@pytest.fixture
def oldest() -> Iterator[Settings]:
    """A PostgreSQL 15 of the test's own, on a socket."""
    if not (OLDEST / "initdb").is_file():
        pytest.skip(f"no PostgreSQL 15 on this machine: {OLDEST} is not there")
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("PostgreSQL does not run as root, and there is no setpriv to run it otherwise")
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    lower = nobody if os.geteuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="tr15-"))
    if lower:
        os.chown(folder, 65534, 65534)
    data = folder / "data"

    def call(program: str, *arguments: str) -> None:
        subprocess.run(
            [*lower, str(OLDEST / program), *arguments],
            check=True, capture_output=True, cwd="/", timeout=60,
        )  # fmt: skip

    call("initdb", "-D", str(data), "-U", "test", "--auth=trust", "--no-sync", "-E", "UTF8")
    options = f"-c listen_addresses='' -k {folder} -c fsync=off"
    call("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield empty(f"postgresql://test@/postgres?host={folder}")
    finally:
        call("pg_ctl", "-D", str(data), "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def test_the_tables_and_the_tracker_work_on_postgresql_15(oldest: Settings) -> None:
    assert str(compare.fetch(oldest, "SHOW server_version")[0][0]).startswith("15")
    migrate(oldest)
    migrate(oldest)
    assert tables(oldest) == TABLES
    events = histories.make("fifteen", 200)
    refused = run(oldest, events, [len(events) // 2, len(events) - len(events) // 2])
    expected = oracle.expect(events)
    assert refused == expected.conflicts
    compare.check(oldest, expected)
