"""How a backtest, a validation and a runner reach the code of a strategy, whatever runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from trackrecord.strategies.contract import BarRow, Decision, Fault, Position, Problem
from trackrecord.strategies.market_data import MarketData


class Session(Protocol):
    """One strategy with its history; the future is never in it."""

    def step(
        self, bars: Mapping[str, BarRow], positions: Mapping[str, Position]
    ) -> dict[str, Decision | Fault | None]:
        """Append the next bar of each symbol, and ask what the strategy does about it.

        Args:
            bars: The bar that has just closed, by symbol: all symbols of one instant.
            positions: What is held, by symbol; left out is nothing.

        Returns:
            By symbol the decision, why there is none, or None where fewer bars have closed than
            the strategy looks back on, so that it was not asked.
        """

    def close(self) -> None:
        """End it; nothing of it is seen by the next."""


class Executor(Protocol):
    """What runs strategies."""

    def call(
        self,
        source: str,
        market_data: Mapping[str, Any],
        parameters: Mapping[str, Any],
    ) -> Decision | Fault:
        """Run ``execute_strategy`` once in a session of its own (the definition of a decision)."""

    def open(
        self,
        source: str,
        parameters: Mapping[str, Any],
        *,
        timeframe: str,
        history: Mapping[str, Sequence[BarRow]] | None = None,
    ) -> Session:
        """Begin a session that keeps history itself; ``history`` are bars before the first step."""


class ExaminedSession(Session, Protocol):
    """A session that can be looked into."""

    def seen(self) -> dict[str, list[BarRow]] | Fault:
        """The bars as the strategy sees them now: other ones where it wrote into them."""

    def values(self, expressions: Sequence[str]) -> list[Any] | Fault:
        """What names of the module hold, or ``Class.name``; no calls are made."""

    @property
    def seconds(self) -> float:
        """What its steps took so far."""


class Laboratory(Executor, Protocol):
    """An executor with what validation needs beside."""

    def check_types(self, source: str) -> list[Problem]:
        """What a type checker says, with code ``types``, or ``types-unsure`` where it may err."""

    def decide(
        self, source: str, given: MarketData, parameters: Mapping[str, Any]
    ) -> Decision | Fault:
        """A fresh call on bars that were read before."""

    def open(
        self,
        source: str,
        parameters: Mapping[str, Any],
        *,
        timeframe: str,
        history: Mapping[str, Sequence[BarRow]] | None = None,
        renewed: bool = False,
    ) -> ExaminedSession:
        """A session; ``renewed`` runs the module anew before each step."""
