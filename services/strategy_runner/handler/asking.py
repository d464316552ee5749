"""How the code of a strategy is asked, and how long that takes."""

from __future__ import annotations

import weakref
from collections.abc import Mapping

from services.strategy_runner.handler.roster import Member
from services.strategy_runner.rows import VersionKey
from trackrecord.clock import Clock
from trackrecord.runtime.logs import get_logger
from trackrecord.runtime.settings import Settings
from trackrecord.sandbox.from_settings import executor_of
from trackrecord.sandbox.isolation import SandboxError
from trackrecord.sandbox.monty import MontyExecutor
from trackrecord.strategies.contract import Decision, Fault, Position
from trackrecord.strategies.live.lines import Counted
from trackrecord.strategies.market_data import MarketData

_log = get_logger(__name__)

_USUAL_SECONDS = 0.004
"""Of a call, of which nothing is known yet."""
_WEIGHT = 0.2
"""Of the last call in what is expected of the next."""

NO_SANDBOX = "sandbox"
"""The code of the fault that is not the strategy's: there is no sandbox to run it in."""


class Asker:
    """Asks code in the sandbox, each time in a fresh session, within the time of a batch."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Prepare; nothing starts before the first strategy is asked."""
        self._settings = settings
        self._clock = clock
        self._executor: MontyExecutor | None = None
        self._expected: dict[VersionKey, float] = {}
        self._until = 0.0
        self._told = False

    def begin(self) -> None:
        """The time of a batch begins."""
        self._until = self._clock.monotonic() + self._settings.strategy_batch_seconds

    def seconds(self, member: Member) -> float:
        """What a call is expected to take."""
        return self._expected.get(member.key, _USUAL_SECONDS)

    def expects_too_much(self, calls: Mapping[VersionKey, int]) -> bool:
        """Whether so many calls are expected to take longer than a batch may.

        Args:
            calls: How many, by strategy and version.
        """
        seconds = sum(
            self._expected.get(key, _USUAL_SECONDS) * count for key, count in calls.items()
        )
        return seconds > self._settings.strategy_batch_seconds

    def ask(
        self, member: Member, symbol: str, counted: Counted, position: Position
    ) -> Decision | Fault | None:
        """What a strategy decides on a bar; None, unasked, where the batch's time is used up."""
        started = self._clock.monotonic()
        if started > self._until:
            return None
        given = MarketData(symbol, member.listed.timeframe, counted.rows(member.lookback), position)
        try:
            return self._made().decide(member.code, given, member.parameters)
        except SandboxError as error:
            if not self._told:
                _log.error("no sandbox: strategies with code are not asked", reason=str(error))
                self._told = True
            return Fault(NO_SANDBOX, str(error))
        finally:
            took = self._clock.monotonic() - started
            before = self._expected.get(member.key, took)
            self._expected[member.key] = before + _WEIGHT * (took - before)

    def _made(self) -> MontyExecutor:
        if self._executor is None:
            self._executor = executor_of(self._settings)
            # Its workers end with the handler, or with the process at the latest.
            weakref.finalize(self, self._executor.close)
        return self._executor
