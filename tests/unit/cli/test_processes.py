"""Logs of a stack's processes, psql's environment, and what `up` may change."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import pytest

from tests.e2e.cli import command, environment, trackrecord
from trackrecord.cli.changes import Asked, cannot_change
from trackrecord.cli.psql import environment_of
from trackrecord.local.errors import StackFailed
from trackrecord.local.state import HEALTHY, ProcessState, StackState


@pytest.fixture
def home(tmp_path: Path) -> Path:
    logs = tmp_path / "logs"
    logs.mkdir()
    for label in ("extractor-0", "extractor-1", "kafka"):
        lines = [f"{label} line {number}" for number in range(100)]
        (logs / f"{label}.log").write_text("\n".join(lines) + "\n")
    (logs / "kafka.log.1").write_text("older\n")
    return tmp_path


def test_the_last_lines_of_each_are_shown_with_its_name(home: Path) -> None:
    ran = trackrecord("logs", "-n", "2", "--home", home)
    assert ran.out.splitlines() == [
        f"{label} | {label} line {number}"
        for label in ("extractor-0", "extractor-1", "kafka")
        for number in (98, 99)
    ]


def test_of_one_process_the_lines_stand_alone(home: Path) -> None:
    for name in ("extractor-1", "extractor/1"):
        ran = trackrecord("logs", name, "--lines", "1", "--home", home)
        assert ran.out == "extractor-1 line 99\n"


def test_a_log_moves_no_cursor(home: Path) -> None:
    (home / "logs" / "kafka.log").write_bytes(b"\tat x \x1b[2J \xff\n")
    assert trackrecord("logs", "kafka", "--home", home).out == "\tat x \\x1b[2J \\xff\n"


def test_a_log_that_is_not_there_is_named_with_the_nearest(home: Path, tmp_path: Path) -> None:
    ran = trackrecord("logs", "extractr", "--home", home)
    assert (ran.code, "did you mean extractor?" in ran.err) == (2, True)
    ran = trackrecord("logs", "--home", tmp_path / "empty")
    assert (ran.code, "trackrecord up" in ran.err) == (2, True)


def test_following_goes_on_in_the_file_of_a_process_that_is_started_again(home: Path) -> None:
    log = home / "logs" / "kafka.log"
    with subprocess.Popen(
        command("logs", "kafka", "-n", "1", "--follow", "--home", home),
        stdout=subprocess.PIPE, text=True, env=environment(),
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "kafka line 99\n"
        with log.open("a") as file:
            file.write("one more\n")
        log.rename(home / "logs" / "kafka.log.1")
        log.write_text("started again\n")
        ended = threading.Timer(20, process.kill)
        ended.start()
        lines = {process.stdout.readline(), process.stdout.readline()}
        ended.cancel()
        process.send_signal(2)
        assert process.wait(10) == 0
    assert any("one more" in line for line in lines)
    assert any("started again" in line for line in lines)


def test_psql_hears_nothing_of_the_user_s_libpq() -> None:
    own = {"PATH": "/bin", "PGHOST": "elsewhere", "PGSSLMODE": "require", "PGTZ": "UTC"}
    environ = environment_of(own, "staging", "s3cret")
    assert environ == {
        "PATH": "/bin", "PGTZ": "UTC", "PGPASSWORD": "s3cret",
        "PGOPTIONS": "-c search_path=staging",
    }  # fmt: skip


def state() -> StackState:
    processes = tuple(
        ProcessState(stage, number, os.getpid(), None, HEALTHY, 0, None, None, "log")
        for stage, number in (("kafka", 0), ("extractor", 0), ("extractor", 1))
    )
    return StackState(
        home="h", phase="ready", supervisor_pid=1, supervisor_created=0.0, kafka="127.0.0.1:9092",
        database_url="postgresql://u:p@127.0.0.1:5432/db", processes=processes,
    )  # fmt: skip


def test_what_cannot_change_while_it_runs_is_named() -> None:
    asked = Asked({}, None, {"kafka": 9092, "postgres": 5433}, "other.")
    [port, prefix] = cannot_change(state(), asked)
    assert "postgres listens on port 5432, not 5433" in port
    assert "'other.'" in prefix
    assert cannot_change(state(), Asked({"x": 3}, True, {"kafka": None}, "")) == []


def test_processes_are_found_by_stage_by_label_and_as_status_writes_them() -> None:
    assert [one.instance for one in state().named("extractor")] == [0, 1]
    assert [one.instance for one in state().named("extractor-1")] == [1]
    assert [one.instance for one in state().named("extractor/0")] == [0]
    with pytest.raises(StackFailed, match="did you mean extractor"):
        state().named("extracter")
