"""Replay: the same tables from the topics, a planted difference found, and mended."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import psycopg2
import pytest

from tests.support import compare, histories, oracle, wire
from tests.support.pipeline import Pipeline, stage_named
from tests.support.scorer import bar, long
from trackrecord.events import ScriptExecuted
from trackrecord.runtime.admin.migrate import migrate
from trackrecord.runtime.replay.comparison import Difference
from trackrecord.runtime.replay.replay import Replay
from trackrecord.runtime.replay.scratch import Scratch
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka

LEFT = "SELECT nspname FROM pg_namespace WHERE nspname ~ '^replay_[0-9a-f]{8}$' ORDER BY 1"
OUTPUT = "Symbol: AAPL\nRecommendation: BUY\nEntry price: 150.25\nTarget: 160\nStop loss: 145\n"


def changed(found: dict[str, Difference]) -> dict[str, int]:
    return {name: each.differences for name, each in found.items() if each.differences}


def replay(pipeline: Pipeline) -> Replay:
    return Replay(pipeline.settings, [stage_named("extractor"), stage_named("signal_tracker")])


def quiet(stage: str, done: int, total: int) -> None:
    """Nobody watches."""


def test_a_change_by_hand_is_found_by_verify_and_mended_by_rebuild_beside_running_stages(
    pipeline: Pipeline,
) -> None:
    settings = pipeline.settings
    events = histories.make("replay", 150)
    tracker = pipeline.start_ready("signal_tracker")
    pipeline.publish(events[:-20])
    topic = settings.topic("signal_emitted")
    wire.send(settings, [wire.Parcel(topic, b"SYM0", b"garbage", [("traceparent", b"00-a-b-01")])])
    pipeline.done("signal_tracker")
    told: list[tuple[str, int, int]] = []
    before = replay(pipeline).verify(lambda stage, done, total: told.append((stage, done, total)))
    assert changed(before) == {}
    assert before["signals"].rows > 100
    assert before["dead_letters"].rows >= 1
    last = {stage: (done, total) for stage, done, total in told}
    assert last["signal_tracker"][0] == last["signal_tracker"][1] > 0

    compare.fetch(
        settings,
        "UPDATE exits SET realised_pnl = realised_pnl + 0.000000000000000001 WHERE signal_id ="
        " (SELECT min(signal_id) FROM exits WHERE outcome IS NOT NULL)"
        " AND outcome IS NOT NULL RETURNING 1",
    )
    assert changed(replay(pipeline).verify(quiet)) == {"exits": 1}

    letters = "SELECT id, first_seen FROM dead_letters ORDER BY id"
    seen = compare.fetch(settings, letters)
    assert changed(replay(pipeline).rebuild(quiet)) == {"exits": 1}
    assert changed(replay(pipeline).verify(quiet)) == {}
    assert compare.fetch(settings, letters) == seen

    pipeline.publish(events[-20:])  # the running stage was fenced, and goes on
    pipeline.done("signal_tracker")
    compare.check(settings, oracle.expect(events))
    assert changed(replay(pipeline).verify(quiet)) == {}
    assert tracker.exit_code is None


def test_rows_that_are_missing_are_differences(
    pipeline: Pipeline,
) -> None:
    settings = pipeline.settings
    pipeline.start_ready("signal_tracker")
    pipeline.publish(histories.make("rows", 40))
    pipeline.done("signal_tracker")
    compare.fetch(
        settings,
        "DELETE FROM exits WHERE (signal_id, exit_id) IN"
        " (SELECT signal_id, exit_id FROM exits ORDER BY 1, 2 LIMIT 2) RETURNING 1",
    )
    assert changed(replay(pipeline).verify(quiet)) == {"exits": 2}


def test_a_symbol_that_a_correction_took_its_only_signal_from_is_no_difference(
    pipeline: Pipeline,
) -> None:
    # The stage may have met the symbol before the correction, or have read both at once.
    pipeline.start_ready("outcome_scorer")
    pipeline.publish([bar("HERE", 0, (100, 101, 99, 100)), long("GONE")])
    pipeline.done("outcome_scorer")
    pipeline.publish([long("HERE", revision=1)])
    pipeline.done("outcome_scorer")
    scorer = Replay(pipeline.settings, [stage_named("outcome_scorer")])
    found = scorer.verify(quiet)
    assert changed(found) == {}
    assert found["watched_symbols"].rows == 1


def test_it_publishes_nothing_and_leaves_no_schema_behind(pipeline: Pipeline) -> None:
    settings = pipeline.settings
    pipeline.start_ready("extractor")
    runs = [
        ScriptExecuted(
            execution_id=f"run-{number}",
            script="btst.py",
            started_at=histories.START,
            finished_at=histories.START,
            exit_code=0,
            output=OUTPUT,
        )
        for number in range(5)
    ]
    pipeline.publish(runs)
    pipeline.done("extractor")
    topic = settings.topic("signal_emitted")
    before = len(wire.read(settings, topic))
    assert before == 5
    first, second = replay(pipeline), replay(pipeline)
    assert changed(first.verify(quiet)) == {}
    assert changed(second.rebuild(quiet)) == {}
    assert len(wire.read(settings, topic)) == before
    # Other tests' replays may be at work in the same database.
    assert not {(first.schema,), (second.schema,)} & set(compare.fetch(settings, LEFT))


def test_a_schema_whose_replay_is_dead_goes_at_the_next_one_and_a_living_one_stays(
    settings: Settings,
) -> None:
    dead = "replay_ffffffff"
    connection = psycopg2.connect(settings.database_url)
    with connection, connection.cursor() as cursor:
        cursor.execute(f'CREATE SCHEMA "{dead}"')
        cursor.execute(f'CREATE TABLE "{dead}".signals (signal_id text)')
    connection.close()
    with Scratch(settings) as living:
        migrate(settings, living.name)
        assert (dead,) not in compare.fetch(settings, LEFT)
        with Scratch(settings) as second:
            migrate(settings, second.name)
            there = {name for (name,) in compare.fetch(settings, LEFT)}
            assert {living.name, second.name} <= there
    there = {name for (name,) in compare.fetch(settings, LEFT)}
    assert not {living.name, second.name} & there


def test_the_lock_goes_with_a_process_that_is_killed(settings: Settings) -> None:
    code = (
        "import json, sys, time\n"
        "from trackrecord.runtime.admin.migrate import migrate\n"
        "from trackrecord.runtime.replay.scratch import Scratch\n"
        "from trackrecord.runtime.settings import load_settings\n"
        "settings = load_settings(json.loads(sys.argv[1]))\n"
        "scratch = Scratch(settings).__enter__()\n"
        "migrate(settings, scratch.name)\n"
        "print(scratch.name, flush=True)\n"
        "time.sleep(60)\n"
    )
    named = {"DATABASE_URL": settings.database_url}
    with subprocess.Popen(
        [sys.executable, "-c", code, json.dumps(named)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        assert (name,) in compare.fetch(settings, LEFT)
        with Scratch(settings):
            assert (name,) in compare.fetch(settings, LEFT)
        process.kill()
    deadline = time.monotonic() + 20
    while (name,) in compare.fetch(settings, LEFT):
        assert time.monotonic() < deadline
        with Scratch(settings):  # the database may not have noticed the end yet
            time.sleep(0.1)
