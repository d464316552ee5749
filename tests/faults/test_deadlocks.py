"""Rows locked in the opposite order by another session: the stage is the one that gives way."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.support import compare, histories
from tests.support.pipeline import Pipeline, until
from trackrecord.events import SignalEmitted
from trackrecord.runtime import database
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka

LOCK = "SELECT FROM signals WHERE signal_id = %s FOR UPDATE"


def waits(settings: Settings) -> bool:
    """Whether the tracker's session waits for a row."""
    return bool(
        compare.fetch(
            settings,
            "SELECT FROM pg_stat_activity WHERE application_name = 'trackrecord signal_tracker'"
            " AND wait_event_type = 'Lock'",
        )
    )


def test_a_deadlock_is_undone_and_tried_again(pipeline: Pipeline, seed: str) -> None:
    settings = pipeline.settings
    shape = histories.Shape(orphan=0, conflict=0)
    events = histories.make(seed, 100, shape)
    stage = pipeline.start_ready("signal_tracker")
    places = pipeline.publish(events)
    pipeline.done("signal_tracker")
    entries = {each.signal_id: each for each in events if isinstance(each, SignalEmitted)}
    # The tracker locks in the order of the ids, the other session against it.
    first, last = min(entries), max(entries)
    other = database.connect(settings, application="test")
    try:
        with other.cursor() as cursor:
            # Whoever waits this long first is the victim: not this session.
            cursor.execute("SET deadlock_timeout = '60s'")
            cursor.execute(LOCK, (last,))
            corrections = [
                entries[name].model_copy(update={"price": Decimal(7), "revision": 9})
                for name in (last, first)
            ]
            places += pipeline.publish(corrections, lambda _: 0)
            until(lambda: waits(settings), "the tracker waits for the last row")
            cursor.execute(LOCK, (first,))  # which the tracker holds: returns once it gave way
        other.commit()
    finally:
        other.close()
    pipeline.done("signal_tracker")
    assert any("deadlock" in each["error"] for each in stage.lines("will try again"))
    assert len(stage.lines("assigned")) == 1
    status = stage.status() or {}
    assert status["retries"] >= 1
    assert status["fenced"] == 0
    pipeline.check_tracker([*events, *corrections], places)
    assert stage.stop() == 0
