"""A stage that halts says so for as long as it was told to, and then ends for good."""

from __future__ import annotations

import http.client

import pytest

from tests.support import compare, histories
from tests.support.pipeline import Pipeline, StageProcess, until

pytestmark = pytest.mark.kafka


def page(stage: StageProcess, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(
        "127.0.0.1", stage.lines("started")[0]["metrics_port"], timeout=2
    )
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_a_halted_stage_can_be_seen_before_it_ends(pipeline: Pipeline, seed: str) -> None:
    pipeline.publish(histories.make(seed, 100))
    stage = pipeline.start(
        "signal_tracker",
        "refuse_everything",
        0,
        TRACKRECORD_DEAD_LETTERS_IN_A_ROW="50",
        TRACKRECORD_HALT_LINGER_SECONDS="120",
        TRACKRECORD_BATCHSIZE="50",
    )
    until(lambda: stage.lines("halted"), "the stage halts")
    code, body = page(stage, "/readyz")
    assert code == 503
    assert "halted: " in body
    assert "in a row were refused" in body
    assert 'trackrecord_halted{stage="signal_tracker"} 1.0' in page(stage, "/metrics")[1]
    assert stage.exit_code is None
    [warning] = stage.lines("unknown setting")
    assert (warning["variable"], warning["nearest"]) == (
        "TRACKRECORD_BATCHSIZE",
        "TRACKRECORD_BATCH_SIZE",
    )
    assert stage.stop() == 3
    # What came in a batch of its own before the limit was met is kept as dead letters, no more.
    letters = compare.fetch(pipeline.settings, "SELECT count(*) FROM dead_letters")[0][0]
    assert pipeline.read_so_far("signal_tracker") == letters < 50
