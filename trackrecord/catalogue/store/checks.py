"""Whether what is to be another in a strategy can be so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from trackrecord.catalogue import life
from trackrecord.catalogue.life import StrategyRefusedError
from trackrecord.catalogue.store.rows import Changes, Strategy
from trackrecord.events.types import FRACTION_DIGITS, INTEGER_DIGITS
from trackrecord.strategies.source import parameter_values, read_source

_STAYS_WHILE_ACTIVE: Final = ("parameters", "timeframe", "source", "currency")
"""What would make an active strategy decide otherwise under the same version."""
_CURRENCY: Final = re.compile("[A-Z0-9]{2,12}")


def checked_changes(before: Strategy, code: str | None, changes: Changes) -> dict[str, Any]:
    """Those of some changes that change anything, each checked.

    Args:
        before: The strategy as it is.
        code: Of its present version.
        changes: What is wanted.

    Raises:
        StrategyRefusedError: One cannot be, or not while the strategy is active.
    """
    wanted: dict[str, Any] = {
        name: value
        for name, value in changes.items()
        if _plain(getattr(before, name)) != _plain(value)
    }
    if before.status == "active":
        stays = [name for name in _STAYS_WHILE_ACTIVE if name in wanted]
        if stays:
            raise StrategyRefusedError(
                f"{before.name!r} is active, so that its {', '.join(stays)} cannot change: archive "
                "it first"
            )
        if "symbols" in wanted and not wanted["symbols"]:
            raise StrategyRefusedError(
                f"{before.name!r} is active, and needs one symbol at least: archive it instead"
            )
    for name, value in wanted.items():
        _CHECKS.get(name, _any)(value)
    if "parameters" in wanted:
        checked_parameters(code, wanted["parameters"])
        wanted["parameters"] = dict(wanted["parameters"])
    if "symbols" in wanted:
        wanted["symbols"] = list(dict.fromkeys(wanted["symbols"]))
    return wanted


def checked_parameters(code: str | None, given: Mapping[str, Any]) -> None:
    """Check values of parameters against what a code declares.

    Raises:
        StrategyRefusedError: One of them is not declared, or cannot have its value.
    """
    if not given:
        return
    source = None if code is None else read_source(code)
    if source is None or isinstance(source, list):
        raise StrategyRefusedError("the strategy declares no parameters, so none can be set")
    values = parameter_values(source, given)
    if isinstance(values, list):
        raise StrategyRefusedError("; ".join(each.message for each in values))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) else value


def _any(_value: Any) -> None:
    """There is nothing to check."""


def _quantity(value: Decimal) -> None:
    sign, digits, exponent = value.as_tuple()
    fits = (
        isinstance(exponent, int)
        and not sign
        and any(digits)
        and -exponent <= FRACTION_DIGITS
        and len(digits) + exponent <= INTEGER_DIGITS
    )
    if not fits:
        raise StrategyRefusedError(
            f"the quantity is a decimal above 0, with at most {INTEGER_DIGITS} digits before the "
            f"point and {FRACTION_DIGITS} after it"
        )


def _currency(value: str) -> None:
    if not _CURRENCY.fullmatch(value):
        raise StrategyRefusedError(
            f"{value[:20]!r} is no currency: 2 to 12 capitals and digits, such as USD"
        )


def _description(value: str) -> None:
    if len(value) > life.LONGEST_DESCRIPTION or "\0" in value:
        raise StrategyRefusedError(
            f"a description has at most {life.LONGEST_DESCRIPTION:,} characters, and no NUL"
        )


def _source(value: str | None) -> None:
    if value is not None and not (0 < len(value) <= life.LONGEST_NAME and life.is_one_line(value)):
        raise StrategyRefusedError(
            "a source of bars is named as the bars name it; leave it out for the first by name"
        )


_CHECKS: Final[Mapping[str, Any]] = {
    "name": life.require_name,
    "symbols": life.require_symbols,
    "timeframe": life.require_timeframe,
    "quantity": _quantity,
    "currency": _currency,
    "description": _description,
    "source": _source,
}
