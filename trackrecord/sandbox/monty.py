"""Runs strategies in Monty, a machine of its own, in workers that the wrapper has confined.

Monty (https://github.com/pydantic/monty) interprets a subset of Python in Rust. Of what it offers
nothing is used that could lead outside: no mounts, no handler of system calls, no objects or
functions of this process, no modules, no snapshots. The clock is refused, random numbers begin at
one fixed seed, and sleeping takes no time.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from trackrecord.sandbox import driver
from trackrecord.sandbox.faults import ENDING, fault_of
from trackrecord.sandbox.isolation import (
    Isolation,
    Level,
    SandboxError,
    find_isolation,
    require,
    worker_facts,
)
from trackrecord.sandbox.launch import Forbidden, Launcher, monty_binary
from trackrecord.sandbox.limits import OUTPUT_BYTES, RECURSION, Limits
from trackrecord.strategies.contract import FLAT, BarRow, Decision, Fault, Position, Problem
from trackrecord.strategies.decisions import check_decision
from trackrecord.strategies.market_data import MarketData, read_market_data
from trackrecord.strategies.prelude import prelude_for
from trackrecord.strategies.source import Source, parameter_values, read_source

if TYPE_CHECKING:
    from pydantic_monty import Monty, MontySession

SEED: Final = 20_260_101
"""Of random numbers in the sandbox: the same in every call."""
_SYMBOLS_AT_ONCE: Final = 64
_MOST_SESSIONS: Final = 16
_SESSIONS_OF_A_WORKER: Final = 200
_GRACE_SECONDS: Final = 3.0
_SUSPENSIONS: Final = 1_000
_SCRIPT: Final = "<python-input-1>"
"""How Monty names the second feed of a session, which is the strategy."""

_Row = tuple[str, BarRow, str | None, float | None, float]


@lru_cache(maxsize=256)
def _read(source: str) -> Source | Fault:
    found = read_source(source)
    if isinstance(found, Source):
        return found
    first = found[0]
    at = f"line {first.line}: " if first.line else ""
    return Fault("contract", f"{at}{first.message}")


class MontyExecutor:
    """Runs strategies; a context manager, whose workers start when the first one is needed.

    Args:
        limits: What one decision may take.
        least: The isolation without which nothing runs.
        forbidden: What happens to a worker that tries a forbidden system call.

    Raises:
        SandboxError: When the first strategy is run: there is less isolation than ``least``, or
            the sandbox is not installed.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        least: Level = "process",
        forbidden: Forbidden = "refuse",
    ) -> None:
        self.limits = limits or Limits()
        self._least: Level = least
        self._forbidden: Forbidden = forbidden
        self._launcher: Launcher | None = None
        self._pool: Monty | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all workers."""
        with self._lock:
            pool, self._pool = self._pool, None
            launcher, self._launcher = self._launcher, None
        if pool is not None:
            pool.__exit__(None, None, None)
        if launcher is not None:
            launcher.close()

    def isolation(self) -> Isolation:
        """What the probe found under the wrapper that workers of this executor have."""
        return find_isolation(self.limits, self._forbidden)

    def worker(self) -> dict[str, Any]:
        """What the kernel says of a worker of this executor."""
        with self.checkout() as session:
            session.feed_run("None")
            return worker_facts(session.worker_pid or 0)

    def call(
        self,
        source: str,
        market_data: Mapping[str, Any],
        parameters: Mapping[str, Any],
    ) -> Decision | Fault:
        """Run ``execute_strategy`` once, in a session of its own.

        ``market_data`` may hold more bars than the strategy looks back on: it sees the last ones.
        """
        given = read_market_data(market_data)
        if isinstance(given, str):
            return Fault("contract", given)
        return self.decide(source, given, parameters)

    def decide(
        self, source: str, given: MarketData, parameters: Mapping[str, Any]
    ) -> Decision | Fault:
        """As :meth:`call`, of bars that were read before."""
        read = _read(source)
        if isinstance(read, Fault):
            return read
        if len(given.bars) < read.lookback:
            return Fault(
                "contract",
                f"{len(given.bars)} bars, and it looks back on {read.lookback}: it is not called",
            )
        bars = given.bars[-read.lookback :]
        opened = self.open(
            source,
            parameters,
            timeframe=given.timeframe,
            history={given.symbol: bars[:-1]},
        )
        try:
            answer = opened.step({given.symbol: bars[-1]}, {given.symbol: given.position})
        finally:
            opened.close()
        decided = answer[given.symbol]
        if decided is None:  # cannot be: there are as many bars as it looks back on
            return Fault("died", "the sandbox lost its history")
        return decided

    def open(
        self,
        source: str,
        parameters: Mapping[str, Any],
        *,
        timeframe: str,
        history: Mapping[str, Sequence[BarRow]] | None = None,
        renewed: bool = False,
    ) -> StrategySession:
        """Begin a session that keeps history itself.

        A strategy that cannot begin (its module raises, a parameter is unknown) answers each step
        with the same fault.

        Args:
            source: The strategy.
            parameters: What overrides its defaults.
            timeframe: Of the bars.
            history: Bars before the first step, by symbol.
            renewed: Run the module anew before each step, so that nothing it keeps is kept: for
                validation.
        """
        read = _read(source)
        if isinstance(read, Fault):
            return StrategySession(None, None, read, self.limits)
        values = parameter_values(read, parameters)
        if isinstance(values, list):
            return StrategySession(None, None, Fault("contract", values[0].message), self.limits)
        kept = history or {}
        setup = {
            "history": {symbol: bars[-read.lookback :] for symbol, bars in kept.items()},
            "timeframe": timeframe,
            "parameters": values,
            "lookback": read.lookback,
            "largest": driver.LARGEST_ANSWER,
        }
        session = self.checkout()
        session.__enter__()
        opened = StrategySession(session, read, None, self.limits, self._launcher, renewed=renewed)
        opened.begin(json.dumps(setup))
        return opened

    def check_types(self, source: str) -> list[Problem]:
        """What Monty's own type checker says of a strategy, without running it."""
        from trackrecord.sandbox.types import type_problems  # noqa: PLC0415 - seldom needed

        with self.checkout(type_check=True, type_check_format="json") as session:
            return type_problems(session, prelude_for(source), source)

    def checkout(self, **options: Any) -> MontySession:
        """A bare session with the limits of this executor, for what is no strategy."""
        with self._lock:
            if self._pool is None:
                self._start()
            pool = self._pool
        if pool is None:  # for mypy: _start sets it or raises
            raise SandboxError("the sandbox is closed")
        return pool.checkout(
            limits={
                "max_feed_duration_secs": self.limits.seconds,
                "max_memory": self.limits.memory_mb << 20,
                "max_recursion_depth": RECURSION,
                "max_suspensions": _SUSPENSIONS,
                "max_total_sleep_secs": 0.0,
            },
            os_policy={
                "datetime": "call_host",  # and no handler: refused
                "sleep": "zero",
                "process_time": "zero",
                "random_start": {"seed": SEED},
            },
            **options,
        )

    def _start(self) -> None:
        found = self.isolation()
        require(found, self._least)
        from pydantic_monty import Monty  # noqa: PLC0415 - an extra, looked for by the probe

        self._launcher = Launcher(found.wrapper, monty_binary())
        pool = Monty(
            binary_path=self._launcher.path,
            max_processes=_MOST_SESSIONS,
            max_checkouts_per_worker=_SESSIONS_OF_A_WORKER,
            request_timeout=self.limits.seconds + _GRACE_SECONDS,
        )
        try:
            pool.__enter__()
        except Exception as error:
            words = self._launcher.complaints() or str(error)
            self._launcher.close()
            self._launcher = None
            raise SandboxError(f"the sandbox does not start: {words}") from None
        self._pool = pool


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
        renewed: bool = False,
    ) -> None:
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
        parts: list[tuple[str, dict[str, Any]]] = [
            (driver.SOURCE + prelude_for(self._source.code), {}),
            (self._source.code, {}),
            (driver.BEGIN, {driver.INPUT: setup}),
        ]
        for code, inputs in parts:
            found = self._feed(code, inputs)
            if isinstance(found, Fault):
                self._fault = self._fault or found
                break

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
        rows: list[_Row] = []
        for symbol in symbols:
            held = positions.get(symbol, FLAT)
            rows.append(
                (symbol, tuple(bars[symbol]), held.side, held.entry_price, held.quantity)  # type: ignore[arg-type] # crosses as a plain tuple
            )
        given = self._feed(driver.STEP, {driver.INPUT: rows})
        if isinstance(given, Fault):
            if self._fault is not None:
                return dict.fromkeys(symbols, self._fault)
            # One of them failed, and which one a feed of several does not tell.
            given = [self._feed(driver.AGAIN, {driver.INPUT: row}) for row in rows]
        if type(given) is not list or len(given) != len(rows):
            spoilt = Fault("contract", "it changes names of the sandbox itself")
            return dict.fromkeys(symbols, spoilt)
        return {
            row[0]: self._checked(answer, row, bars[row[0]])
            for row, answer in zip(rows, given, strict=True)
        }

    def _checked(self, answer: object, row: _Row, bar: BarRow) -> Decision | Fault | None:
        if answer is None or isinstance(answer, Fault):
            return answer
        if type(answer) is not list or len(answer) != 1 or self._source is None:
            return Fault("contract", "it changes names of the sandbox itself")
        held = Position(row[2], row[3], row[4])  # type: ignore[arg-type] # as it was handed in
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
