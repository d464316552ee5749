"""Which broker and database a test run takes, and what it says where there are none."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import servers

ROOT = Path(__file__).parents[3]

TESTS = """
import pytest

@pytest.mark.kafka
def test_that_asks_for_kafka():
    raise AssertionError

def test_that_uses_it(services):
    raise AssertionError

def test_that_does_not():
    pass
"""


def test_what_the_environment_names_is_taken_only_if_it_names_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(servers.BROKER_VARIABLE, "127.0.0.1:9092")
    monkeypatch.delenv(servers.DATABASE_VARIABLE, raising=False)
    assert servers.named() is None
    monkeypatch.setenv(servers.DATABASE_VARIABLE, "postgresql://u@127.0.0.1/d")
    with servers.servers() as given:
        assert given == servers.Services("127.0.0.1:9092", "postgresql://u@127.0.0.1/d", None)


@pytest.mark.parametrize("where", ["unix:///nowhere/docker.sock", "tcp://127.0.0.1:1"])
def test_docker_without_an_engine_is_found_out_at_once(
    monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", where)
    began = time.monotonic()
    assert not servers.docker_answers()
    assert time.monotonic() - began < 5


def test_without_kafka_tests_are_skipped_by_name_and_the_summary_says_how_to_get_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "conftest.py").write_text("from tests.conftest import *\n")
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().endswith("_PROXY")
        and name not in {servers.BROKER_VARIABLE, servers.DATABASE_VARIABLE, "JAVA_HOME"}
    }
    closed = "http://127.0.0.1:1"
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-ra", "-o", "markers=kafka", "--rootdir", tmp_path,
         "-p", "no:cacheprovider", tmp_path],
        cwd=ROOT,
        env={**environ, "PATH": "", "XDG_CACHE_HOME": str(tmp_path / "cache"),
             "DOCKER_HOST": "tcp://127.0.0.1:1", "PYTHONPATH": str(ROOT),
             "HTTP_PROXY": closed, "HTTPS_PROXY": closed,
             "http_proxy": closed, "https_proxy": closed},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert "test_some.py::test_that_asks_for_kafka needs a real Kafka" in run.stdout
    assert "test_some.py::test_that_uses_it needs a real Kafka" in run.stdout
    (line,) = [line for line in run.stdout.splitlines() if "skipped for lack of Kafka" in line]
    assert line.startswith("2 tests were skipped for lack of Kafka (")
    assert line.endswith(servers.HOW_TO_GET_IT)
    assert "1 passed, 2 skipped" in run.stdout
