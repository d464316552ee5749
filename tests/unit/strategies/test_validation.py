"""Honest strategies pass on real bars, and every planted cheat is refused for what it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from tests.unit.strategies import set_aside
from tests.unit.strategies.cheats import READS_THE_DRIVER, STATE
from tests.unit.strategies.honest import HONEST, SMA_CROSS
from trackrecord.events.types import wire_time
from trackrecord.local.demo_data import daily_bars
from trackrecord.sandbox.limits import Limits
from trackrecord.sandbox.monty import MontyExecutor
from trackrecord.strategies.contract import BarRow, Decision, Fault, Position, Problem
from trackrecord.strategies.dry_run import Instant
from trackrecord.strategies.equality import Effort, poison
from trackrecord.strategies.market_data import MarketData
from trackrecord.strategies.validation import QUICK, Validation, validate

LITTLE = Effort(steps=90, fresh=50, poisons=1, renewed=True)


@lru_cache(maxsize=1)
def real_bars() -> dict[str, list[BarRow]]:
    found: dict[str, list[BarRow]] = {}
    for bar in daily_bars(date(2008, 1, 1), date(2009, 12, 31), ["AAPL", "IBM"]):
        prices = (float(bar.open), float(bar.high), float(bar.low), float(bar.close))
        row = BarRow(wire_time(bar.opened_at), *prices, float(bar.volume))
        found.setdefault(bar.symbol, []).append(row)
    return found


@pytest.fixture(scope="module")
def laboratory() -> Iterator[MontyExecutor]:
    with MontyExecutor(Limits(seconds=0.5)) as made:
        yield made


def check(laboratory: MontyExecutor, code: str, effort: Effort = LITTLE) -> Validation:
    return validate(code, laboratory, real_bars(), effort=effort)


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_strategy_passes(laboratory: MontyExecutor, name: str) -> None:
    found = check(laboratory, HONEST[name])
    assert found.problems == ()
    assert found.decisions == 180
    assert found.actions.get("buy", 0) + found.actions.get("sell", 0) > 0


@pytest.mark.parametrize("name", set_aside.HONEST)
def test_an_honest_strategy_that_was_set_aside_passes(laboratory: MontyExecutor, name: str) -> None:
    assert check(laboratory, set_aside.HONEST[name]).problems == ()


@pytest.mark.parametrize("name", set_aside.CHEATS)
def test_a_cheat_that_was_set_aside_is_refused(laboratory: MontyExecutor, name: str) -> None:
    (problem, *_) = check(laboratory, set_aside.CHEATS[name], QUICK).problems
    assert problem.code in {"state", "forbidden", "error"}


def test_a_name_that_the_prelude_needs_is_refused_with_its_user(laboratory: MontyExecutor) -> None:
    own = "def ema_all(values, days):\n    return values\n"
    uses = HEAD + "    return {'action': 'buy' if ema([1.0], 1) > 0 else 'hold'}\n"
    (problem,) = check(laboratory, own + uses).problems
    assert (problem.line, problem.code) == (1, "forbidden")
    assert "ema()" in problem.message
    assert check(laboratory, own + HEAD + "    return {'action': 'hold'}\n").valid


@pytest.mark.parametrize("effort", [QUICK, LITTLE], ids=["quick", "little"])
@pytest.mark.parametrize("name", STATE)
def test_what_is_kept_between_bars_is_refused(
    laboratory: MontyExecutor, name: str, effort: Effort
) -> None:
    found = check(laboratory, STATE[name], effort)
    assert [each.code for each in found.problems] in (["state"], ["forbidden"])


def test_names_of_the_sandbox_are_refused(laboratory: MontyExecutor) -> None:
    (problem,) = check(laboratory, READS_THE_DRIVER).problems
    assert (problem.line, problem.code) == (4, "forbidden")


HEAD = "LOOKBACK = 5\ndef execute_strategy(market_data, strategy_params):\n"


@pytest.mark.parametrize(
    ("body", "code", "line", "words"),
    [
        ("    return 1 / 0", "error", 3, "ZeroDivisionError"),
        ("    return None", "contract", None, "returned None"),
        ("    return {'action': 'close'}", "contract", None, "'close'"),
        ("    while True: pass", "time", None, "longer than 0.5 s"),
        ("    x = [0]\n    while True: x = x + x", "memory", None, "100 MB"),
        ("    return execute_strategy(1, 2)", "recursion", 3, "deep"),
        ("    print('x' * 100000)\n    return {'action': 'hold'}", "output", None, "KiB"),
        ("    return {'action': nothing}", "types", 3, "nothing"),
        ("    return market_data.barz", "error", 3, "barz"),
        (
            "    return {'action': 'buy', 'confidence': float('nan')}",
            "contract",
            None,
            "confidence",
        ),
        (
            "    return {'action': 'buy', 'metadata': {'stop_loss': 1e9}}",
            "contract",
            None,
            "below the last close",
        ),
    ],
)
def test_what_goes_wrong_in_the_dry_run_is_told(
    laboratory: MontyExecutor, body: str, code: str, line: int | None, words: str
) -> None:
    (problem,) = check(laboratory, HEAD + body + "\n").problems
    assert (problem.code, problem.line) == (code, line)
    assert words in problem.message


def test_a_module_that_fails_to_load_is_told_with_its_line(laboratory: MontyExecutor) -> None:
    (problem,) = check(laboratory, HEAD + "    pass\nx = 1\n[][x]\n").problems
    assert (problem.code, problem.line) == ("error", 5)


def test_too_few_bars_are_told(laboratory: MontyExecutor) -> None:
    few = {"AAPL": real_bars()["AAPL"][:20]}
    (problem,) = validate(SMA_CROSS, laboratory, few).problems
    assert problem.code == "bars"
    assert "51" in problem.message


def test_a_strategy_that_only_holds_is_valid_and_it_is_said(laboratory: MontyExecutor) -> None:
    found = check(laboratory, HEAD + "    return {'action': 'hold'}\n")
    assert found.valid
    assert [each.code for each in found.notes] == ["hold"]


class _InProcess:
    """An executor in this process that lets cheats at what the sandbox never has in it.

    ``decide`` is handed all bars there are, the future included, and a count of calls.
    """

    def __init__(self, decide: Any, *, fresh: Any = None) -> None:
        self._decide = decide
        self._fresh = fresh or decide

    def check_types(self, source: str) -> list[Problem]:
        del source
        return []

    def decide(
        self, source: str, given: MarketData, parameters: Mapping[str, Any]
    ) -> Decision | Fault:
        del source, parameters
        decided: Decision = self._fresh(list(given.bars), len(given.bars) - 1)
        return decided

    def call(
        self, source: str, market_data: Mapping[str, Any], parameters: Mapping[str, Any]
    ) -> Decision | Fault:
        raise NotImplementedError

    def open(self, source: str, parameters: Mapping[str, Any], **options: Any) -> _Playing:
        del source, parameters
        return _Playing(self._decide, options["history"])


class _Playing:
    """Sees the plan through the instants that :func:`_peeking` leaves where it finds them."""

    seconds = 0.0

    def __init__(self, decide: Any, history: Mapping[str, Sequence[BarRow]]) -> None:
        self._decide = decide
        self._bars = {symbol: list(rows) for symbol, rows in history.items()}

    def step(
        self, bars: Mapping[str, BarRow], positions: Mapping[str, Position]
    ) -> dict[str, Decision | Fault | None]:
        del positions
        answers: dict[str, Decision | Fault | None] = {}
        for symbol, bar in bars.items():
            self._bars[symbol].append(bar)
            future = getattr(bars, "future", [])
            rows = [*self._bars[symbol], *(each[symbol] for each in future)]
            answers[symbol] = self._decide(rows, len(self._bars[symbol]) - 1)
        return answers

    def seen(self) -> dict[str, list[BarRow]]:
        return self._bars

    def values(self, expressions: Sequence[str]) -> list[Any]:
        return [None for _ in expressions]

    def close(self) -> None:
        pass


class _Peeking(dict[str, BarRow]):
    """The bars of an instant that know those after them."""

    future: list[dict[str, BarRow]]


@pytest.fixture
def _leaking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every plan leaks: each instant carries all later ones."""
    from trackrecord.strategies import dry_run, equality, validation  # noqa: PLC0415 - what is changed

    def leaking(plan: Sequence[Instant]) -> list[Instant]:
        changed = []
        for index, instant in enumerate(plan):
            bars = _Peeking(instant.bars)
            bars.future = [dict(each.bars) for each in plan[index + 1 :]]
            changed.append(Instant(bars))
        return changed

    real_poison, real_instants = equality.poison, dry_run.instants

    def poisoned(plan: Sequence[Instant], cut: int, dice: Any) -> list[Instant]:
        return leaking(real_poison(plan, cut, dice))

    def instants(bars: Any, lookback: int, steps: int) -> Any:
        history, plan = real_instants(bars, lookback, steps)
        return history, leaking(plan)

    monkeypatch.setattr(equality, "poison", poisoned)
    monkeypatch.setattr(validation, "instants", instants)


