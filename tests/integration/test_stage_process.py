"""A stage as a process: its pages, its end, and when it halts."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.pages import page
from tests.support import compare, histories, oracle, wire
from tests.support.pipeline import Pipeline, StageProcess, until
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka


@pytest.fixture
def pipeline(settings: Settings, tmp_path: Path) -> Iterator[Pipeline]:
    """Each process with an interpreter of its own, from the command on."""
    result = Pipeline(settings, tmp_path)
    try:
        yield result
    finally:
        result.close()


def assigned(process: StageProcess) -> dict[tuple[str, int], int]:
    """Where it says that it is."""
    said = (process.status() or {}).get("assigned", [])
    return {(each["topic"], each["partition"]): each["next_offset"] for each in said}


def test_its_pages_say_whether_it_is_ready_and_how_far_it_is(pipeline: Pipeline) -> None:
    process = pipeline.start_ready("signal_tracker")
    events = histories.make("pages", 60)
    pipeline.publish(events)
    pipeline.done("signal_tracker")
    ends = pipeline.ends("signal_tracker")
    until(lambda: assigned(process) == ends, "it reports where it is")
    status = process.status() or {}
    assert (status["stage"], status["healthy"], status["ready"]) == ("signal_tracker", True, True)
    assert (len(status["assigned"]), status["lag"]) == (6, 0)
    assert json.loads(page(process, "/healthz")) == {"alive": True}
    assert json.loads(page(process, "/readyz")) == {"ready": True, "reason": None}
    text = page(process, "/metrics")
    topic = pipeline.settings.topic("signal_emitted")
    entries = sum(end for (name, _), end in ends.items() if name == topic)
    labels = f'stage="signal_tracker",topic="{topic}"'
    assert f"trackrecord_messages_total{{{labels}}} {entries}.0" in text
    assert "trackrecord_batch_seconds_bucket" in text
    assert 'trackrecord_lag_messages{stage="signal_tracker"} 0.0' in text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_good_order(pipeline: Pipeline, number: signal.Signals) -> None:
    process = pipeline.start_ready("signal_tracker")
    events = histories.make(f"stop-{number}", 100)
    pipeline.publish(events)
    os.kill(process.pid, number)
    assert process.ended() == 0
    assert process.lines("stopping")[0]["signal"] == number.name
    assert process.lines("stopped")
    pipeline.start_ready("signal_tracker")
    pipeline.done("signal_tracker")
    compare.check(pipeline.settings, oracle.expect(events))


def test_too_many_dead_letters_halt_it_with_exit_code_3_and_a_restart_halts_again(
    pipeline: Pipeline,
) -> None:
    settings = pipeline.settings
    topic = settings.topic("signal_emitted")
    wire.send(settings, [wire.Parcel(topic, b"k", b"garbage")] * 100)
    for run in (1, 2):
        process = pipeline.start("signal_tracker", TRACKRECORD_DEAD_LETTERS_IN_A_ROW="20")
        assert process.ended() == 3
        [line] = process.lines("halted")
        assert "20 messages in a row were refused" in line["reason"]
        # Fewer may have come in a batch before; of the batch that met the limit nothing stays.
        letters = compare.fetch(settings, "SELECT count(*) FROM dead_letters")[0][0]
        assert pipeline.read_so_far("signal_tracker") == letters < 20 * run
    pipeline.start_ready("signal_tracker")
    pipeline.done("signal_tracker")
    assert compare.fetch(settings, "SELECT count(*) FROM dead_letters") == [(100,)]


def test_a_dead_letter_is_in_the_log_with_its_event_and_trace(pipeline: Pipeline) -> None:
    process = pipeline.start_ready("signal_tracker")
    topic = pipeline.settings.topic("signal_emitted")
    about = [("ce_id", b"e-1"), ("traceparent", b"00-4bf92f-00f067-01")]
    wire.send(pipeline.settings, [wire.Parcel(topic, b"k", b"garbage", about)])
    pipeline.done("signal_tracker")
    [line] = process.lines("dead letter")
    assert (line["stage"], line["topic"]) == ("signal_tracker", topic)
    assert (line["event_id"], line["trace_id"]) == ("e-1", "4bf92f")
    assert line["error_class"] == "unreadable"


def test_a_port_that_is_taken_is_said_in_one_line(pipeline: Pipeline) -> None:
    first = pipeline.start_ready("extractor")
    port = first.lines("started")[0]["metrics_port"]
    second = pipeline.start("extractor", TRACKRECORD_METRICS_PORT=str(port))
    assert second.ended() == 2
    assert "TRACKRECORD_METRICS_PORT" in second.tail()
    assert "Traceback" not in second.tail()


def test_tables_that_were_never_made_end_it_with_the_command_that_makes_them(
    pipeline: Pipeline,
) -> None:
    compare.fetch(pipeline.settings, "DROP TABLE consumer_offsets; SELECT 1")
    process = pipeline.start("signal_tracker")
    assert process.ended() == 2
    [line] = process.lines("cannot go on")
    assert "trackrecord migrate" in line["reason"]
