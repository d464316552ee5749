"""How far below its best an equity curve fell, for how long, and whether it came back.

An equity curve is an array of shape (n + 1,) whose first value is the starting
equity; a drawdown is a fraction of the running peak, at most 0. Definitions are
empyrical's (``stats.py``); the peak starts at the starting equity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trackrecord.performance.measure import (
    DUST,
    NO_DATA,
    NO_DRAWDOWN,
    FloatArray,
    Floats,
    Measure,
    as_series,
    finite,
    observed,
    undefined,
)
from trackrecord.performance.returns.statistics import PERIODS_PER_YEAR, cagr, total_return

NO_RECOVERY = "no_recovery"


@dataclass(frozen=True)
class Drawdown:
    """One stay below a peak. Positions count points of the curve; 0 is its start.

    Attributes:
        peak: The last point at the peak.
        trough: The first point at the lowest level.
        recovery: The first point back at the peak or above; None while below it.
        depth: Level at the trough / level at the peak - 1, a fraction below 0.
        length: Periods from peak to recovery, or to the end of the curve.
    """

    peak: int
    trough: int
    recovery: int | None
    depth: float
    length: int


def equity_of_returns(returns: Floats, starting_equity: float = 1.0) -> FloatArray:
    """starting_equity · Π(1 + r) after each period, shape (n + 1,); NaN earns nothing.

    Raises:
        ValueError: A return is infinite, or the series is not one-dimensional.
    """
    values = as_series(returns)
    gaps = np.isnan(values)
    steps = np.ones(values.size + 1)
    steps[1:] += np.where(gaps, 0.0, values) if gaps.any() else values
    growth: FloatArray = np.cumprod(steps, out=steps)
    return growth if starting_equity == 1 else starting_equity * growth


def drawdown_series(equity: Floats) -> FloatArray:
    """Equity / running peak - 1 at each point, shape of ``equity``, each at most 0.

    Raises:
        ValueError: The curve does not start above 0, or a point of it is missing.
    """
    curve = as_series(equity)
    if curve.size and not curve[0] > 0:
        raise ValueError("an equity curve starts above 0: a fraction of nothing has no meaning")
    if np.isnan(curve).any():
        raise ValueError("an equity curve has no gaps; carry the last level forward")
    series: FloatArray = curve / np.maximum.accumulate(curve) - 1
    return series


def max_drawdown(returns: Floats) -> Measure:
    """The most negative of :func:`drawdown_series`, a fraction, at most 0.

    Equal to empyrical's. 0 where the curve never fell. Undefined: ``no_data``.
    """
    if not as_series(returns).size:
        return undefined(NO_DATA)
    return max_drawdown_of(equity_of_returns(returns))


def max_drawdown_of(equity: Floats) -> Measure:
    """The most negative of :func:`drawdown_series`. Undefined: ``no_data`` for no points."""
    series = drawdown_series(equity)
    # -0.0 + 0.0 is 0.0: a curve that never fell has a drawdown of 0, not of -0.
    return finite(float(np.min(series)) + 0.0) if series.size else undefined(NO_DATA)


def calmar(returns: Floats, periods_per_year: float = PERIODS_PER_YEAR) -> Measure:
    """CAGR / abs(max drawdown).

    Equal to empyrical's. Undefined: as CAGR; ``no_drawdown`` where the curve never fell.
    """
    return growth_to_depth(cagr(returns, periods_per_year), max_drawdown(returns))


def growth_to_depth(growth: Measure, depth: Measure) -> Measure:
    """Growth per year / abs(max drawdown), with the reason where either is undefined."""
    if growth.value is None or depth.value is None:
        return undefined(growth.reason or depth.reason or NO_DATA)
    return finite(growth.value / -depth.value) if depth.value else undefined(NO_DRAWDOWN)


def growth_of(returns: Floats, levels: Floats | None = None) -> Measure:
    """The total return: of the curve's ends where there is one, else of the returns.

    Args:
        returns: Shape (n,).
        levels: The curve that they were made of, shape (n + 1,).
    """
    if levels is None or not observed(returns).size:
        return total_return(returns)
    curve = as_series(levels)
    return finite(float(curve[-1]) / float(curve[0]) - 1)


def drawdowns(equity: Floats) -> list[Drawdown]:
    """Every stay below a peak, in order of time.

    A level nearer to the peak than 1e-12 of it is at the peak: returns that come back
    exactly leave that much when they are multiplied up as floats.

    Raises:
        ValueError: As :func:`drawdown_series`.
    """
    series = drawdown_series(equity)
    under = np.concatenate(([False], series < -DUST, [False]))
    turns = np.flatnonzero(under[1:] != under[:-1])
    found = []
    for first, after in zip(turns[::2].tolist(), turns[1::2].tolist(), strict=True):
        trough = first + int(np.argmin(series[first:after]))
        recovered = after < series.size
        found.append(
            Drawdown(
                peak=first - 1,
                trough=trough,
                recovery=after if recovered else None,
                depth=float(series[trough]),
                length=(after if recovered else series.size - 1) - (first - 1),
            )
        )
    return found


def longest_drawdown(found: list[Drawdown]) -> Measure:
    """Periods of the longest stay below a peak, recovered or not; 0 where there was none."""
    return Measure(float(max((item.length for item in found), default=0)))


def longest_recovery(found: list[Drawdown]) -> Measure:
    """Periods from peak to recovery, of the longest drawdown that did recover.

    Lean's drawdown recovery, in periods. Undefined: ``no_drawdown``; ``no_recovery``
    where none recovered (Lean: 0).
    """
    lengths = [item.length for item in found if item.recovery is not None]
    if lengths:
        return Measure(float(max(lengths)))
    return undefined(NO_RECOVERY if found else NO_DRAWDOWN)
