"""Numbers under their names, with the reasons of those that are undefined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trackrecord.performance.measure import NO_DATA, Measure


@dataclass(frozen=True)
class Numbers:
    """Numbers by name, and why some of them are None.

    Attributes:
        values: Money as Decimal, ratios as float, counts as int; None where undefined.
        reasons: Name to reason, for each None.
    """

    values: dict[str, Any]
    reasons: dict[str, str]


class Book:
    """Collects numbers and, for each that is None, its reason."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._reasons: dict[str, str] = {}

    def put(self, name: str, value: Any, reason: str | None = None) -> None:
        """Enter a number; a Measure brings its own reason.

        Args:
            name: In snake case, as published.
            value: A number, a list of numbers, a Measure, or None.
            reason: Why the value is None; not read where there is one.
        """
        if isinstance(value, Measure):
            value, reason = value
        self._values[name] = value
        if value is None and reason:
            self._reasons[name] = reason

    def numbers(self, *, empty: bool = False) -> Numbers:
        """What was entered.

        Args:
            empty: There was nothing to measure: that is the reason of every None.
        """
        if empty:
            return Numbers(self._values, dict.fromkeys(self._reasons, NO_DATA))
        return Numbers(self._values, self._reasons)
