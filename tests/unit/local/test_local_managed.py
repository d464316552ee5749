"""A supervised process is started again when it dies, unless it should not be."""

import http.client
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from trackrecord.local.child import Program
from trackrecord.local.layout import Home, choose_ports
from trackrecord.local.managed import Managed, stage_ready

STAGE = Path(__file__).with_name("stage_process.py")


@pytest.fixture
def manage(tmp_path: Path) -> Iterator[Callable[..., Managed]]:
    started: list[Managed] = []

    def make(*, restart: bool = True, argv: tuple[str, ...] = (), env: dict[str, str]) -> Managed:
        home = Home.at(tmp_path)
        port = choose_ports(home, ["stage-0"], {})["stage-0"]
        program = Program(
            "stage-0",
            argv or (sys.executable, str(STAGE)),
            tmp_path / "stage-0.log",
            env={"TRACKRECORD_METRICS_PORT": str(port), **env},
        )
        one = Managed(
            "stage",
            0,
            program,
            partial(stage_ready, port),
            restart=restart,
            grace=2,
            metrics_port=port,
        )
        started.append(one)
        one.start()
        return one

    yield make
    for one in started:
        one.request_stop()
        while one.running:
            one.tick()
            time.sleep(0.02)


def until(one: Managed, condition: Callable[[], object], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"did not happen in time: {one.state}"
        one.tick()
        time.sleep(0.02)


def has_restarted(one: Managed, times: int) -> bool:
    return one.state.restarts == times


def end_with(one: Managed, code: int) -> None:
    address = (one.state.metrics_url or "").split("/")[2]
    connection = http.client.HTTPConnection(address, timeout=5)
    connection.request("POST", f"/exit/{code}")
    connection.getresponse().read()
    connection.close()


def test_a_dead_stage_is_started_again_and_counted(manage: Callable[..., Managed]) -> None:
    one = manage(env={})
    until(one, lambda: one.state.healthy)
    first = one.state
    assert first.pid is not None
    os.kill(first.pid, signal.SIGKILL)
    until(one, lambda: one.state.healthy and one.state.pid != first.pid)
    assert (one.state.restarts, one.state.exit_code) == (1, -signal.SIGKILL)


def test_a_stage_that_halts_itself_stays_down_until_asked_for(
    manage: Callable[..., Managed],
) -> None:
    one = manage(env={})
    until(one, lambda: one.state.healthy)
    end_with(one, 3)
    until(one, lambda: one.state.state == "halted")
    assert (one.state.pid, one.state.restarts, one.state.exit_code) == (None, 0, 3)
    one.request_restart()
    until(one, lambda: one.state.healthy)


def test_nothing_is_started_again_where_restarting_is_off(manage: Callable[..., Managed]) -> None:
    one = manage(restart=False, env={})
    until(one, lambda: one.state.healthy)
    end_with(one, 1)
    until(one, lambda: one.state.state == "down")
    assert one.state.exit_code == 1


def test_a_crash_loop_slows_down(manage: Callable[..., Managed]) -> None:
    one = manage(argv=(sys.executable, "-c", "raise SystemExit(1)"), env={})
    starts = []
    for restarts in (1, 2, 3):
        until(one, partial(has_restarted, one, restarts))
        starts.append(time.monotonic())
    first, second = starts[1] - starts[0], starts[2] - starts[1]
    assert 0.5 <= first < second
    assert second >= 1.0


def test_a_stage_is_unhealthy_while_it_says_that_it_is_not_ready(
    manage: Callable[..., Managed], tmp_path: Path
) -> None:
    not_ready = tmp_path / "not-ready"
    not_ready.touch()
    one = manage(env={"NOT_READY": str(not_ready)})
    until(one, lambda: "stage is starting" in one.program.log.read_text())
    time.sleep(0.3)
    assert one.state.state == "starting"
    not_ready.unlink()
    until(one, lambda: one.state.state == "healthy")
    not_ready.touch()
    until(one, lambda: one.state.state == "unhealthy")
    assert one.state.restarts == 0


def test_a_server_that_cannot_start_is_given_up_after_three_attempts(tmp_path: Path) -> None:
    program = Program("server", (sys.executable, "-c", "raise SystemExit(1)"), tmp_path / "s.log")
    one = Managed("kafka", 0, program, lambda: False, restart=False, grace=1)
    one.start()
    until(one, lambda: one.state.state == "down")
    assert one.state.restarts == 2


def test_a_port_where_nobody_answers_is_not_ready(tmp_path: Path) -> None:
    port = choose_ports(Home.at(tmp_path), ["x"], {})["x"]
    assert not stage_ready(port)
