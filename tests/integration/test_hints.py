"""The trainer hears its events however they were compressed, and says when it does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from confluent_kafka import Producer

from tests.integration.pages import page
from tests.support.pipeline import Pipeline, StageProcess, until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


def publish(pipeline: Pipeline, codec: str, count: int = 50) -> None:
    producer = Producer(
        {
            "bootstrap.servers": pipeline.settings.kafka_bootstrap_servers,
            "compression.type": codec,
            "linger.ms": 50,
        }
    )
    for _ in range(count):
        producer.produce(pipeline.settings.topic("signal_scored"), b'{"a":"' + b"abc" * 100, b"K")
    assert producer.flush(10) == 0


def metric(process: StageProcess, name: str) -> float:
    lines = page(process, "/metrics").splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(f"{name}{{"))


def ready(pipeline: Pipeline, **more: str) -> StageProcess:
    """The trainer, once it is ready."""
    process = pipeline.start("trainer", **more)
    until(lambda: process.is_ready, "the trainer is ready", 90)
    return process


def test_every_codec_is_heard(pipeline: Pipeline) -> None:
    trainer = ready(pipeline)
    for number, codec in enumerate(CODECS, 1):
        publish(pipeline, codec)
        heard = 50 * number
        until(lambda: metric(trainer, "trackrecord_messages_total") == heard, codec, 60)  # noqa: B023
    assert metric(trainer, "trackrecord_listening") == 1
    assert metric(trainer, "trackrecord_listening_failures_total") == 0
    assert "UnsupportedCodecError" not in trainer.said()


def test_what_it_cannot_read_shows_and_is_passed_over(pipeline: Pipeline, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "cramjam.py").write_text("raise ImportError('not there')\n")
    trainer = ready(pipeline, PYTHONPATH=str(hidden))
    publish(pipeline, "zstd")
    until(lambda: metric(trainer, "trackrecord_listening_failures_total") == 1, "it shows", 20)
    [line] = trainer.lines("no events are heard for a while")
    assert "zstd" in line["reason"]
    until(lambda: (trainer.status() or {}).get("listening"), "it listens again", 30)

    def hears() -> bool:
        # Where the topics end is asked for after the partitions were given out.
        publish(pipeline, "none", 1)
        return metric(trainer, "trackrecord_messages_total") > 0

    until(hears, "it hears what comes later", 15)


def test_a_reader_that_is_down_is_not_ready_and_says_why(pipeline: Pipeline) -> None:
    trainer = pipeline.start("trainer", TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")
    until(lambda: trainer.lines("no events are heard for a while"), "it says so", 90)
    words = "does not hear events: Unable connect to"
    until(lambda: words in (trainer.status() or {}).get("reason", ""), "it says why", 10)
    status = trainer.status() or {}
    assert (status["ready"], status["listening"], status["healthy"]) == (False, False, True)
    assert metric(trainer, "trackrecord_listening") == 0
    assert metric(trainer, "trackrecord_ready") == 0


def test_a_setting_that_it_cannot_use_ends_it_by_name(pipeline: Pipeline) -> None:
    trainer = pipeline.start(
        "trainer",
        TRACKRECORD_KAFKA_SECURITY_PROTOCOL="SASL_PLAINTEXT",
        TRACKRECORD_KAFKA_SASL_MECHANISM="PLAIN",
        TRACKRECORD_KAFKA_SASL_USERNAME="ada",
        TRACKRECORD_KAFKA_SASL_PASSWORD="S3cret",
        TRACKRECORD_KAFKA_SASL_KERBEROS_KEYTAB="/x",
    )
    assert trainer.ended(60) == 2
    [line] = trainer.lines("cannot go on")
    assert "cannot reach a broker by TRACKRECORD_KAFKA_SASL_KERBEROS_KEYTAB" in line["reason"]
