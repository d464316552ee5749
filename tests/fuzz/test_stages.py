"""Fuzzed payloads through whole stages: on a real broker, into a real database."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence

import pytest

from services import STAGES, lacking
from tests.fuzz import raw_headers
from tests.fuzz.payloads import Payload, payloads
from tests.support import compare, wire
from tests.support.pipeline import Pipeline, stage_named
from trackrecord.events import EVENTS, InvalidEventError, SignalEmitted
from trackrecord.events.codec import decode, header
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka

# Hostile payloads only: without this the stage would halt, as it should.
PATIENT = {
    "TRACKRECORD_DEAD_LETTERS_IN_A_ROW": "1000000",
    "TRACKRECORD_DEAD_LETTERS_SHARE": "1",
}


def is_valid(payload: Payload) -> bool:
    """What the model says, which has the last word."""
    model = EVENTS[payload.event_type]
    if header(payload.headers, "ce_type") not in (None, model.ce_type()):
        return False
    try:
        decode(model, payload.value)
    except InvalidEventError:
        return False
    return True


def send(settings: Settings, made: Sequence[Payload]) -> list[wire.Place]:
    return wire.send(
        settings,
        [
            wire.Parcel(settings.topic(each.event_type), each.key, each.value, each.headers)
            for each in made
        ],
    )


COUNTS = {"signal_tracker": 3_000, "extractor": 1_500}
"""Payloads for a stage; for any other, a few hundred."""

SENDABLE = 900_000
"""Bytes of a value that the producer of the tests still takes; a larger one reaches no stage."""


@pytest.mark.parametrize("stage", [name for name, each in STAGES.items() if each.plane == "data"])
def test_a_stage_reads_past_whatever_comes_and_refuses_what_the_model_refuses(
    pipeline: Pipeline, stage: str
) -> None:
    if missing := lacking(stage):
        pytest.skip(f"{stage} needs {', '.join(missing)}")
    count = COUNTS.get(stage, 500)
    seed = int(os.environ.get("TRACKRECORD_FUZZ_SEED") or secrets.randbelow(10**9))
    print(f"TRACKRECORD_FUZZ_SEED={seed}")  # noqa: T201 - pytest shows it with a failure
    own = {model.event_type for model in stage_named(stage).consumes}
    made = [
        each
        for each in payloads(seed, 20 * count)
        if each.event_type in own and len(each.value or b"") <= SENDABLE
    ][:count]
    places = send(pipeline.settings, made)
    pipeline.start(stage, **PATIENT)
    pipeline.done(stage)
    refused = {
        (topic, partition, offset): (error_class, None if value is None else bytes(value))
        for topic, partition, offset, error_class, value in compare.fetch(
            pipeline.settings,
            "SELECT topic, partition, log_offset, error_class, value FROM dead_letters",
        )
    }
    invalid = {place for place, each in zip(places, made, strict=True) if not is_valid(each)}
    assert invalid <= refused.keys()
    # Examples are bent, not invented, so that many speak of the same signal or run.
    assert {refused[place][0] for place in refused.keys() - invalid} <= {"conflict"}
    values = {place: each.value for place, each in zip(places, made, strict=True)}
    assert all(value == values[place] for place, (_, value) in refused.items())


@pytest.mark.skipif(raw_headers.library() is None, reason="librdkafka is not a file of its own")
def test_a_header_whose_name_is_no_text_stops_nobody(pipeline: Pipeline) -> None:
    settings = pipeline.settings
    topic = settings.topic("signal_emitted")
    good = next(each for each in payloads(1, 500) if each.kind == "example" and is_valid(each)
                and each.event_type == "signal_emitted")  # fmt: skip
    signal = decode(SignalEmitted, good.value)
    for value in (signal.model_copy(update={"signal_id": "kept"}).to_json(), b"no event"):
        raw_headers.send(
            settings.kafka_bootstrap_servers, topic, b"AAPL", value, [(b"n\xff\xfe", b"v")]
        )
    behind = signal.model_copy(update={"signal_id": "behind"})
    wire.send(settings, [wire.parcel(settings, behind)])
    stage = pipeline.start("signal_tracker")
    pipeline.done("signal_tracker")
    assert {row[0] for row in compare.fetch(settings, "SELECT signal_id FROM signals")} == {
        "kept",
        "behind",
    }
    [(value, error_class)] = compare.fetch(settings, "SELECT value, error_class FROM dead_letters")
    assert (bytes(value), error_class) == (b"no event", "unreadable")
    assert stage.stop() == 0
