"""What holds of every stage of the data plane, also of one that was registered today.

Order, repeats, cuts, a second consumer and crashes change none of its tables; what it refuses, it
refuses with a reason; and the database says what its tables are for.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services import STAGES, lacking, stage_named
from tests.support import compare, histories, runs
from tests.support.scorer import bar
from tests.support.servers import Services
from trackrecord.events import EVENTS, Event
from trackrecord.events.codec import decode
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.stage import Stage
from trackrecord.testing import StageRun, scratch_database

ROOT = Path(__file__).parents[2]
DATA_PLANE = [name for name, stage in STAGES.items() if stage.plane == "data"]

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def schema(services: Services) -> Iterator[Settings]:
    """One for all, as making one takes longer than a test; each run empties its stage's tables."""
    with scratch_database(services.database_url) as settings:
        yield settings


@pytest.fixture(params=DATA_PLANE)
def stage(request: pytest.FixtureRequest) -> Stage:
    if missing := lacking(request.param):
        pytest.skip(f"{request.param} needs {', '.join(missing)}")
    found = stage_named(request.param)
    assert isinstance(found, Stage)
    return found


def events_of(stage: Stage) -> list[Event]:
    """Valid events of all topics that a stage reads, none of which contradicts another."""
    own = {model.event_type for model in stage.consumes}
    signals = histories.make("every stage", 12, histories.Shape(conflict=0.0, orphan=0.1))
    scripts = {event.execution_id: event for event in runs.make("every stage", 12)}
    bars = [bar(f"SYM{n % 3}", n // 3, (100, 106, 98, 101 + n % 5)) for n in range(24)]
    made: list[Event] = [*signals, *scripts.values(), *bars, *examples()]
    return [event for event in made if event.event_type in own]


def examples() -> Iterator[Event]:
    """One example of each event, as the contract has it."""
    for name, model in EVENTS.items():
        path = ROOT / "schemas" / "examples" / name / "full.json"
        if path.is_file():
            yield decode(model, path.read_bytes())


def test_order_repeats_cuts_consumers_and_crashes_change_no_table(
    schema: Settings, stage: Stage
) -> None:
    run = StageRun(stage, schema).of(events_of(stage))
    assert run.refused == []
    assert any(run.run.content().values())
    run.agrees_in_any_order(orders=1)


def test_what_cannot_be_read_is_refused_with_a_reason_and_stops_nothing(
    schema: Settings, stage: Stage
) -> None:
    events = events_of(stage)
    bad = [{"type": model.event_type, "data": {"nothing": True}} for model in stage.consumes]
    alone = StageRun(stage, schema).of(events).run.content()
    run = StageRun(stage, schema).of([*bad, *events], batches=[1] * len(bad) + [len(events)])
    assert [each.position for each in run.refused] == list(range(len(bad)))
    assert all(each.reason for each in run.refused)
    assert run.run.content() == alone


def test_the_database_says_what_each_table_is_for(schema: Settings, stage: Stage) -> None:
    for table in stage.tables:
        found = compare.fetch(schema, "SELECT obj_description(%s::regclass)", (table.name,))
        assert found[0][0], f"COMMENT ON TABLE {table.name} is missing in the migration"


def test_every_published_event_is_of_a_topic_that_the_stage_names(
    schema: Settings, stage: Stage
) -> None:
    run = StageRun(stage, schema).of(events_of(stage))
    named = {model.event_type for model in stage.produces}
    assert {event.event_type for event in run.outgoing} <= named
