"""Strategies in the sandbox: the same by steps as by fresh calls, and bounded in all they take."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from benchmarks.sandbox_programs.canaries import descendants
from tests.unit.strategies.honest import HONEST
from trackrecord.sandbox.isolation import SandboxError
from trackrecord.sandbox.limits import Limits
from trackrecord.sandbox.monty import MontyExecutor
from trackrecord.strategies.contract import BarRow, Decision, Fault, Position
from trackrecord.strategies.market_data import market_data
from trackrecord.strategies.source import Source, read_source

HEAD = "LOOKBACK = 3\ndef execute_strategy(market_data, strategy_params):\n    "


def walk(number: int, seed: int = 1) -> list[BarRow]:
    dice = np.random.default_rng(seed)
    rows, price = [], 100.0
    for index in range(number):
        opened, price = price, price * float(np.exp(dice.normal(0, 0.02)))
        at = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=index)
        high, low = max(opened, price) * 1.01, min(opened, price) * 0.99
        rows.append(BarRow(at.strftime("%Y-%m-%dT%H:%M:%SZ"), opened, high, low, price, 1e6))
    return rows


BARS = walk(5)


@pytest.fixture(scope="module")
def executor() -> Iterator[MontyExecutor]:
    with MontyExecutor(Limits(seconds=0.3, memory_mb=32)) as made:
        yield made


def call(executor: MontyExecutor, body: str, **parameters: Any) -> Decision | Fault:
    source = HEAD + body.replace("\n", "\n    ") + "\n"
    return executor.call(source, market_data("A", "1d", BARS), parameters)


def test_a_strategy_is_handed_exactly_its_last_bars_its_position_and_its_parameters(
    executor: MontyExecutor,
) -> None:
    source = (
        'PARAMETERS = {"n": {"type": "int", "default": 4}, "k": {"type": "float", "default": 1}}\n'
        + HEAD
        + "return {'action': 'hold', 'metadata': {'given': market_data, 'set': strategy_params}}\n"
    )
    held = Position("LONG", 12.5, 2.0, "2020-01-02T00:00:00Z")
    found = executor.call(source, market_data("A", "4h", BARS, held), {"n": 9})
    assert isinstance(found, Decision)
    assert found.metadata == {
        "given": market_data("A", "4h", BARS[-3:], held),
        "set": {"n": 9, "k": 1.0},
    }
    assert type(found.metadata["set"]["k"]) is float


@pytest.mark.parametrize("name", HONEST)
def test_steps_of_several_symbols_decide_as_fresh_calls_do(
    executor: MontyExecutor, name: str
) -> None:
    read = read_source(HONEST[name])
    assert isinstance(read, Source)
    rows = {symbol: walk(read.lookback + 12, seed) for seed, symbol in enumerate("AB")}
    begin = read.lookback - 4
    session = executor.open(
        HONEST[name],
        {},
        timeframe="1d",
        history={symbol: bars[:begin] for symbol, bars in rows.items()},
    )
    positions = {"A": Position("LONG", 95.0, 1.0)}
    for now in range(begin, read.lookback + 12):
        answers = session.step({symbol: bars[now] for symbol, bars in rows.items()}, positions)
        for symbol, answer in answers.items():
            if now + 1 < read.lookback:
                assert answer is None
                continue
            given = market_data(
                symbol, "1d", rows[symbol][: now + 1], positions.get(symbol, Position())
            )
            assert answer == executor.call(HONEST[name], given, {})
            assert isinstance(answer, Decision)
    session.close()


def test_one_symbol_that_fails_leaves_the_others_their_decisions(executor: MontyExecutor) -> None:
    source = HEAD + "return {'action': 'buy'} if market_data['symbol'] != 'B' else 1 / 0\n"
    session = executor.open(source, {}, timeframe="1d", history=dict.fromkeys("ABC", BARS[:-1]))
    answers = session.step(dict.fromkeys("ABC", BARS[-1]), {})
    session.close()
    assert answers["A"] == answers["C"] == Decision("buy")
    assert answers["B"] == Fault("error", "line 3: ZeroDivisionError: division by zero")


def test_after_time_ran_out_a_session_answers_nothing_but_that(executor: MontyExecutor) -> None:
    session = executor.open(HEAD + "while True: pass\n", {}, timeframe="1d", history={"A": BARS})
    first = session.step({"A": BARS[-1]}, {})
    began = time.perf_counter()
    assert session.step({"A": BARS[-1], "B": BARS[-1]}, {}) == {"A": first["A"], "B": first["A"]}
    assert time.perf_counter() - began < 0.1
    assert first["A"] == Fault("time", "it takes longer than 0.3 s")
    session.close()


def test_nothing_of_a_session_is_in_the_next(executor: MontyExecutor) -> None:
    leave = "global left\nleft = 1\nimport json\njson = None\nreturn {'action': 'hold'}"
    look = "try:\n    left\nexcept NameError:\n    return {'action': 'buy'}\nreturn 0"
    for _ in range(3):
        assert isinstance(call(executor, leave), Decision)
        assert call(executor, look) == Decision("buy")


def test_random_numbers_are_the_same_in_every_call(executor: MontyExecutor) -> None:
    body = "import random\nreturn {'action': 'hold', 'confidence': random.random()}"
    assert call(executor, body) == call(executor, body)


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ("while True: pass", "time", "longer than 0.3 s"),
        ("while True:\n    try:\n        while True: pass\n    except: pass", "time", "longer"),
        ("return sum(range(10**12))", "time", "longer"),
        ("import re\nre.match(r'(.*)*\\1x', 'a' * 5000)", "error", "backtracking"),
        ("x = [0]\nwhile True: x += x", "memory", "32 MB"),
        ("return 'a' * 10**10", "memory", "32 MB"),
        ("return [0] * 10**10", "memory", "32 MB"),
        ("return 10 ** 10 ** 9", "memory", "32 MB"),
        ("x = 'x' * 30_000_000\nreturn {'action': x}", "memory", "32 MB"),
        ("return execute_strategy(1, 2)", "recursion", "200 deep"),
        ("print('x' * 10**6)", "output", "64 KiB"),
        ("for _ in range(10**5): print('x')\nwhile 1: pass", "output", "64 KiB"),
        ("x = []\nfor _ in range(10**4): x = [x]\nreturn {'action': x}", "contract", "deeply"),
        ("x = [1]\nfor _ in range(60): x = [x, x]\nreturn {'action': x}", None, ""),
        ("x = {}\nx['x'] = x\nreturn x", "contract", "Circular"),
        ("return {'action': 'hold', 'metadata': {'x': 'y' * 10**6}}", "contract", "too large"),
        ("return {'action': 'hold', 'metadata': {'x': 'y' * 20000}}", "contract", "16 KiB"),
        ("return {'action': 'hold', 'reason': 'y' * 201}", "contract", "201 characters"),
        ("return {'action': 'hold', 'reason': 'a\\0'}", "contract", "NUL"),
        ("return {'action': lambda: 1}", "contract", "a function"),
        ("class A: pass\nreturn {'action': A()}", "contract", "holds a A"),
        ("class A: pass\nreturn {A(): 1}", "contract", "keys must be"),
        ("return {'action': {1, 2}}", "contract", "a set"),
        ("return {'action': 'hold', 'metadata': {'x': float('nan')}}", "contract", "finite"),
        ("return {'action': 'hold', 'metadata': {'x': (1, 2)}}", "contract", "a tuple"),
        ("return range(3)", "contract", "a range"),
        ("return print", "contract", "builtin_function"),
        ("import datetime\ndatetime.datetime.now()", "error", "no clock"),
        ("import time\ntime.time()", "error", "no clock"),
        ("open('/etc/passwd')", "error", "no files"),
        ("import os\nos.environ", "error", "no clock, files or environment"),
        ("import socket", "error", "No module named 'socket'"),
        ("raise SystemExit", "error", "SystemExit"),
        ("raise ValueError('x' * 10000)", "error", "ValueError: xxx"),
        ("raise ValueError('two\\nlines')", "error", "ValueError: two"),
        ("yield 1", "error", "yield"),
        ("assert market_data is None", "error", "AssertionError"),
    ],
)
def test_what_a_strategy_may_not_is_a_fault_in_plain_words(
    executor: MontyExecutor, body: str, code: str | None, words: str
) -> None:
    began = time.perf_counter()
    found = call(executor, body)
    assert isinstance(found, Fault), found
    # None: whether time or memory ends first depends on the machine.
    assert found.code in ({code} if code else {"time", "memory"}), found
    assert words in found.message
    assert "\n" not in found.message
    assert len(found.message) < 500
    assert time.perf_counter() - began < 10
    # And the next one runs.
    assert call(executor, "return {'action': 'sell'}") == Decision("sell")


def test_sleeping_takes_no_time(executor: MontyExecutor) -> None:
    began = time.perf_counter()
    found = call(executor, "import time\ntime.sleep(1000)\nreturn {'action': 'hold'}")
    assert found == Decision("hold")
    assert time.perf_counter() - began < 5


def test_names_of_the_sandbox_can_be_spoilt_for_oneself_only(executor: MontyExecutor) -> None:
    for body in (
        (
            "global _tr_dumps\n_tr_dumps = lambda x: ''\nx = [1]\n"
            "for _ in range(60): x = [x, x]\nreturn {'action': 'hold', 'metadata': {'x': x}}"
        ),
        "global _tr_ask\n_tr_ask = lambda row: 5\nreturn {'action': 'hold'}",
        "_tr_windows.clear()\nreturn {'action': 'hold'}",
        "_tr_setup.clear()\nreturn {'action': 'hold'}",
    ):
        assert isinstance(call(executor, body), Decision | Fault)
        assert call(executor, "return {'action': 'sell'}") == Decision("sell")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", "nothing in it"),
        ("x = 1", "there is no `def execute_strategy"),
        ("\0", "NUL"),
        ("def f(:", "line 1: not Python"),
        ("x = " + "(" * 1000 + ")" * 1000, ""),
        ("#" * 300_000, "300,000 characters"),
    ],
)
def test_what_is_no_strategy_is_not_run(executor: MontyExecutor, source: str, words: str) -> None:
    found = executor.call(source, market_data("A", "1d", BARS), {})
    assert isinstance(found, Fault)
    assert found.code == "contract"
    assert words in found.message


def test_parameters_that_are_unknown_or_out_of_range_are_errors(executor: MontyExecutor) -> None:
    source = (
        'PARAMETERS = {"n": {"type": "int", "default": 4, "min": 1, "max": 9}}\n'
        + HEAD
        + "return {'action': 'hold'}\n"
    )
    for given, words in (
        ({"m": 1}, "no parameter 'm'"),
        ({"n": 10}, "9 at most"),
        ({"n": 1.5}, "whole"),
    ):
        found = executor.call(source, market_data("A", "1d", BARS), given)
        assert isinstance(found, Fault)
        assert words in found.message


def test_fewer_bars_than_it_looks_back_on_are_not_enough(executor: MontyExecutor) -> None:
    found = executor.call(HEAD + "return 1 / 0\n", market_data("A", "1d", BARS[:2]), {})
    assert found == Fault("contract", "2 bars, and it looks back on 3: it is not called")


def test_a_module_that_fails_answers_so_at_every_step(executor: MontyExecutor) -> None:
    session = executor.open("1 / 0\n" + HEAD + "return {}\n", {}, timeframe="1d")
    for _ in range(2):
        (answer,) = session.step({"A": BARS[0]}, {}).values()
        assert answer == Fault("error", "line 1: ZeroDivisionError: division by zero")
    session.close()


def test_bars_that_a_strategy_wrote_into_are_seen_from_outside(executor: MontyExecutor) -> None:
    source = HEAD + "market_data['bars'][0]['close'] = 5.0\n    return {'action': 'hold'}\n"
    session = executor.open(source, {}, timeframe="1d", history={"A": BARS[:2]})
    session.step({"A": BARS[2]}, {})
    seen = session.seen()
    session.close()
    assert isinstance(seen, dict)
    assert seen["A"] == [BARS[0]._replace(close=5.0), *BARS[1:3]]


def test_types_are_checked_with_lines(executor: MontyExecutor) -> None:
    (problem,) = executor.check_types(
        "import math\n\ndef f() -> float:\n    return math.sqrtt(2)\n"
    )
    assert (problem.line, problem.code) == (4, "types")
    assert "sqrtt" in problem.message
    assert executor.check_types("x = mean([1.0, 2.0]) + sma([1.0], 1)\n") == []


def test_no_worker_outlives_its_executor() -> None:
    before = set(descendants())
    with MontyExecutor() as made:
        assert isinstance(call(made, "return {'action': 'hold'}"), Decision)
        workers = set(descendants()) - before
        assert workers
    for pid in workers:
        for _ in range(100):
            if not os.path.exists(f"/proc/{pid}"):  # noqa: PTH110 - a process
                break
            time.sleep(0.02)
        else:
            pytest.fail(f"{pid} is left")
    assert set(descendants()) == before


def test_less_isolation_than_is_asked_for_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")  # no bwrap there
    with MontyExecutor(least="namespaces") as made, pytest.raises(SandboxError) as raised:
        call(made, "return {'action': 'hold'}")
    assert "TRACKRECORD_SANDBOX_LEAST=namespaces" in str(raised.value)
