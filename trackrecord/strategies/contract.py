"""What a strategy is given and what it may answer, the same in run, backtest and live.

A strategy is a module with ``execute_strategy(market_data, strategy_params) -> dict`` and, where
it wants them, ``PARAMETERS``, ``LOOKBACK`` and ``SIDES``. This module knows the shapes; who reads
them from a source is :mod:`trackrecord.strategies.source`, who runs it a sandbox.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

Action = Literal["buy", "sell", "hold"]
Side = Literal["LONG", "SHORT"]
Sides = Literal["long", "short", "both"]

DEFAULT_LOOKBACK: Final = 260
"""Closed bars that a strategy is handed unless it names another number."""
MOST_LOOKBACK: Final = 1_000
"""Closed bars that a strategy may ask for."""
LONGEST_REASON: Final = 200
"""Characters of a decision's reason."""
LARGEST_METADATA: Final = 16 * 1024
"""Bytes of a decision's metadata, as JSON."""


class BarRow(NamedTuple):
    """A closed bar as a strategy sees it; numbers are floats.

    Attributes:
        time: When it opened, ISO 8601 in UTC: ``2024-03-01T00:00:00Z``.
    """

    time: str
    open: float
    high: float
    low: float
    close: float
    volume: float


class Position(NamedTuple):
    """What a strategy holds of a symbol while it decides; ``side`` None is nothing.

    Attributes:
        entry_time: When the bar opened at whose open it was entered, as in :class:`BarRow`; what
            was highest since then follows from it. None where the caller does not say.
    """

    side: Side | None = None
    entry_price: float | None = None
    quantity: float = 0.0
    entry_time: str | None = None


FLAT: Final = Position()


@dataclass(frozen=True)
class Decision:
    """What a strategy answered about a symbol, checked.

    Attributes:
        confidence: 0 to 1, or None where it says nothing of it.
        stop_loss: A price, beyond the last close on the losing side; counts at the entry.
        target_price: A price, beyond the last close on the winning side; counts at the entry.
        horizon_bars: Bars after which it is closed, the entry bar included; counts at the entry.
        metadata: All that the strategy put there, as JSON holds it.
    """

    action: Action
    confidence: float | None = None
    reason: str = ""
    stop_loss: float | None = None
    target_price: float | None = None
    horizon_bars: int | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


class Problem(NamedTuple):
    """What is wrong with a strategy, told to who wrote it.

    Attributes:
        line: In its source, from 1; None where it is about the whole.
        code: One word for the kind (``syntax``, ``contract``, ``forbidden``, ``future`` ...).
        message: What is wrong and what to write instead, in plain words.
    """

    line: int | None
    code: str
    message: str


class Fault(NamedTuple):
    """Why a strategy gave no decision on a bar.

    Attributes:
        code: ``contract``, ``error``, ``time``, ``memory``, ``recursion``, ``output`` or ``died``.
        message: In plain words, with the line of the strategy where there is one.
    """

    code: str
    message: str