SOURCE = "LOOKBACK = 5\ndef execute_strategy(market_data, strategy_params):\n    pass\n"


@pytest.mark.usefixtures("_leaking")
def test_a_decision_that_knows_the_future_is_refused_as_such() -> None:
    def peeks(bars: list[BarRow], now: int) -> Decision:
        rises = now + 1 < len(bars) and bars[now + 1].close > bars[now].close
        return Decision("buy" if rises else "hold")

    found = validate(SOURCE, _InProcess(peeks), {"A": real_bars()["AAPL"]}, effort=LITTLE)
    assert [each.code for each in found.problems] == ["future"]


def test_a_decision_by_chance_is_refused_as_such() -> None:
    dice = np.random.default_rng(1)

    def tosses(bars: list[BarRow], now: int) -> Decision:
        del bars, now
        return Decision("buy" if dice.random() < 0.5 else "hold")

    found = validate(SOURCE, _InProcess(tosses), {"A": real_bars()["AAPL"]}, effort=LITTLE)
    assert [each.code for each in found.problems] == ["nondeterministic"]


def test_chance_in_fresh_calls_only_is_told_from_state() -> None:
    dice = np.random.default_rng(1)

    def holds(bars: list[BarRow], now: int) -> Decision:
        del bars, now
        return Decision("hold")

    def tosses(bars: list[BarRow], now: int) -> Decision:
        del bars, now
        return Decision("buy", confidence=float(dice.random()))

    def differs(bars: list[BarRow], now: int) -> Decision:
        del bars, now
        return Decision("sell")

    bars = {"A": real_bars()["AAPL"]}
    for fresh, code in ((tosses, "nondeterministic"), (differs, "state")):
        found = validate(SOURCE, _InProcess(holds, fresh=fresh), bars, effort=LITTLE)
        assert [each.code for each in found.problems] == [code]


def test_poison_leaves_the_past_alone_and_makes_bars_of_the_rest() -> None:
    rows = real_bars()["AAPL"][:40]
    plan = [Instant({"A": row}) for row in rows]
    changed = poison(plan, 24, np.random.default_rng(1))
    assert changed[:25] == plan[:25]
    for before, after in zip(plan[25:], changed[25:], strict=True):
        old, new = before.bars["A"], after.bars["A"]
        assert new.time == old.time
        assert new[1:] != old[1:]
        assert new.low <= min(new.open, new.close) <= max(new.open, new.close) <= new.high
