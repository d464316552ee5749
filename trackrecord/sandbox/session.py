"""One strategy in a worker, with the bars that have closed and none other."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from trackrecord.sandbox import driver
from trackrecord.sandbox.faults import ENDING, fault_of
from trackrecord.sandbox.launch import Launcher
from trackrecord.sandbox.limits import OUTPUT_BYTES, Limits
from trackrecord.strategies.contract import FLAT, BarRow, Decision, Fault, Position
from trackrecord.strategies.decisions import check_decision
from trackrecord.strategies.prelude import prelude_for
from trackrecord.strategies.source import Source

if TYPE_CHECKING:
    from pydantic_monty import MontySession

_SYMBOLS_AT_ONCE: Final = 64
_SCRIPT: Final = "<python-input-1>"
"""How Monty names the second feed of a session, which is the strategy."""

Step = tuple[Mapping[str, BarRow], Mapping[str, Position]]
"""The bars of an instant, and what is held."""
_Row = tuple[str, tuple[Any, ...], tuple[Any, ...]]


@lru_cache(maxsize=256)
def loaded_prelude(source: str) -> str:
    """The part of the prelude that a strategy calls."""
    return prelude_for(source)


class StrategySession:
    """One strategy in a worker, with the bars that have closed and none other."""

    def __init__(
        self,
        session: MontySession | None,
        source: Source | None,
        fault: Fault | None,
        limits: Limits,
        launcher: Launcher | None = None,
        *,
        first: Step | None = None,
        renewed: bool = False,
    ) -> None:
        self.first: dict[str, Decision | Fault] = {}
        """The answers of a first step that was taken while it began."""
        self._first = first
        if fault is not None and first is not None:
            self.first = dict.fromkeys(first[0], fault)
        self._session = session
        self._source = source
        self._fault = fault
        self._limits = limits
        self._launcher = launcher
        self._renewed = renewed
        self.seconds = 0.0
        """What its steps took so far, the way there and back included."""

    def begin(self, setup: str) -> None:
        """Load prelude, strategy and history; what goes wrong is the answer to every step."""
        if self._source is None:
            return
        bars, positions = self._first or ({}, {})
        rows = _rows(bars, bars, positions)
        given = self._feed(driver.SOURCE + loaded_prelude(self._source.code), {})
        if not isinstance(given, Fault):
            code = driver.opening(self._source.code, step=bool(rows))
            given = self._feed(code, driver.opening_inputs(setup, rows))
        if isinstance(given, Fault):
            self._fault = self._fault or given
        if rows:
            answers = self._answers(given, rows, bars, positions)
            lost = Fault("died", "the sandbox lost its history")  # a strategy spoilt its names
            self.first = {symbol: answer or lost for symbol, answer in answers.items()}

    def _feed(self, code: str, inputs: dict[str, Any]) -> Any:
        from pydantic_monty import CollectString  # noqa: PLC0415 - loaded by now

        if self._session is None:
            return self._fault
        try:
            return self._session.feed_run(
                code, inputs=inputs, print_callback=CollectString(OUTPUT_BYTES)
            )
        except Exception as error:  # noqa: BLE001 - the client's conversions raise what they like
            said = self._launcher.complaints() if self._launcher else ""
            fault = fault_of(error, _SCRIPT, self._limits, said)
            if fault.code in ENDING:
                self._fault = fault
            return fault

    def step(
        self, bars: Mapping[str, BarRow], positions: Mapping[str, Position]
    ) -> dict[str, Decision | Fault | None]:
        """Append the next bar of each symbol, and ask what the strategy does about it.

        See :class:`trackrecord.strategies.execution.Session`. After a fault of time, of memory or
        of the worker itself every further answer is that fault.
        """
        answers: dict[str, Decision | Fault | None] = {}
        began = perf_counter()
        symbols = list(bars)
        for first in range(0, len(symbols), _SYMBOLS_AT_ONCE):
            part = symbols[first : first + _SYMBOLS_AT_ONCE]
            answers.update(self._step(part, bars, positions))
        self.seconds += perf_counter() - began
        return answers

    def _step(
        self,
        symbols: Sequence[str],
        bars: Mapping[str, BarRow],
        positions: Mapping[str, Position],
    ) -> dict[str, Decision | Fault | None]:
        if self._fault is not None or self._source is None:
            return dict.fromkeys(symbols, self._fault)
        if self._renewed:
            again = self._feed(self._source.code, {})
            if isinstance(again, Fault):
                return dict.fromkeys(symbols, again)
        rows = _rows(symbols, bars, positions)
        given = self._feed(driver.STEP, {driver.INPUT: rows})
        if isinstance(given, Fault):
            if self._fault is not None:
                return dict.fromkeys(symbols, self._fault)
            # One of them failed, and which one a feed of several does not tell.
            given = [self._feed(driver.AGAIN, {driver.INPUT: row}) for row in rows]
        return self._answers(given, rows, bars, positions)

    def _answers(
        self,
        given: object,
        rows: Sequence[_Row],
        bars: Mapping[str, BarRow],
        positions: Mapping[str, Position],
    ) -> dict[str, Decision | Fault | None]:
        symbols = [row[0] for row in rows]
        if isinstance(given, Fault):
            return dict.fromkeys(symbols, given)
        if type(given) is not list or len(given) != len(rows):
            spoilt = Fault("contract", "it changes names of the sandbox itself")
            return dict.fromkeys(symbols, spoilt)
        return {
            row[0]: self._checked(answer, bars[row[0]], positions.get(row[0], FLAT))
            for row, answer in zip(rows, given, strict=True)
        }

    def _checked(self, answer: object, bar: BarRow, held: Position) -> Decision | Fault | None:
        if answer is None or isinstance(answer, Fault):
            return answer
        if type(answer) is not list or len(answer) != 1 or self._source is None:
            return Fault("contract", "it changes names of the sandbox itself")
        return check_decision(answer[0], bar.close, position=held, sides=self._source.sides)

    def seen(self) -> dict[str, list[BarRow]] | Fault:
        """The bars as the strategy sees them now: other ones where it wrote into them."""
        text = self._feed(driver.SEEN, {})
        if isinstance(text, Fault):
            return text
        try:
            return {
                symbol: [BarRow(**bar) for bar in window]
                for symbol, window in json.loads(text).items()
            }
        except (ValueError, TypeError, AttributeError):
            return {}  # what is there are no bars any more

    def values(self, expressions: Sequence[str]) -> list[Any] | Fault:
        """What names of the strategy's module hold, or ``Class.name``."""
        found = self._feed(f"[{', '.join(expressions)}]", {})
        if isinstance(found, Fault) or type(found) is list:
            return found
        return Fault("contract", "it changes names of the sandbox itself")

    def close(self) -> None:
        """End it; its worker, emptied, serves the next one."""
        session, self._session = self._session, None
        self._fault = self._fault or Fault("died", "the session has been closed")
        if session is not None:
            session.__exit__(None, None, None)


def _rows(
    symbols: Iterable[str], bars: Mapping[str, BarRow], positions: Mapping[str, Position]
) -> list[_Row]:
    """Bars and what is held, as plain tuples: named ones would cross as objects of a class."""
    return [(symbol, tuple(bars[symbol]), tuple(positions.get(symbol, FLAT))) for symbol in symbols]
