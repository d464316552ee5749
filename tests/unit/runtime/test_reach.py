"""Is it said at once, and rightly, why no broker can be reached?"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import KafkaException

from trackrecord.local.mock_broker import mock_broker
from trackrecord.runtime.errors import UnreachableError
from trackrecord.runtime.reach import require_brokers
from trackrecord.runtime.settings import load_settings

BROKERS = "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS"
AT_ONCE = 2.0


def problem(servers: str, **settings: str) -> str:
    with pytest.raises(UnreachableError) as raised:
        require_brokers(load_settings({BROKERS: servers, **settings}), "do this")
    words = str(raised.value)
    assert "\n" not in words
    return words


@contextmanager
def listening(answer: bytes) -> Iterator[str]:
    """A server that says the same to everybody."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(1000)
                    connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(
    ("servers", "words"),
    [
        ("127.0.0.1:1", "nobody listens at 127.0.0.1:1"),
        ("127.0.0.1:1,127.0.0.1:2", "127.0.0.1:1, nobody listens at 127.0.0.1:2"),
        ("PLAINTEXT://127.0.0.1:1", "nobody listens at 127.0.0.1:1"),
        ("[::1]:1", "nobody listens at ::1:1"),
        ("nohost.invalid:1", "the name nohost.invalid is unknown"),
        ("127.0.0.1:99999", "99999 is no port"),
        ("127.0.0.1:x", "x is no port"),
    ],
)
def test_what_is_not_there_is_told_apart_at_once(servers: str, words: str) -> None:
    started = time.monotonic()
    said = problem(servers)
    assert time.monotonic() - started < AT_ONCE
    at = servers.removeprefix("PLAINTEXT://")
    assert said == f"no broker at {at}: {said.split(': ', 1)[1]}"
    assert words in said
    assert said.endswith("; do this")


def test_one_broker_of_several_is_enough_and_the_mock_is_one() -> None:
    with mock_broker() as servers:
        require_brokers(load_settings({BROKERS: f"127.0.0.1:1,{servers}"}), "do this")


def test_a_server_that_is_no_broker_is_not_taken_for_one() -> None:
    with listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") as servers:
        said = problem(servers)
    assert "does not answer as one" in said
    assert "TRACKRECORD_KAFKA_SECURITY_PROTOCOL" in said


def test_tls_that_the_broker_does_not_speak_is_named() -> None:
    with listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") as servers:
        said = problem(servers, TRACKRECORD_KAFKA_SECURITY_PROTOCOL="ssl")
    assert said.startswith(f"no TLS with the broker at {servers}")
    assert "TRACKRECORD_KAFKA_SSL_CA_LOCATION" in said


def test_credentials_that_are_refused_are_named_and_not_shown() -> None:
    with mock_broker() as servers:
        said = problem(
            servers,
            TRACKRECORD_KAFKA_SECURITY_PROTOCOL="sasl_plaintext",
            TRACKRECORD_KAFKA_SASL_MECHANISM="PLAIN",
            TRACKRECORD_KAFKA_SASL_USERNAME="me",
            TRACKRECORD_KAFKA_SASL_PASSWORD="hunter2",
        )
    assert said.startswith(f"the broker at {servers} refuses the credentials")
    assert "TRACKRECORD_KAFKA_SASL_PASSWORD" in said
    assert "hunter2" not in said


def test_a_setting_that_the_client_does_not_know_comes_first() -> None:
    settings = load_settings({BROKERS: "127.0.0.1:1", "TRACKRECORD_KAFKA_NO_SUCH": "1"})
    with pytest.raises(KafkaException, match=r"no\.such"):
        require_brokers(settings, "do this")
