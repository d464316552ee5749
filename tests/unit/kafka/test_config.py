"""Do the variables of the environment mean the settings that they should?"""

from __future__ import annotations

from pathlib import Path

import pytest
from confluent_kafka import Producer

from trackrecord.kafka.config import (
    KAFKA_PREFIX,
    kafka_settings,
    masked,
    spool_directory,
    topic_prefix,
    variable_of,
)


def test_without_variables_the_broker_is_the_local_one() -> None:
    assert kafka_settings({}) == {"bootstrap.servers": "127.0.0.1:9092"}


@pytest.mark.parametrize(
    ("variable", "setting", "value"),
    [
        ("TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS", "bootstrap.servers", "a:1,b:2"),
        ("TRACKRECORD_KAFKA_SASL_MECHANISM", "sasl.mechanism", "PLAIN"),
        ("TRACKRECORD_KAFKA_SECURITY_PROTOCOL", "security.protocol", "plaintext"),
        ("TRACKRECORD_KAFKA_SSL_CA_LOCATION", "ssl.ca.location", "probe"),
        ("TRACKRECORD_KAFKA_SOCKET_KEEPALIVE_ENABLE", "socket.keepalive.enable", "true"),
        ("TRACKRECORD_KAFKA_QUEUE_BUFFERING_MAX_MS", "queue.buffering.max.ms", "7"),
    ],
)
def test_a_variable_sets_the_setting_with_dots_which_the_client_knows(
    variable: str, setting: str, value: str
) -> None:
    settings = kafka_settings({variable: value})
    assert settings[setting] == value
    assert variable_of(setting) == variable
    Producer({**settings, "log_level": 0})


def test_what_is_empty_or_somebody_elses_is_passed_over() -> None:
    environ = {
        "TRACKRECORD_KAFKA_SASL_USERNAME": " ",
        "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS": "",
        "TRACKRECORD_KAFKA_": "x",
        "KAFKA_SASL_PASSWORD": "x",
    }
    assert kafka_settings(environ) == {"bootstrap.servers": "127.0.0.1:9092"}


def test_secrets_are_masked_and_the_rest_is_shown() -> None:
    secrets = {
        "sasl.password": "hidden",
        "ssl.key.password": "hidden",
        "ssl.key.pem": "hidden",
        "ssl.keystore.password": "hidden",
        "sasl.oauthbearer.client.secret": "hidden",
        "sasl.oauthbearer.config": "hidden",
    }
    shown = masked({**secrets, "sasl.username": "me", "linger.ms": 5})
    assert "hidden" not in str(shown)
    assert shown["sasl.username"] == "me"
    assert shown["linger.ms"] == 5


def test_a_topic_prefix_is_taken_if_kafka_takes_it() -> None:
    assert topic_prefix({}) == ""
    assert topic_prefix({"TRACKRECORD_TOPIC_PREFIX": "test-1."}) == "test-1."
    with pytest.raises(ValueError, match="TRACKRECORD_TOPIC_PREFIX"):
        topic_prefix({"TRACKRECORD_TOPIC_PREFIX": "a/b"})


def test_the_spool_lies_where_the_environment_says() -> None:
    assert spool_directory(
        {"TRACKRECORD_SPOOL_DIR": "/s", "TRACKRECORD_HOME": "/h", "XDG_STATE_HOME": "/x"}
    ) == Path("/s")
    assert spool_directory({"TRACKRECORD_HOME": "/h", "XDG_STATE_HOME": "/x"}) == Path("/h/spool")
    assert spool_directory({"XDG_STATE_HOME": "/x"}) == Path("/x/trackrecord/spool")
    assert spool_directory({}) == Path("~/.local/state/trackrecord/spool").expanduser()


def test_a_brokers_listener_says_how_it_is_reached() -> None:
    found = kafka_settings(
        {f"{KAFKA_PREFIX}BOOTSTRAP_SERVERS": "SASL_SSL://a:1, sasl_ssl://[::1]:2/"}
    )
    assert found == {"bootstrap.servers": "a:1,[::1]:2", "security.protocol": "SASL_SSL"}
    same = {
        f"{KAFKA_PREFIX}BOOTSTRAP_SERVERS": "ssl://a:1",
        f"{KAFKA_PREFIX}SECURITY_PROTOCOL": "ssl",
    }
    assert kafka_settings(same)["bootstrap.servers"] == "a:1"


@pytest.mark.parametrize(
    ("servers", "protocol"), [("SSL://a:1,PLAINTEXT://b:2", ""), ("SSL://a:1", "SASL_SSL")]
)
def test_brokers_that_are_to_be_reached_in_two_ways_are_refused(
    servers: str, protocol: str
) -> None:
    with pytest.raises(ValueError, match=r"BOOTSTRAP_SERVERS names (a listener|listeners) for"):
        kafka_settings(
            {
                f"{KAFKA_PREFIX}BOOTSTRAP_SERVERS": servers,
                f"{KAFKA_PREFIX}SECURITY_PROTOCOL": protocol,
            }
        )
