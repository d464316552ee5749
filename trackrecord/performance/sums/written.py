"""A record as it is read: every number under its name, and why one is missing."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from trackrecord.performance.exact import exact
from trackrecord.performance.measure import Numbers
from trackrecord.performance.sums.sums import Sums, numbers_of_sums

COUNTS: Final = (
    "signals", "open", "closed", "wins", "losses", "breakevens", "without_return", "backdated",
    "exits_backdated", "corrected_late", "moved_in_late", "exits",
    "win_rate", "win_rate_interval", "account", "accounts",
)  # fmt: skip
"""The numbers that need no currency."""

MONEY: Final = (
    "total_pnl", "average_pnl", "expectancy", "average_return", "profit_factor",
    "expectancy_ratio", "sqn", "gross_profit", "gross_loss", "realised_pnl", "gross_pnl", "fees",
    "carry",
)  # fmt: skip
"""The numbers in money, and those made of it."""

SERIES: Final = (
    "basis", "sessions", "mean_return", "mean_return_interval", "sharpe", "sharpe_interval",
    "sortino", "probabilistic_sharpe_ratio", "deflated_sharpe_ratio", "trials",
    "minimum_track_record_length", "too_few_to_tell", "total_return", "cagr", "volatility",
    "max_drawdown_daily", "calmar",
)  # fmt: skip
"""The numbers of daily returns."""

_ALL: Final = COUNTS + MONEY + SERIES


def text(value: Decimal) -> str:
    """Money as it is written: plain digits, no trailing zeros."""
    digits = format(value, "f")
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return "0" if digits in {"", "-0"} else digits


def add(left: Sums, right: Sums) -> Sums:
    """The sums of two parts of one record, in one currency."""
    with exact():
        return Sums(
            **{name: getattr(left, name) + getattr(right, name) for name in Sums.__annotations__}
        )


def record(by_currency: Mapping[str, Sums]) -> dict[str, Any]:
    """A record from its sums alone: see :func:`written`."""
    return written({currency: numbers_of_sums(sums) for currency, sums in by_currency.items()})


def written(by_currency: Mapping[str, Numbers]) -> dict[str, Any]:
    """A record: flat in one currency; counts and ``currencies`` where there are several.

    Args:
        by_currency: What :func:`~trackrecord.performance.sums.sums.numbers_of_sums` or
            :func:`~trackrecord.performance.sums.records.records` say; at least one.

    Returns:
        Numbers under :data:`COUNTS`, :data:`MONEY` and :data:`SERIES`, as far as they are
        there, money as text; ``reasons`` says why numbers are null.
    """
    if len(by_currency) == 1:
        ((currency, numbers),) = by_currency.items()
        return {"currency": currency} | _written(numbers, _ALL)
    together = Sums()
    for numbers in by_currency.values():
        together = add(together, Sums(**{n: numbers.values[n] for n in Sums.__annotations__}))
    return _written(numbers_of_sums(together), COUNTS) | {
        "currencies": {
            currency: _written(numbers, _ALL) for currency, numbers in sorted(by_currency.items())
        },
    }


def _written(numbers: Numbers, names: tuple[str, ...]) -> dict[str, Any]:
    values = numbers.values
    shown = {name: values[name] for name in names if name in values}
    for name in MONEY:
        if isinstance(shown.get(name), Decimal):
            shown[name] = text(shown[name])
    shown["reasons"] = {name: why for name, why in numbers.reasons.items() if name in shown}
    return shown
