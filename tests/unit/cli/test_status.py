"""What `status` says of a stack's processes, with stages that answer and some that do not."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from trackrecord.cli import stack
from trackrecord.clock import SYSTEM_CLOCK
from trackrecord.local.state import HEALTHY, RESTARTING, ProcessState, StackState
from trackrecord.runtime import health as pages
from trackrecord.runtime.health import Health
from trackrecord.runtime.metrics import (
    DEAD_LETTERS,
    FENCED,
    LAST_COMMIT_TIMESTAMP_SECONDS,
    RETRIES,
    RUNTIME_METRICS,
    Metrics,
)


def process(stage: str, url: str | None, state: str = HEALTHY) -> ProcessState:
    return ProcessState(stage, 0, os.getpid(), None, state, 2, None, url, f"logs/{stage}.log")


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> StackState:
    registry = CollectorRegistry()
    metrics = Metrics(registry, "signal_tracker", RUNTIME_METRICS)
    metrics.count(RETRIES, 5)
    metrics.count(FENCED, 1)
    metrics.count(DEAD_LETTERS, 7, topic="t", error_class="invalid")
    metrics.set(LAST_COMMIT_TIMESTAMP_SECONDS, SYSTEM_CLOCK.now().timestamp() - 90)
    port = pages.serve("127.0.0.1", 0, Health("signal_tracker", ready=True), registry)
    # Nobody answers there: what the processes say is told all the same.
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/none")
    monkeypatch.setenv("TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    return StackState(
        home="h",
        phase="ready",
        supervisor_pid=os.getpid(),
        supervisor_created=0.0,
        kafka="127.0.0.1:1",
        database_url="postgresql://u:s3cret@127.0.0.1:1/none",
        processes=(
            process("kafka", None),
            process("signal_tracker", f"http://127.0.0.1:{port}/metrics"),
            process("extractor", "http://127.0.0.1:1/metrics", RESTARTING),
        ),
    )


def test_each_process_tells_its_last_commit_retries_fences_and_refusals(
    state: StackState, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stack.show(state, tmp_path, as_json=True) is False
    said = capsys.readouterr().out
    assert "s3cret" not in said
    told: dict[str, Any] = json.loads(said)
    assert told["database_url"] == "postgresql://u:***@127.0.0.1:1/none"
    by_stage = {each["stage"]: each for each in told["processes"]}
    tracker = by_stage["signal_tracker"]
    assert 90 <= tracker["last_commit_age"] < 100
    assert (tracker["retries"], tracker["fenced"]) == (5, 1)
    assert tracker["dead_letters"] == {"invalid": 7}
    assert by_stage["extractor"]["retries"] is None
    assert "retries" not in by_stage["kafka"]
    assert told["dead_letters_by_reason"] == []


def test_the_table_for_people_tells_the_same(
    state: StackState, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.show(state, tmp_path, as_json=False)
    shown = capsys.readouterr().out
    [line] = [each for each in shown.splitlines() if "signal_tracker/0" in each]
    assert re.search(r" - +9\d s ago +5 +1 +7 +2 ", line), line
    assert "s3cret" not in shown
