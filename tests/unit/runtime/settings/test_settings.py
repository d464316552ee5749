"""Settings: read from variables, all problems at once, and no password in any of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from trackrecord.redaction import hide_secrets
from trackrecord.runtime.errors import ConfigurationError
from trackrecord.runtime.settings import Settings, load_settings


def problems(**environ: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environ)
    return str(caught.value)


def test_nothing_set_means_the_defaults() -> None:
    found = load_settings({})
    assert found == Settings()
    assert found.kafka_bootstrap_servers == "127.0.0.1:9092"
    assert found.metrics_host == "127.0.0.1"
    assert found.topic("signal_emitted") == "signal_emitted"


def test_an_empty_variable_counts_as_not_set() -> None:
    assert load_settings({"DATABASE_URL": "", "TRACKRECORD_BATCH_SIZE": ""}) == Settings()


def test_variables_are_read_by_their_names() -> None:
    found = load_settings(
        {
            "DATABASE_URL": "postgres://u:p@db:5433/x",
            "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS": "a:1,b:2",
            "TRACKRECORD_KAFKA_SASL_MECHANISM": "PLAIN",
            "TRACKRECORD_TOPIC_PREFIX": "eu.",
            "TRACKRECORD_HOME": "/var/lib/trackrecord",
            "TRACKRECORD_DEAD_LETTERS_SHARE": "0.25",
            "TRACKRECORD_SELL_MEANS": "exit",
            "TRACKRECORD_DAY_TIMEZONE": "Asia/Kolkata",
            "UNRELATED": "x",
        }
    )
    assert found.database_url == "postgres://u:p@db:5433/x"
    assert found.kafka_bootstrap_servers == "a:1,b:2"
    assert found.kafka == {"sasl.mechanism": "PLAIN"}
    assert found.topic("signal_emitted") == "eu.signal_emitted"
    assert found.home == Path("/var/lib/trackrecord")
    assert (found.dead_letters_share, found.sell_means) == (0.25, "exit")


def test_every_problem_is_named_at_once_by_its_variable_and_value() -> None:
    words = problems(
        TRACKRECORD_BATCH_SIZE="0",
        TRACKRECORD_METRICS_PORT="http",
        TRACKRECORD_DAY_TIMEZONE="Mars/Olympus",
        TRACKRECORD_DATABASE_SCHEMA='x"; DROP',
        TRACKRECORD_LOG_LEVEL="loud",
        DATABASE_URL="mysql://127.0.0.1/x",
    )
    assert words.startswith("6 setting(s) cannot be used:")
    lines = words.splitlines()[1:]
    assert [line.split("=")[0].strip() for line in lines] == [
        "DATABASE_URL", "TRACKRECORD_BATCH_SIZE", "TRACKRECORD_DATABASE_SCHEMA",
        "TRACKRECORD_DAY_TIMEZONE", "TRACKRECORD_LOG_LEVEL", "TRACKRECORD_METRICS_PORT",
    ]  # fmt: skip
    assert "'0'" in words
    assert "'http'" in words
    assert "not a time zone" in words


@pytest.mark.parametrize(
    "url",
    [
        "mysql://ada:s3cret@127.0.0.1/x",
        "mysql://127.0.0.1/x?user=ada&password=s3cret",
        "host=127.0.0.1 user=ada password=s3cret",
        "postgresql://ada:s3cret@[bad/x",
        "//ada:s3cret@127.0.0.1",
    ],
)
def test_a_database_url_that_cannot_be_used_shows_no_password(url: str) -> None:
    words = problems(DATABASE_URL=url)
    assert "DATABASE_URL" in words
    assert "s3cret" not in words


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://127.0.0.1/x", "postgresql://127.0.0.1/x"),
        ("postgresql://ada@h/x", "postgresql://ada@h/x"),
        ("postgresql://ada:s3cret@h:5/x?a=b", "postgresql://ada:***@h:5/x?a=b"),
        ("postgresql://ada:p@ss:w/ord@h/x", None),
        ("postgresql://ada:s3cret@/x?host=/run/pg", "postgresql://ada:***@/x?host=/run/pg"),
        ("postgresql://h/x?user=a&password=s3cret&b=c", "postgresql://h/x?user=a&password=***&b=c"),
        ("postgresql://h/x?sslpassword=s3cret", "postgresql://h/x?sslpassword=***"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str | None) -> None:
    found = hide_secrets(url)
    assert "s3cret" not in found
    if shown is not None:
        assert found == shown


def test_every_setting_has_a_variable_and_a_meaning() -> None:
    for field in Settings.model_fields.values():
        assert str(field.validation_alias).startswith("TRACKRECORD_") or str(
            field.validation_alias
        ) in {
            "DATABASE_URL", "GEMINI_API_KEY", "ANTHROPIC_API_KEY", "OPENAI_API_KEY",
            "GEMINI_BASE_URL", "ANTHROPIC_BASE_URL", "OPENAI_BASE_URL",
        }  # fmt: skip
        assert field.description


def test_the_key_of_a_provider_is_read_and_never_shown() -> None:
    found = load_settings({"GEMINI_API_KEY": "AIza-S3cret-key", "OPENAI_BASE_URL": "http://h/v1"})
    assert found.gemini_api_key.get_secret_value() == "AIza-S3cret-key"
    assert found.openai_base_url == "http://h/v1"
    assert "S3cret" not in f"{found!r} {found} {found.gemini_api_key}"
    assert hide_secrets("sent AIza-S3cret-key to it") == "sent *** to it"


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings({}).batch_size = 5  # type: ignore[misc]
