"""No secret leaves a process, whatever it looks like and wherever it stands."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from trackrecord import redaction
from trackrecord.redaction import hide_secrets, is_secret, remember_url
from trackrecord.runtime import database, logs
from trackrecord.runtime.errors import TrackrecordError
from trackrecord.runtime.health import Health
from trackrecord.runtime.settings import load_settings

AWKWARD = ["S3c#S3cret", "S3c@S3cret", "S3c/S3cret", "S3c%S3cret", "S3c?S3cret", "S3c:S3cret",
           "S3c&S3cret", "S3c S3cret", "S3c[S3cret"]  # fmt: skip


@pytest.fixture(autouse=True)
def known() -> Iterator[None]:
    """Nothing that other tests have made known, and nothing of ours for them."""
    redaction.forget()
    yield
    redaction.forget()


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://ada:S3cret@h/x",
        "tried postgresql://ada:S3cret@h/x, then gave up",
        "postgresql://h/x?user=a&password=S3cret&sslmode=require",
        "postgresql://h/x?sslpassword=S3cret",
        "host=h user=ada password=S3cret dbname=x",
        r"host=h password='it\'s S3cret' dbname=x",
        "host=h password = S3cret&S3cret dbname=x",
        "{'sasl.username': 'ada', 'sasl.password': 'S3cret'}",
        '{"ssl.key.password": "S3cret", "a": 1}',
        'org.apache.kafka.PlainLoginModule required username="a" password="S3cret";',
        "TRACKRECORD_KAFKA_SASL_PASSWORD=S3cret",
        "sasl.oauthbearer.client.secret=S3cret",
        "-----BEGIN PRIVATE KEY-----\nS3cret\n-----END PRIVATE KEY-----",
        "SASL_SSL://ada:S3cret@h:9092",
    ],
)
def test_a_secret_is_known_by_its_shape(text: str) -> None:
    found = hide_secrets(text)
    assert "S3cret" not in found
    assert "***" in found


@pytest.mark.parametrize(
    "text",
    [
        'FATAL:  password authentication failed for user "ada"',
        "no password supplied",
        "connection to server at 127.0.0.1, port 5432 failed",
        "postgresql://ada@h:5432/x?sslmode=require",
        "127.0.0.1:9092,127.0.0.2:9092",
        "http://127.0.0.1:9100/metrics",
        "AAPL BUY @ 189.2: see mail to ada@example.org",
    ],
)
def test_what_is_no_secret_is_left_as_it_is(text: str) -> None:
    assert hide_secrets(text) == text


@pytest.mark.parametrize("password", AWKWARD)
@pytest.mark.parametrize("form", ["postgresql://u:{}@127.0.0.1:1/db",
                                  "postgresql://127.0.0.1:1/db?user=u&password={}"])  # fmt: skip
def test_no_error_of_the_driver_shows_a_part_of_the_password(form: str, password: str) -> None:
    for url in (form.format(password), form.format(quote(password, safe=""))):
        with pytest.raises(TrackrecordError) as caught:
            database.connect(load_settings({"DATABASE_URL": url}), application="test")
        assert "S3cret" not in hide_secrets(str(caught.value)), url


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"]),
               min_size=6))  # fmt: skip
def test_a_password_that_is_known_is_hidden_wherever_it_stands_alone(password: str) -> None:
    redaction.forget()
    remember_url(f"postgresql://u:{quote(password, safe='')}@h/x")
    assert f"'{password}'" not in hide_secrets(f"it was '{password}', was it not")


@pytest.mark.parametrize("password", AWKWARD)
def test_commands_show_it_nowhere(password: str) -> None:
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("TRACKRECORD")},
        "DATABASE_URL": f"postgresql://u:{password}@127.0.0.1:1/db",
        "TRACKRECORD_KAFKA_SASL_PASSWORD": "0ther-S3cret",
    }
    done = subprocess.run(
        [sys.executable, "-m", "trackrecord.cli.main", "settings"],
        env=environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode in {0, 2}, done.stderr
    assert "S3cret" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_neither_logs_nor_pages_show_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load_settings({"DATABASE_URL": "postgresql://u:S3c#S3cret@h/x"})
    out = io.StringIO()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", out)
        logs.configure("test", style="json")
    log = logs.get_logger("test-redaction")
    log.warning("failed", error="host S3cret", tried=["x", {"url": "postgresql://u:pw0rd@h"}])
    structlog.reset_defaults()
    line = json.loads(out.getvalue())
    assert (line["error"], line["tried"]) == ("host ***", ["x", {"url": "postgresql://u:***@h"}])
    assert Health("s", reason="no host S3cret").why_not == "no host ***"


def test_in_code_only_what_was_made_known_is_hidden() -> None:
    redaction.remember("sk-0123456789abcdef")
    code = "token = parts[0]  # xsk-0123456789abcdefx"
    assert redaction.hide_known(code) == "token = parts[0]  # x***x"


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("sasl.password", True), ("PGPASSWORD", True), ("ssl.key.pem", True),
        ("TRACKRECORD_KAFKA_SSL_KEY_PASSWORD", True), ("sasl.jaas.config", True),
        ("OPENAI_API_KEY", True),
        ("sasl.username", False), ("linger.ms", False), ("PGPASSFILE", False),
    ],
)  # fmt: skip
def test_a_setting_is_secret_by_its_name(name: str, secret: bool) -> None:
    assert is_secret(name) is secret
