"""The tracker's statements against the oracle, on a real database, to the last digit."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg2
import pytest

from services.signal_tracker.service import STAGE
from services.signal_tracker.store.rendered import STATEMENTS
from tests.support import compare, histories, oracle
from trackrecord.events import Event, SignalClosed, SignalEmitted
from trackrecord.runtime import database
from trackrecord.runtime.settings import Settings
from trackrecord.testing import StageRun


def run(settings: Settings, events: Sequence[Event], batches: Sequence[int]) -> list[int]:
    """Apply events in batches of these sizes, by three in turn; the indices of those refused."""
    sizes, left = [], len(events)
    for size in batches:
        sizes.append(min(size, left))  # sizes that go on behind the last event end with it
        left -= sizes[-1]
    applied = StageRun(STAGE, settings, emptied=False).of(events, batches=sizes, consumers=3)
    assert {each.error_class for each in applied.refused} <= {"conflict"}
    return [each.position for each in applied.refused]


@pytest.mark.kafka
@pytest.mark.parametrize("seed", range(30))
def test_any_history_in_any_batches_gives_what_the_oracle_says(
    settings: Settings, seed: int
) -> None:
    events = histories.make(seed, 60)
    rng = random.Random(seed)
    sizes, left = [], len(events)
    while left:
        sizes.append(min(left, rng.choice([1, 3, 20, 100])))
        left -= sizes[-1]
    refused = run(settings, events, sizes)
    expected = oracle.expect(events)
    compare.check(settings, expected)
    assert refused == expected.conflicts


@pytest.mark.kafka
def test_one_batch_and_many_batches_come_to_the_same(settings: Settings) -> None:
    events = histories.make("once", 400)
    assert run(settings, events, [len(events)]) == oracle.expect(events).conflicts
    compare.check(settings, oracle.expect(events))


@pytest.mark.kafka
def test_a_batch_of_which_nothing_could_be_read_changes_nothing(settings: Settings) -> None:
    assert run(settings, [], [0]) == []


OF_THE_RUNTIME = re.compile(r"\b(current_schema|current_setting|alembic_version|dead_letters)\b")
"""What is not the stage's: looking where a session writes, and dead letters."""


def as_prepared(statement: str) -> str:
    """A statement with its parameters as PREPARE names them, and one blank between words."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement)))
    for place, name in enumerate(names, 1):
        statement = statement.replace(f"%({name})s", f"${place}")
    return " ".join(statement.split())


@pytest.mark.kafka
def test_what_runs_is_what_stands_in_the_files_and_all_of_it_runs(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: set[str] = set()

    class Recording(psycopg2.extensions.cursor):
        def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - its name there
            if not query.startswith("EXECUTE ") and not OF_THE_RUNTIME.search(query):
                ran.add(as_prepared(re.sub(r"^PREPARE \w+ AS ", "", query)))
            super().execute(query, vars)

    at = histories.START
    one, two, three, four = (
        SignalEmitted(
            signal_id=name, strategy="sma", symbol="AAPL", side="BUY", price="10", emitted_at=at
        )
        for name in "abcd"
    )
    left, right, sole = (
        SignalClosed(
            signal_id=name, exit_id=exit_id, symbol="AAPL", price="11", reason="target",
            closed_at=at + timedelta(hours=1),
        )
        for name, exit_id in (("a", "x"), ("a", "y"), ("c", "x"))
    )  # fmt: skip
    batches: list[list[Event]] = [
        [one], [sole.model_copy(update={"signal_id": "z"})], [left], [three, sole],
        [two, two, right], [three.model_copy(update={"price": Decimal(12)})],
        [four.model_copy(update={"revision": 1}), one.model_copy(update={"revision": 1})],
    ]  # fmt: skip
    connect = psycopg2.connect
    monkeypatch.setattr(
        database.psycopg2,
        "connect",
        lambda *args, **more: connect(*args, **{"cursor_factory": Recording, **more}),
    )
    run(settings, [each for batch in batches for each in batch], [len(each) for each in batches])
    written = {name: as_prepared(each.sql) for name, each in STATEMENTS.items()}
    assert {name for name, statement in written.items() if statement not in ran} == set()
    assert ran == set(written.values())
