"""What a strategy is validated with before it is kept: the sandbox, and bars to try it on."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Final, Self

from trackrecord.runtime.settings import Settings
from trackrecord.sandbox.from_settings import executor_of
from trackrecord.sandbox.monty import MontyExecutor
from trackrecord.strategies.contract import BarRow, Problem
from trackrecord.strategies.validation import THOROUGH, Effort, validate

Bars = Mapping[str, Sequence[BarRow]]
"""By symbol, the oldest first."""

_LOOKBACK: Final = re.compile(r"^LOOKBACK = (\d+)", re.MULTILINE)
_USUAL_LOOKBACK: Final = 200


class Laboratory:
    """A sandbox and bars; a context manager. Both are there once the first code is validated."""

    def __init__(self, settings: Settings, bars: Callable[[], Bars]) -> None:
        """Prepare.

        Args:
            settings: Limits of the sandbox.
            bars: Gives bars to try strategies on, when they are needed first.
        """
        self._settings = settings
        self._get_bars = bars
        self._bars: Bars | None = None
        self._executor: MontyExecutor | None = None

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
        """End the sandbox."""
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.close()

    @property
    def executor(self) -> MontyExecutor:
        """The sandbox.

        Whatever runs in it first raises :class:`trackrecord.sandbox.isolation.SandboxError` where
        there is less isolation than the settings ask for.
        """
        if self._executor is None:
            self._executor = executor_of(self._settings)
        return self._executor

    @property
    def bars(self) -> Bars:
        """What strategies are tried on."""
        if self._bars is None:
            self._bars = self._get_bars()
        return self._bars

    def of_rule(self, code: str) -> Sequence[Problem]:
        """What is wrong with code that was made from a rule.

        It has no state and cannot see ahead, so that fewer bars than for other code, and those of
        one symbol, show that it runs.
        """
        symbol, bars = next(iter(sorted(self.bars.items())))
        window = _LOOKBACK.search(code)
        # What a decision takes grows with the bars that it is made from.
        share = min(1.0, _USUAL_LOOKBACK / int(window[1])) if window is not None else 1.0
        steps, fresh = max(8, int(25 * share)), max(3, int(10 * share))
        effort = Effort(steps=steps, fresh=fresh, poisons=1, renewed=False)
        return validate(code, self.executor, {symbol: bars}, effort=effort).problems

    def of_code(self, code: str) -> Sequence[Problem]:
        """What is wrong with code that was written, by whomever: all that is looked for."""
        return validate(code, self.executor, self.bars, effort=THOROUGH).problems
