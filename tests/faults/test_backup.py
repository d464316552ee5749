"""A dump taken in the middle of the traffic, restored later: the stages read on from it.

The commands are those of docs/operations.md, without the containers around them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from tests.support import compare, histories, oracle, runs, wire
from tests.support.pipeline import Pipeline, stage_named
from trackrecord.events import SignalEmitted
from trackrecord.events.codec import decode
from trackrecord.local.errors import PartsUnavailable
from trackrecord.local.postgres_binaries import find_postgres, unprivileged_user
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka

SMALL = {"TRACKRECORD_BATCH_SIZE": "100"}


def program(name: str) -> str:
    """Where one of PostgreSQL's own programs is: beside the server's, else on the path."""
    try:
        beside = find_postgres(unprivileged_user()) / name
    except PartsUnavailable:
        beside = None
    if beside is not None and beside.exists():
        return str(beside)
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"there is no {name}: it comes with PostgreSQL")
    return found


def run(settings: Settings, name: str, *arguments: str) -> None:
    """Run a program on the test's database; the password goes by the environment."""
    parts = psycopg2.extensions.parse_dsn(settings.database_url)
    environment = {
        **os.environ,
        "PGPASSWORD": parts.get("password", ""),
        "PGUSER": parts["user"],
        "PGHOST": parts["host"],
        "PGPORT": str(parts["port"]),
    }
    done = subprocess.run(
        [program(name), f"--dbname={parts['dbname']}", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if "server version mismatch" in done.stderr:
        pytest.skip(f"the {name} at hand is older than the server: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr


def back_up(settings: Settings, dump: Path) -> None:
    run(settings, "pg_dump", "--format=custom", f"--schema={settings.database_schema}",
        f"--file={dump}")  # fmt: skip


def restore(settings: Settings, dump: Path) -> None:
    with compare.session(settings) as cursor:
        cursor.execute(f"DROP SCHEMA {settings.database_schema} CASCADE")
    run(settings, "pg_restore", "--exit-on-error", str(dump))


def content(settings: Settings, stages: Sequence[str]) -> dict[str, Any]:
    """All that follows from the topics, and where the stages are in them."""
    queries = {
        table.name: table.content for stage in stages for table in stage_named(stage).tables
    } | {
        "positions": "SELECT stage, topic, partition, next_offset FROM consumer_offsets",
        "dead_letters": "SELECT id, encode(value, 'hex'), error_class, reason FROM dead_letters",
        "outbox": "SELECT count(*) FROM outbox",
    }
    return {
        name: sorted(map(repr, compare.fetch(settings, query))) for name, query in queries.items()
    }


def test_a_tracker_reads_on_from_a_dump_and_comes_to_the_same_rows(
    pipeline: Pipeline, seed: str, tmp_path: Path
) -> None:
    settings, dump = pipeline.settings, tmp_path / "trackrecord.dump"
    halves = [histories.make(f"{seed}-{number}", 400) for number in range(2)]
    events = [event for half in halves for event in half]
    stage = pipeline.start("signal_tracker", **SMALL)
    places = pipeline.publish(halves[0])
    pipeline.until_more_is_read("signal_tracker", 0)
    back_up(settings, dump)  # while it works
    places += pipeline.publish(halves[1])
    pipeline.done("signal_tracker")
    assert stage.stop() == 0
    pipeline.check_tracker(events, places)
    before = content(settings, ["signal_tracker"])

    restore(settings, dump)
    at_dump = pipeline.read_so_far("signal_tracker")
    assert 0 < at_dump < len(events)
    assert content(settings, ["signal_tracker"]) != before
    compare.check(settings, oracle.expect(_read_by_then(pipeline, events, places)))
    pipeline.start("signal_tracker")
    pipeline.done("signal_tracker")
    assert content(settings, ["signal_tracker"]) == before
    pipeline.check_tracker(events, places)


def _read_by_then(
    pipeline: Pipeline, events: Sequence[Any], places: Sequence[wire.Place]
) -> list[Any]:
    """What lies before the positions that the stage has recorded."""
    at = pipeline.positions("signal_tracker")
    return [
        event
        for event, (topic, partition, offset) in zip(events, places, strict=True)
        if offset < at.get((topic, partition), 0)
    ]


def test_an_extractor_and_the_tracker_behind_it_read_on_from_one_dump(
    pipeline: Pipeline, seed: str, tmp_path: Path
) -> None:
    settings, dump = pipeline.settings, tmp_path / "trackrecord.dump"
    stages = ["extractor", "signal_tracker"]
    halves = [runs.make(f"{seed}-{number}", 300) for number in range(2)]
    working = [pipeline.start(name, **SMALL) for name in stages]
    places = pipeline.publish(halves[0])
    pipeline.until_more_is_read("signal_tracker", 0)
    back_up(settings, dump)
    places += pipeline.publish(halves[1])
    for name in stages:
        pipeline.done(name)
    assert [each.stop() for each in working] == [0, 0]
    before = content(settings, stages)

    restore(settings, dump)
    assert content(settings, stages) != before
    for name in stages:
        pipeline.start(name)
        pipeline.done(name)
    events = [event for half in halves for event in half]
    expected, conflicts = runs.expect(events)
    pipeline.check_letters(
        "extractor", {places[index]: events[index].to_json() for index in conflicts}
    )
    after = content(settings, stages)
    # What the extractor had published after the dump it has published again, further on. It is
    # the same event, said at another time, and has no second effect.
    assert {name: after[name] for name in after if name != "positions"} == {
        name: before[name] for name in before if name != "positions"
    }
    sent = wire.read(settings, settings.topic("signal_emitted"))
    said = {(each.header("ce_id"), each.key, each.value) for each in sent}
    assert len(said) == len(expected) < len(sent)
    assert {runs.signal_id_of(value) for _, _, value in said} == expected
    pipeline.check_tracker(
        [decode(SignalEmitted, each.value) for each in sent], [each.place for each in sent]
    )
