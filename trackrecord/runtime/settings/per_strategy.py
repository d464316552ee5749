"""Settings that differ by strategy: ``momentum=10000,*=5000``."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from trackrecord.performance.sums.days import PERIODS, Sessions

ALL_OTHERS = "*"

_Value = TypeVar("_Value")


def capital_by_strategy(text: str) -> dict[str, Decimal]:
    """Read ``momentum=10000,trend=5000,*=1000``: money by strategy, ``*`` for all others.

    Raises:
        ValueError: A part is not NAME=AMOUNT, an amount is not above 0, or a name comes twice.
    """
    found: dict[str, Decimal] = {}
    for name, amount in _pairs(text, "momentum=10000"):
        try:
            value = Decimal(amount)
        except InvalidOperation:
            value = Decimal(0)
        if not (value.is_finite() and value > 0):
            raise ValueError(f"{name!r} needs an amount above 0 such as 10000, not {amount!r}")
        _enter(found, name, value)
    return found


def sessions_by_strategy(text: str) -> dict[str, Sessions]:
    """Read ``weekdays,btc_trend=every_day``: sessions by strategy.

    A word without a name is for all others, as is ``*=``; where neither stands, they have
    weekdays.

    Raises:
        ValueError: Sessions are neither ``weekdays`` nor ``every_day``, or a name comes twice.
    """
    found: dict[str, Sessions] = {}
    parts = [part.strip() for part in text.split(",") if part.strip()]
    named = ",".join(part if "=" in part else f"{ALL_OTHERS}={part}" for part in parts)
    for name, sessions in _pairs(named, "btc_trend=every_day"):
        if sessions not in PERIODS:
            raise ValueError(f"sessions are weekdays or every_day, not {sessions!r}")
        _enter(found, name, "every_day" if sessions == "every_day" else "weekdays")
    found.setdefault(ALL_OTHERS, "weekdays")
    return found


def of_strategy(values: Mapping[str, _Value], strategy: str) -> _Value | None:
    """The value of a strategy, that of all others, or None."""
    return values.get(strategy, values.get(ALL_OTHERS))


def _pairs(text: str, example: str) -> list[tuple[str, str]]:
    pairs = []
    for part in text.split(","):
        if not part.strip():
            continue
        # The last sign of equality: a name may hold one.
        name, sign, value = (each.strip() for each in part.rpartition("="))
        if not (name and sign and value):
            raise ValueError(f"{part.strip()!r} is not NAME=VALUE, such as {example}")
        pairs.append((name, value))
    return pairs


def _enter(found: dict[str, _Value], name: str, value: _Value) -> None:
    if name in found:
        raise ValueError(f"{name!r} comes twice")
    found[name] = value
