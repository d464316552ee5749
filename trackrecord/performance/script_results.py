"""How a script's latest runs went, beside those before them: what its outputs report of each."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from trackrecord.performance.exact import plus, round_ratio
from trackrecord.performance.measure import NO_DATA
from trackrecord.performance.trend import Trend

_PLACES: Final = 6
"""Digits after the point of an average in percent."""


@dataclass(frozen=True)
class Results:
    """What some runs of a script reported, added up.

    Attributes:
        runs: How many there are.
        profits: Those that reported a profit.
        losses: Those that reported a loss.
        breakevens: Those that reported neither.
        percentages: Those that reported a return in percent.
        sum_return_pct: Of these returns, in percent.
    """

    runs: int = 0
    profits: int = 0
    losses: int = 0
    breakevens: int = 0
    percentages: int = 0
    sum_return_pct: Decimal = Decimal(0)

    @property
    def reported(self) -> int:
        """Runs that reported a result."""
        return self.profits + self.losses + self.breakevens

    @property
    def success_rate(self) -> Fraction | None:
        """Profits of all reported results; None where there is none."""
        return Fraction(self.profits, self.reported) if self.reported else None

    @property
    def average_return_pct(self) -> Decimal | None:
        """Mean return in percent, to six digits after the point; None where none was reported."""
        if not self.percentages:
            return None
        return round_ratio(self.sum_return_pct, Decimal(self.percentages), _PLACES)

    def without(self, some: Results) -> Results:
        """What the other runs reported.

        Args:
            some: Of some of these runs.
        """
        return Results(
            self.runs - some.runs,
            self.profits - some.profits,
            self.losses - some.losses,
            self.breakevens - some.breakevens,
            self.percentages - some.percentages,
            plus(self.sum_return_pct, -some.sum_return_pct),
        )

    def outcomes(self) -> dict[str, int]:
        """Runs by reported outcome; ``none`` are those that reported no result."""
        return {
            "profit": self.profits,
            "loss": self.losses,
            "breakeven": self.breakevens,
            "none": self.runs - self.reported,
        }


def recent_against_earlier(every: Results, recent: Results, trend: Trend) -> dict[str, Any]:
    """Set the latest runs of a script beside those before them.

    Args:
        every: Of all its runs.
        recent: Of the latest of them.
        trend: Of its results, as :func:`trackrecord.performance.trend.trend` judges them.

    Returns:
        ``recent`` and ``earlier``, each with ``runs``, their outcomes, ``success_rate`` (0..1) and
        ``average_return_pct``; ``difference`` of the two numbers, recent - earlier; ``trend`` and
        ``trend_p_value``; ``summary``, a sentence; ``reasons``: why a number is null, by its name
        (``recent.success_rate``). The trend is judged beyond noise, the difference is not.
    """
    earlier = every.without(recent)
    found: dict[str, Any] = {"recent": _part(recent), "earlier": _part(earlier)}
    found["difference"] = {
        "success_rate": _difference(recent.success_rate, earlier.success_rate),
        "average_return_pct": _difference(recent.average_return_pct, earlier.average_return_pct),
    }
    reasons = {
        f"{part}.{name}": NO_DATA
        for part, numbers in found.items()
        for name, value in numbers.items()
        if value is None
    }
    if trend.reason is not None:
        reasons["trend"] = trend.reason
    return {
        **found,
        "trend": trend.direction,
        "trend_p_value": trend.p_value,
        "summary": _summary(every, recent, earlier, trend),
        "reasons": reasons,
    }


def _difference(
    recent: Fraction | Decimal | None, earlier: Fraction | Decimal | None
) -> float | None:
    if recent is None or earlier is None:
        return None
    return float(Fraction(recent) - Fraction(earlier))


def _part(of: Results) -> dict[str, Any]:
    rate, average = of.success_rate, of.average_return_pct
    return {
        "runs": of.runs,
        **of.outcomes(),
        "success_rate": None if rate is None else float(rate),
        "average_return_pct": None if average is None else float(average),
    }


_IN_WORDS: Final = {
    "improving": "results are improving",
    "declining": "results are declining",
    "stable": "no trend beyond noise",
    None: "too few results to tell a trend",
}


def _summary(every: Results, recent: Results, earlier: Results, trend: Trend) -> str:
    runs = f"{every.runs:,} {'run' if every.runs == 1 else 'runs'}"
    if every.success_rate is None:
        return f"{runs}, and no result was reported."
    results = "1 result was" if every.reported == 1 else f"{every.reported:,} results were"
    parts = [f"{runs}: {_percent(every.success_rate)} of {results} a profit"]
    if recent.success_rate is not None and earlier.success_rate is not None:
        parts.append(
            f"{_percent(recent.success_rate)} in the latest {recent.runs:,} runs against"
            f" {_percent(earlier.success_rate)} before"
        )
    if every.average_return_pct is not None:
        parts.append(f"{every.average_return_pct:+.2f} % on average")
    return f"{', '.join(parts)}; {_IN_WORDS[trend.direction]}."


def _percent(rate: Fraction) -> str:
    return f"{float(100 * rate):.1f} %"
