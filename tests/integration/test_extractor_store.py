"""The extractor's tables by batches: in any order, doubled and cut, and what it publishes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from services.extractor.service import STAGE
from tests.support import runs
from tests.support.servers import Services
from trackrecord.testing import StageRun, scratch_database
from trackrecord.testing.hypotheses import any_arrangement

pytestmark = pytest.mark.kafka


def test_runs_in_batches_give_the_signals_and_conflicts_that_they_must(services: Services) -> None:
    events = runs.make("store", 60)
    signals, conflicts = runs.expect(events)
    with scratch_database(services.database_url) as settings:
        run = StageRun(STAGE, settings).of(events, batches=[1, 20, len(events) - 21], consumers=2)
        assert {event.signal_id for event in run.outgoing} == signals
        assert [each.position for each in run.refused] == conflicts
        assert {each.error_class for each in run.refused} == {"conflict"}
        assert len(run.rows("executions")) == 60


def test_no_arrangement_of_runs_changes_a_table(services: Services) -> None:
    unique = {event.execution_id: event for event in runs.make("arranged", 12)}
    events = list(unique.values())
    with scratch_database(services.database_url) as settings:
        stage = StageRun(STAGE, settings)
        expected = stage.of(events).run.content()

        @given(st.data())
        @hypothesis_settings(max_examples=5)
        def holds(data: st.DataObject) -> None:
            stage.arranged(events, data.draw(any_arrangement(len(events))))
            assert stage.content() == expected

        holds()
