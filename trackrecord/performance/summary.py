"""A record as it is read: every number under its name, and why one is missing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from trackrecord.performance.exact import exact
from trackrecord.performance.record import (
    Sums,
    average_pnl,
    average_return,
    expectancy_ratio,
    profit_factor,
    win_rate,
)


def text(value: Decimal) -> str:
    """Money as it is written: plain digits, no trailing zeros."""
    digits = format(value, "f")
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return "0" if digits in {"", "-0"} else digits


def counts(sums: Sums) -> dict[str, Any]:
    """The numbers that need no currency."""
    rate = win_rate(sums)
    return {
        "signals": sums.signals,
        "open": sums.signals - sums.closed,
        "closed": sums.closed,
        "wins": sums.wins,
        "losses": sums.losses,
        "breakevens": sums.breakevens,
        "backdated": sums.backdated,
        "exits": sums.exits,
        "win_rate": rate,
    }


def money(sums: Sums) -> dict[str, Any]:
    """The numbers in money, and those made of it.

    ``reasons`` says why numbers are null, those of :func:`counts` included.
    """
    factor, no_factor = profit_factor(sums)
    ratio, no_ratio = expectancy_ratio(sums)
    mean = average_pnl(sums)
    reasons = {
        name: why
        for name, why in (("profit_factor", no_factor), ("expectancy_ratio", no_ratio))
        if why
    }
    if mean is None:
        names = ("average_pnl", "average_return", "expectancy", "win_rate")
        reasons |= dict.fromkeys(names, "no_data")
    with exact():
        gross = sums.realised_pnl + sums.fees + sums.carry
    return {
        "total_pnl": text(sums.total_pnl),
        "average_pnl": None if mean is None else text(mean),
        "expectancy": None if mean is None else text(mean),
        "average_return": average_return(sums),
        "profit_factor": factor,
        "expectancy_ratio": ratio,
        "gross_profit": text(sums.gross_profit),
        "gross_loss": text(sums.gross_loss),
        "realised_pnl": text(sums.realised_pnl),
        "gross_pnl": text(gross),
        "fees": text(sums.fees),
        "carry": text(sums.carry),
        "reasons": reasons,
    }


def add(left: Sums, right: Sums) -> Sums:
    """The sums of two parts of one record, in one currency."""
    with exact():
        return Sums(
            **{name: getattr(left, name) + getattr(right, name) for name in Sums.__annotations__}
        )


def record(by_currency: dict[str, Sums]) -> dict[str, Any]:
    """A record: flat in one currency; counts and ``currencies`` where there are several."""
    if len(by_currency) == 1:
        ((currency, sums),) = by_currency.items()
        return {"currency": currency, **counts(sums), **money(sums)}
    together = Sums()
    for sums in by_currency.values():
        together = add(together, sums)
    return {
        **counts(together),
        "reasons": {} if together.closed else {"win_rate": "no_data"},
        "currencies": {
            currency: {**counts(sums), **money(sums)}
            for currency, sums in sorted(by_currency.items())
        },
    }
