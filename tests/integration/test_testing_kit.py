"""The kit finds what it is there to find: a stage that counts twice, forgets, or needs an order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from services.extractor.handler import Extractor
from services.extractor.service import STAGE
from tests.support import runs
from tests.support.servers import Services
from trackrecord.events import ScriptExecuted, SignalEmitted
from trackrecord.runtime import database
from trackrecord.runtime.database import Cursor
from trackrecord.runtime.decoding.batch import Batch
from trackrecord.runtime.errors import ConfigurationError
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.stage import Context, Effects, Handler
from trackrecord.testing import (
    Arrangement,
    StageRun,
    arrangements,
    as_given,
    as_messages,
    find_database,
    scratch_database,
)

EVENTS = list({event.execution_id: event for event in runs.make("kit", 6)}.values())


@pytest.fixture(scope="module")
def settings(services: Services) -> Iterator[Settings]:
    with scratch_database(services.database_url) as made:
        yield made


class CountsRepeats(Extractor):
    """Adds every run to the sums, whether it was there or not."""

    def apply(self, batch: Batch, cursor: Cursor) -> Effects:
        effects = super().apply(batch, cursor)
        count = batch.of(ScriptExecuted).height
        cursor.execute("UPDATE script_days SET runs = runs + %s WHERE lane = 0", (count,))
        return effects


class RemembersTheFirst(Extractor):
    """Believes that what it has in memory is committed."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._seen = False

    def apply(self, batch: Batch, cursor: Cursor) -> Effects:
        effects = super().apply(batch, cursor)
        if not self._seen:
            cursor.execute("UPDATE executions SET program = 'first' WHERE program IS NULL")
        self._seen = True
        return effects


@pytest.mark.kafka
@pytest.mark.parametrize("broken", [CountsRepeats, RemembersTheFirst])
def test_a_stage_whose_tables_depend_on_repeats_or_order_is_found(
    settings: Settings, broken: Callable[[Context], Handler]
) -> None:
    stage = replace(STAGE, handler=broken)
    with pytest.raises(AssertionError, match="came out otherwise"):
        StageRun(stage, settings).of(EVENTS).agrees_in_any_order(orders=1)


@pytest.mark.kafka
def test_a_crash_undoes_what_was_written_and_the_batch_comes_again(settings: Settings) -> None:
    made: list[Handler] = []

    def handler(context: Context) -> Handler:
        made.append(Extractor(context))
        return made[-1]

    run = StageRun(replace(STAGE, handler=handler), settings)
    expected = run.of(EVENTS).run.content()
    everything = tuple(range(len(EVENTS)))
    how = Arrangement("crashes", everything, (2, len(EVENTS) - 2), crash_at=frozenset({0, 1}))
    applied = run.arranged(EVENTS, how)
    assert run.content() == expected
    assert len(made) == 1 + 3
    signals = [event.signal_id for event in applied.outgoing if isinstance(event, SignalEmitted)]
    assert sorted(signals) == sorted({*signals})


@pytest.mark.kafka
def test_events_as_dicts_may_be_wrong_and_are_refused_by_position(settings: Settings) -> None:
    wrong = {"type": "script_executed", "data": {"execution_id": "x"}}
    applied = StageRun(STAGE, settings).of([EVENTS[0], wrong, EVENTS[1]])
    assert [(each.position, each.error_class) for each in applied.refused] == [(1, "invalid")]
    with pytest.raises(ValueError, match='"type"'):
        StageRun(STAGE, settings).of([{"execution_id": "x"}])


@pytest.mark.kafka
def test_a_scratch_schema_is_gone_at_the_end(services: Services) -> None:
    with scratch_database(services.database_url) as made:
        name = made.database_schema
        assert StageRun(STAGE, made).of(EVENTS).rows("executions")
    with database.session(made, application="test") as cursor:
        found = database.rows(cursor, "SELECT to_regnamespace(%s)", (name,))
    assert found == [(None,)]


def test_without_a_database_it_says_what_to_start() -> None:
    with pytest.raises(ConfigurationError, match="trackrecord up"):
        find_database({"TRACKRECORD_HOME": "/nowhere"})
    assert find_database({"DATABASE_URL": "postgresql://here"}) == "postgresql://here"


def test_batches_that_do_not_hold_all_events_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="batches of 3 events in all, and there are 4"):
        as_given(4, [1, 2])


@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_every_arrangement_holds_every_event_and_is_the_same_for_its_seed(count: int) -> None:
    made = list(arrangements(count, seed=7))
    assert made == list(arrangements(count, seed=7))
    for how in made:
        assert {*how.order} == {*range(count)}
        assert [place for batch in how.batches() for place in batch] == [*range(len(how.order))]
        assert how.crash_at <= {*range(len(how.sizes))}


def test_events_of_one_key_stay_in_order_in_one_partition() -> None:
    messages = as_messages(EVENTS * 2)
    by_key: dict[bytes, set[int]] = {}
    for message in messages:
        by_key.setdefault(message.key() or b"", set()).add(message.partition() or 0)
    assert all(len(partitions) == 1 for partitions in by_key.values())
    assert [message.offset() for message in messages] == list(range(len(messages)))
    assert {message.topic() for message in messages} == {"script_executed"}
