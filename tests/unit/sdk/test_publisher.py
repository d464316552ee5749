"""Does an event arrive as it was said, and is a strategy never held up nor broken?"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.unit.sdk.conftest import Broker
from trackrecord.events import (
    InvalidEventError,
    MarketBar,
    ScriptExecuted,
    SignalClosed,
    SignalEmitted,
    codec,
)
from trackrecord.sdk import Delivery, Publisher

AWAY = {"security.protocol": "ssl"}
"""A setting with which the mock broker, which speaks plain text, is never reached."""


@pytest.fixture
def prefix() -> str:
    return f"{uuid4().hex[:8]}."


def open_publisher(broker: Broker, folder: Path, prefix: str, **options: Any) -> Publisher:
    options = {"bootstrap_servers": broker.address, "spool_dir": folder, "environ": {}, **options}
    return Publisher("my strategy", topic_prefix=prefix, **options)


def header(message: Any, name: str) -> str:
    return bytes(dict(message.headers())[name]).decode()


def ids(messages: list[Any]) -> list[str]:
    return [json.loads(message.value())["signal_id"] for message in messages]


def test_a_signal_and_its_exit_arrive_as_said(broker: Broker, tmp_path: Path, prefix: str) -> None:
    told: list[Delivery] = []
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    with open_publisher(broker, tmp_path, prefix, on_delivery=told.append) as publisher:
        signal = publisher.signal(
            "AAPL",
            "LONG",
            price="150.25",
            target_price=Decimal(160),
            stop_loss=145,
            traceparent=trace,
        )
        done = publisher.exit(signal, price="151.80", reason="target")
        assert publisher.flush(10) == 0
        assert publisher.stats.delivered == publisher.stats.accepted == 2
    (message,) = broker.messages(prefix + "signal_emitted")
    assert codec.decode(SignalEmitted, message.value()) == signal
    assert signal.side == "BUY"
    assert message.key() == b"AAPL"
    assert header(message, "ce_id") == signal.event_id
    assert header(message, "ce_type") == "trackrecord.signal_emitted.v1"
    assert header(message, "ce_source") == "/sdk/my%20strategy"
    assert header(message, "traceparent") == trace
    (message,) = broker.messages(prefix + "signal_closed")
    assert codec.decode(SignalClosed, message.value()) == done
    assert (done.signal_id, done.strategy) == (signal.signal_id, "my strategy")
    assert [(one.status, one.event_id) for one in told if one.topic.endswith("emitted")] == [
        ("delivered", signal.event_id)
    ]
    assert list(tmp_path.iterdir()) == []


def test_an_exit_needs_no_more_than_id_and_symbol(
    broker: Broker, tmp_path: Path, prefix: str
) -> None:
    with open_publisher(broker, tmp_path, prefix) as publisher:
        done = publisher.exit(("s-1", "AAPL"), price=1, quantity="0.5")
    assert (done.signal_id, done.symbol, done.quantity) == ("s-1", "AAPL", Decimal("0.5"))


def test_a_correction_is_the_same_id_with_the_next_revision(
    broker: Broker, tmp_path: Path, prefix: str
) -> None:
    with open_publisher(broker, tmp_path, prefix) as publisher:
        signal = publisher.signal("AAPL", "BUY", price="150.25")
        right = publisher.correct(signal, price="150.35")
        assert right.signal_id == signal.signal_id
        assert (right.revision, right.price) == (1, Decimal("150.35"))
        assert right.event_id != signal.event_id
        with pytest.raises(InvalidEventError, match="says which event"):
            publisher.correct(signal, signal_id="other")
        with pytest.raises(InvalidEventError, match="no such field"):
            publisher.correct(signal, prise="1")
    assert len(broker.messages(prefix + "signal_emitted")) == 2


def test_bars_and_script_runs_arrive_too(broker: Broker, tmp_path: Path, prefix: str) -> None:
    with open_publisher(broker, tmp_path, prefix) as publisher:
        bar = publisher.bar(
            "AAPL",
            open=1,
            high="2.5",
            low=1,
            close=2,
            volume=0,
            opened_at=datetime(2026, 1, 5, tzinfo=UTC),
            closed_at=datetime(2026, 1, 6, tzinfo=UTC),
        )
        run = publisher.script_executed("a.py", "BUY AAPL\n", parameters={"fast": 3})
    (message,) = broker.messages(prefix + "market_bar")
    assert codec.decode(MarketBar, message.value()) == bar
    (message,) = broker.messages(prefix + "script_executed")
    assert codec.decode(ScriptExecuted, message.value()) == run


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"price": 150.25}, 'price: 150.25 is a float.*"150.25"'),
        ({"price": "1", "quantity": "-1"}, "quantity: must be above 0"),
        ({"price": "1", "emitted_at": datetime(2026, 1, 1)}, "no time zone"),  # noqa: DTZ001
        ({"price": "1", "confidence": 2}, "confidence"),
        ({"price": "1", "traceparent": "x"}, "traceparent"),
        ({"price": "1", "metadata": {"a": "x" * 300_000}}, "is the limit"),
    ],
)
def test_a_mistake_of_the_strategy_raises_at_once_and_nothing_is_published(
    tmp_path: Path, options: dict[str, Any], words: str, broker: Broker, prefix: str
) -> None:
    with open_publisher(broker, tmp_path, prefix) as publisher:
        with pytest.raises(InvalidEventError, match=words):
            publisher.signal("AAPL", "BUY", **options)
        assert publisher.stats.accepted == 0


def test_an_event_that_went_around_the_checks_is_refused(
    broker: Broker, tmp_path: Path, prefix: str
) -> None:
    with open_publisher(broker, tmp_path, prefix) as publisher:
        signal = publisher.signal("AAPL", "BUY", price="150.25")
        with pytest.raises(InvalidEventError, match="quantity"):
            publisher.publish(signal.model_copy(update={"quantity": Decimal(-1)}))
        with pytest.raises(InvalidEventError):
            publisher.publish(SignalEmitted.model_construct(signal_id="x"))  # type: ignore[call-arg]
        with pytest.raises(InvalidEventError, match="event_id"):
            publisher.publish(signal, event_id="")


def test_without_a_broker_nothing_raises_nothing_waits_and_all_is_kept_for_the_next(
    broker: Broker, tmp_path: Path, prefix: str
) -> None:
    away = open_publisher(broker, tmp_path, prefix, kafka=AWAY, max_buffered_messages=100)
    slowest = 0.0
    for number in range(3000):
        begin = time.perf_counter()
        away.signal(f"S{number % 5}", "BUY", price=1, signal_id=str(number))
        slowest = max(slowest, time.perf_counter() - begin)
        assert away.stats.in_memory <= 100
    assert slowest < 1
    assert away.flush(0.1) == 3000
    begin = time.monotonic()
    assert away.close(0.1) == 3000
    assert time.monotonic() - begin < 5

    with open_publisher(broker, tmp_path, prefix) as publisher:
        publisher.signal("S0", "BUY", price=1, signal_id="3000")
        assert publisher.flush(20) == 0
        assert publisher.stats.adopted == 3000
    messages = broker.messages(prefix + "signal_emitted")
    by_key = defaultdict(list)
    for message in messages:
        by_key[message.key()].append(int(json.loads(message.value())["signal_id"]))
    assert sum(map(len, by_key.values())) == 3001
    assert all(numbers == sorted(numbers) for numbers in by_key.values())
    assert list(tmp_path.iterdir()) == []


def test_what_comes_out_of_the_spool_is_byte_for_byte_what_went_in(
    broker: Broker, tmp_path: Path, prefix: str
) -> None:
    away = open_publisher(broker, tmp_path, prefix, kafka=AWAY)
    signal = away.signal("Ünï", "SELL", price="1.10", metadata={"note": "ä\n"})
    before = datetime.now(UTC)
    away.close(0)
    time.sleep(0.05)
    with open_publisher(broker, tmp_path, prefix) as publisher:
        assert publisher.flush(10) == 0
    (message,) = broker.messages(prefix + "signal_emitted")
    assert message.value() == codec.encode(signal)
    assert message.key() == "Ünï".encode()
    said = datetime.fromisoformat(header(message, "ce_time"))
    assert said <= before
    assert message.headers() == codec.headers(signal, source="/sdk/my%20strategy", time=said)


def test_a_full_spool_refuses_the_newest_loudly_and_keeps_the_rest(
    broker: Broker, tmp_path: Path, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Delivery] = []
    away = open_publisher(
        broker,
        tmp_path,
        prefix,
        kafka=AWAY,
        max_buffered_messages=20,
        max_spool_bytes=20_000,
        on_delivery=told.append,
    )
    for number in range(200):
        away.signal("AAPL", "BUY", price=1, signal_id=str(number))
    stats = away.stats
    assert 0 < stats.accepted < 200
    assert stats.refused == 200 - stats.accepted == len(told)
    assert {one.status for one in told} == {"refused"}
    assert "REFUSED" in caplog.text
    assert stats.spool_bytes <= 20_000
    assert away.close(0) == stats.accepted
    with open_publisher(broker, tmp_path, prefix) as publisher:
        assert publisher.flush(10) == 0
    kept = [str(number) for number in range(200)][: stats.accepted]
    assert ids(broker.messages(prefix + "signal_emitted")) == kept


def test_without_a_spool_events_wait_in_memory(broker: Broker, tmp_path: Path, prefix: str) -> None:
    with open_publisher(broker, tmp_path, prefix, max_spool_bytes=0) as publisher:
        assert publisher.spool_dir is None
        for number in range(100):
            publisher.signal("AAPL", "BUY", price=1, signal_id=str(number))
        assert publisher.flush(10) == 0
    assert ids(broker.messages(prefix + "signal_emitted")) == [str(n) for n in range(100)]


def test_without_a_spool_what_was_not_taken_is_said_to_be_lost(
    broker: Broker, tmp_path: Path, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    away = open_publisher(broker, tmp_path, prefix, max_spool_bytes=0, kafka=AWAY)
    away.signal("AAPL", "BUY", price=1)
    assert away.close(0.1) == 1
    assert "1 events" in caplog.text
    assert "lost" in caplog.text


def test_eight_threads_publish_at_once(broker: Broker, tmp_path: Path, prefix: str) -> None:
    with open_publisher(broker, tmp_path, prefix, max_buffered_messages=200) as publisher:

        def work(thread: int) -> None:
            for number in range(250):
                publisher.signal(f"S{thread}", "BUY", price=1, signal_id=f"{thread}-{number}")

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert publisher.flush(20) == 0
    by_key = defaultdict(list)
    for message in broker.messages(prefix + "signal_emitted"):
        by_key[message.key().decode()].append(json.loads(message.value())["signal_id"])
    assert by_key == {f"S{t}": [f"{t}-{n}" for n in range(250)] for t in range(8)}


def test_asyncio_tasks_publish_and_flush_while_others_run(
    broker: Broker, tmp_path: Path, prefix: str
) -> None:
    async def main() -> int:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.001)

        ticking = asyncio.create_task(tick())
        async with open_publisher(broker, tmp_path, prefix) as publisher:
            for number in range(50):
                publisher.signal("AAPL", "BUY", price=1, signal_id=str(number))
            assert await publisher.aflush(10) == 0
        ticking.cancel()
        return ticks

    assert asyncio.run(main()) > 1
    assert ids(broker.messages(prefix + "signal_emitted")) == [str(n) for n in range(50)]


def test_a_callback_may_fail_publish_and_flush(
    broker: Broker, tmp_path: Path, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    def callback(delivery: Delivery) -> None:
        publisher.flush()
        if delivery.topic.endswith("emitted"):
            publisher.exit(("s", "AAPL"), price=1)
            raise ZeroDivisionError

    publisher = open_publisher(broker, tmp_path, prefix, on_delivery=callback)
    publisher.signal("AAPL", "BUY", price=1)
    assert publisher.flush(10) == 0
    assert publisher.close(10) == 0
    assert "ZeroDivisionError" in caplog.text
    assert len(broker.messages(prefix + "signal_closed")) == 1


def test_a_closed_publisher_says_so(broker: Broker, tmp_path: Path, prefix: str) -> None:
    publisher = open_publisher(broker, tmp_path, prefix)
    publisher.close()
    assert publisher.close() == 0
    with pytest.raises(RuntimeError, match="closed"):
        publisher.signal("AAPL", "BUY", price=1)


def test_secrets_show_nowhere(
    broker: Broker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    environ = {
        "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS": broker.address,
        "TRACKRECORD_KAFKA_SECURITY_PROTOCOL": "sasl_plaintext",
        "TRACKRECORD_KAFKA_SASL_MECHANISM": "PLAIN",
        "TRACKRECORD_KAFKA_SASL_USERNAME": "me",
        "TRACKRECORD_KAFKA_SASL_PASSWORD": "hunter2",
    }
    with caplog.at_level(logging.DEBUG):
        publisher = Publisher("s", environ=environ, spool_dir=tmp_path)
        publisher.signal("AAPL", "BUY", price=1)
        publisher.close(0.2)
    assert "hunter2" not in caplog.text + repr(publisher) + repr(vars(publisher))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"strategy": ""}, "strategy"),
        ({"strategy": "s", "topic_prefix": "a b"}, "TRACKRECORD_TOPIC_PREFIX"),
        ({"strategy": "s", "kafka": {"no.such.setting": "1"}}, "no.such.setting"),
        ({"strategy": "s", "kafka": {"socket.timeout.ms": "x"}}, "KAFKA_SOCKET_TIMEOUT_MS"),
    ],
)
def test_a_wrong_setting_is_named_at_once_and_leaves_nothing_behind(
    tmp_path: Path, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        Publisher(**arguments, spool_dir=tmp_path, environ={})
    assert list(tmp_path.iterdir()) == []


def test_settings_that_the_promises_rest_on_are_kept(
    broker: Broker, tmp_path: Path, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    kafka = {"enable.idempotence": "false", "delivery.timeout.ms": "1", "client.id": "me"}
    with open_publisher(broker, tmp_path, prefix, kafka=kafka) as publisher:
        publisher.signal("AAPL", "BUY", price=1)
        assert publisher.flush(10) == 0
    assert "TRACKRECORD_KAFKA_ENABLE_IDEMPOTENCE" in caplog.text
    assert "TRACKRECORD_KAFKA_MESSAGE_TIMEOUT_MS" in caplog.text


def test_a_spool_that_cannot_be_used_is_an_error_where_it_was_asked_for_and_else_a_warning(
    broker: Broker, tmp_path: Path, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(OSError, match="file"):
        open_publisher(broker, file / "spool", prefix)
    environ = {"TRACKRECORD_HOME": str(file)}
    options = {"bootstrap_servers": broker.address, "topic_prefix": prefix, "environ": environ}
    with Publisher("s", **options) as publisher:  # type: ignore[arg-type]
        publisher.signal("AAPL", "BUY", price=1)
        assert publisher.flush(10) == 0
    assert "TRACKRECORD_SPOOL_DIR" in caplog.text
