"""A record of closed signals, from sums that any number of consumers can keep."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from trackrecord.performance.confidence.intervals import wilson
from trackrecord.performance.exact import plus, round_ratio
from trackrecord.performance.measure import (
    ENTRY_NOT_POSITIVE,
    NO_DATA,
    NO_VARIANCE,
    TOO_FEW,
    Measure,
    Numbers,
    finite,
    undefined,
)

MONEY_PLACES = 18
"""Digits after the point of a mean of money."""

ACCOUNTS: Final = {
    "live": "live_signals",
    "paper": "paper_signals",
    "backtest": "backtest_signals",
    "imported": "imported_signals",
}
"""The kinds of account that a signal may name, and the sum that counts its signals."""
UNKNOWN: Final = "unknown"
MIXED: Final = "mixed"


@dataclass(frozen=True)
class Sums:
    """What is added up over signals; sums of sums are again such sums.

    Money is in one currency. ``total_pnl``, ``gross_profit`` and ``gross_loss``
    are over signals closed in full, ``realised_pnl``, ``fees`` and ``carry``
    over all exits. ``pnl_squares`` are those of the PnL of each signal closed in full.
    ``without_return`` counts the closed ones whose PnL is no share of anything, as their entry
    price or cost basis is not above 0; ``sum_return`` is over the others. ``exits_backdated``,
    ``corrected_late`` and ``moved_in_late`` count what was told or corrected after the fact,
    ``live_signals`` and so on the signals of an account of that kind.
    """

    signals: int = 0
    backdated: int = 0
    exits: int = 0
    closed: int = 0
    wins: int = 0
    losses: int = 0
    breakevens: int = 0
    without_return: int = 0
    exits_backdated: int = 0
    corrected_late: int = 0
    moved_in_late: int = 0
    live_signals: int = 0
    paper_signals: int = 0
    backtest_signals: int = 0
    imported_signals: int = 0
    total_pnl: Decimal = Decimal(0)
    gross_profit: Decimal = Decimal(0)
    gross_loss: Decimal = Decimal(0)
    realised_pnl: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    carry: Decimal = Decimal(0)
    sum_return: Decimal = Decimal(0)
    pnl_squares: Decimal = Decimal(0)


def accounts(sums: Sums) -> dict[str, int]:
    """Signals by kind of account, ``unknown`` where none is named; only kinds that there are."""
    found = {kind: getattr(sums, name) for kind, name in ACCOUNTS.items()}
    found[UNKNOWN] = sums.signals - sum(found.values())
    return {kind: count for kind, count in found.items() if count}


def account(sums: Sums) -> str:
    """The kind of account of all signals, ``mixed`` where there are several, or ``unknown``.

    What is of different kinds is never ranked together.
    """
    kinds = list(accounts(sums))
    return kinds[0] if len(kinds) == 1 else MIXED if kinds else UNKNOWN


def win_rate(sums: Sums) -> float | None:
    """Wins / closed, breakevens counted in closed; None (``no_data``) where none is closed."""
    return sums.wins / sums.closed if sums.closed else None


def average_pnl(sums: Sums) -> Decimal | None:
    """Mean net PnL of closed signals, also called expectancy; None (``no_data``) without any.

    Rounded half-even to 18 decimals.
    """
    return round_ratio(sums.total_pnl, Decimal(sums.closed), MONEY_PLACES) if sums.closed else None


def average_return(sums: Sums) -> tuple[float | None, str | None]:
    """Mean return of the closed signals that have one, and the reason where it is undefined.

    A fraction. Undefined: ``no_data`` where none is closed, ``entry_not_positive`` where none
    of the closed has a return.
    """
    if not sums.closed:
        return None, NO_DATA
    returns = sums.closed - sums.without_return
    if not returns:
        return None, ENTRY_NOT_POSITIVE
    return float(round_ratio(sums.sum_return, Decimal(returns), MONEY_PLACES)), None


def profit_factor(sums: Sums) -> tuple[float | None, str | None]:
    """Sum of net wins / absolute sum of net losses, and the reason where it is undefined."""
    if not sums.closed:
        return None, "no_data"
    if sums.gross_loss == 0:
        return None, "no_losses"
    return float(round_ratio(sums.gross_profit, -sums.gross_loss, MONEY_PLACES)), None


def expectancy_ratio(sums: Sums) -> tuple[float | None, str | None]:
    """(1 + average win / average loss) · share of wins - 1, and the reason where undefined."""
    if not sums.closed:
        return None, "no_data"
    if not sums.losses or sums.gross_loss == 0:
        return None, "no_losses"
    share = sums.wins / sums.closed
    if not sums.wins:
        return share - 1, None
    average_win = float(sums.gross_profit) / sums.wins
    average_loss = float(-sums.gross_loss) / sums.losses
    return (1 + average_win / average_loss) * share - 1, None


def sqn_of_sums(count: int, pnl: Decimal, squares: Decimal) -> Measure:
    """√n · mean / standard deviation (ddof 1) of trade PnL, from exact sums.

    Σx · √((n - 1) / (n·Σx² - (Σx)²)); what is under the root is exact before it is
    rounded. Undefined: ``no_data``; ``too_few`` with one trade; ``no_variance``.

    Args:
        count: n, closed signals.
        pnl: Σx, their net PnL.
        squares: Σx².
    """
    if count < 2:  # noqa: PLR2004 - two make a spread
        return undefined(TOO_FEW if count else NO_DATA)
    above, below = pnl.as_integer_ratio()
    square, unit = squares.as_integer_ratio()
    # n·Σx² - (Σx)² as one fraction, in whole numbers.
    rest = count * square * below * below - above * above * unit
    if rest <= 0:
        return undefined(NO_VARIANCE)
    ratio = (count - 1) * above * above * unit / rest
    return finite(math.copysign(math.sqrt(ratio), above))


_MEANS: Final = (
    "win_rate", "win_rate_interval", "average_pnl", "expectancy", "average_return",
)  # fmt: skip


def numbers_of_sums(sums: Sums) -> Numbers:
    """Every number that follows from sums alone.

    The sums themselves; ``account`` and ``accounts``, ``open``, ``gross_pnl``, ``win_rate`` with
    Wilson's interval, ``average_pnl`` (also called ``expectancy``), ``average_return``,
    ``profit_factor``, ``expectancy_ratio``, ``sqn``. Definitions: docs/numbers.md.
    """
    interval = wilson(sums.wins, sums.closed)
    mean = average_pnl(sums)
    factor, no_factor = profit_factor(sums)
    ratio, no_ratio = expectancy_ratio(sums)
    mean_return, no_mean_return = average_return(sums)
    quality, no_quality = sqn_of_sums(sums.closed, sums.total_pnl, sums.pnl_squares)
    values: dict[str, Any] = vars(sums) | {
        "account": account(sums),
        "accounts": accounts(sums),
        "open": sums.signals - sums.closed,
        "gross_pnl": plus(plus(sums.realised_pnl, sums.fees), sums.carry),
        "win_rate": win_rate(sums),
        "win_rate_interval": None if interval.low is None else [interval.low, interval.high],
        "average_pnl": mean,
        "expectancy": mean,
        "average_return": mean_return,
        "profit_factor": factor,
        "expectancy_ratio": ratio,
        "sqn": quality,
    }
    reasons = {} if sums.closed else dict.fromkeys(_MEANS, NO_DATA)
    if no_mean_return:
        reasons["average_return"] = no_mean_return
    if no_factor:
        reasons["profit_factor"] = no_factor
    if no_ratio:
        reasons["expectancy_ratio"] = no_ratio
    if no_quality:
        reasons["sqn"] = no_quality
    return Numbers(values, reasons)
