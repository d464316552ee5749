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
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from trackrecord.sandbox import driver
from trackrecord.sandbox.isolation import (
    Isolation,
    Level,
    SandboxError,
    find_isolation,
    require,
    worker_facts,
)
from trackrecord.sandbox.launch import Forbidden, Launcher, monty_binary
from trackrecord.sandbox.limits import RECURSION, Limits
from trackrecord.sandbox.session import Step, StrategySession, loaded_prelude
from trackrecord.strategies.contract import BarRow, Decision, Fault, Problem
from trackrecord.strategies.market_data import MarketData, read_market_data
from trackrecord.strategies.source import Source, parameter_values, read_source

if TYPE_CHECKING:
    from pydantic_monty import Monty, MontySession

SEED: Final = 20_260_101
"""Of random numbers in the sandbox: the same in every call."""
_MOST_SESSIONS: Final = 16
_SESSIONS_OF_A_WORKER: Final = 200
_GRACE_SECONDS: Final = 3.0
_SUSPENSIONS: Final = 1_000


@lru_cache(maxsize=256)
def _read(source: str) -> Source | Fault:
    found = read_source(source)
    if isinstance(found, Source):
        return found
    first = found[0]
    at = f"line {first.line}: " if first.line else ""
    return Fault("contract", f"{at}{first.message}")


@lru_cache(maxsize=65_536)
def _bar_text(bar: BarRow) -> str:
    """A bar as JSON: the fastest way in for many, and the same bars go in again and again."""
    return json.dumps(bar._asdict())


class MontyExecutor:
    """Runs strategies; a context manager, whose workers start when the first one is needed.

    Args:
        limits: What one decision may take.
        least: The isolation without which nothing runs.
        forbidden: What happens to a worker that tries a forbidden system call.
        namespaces: Whether bubblewrap is put around workers where it is here and works.

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
        namespaces: bool = True,
    ) -> None:
        self.limits = limits or Limits()
        self._least: Level = least
        self._forbidden: Forbidden = forbidden
        self._namespaces = namespaces
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
        return find_isolation(self.limits, self._forbidden, namespaces=self._namespaces)

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
        opened = self._opened(
            read,
            parameters,
            timeframe=given.timeframe,
            history={given.symbol: bars[:-1]},
            first=({given.symbol: bars[-1]}, {given.symbol: given.position}),
        )
        opened.close()
        return opened.first[given.symbol]

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
        return self._opened(
            read, parameters, timeframe=timeframe, history=history or {}, renewed=renewed
        )

    def _opened(
        self,
        read: Source,
        parameters: Mapping[str, Any],
        *,
        timeframe: str,
        history: Mapping[str, Sequence[BarRow]],
        first: Step | None = None,
        renewed: bool = False,
    ) -> StrategySession:
        values = parameter_values(read, parameters)
        if isinstance(values, list):
            wrong = Fault("contract", values[0].message)
            return StrategySession(None, None, wrong, self.limits, first=first)
        windows = ", ".join(
            f"{json.dumps(symbol)}: [{', '.join(map(_bar_text, bars[-read.lookback :]))}]"
            for symbol, bars in history.items()
        )
        setup = {
            "timeframe": timeframe,
            "parameters": values,
            "lookback": read.lookback,
            "largest": driver.LARGEST_ANSWER,
        }
        session = self.checkout()
        session.__enter__()
        opened = StrategySession(
            session, read, None, self.limits, self._launcher, first=first, renewed=renewed
        )
        opened.begin(f'{json.dumps(setup)[:-1]}, "history": {{{windows}}}}}')
        return opened

    def check_types(self, source: str) -> list[Problem]:
        """What Monty's own type checker says of a strategy, without running it."""
        from trackrecord.sandbox.types import type_problems  # noqa: PLC0415 - seldom needed

        with self.checkout(type_check=True, type_check_format="json") as session:
            return type_problems(session, loaded_prelude(source), source)

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
        except Exception as error:  # noqa: BLE001 - whatever keeps a worker from starting
            words = self._launcher.complaints() or str(error)
            self._launcher.close()
            self._launcher = None
            raise SandboxError(f"the sandbox does not start: {words}") from None
        self._pool = pool
