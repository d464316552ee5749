"""Every attempt of escapes.txt, under a filter that kills on a forbidden system call.

Each runs by itself and inside a strategy; nothing of it may reach a file, a server, a process, the
environment, or the session after it.
"""

from __future__ import annotations

import subprocess
import textwrap
from collections.abc import Iterator

import pytest

from benchmarks.sandbox_programs.canaries import Canaries, descendants
from benchmarks.sandbox_programs.run import executor, run_program, witness
from benchmarks.sandbox_programs.seeds import Attempt, attempts
from trackrecord.sandbox.launch import Launcher, monty_binary
from trackrecord.sandbox.monty import MontyExecutor

KINDS = sorted({each.kind for each in attempts()})


@pytest.fixture(scope="module")
def runner() -> Iterator[MontyExecutor]:
    with executor() as made:
        yield made


def test_there_are_more_than_three_hundred_and_no_two_are_the_same() -> None:
    assert len(attempts()) >= 300
    assert len({each.source for each in attempts()}) == len(attempts())


def test_a_forbidden_call_would_be_seen(runner: MontyExecutor) -> None:
    # Asked for its version the worker looks whether there is a terminal: a call of no use here.
    launcher = Launcher(runner.isolation().wrapper, monty_binary())
    try:
        ended = subprocess.run([launcher.path, "--version"], capture_output=True, check=False)
    finally:
        launcher.close()
    assert ended.returncode == -31  # SIGSYS


@pytest.mark.parametrize("kind", KINDS)
def test_no_attempt_gets_out(runner: MontyExecutor, kind: str) -> None:
    before = witness(runner)
    workers = set(descendants())
    with Canaries() as canaries:
        for each in attempts():
            if each.kind != kind:
                continue
            for source in (each.source, _inside(each)):
                outcome = run_program(runner, source, canaries.names())
                assert outcome.kind != "killed", (each, outcome)
                assert not canaries.leaked(outcome.text), (each, outcome)
                assert "root:" not in outcome.text, (each, outcome)
            assert canaries.touched() == [], each
    assert witness(runner) == before
    with runner.checkout() as session:
        session.feed_run("None")
        assert session.worker_pid is not None
        assert descendants(session.worker_pid) == []
    # A worker that ended was replaced by one, and by nothing else.
    assert len(set(descendants())) <= max(1, len(workers))


def _inside(attempt: Attempt) -> str:
    body = textwrap.indent(attempt.source, "    ")
    return (
        "def execute_strategy(market_data, strategy_params):\n"
        f"{body}\n    return {{'action': 'hold'}}\n"
    )
