"""The demo where Kafka's jars cannot be had: on the mock broker, to the end."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from trackrecord.local import postgres_binaries
from trackrecord.local.errors import PartsUnavailable, StackFailed
from trackrecord.local.stack import Stack
from trackrecord.stages import STAGES

SCRIPTS = {"stock_analyzer_v1.py", "btst_analyzer.py", "momentum_trader.py", "sector_rotation.py"}
STRATEGIES = {"moving_average_cross", "mean_reversion", "brackets"}
SECONDS = 180


@pytest.fixture(scope="module", autouse=True)
def _postgres() -> None:
    try:
        postgres_binaries.find_postgres(postgres_binaries.unprivileged_user())
    except PartsUnavailable as error:
        pytest.skip(error.reason)


@pytest.fixture
def without_jars(tmp_path: Path) -> dict[str, str]:
    """An environment without mvn, with an empty cache, and a network that refuses."""
    tools = tmp_path / "bin"
    tools.mkdir()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        proxy = f"http://127.0.0.1:{closed.getsockname()[1]}"
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in {"JAVA_HOME", "DATABASE_URL", "VIRTUAL_ENV"}
        and not name.upper().endswith("_PROXY")
        and not name.startswith("TRACKRECORD_")
    }
    return {
        **kept,
        "PATH": str(tools),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "HTTP_PROXY": proxy,
        "HTTPS_PROXY": proxy,
        "http_proxy": proxy,
        "https_proxy": proxy,
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


@pytest.mark.timeout(SECONDS + 10)
def test_the_demo_says_so_in_one_line_and_gives_the_same_tables(
    without_jars: dict[str, str], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    run = subprocess.run(
        [sys.executable, "-m", "trackrecord.cli.main", "demo", "--json", "--home", str(home)],
        env=without_jars,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    said = [line for line in run.stderr.splitlines() if "Kafka's jars cannot be had (" in line]
    assert len(said) == 1
    assert "using librdkafka's mock broker instead; nothing is kept when it ends" in said[0]
    report = json.loads(run.stdout)
    assert set(report["scripts"]) == SCRIPTS
    assert set(report["strategies"]) >= STRATEGIES
    assert report["events"]["market_bar"] > 3000
    assert report["events"]["signal_closed"] > 100
    for name, stage in report["stages"].items():
        lag = None if STAGES[name].plane == "job" else 0  # what it reads are hints
        assert (stage["healthy"], stage["lag"], stage["dead_letters"]) == (True, lag, 0)
    assert report["strategies"]["mean_reversion"]["closed"] > 0
    assert report["calibration"]["version"] == report["training"]["version"]
    assert report["calibration"]["since"]["signals"] > 1000
    assert not (home / "demo" / "kafka").exists(), "that was a real Kafka"
    assert Stack.read_state(home / "demo") is None


def test_the_stack_on_the_mock_needs_no_parts_and_ends_as_a_whole(
    without_jars: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in without_jars.items():
        monkeypatch.setenv(name, value)
    home = tmp_path / "home"
    try:
        state = Stack.up(home, [], [], broker="mock", end_with_caller=True)
        assert state.broker == "mock"
        assert state.healthy
        host, port = state.kafka.split(":")
        assert host == "127.0.0.1"
        with socket.create_connection((host, int(port)), timeout=5):
            pass
        assert not (tmp_path / "cache").exists(), "parts were looked for"
        with pytest.raises(StackFailed, match="keeps nothing, so it is not started again"):
            Stack.restart(home, "kafka")
    finally:
        Stack.down(home)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)


def test_a_broker_of_another_name_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="broker must be 'kafka' or 'mock', not 'rabbit'"):
        Stack.up(tmp_path / "home", [], [], broker="rabbit")
    assert not (tmp_path / "home").exists()
