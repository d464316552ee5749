"""Records of many strategies from sums per day: every number, without the trades.

All strategies at once, column by column. The sums are exact
(:mod:`trackrecord.performance.days`), and series are added up in the order of
time, so the same trades give the same numbers to the last bit, in whatever order
they came and over however many consumers they were split.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from trackrecord.performance.book import Numbers
from trackrecord.performance.days import (
    COUNTS,
    PERIODS,
    DailyReturns,
    DayTable,
    Sessions,
    Whole,
    day_number,
    returns_of_sessions,
    session_number,
)
from trackrecord.performance.intervals import wilson
from trackrecord.performance.measure import DUST, FloatArray
from trackrecord.performance.record import Sums, average_pnl, expectancy_ratio, profit_factor
from trackrecord.performance.sharpe import CONFIDENCE, NORMAL, expected_maximum_sharpe
from trackrecord.performance.trade_numbers import sqn_of_sums

NO_CAPITAL: Final = "no_capital"
RUINED: Final = "equity_gone"

_OF_CAPITAL: Final = ("total_return", "cagr", "volatility", "max_drawdown_daily", "calmar")
_REASONS: Final = ("", "no_data", "too_few", "no_variance", "no_downside", "no_drawdown",
    NO_CAPITAL, RUINED, "below_zero", "overflow", "not_above_benchmark")  # fmt: skip
_CODE: Final = {reason: code for code, reason in enumerate(_REASONS)}
_BLOCK: Final = 2_000_000
"""Returns worked on at once: their columns stay in the processor's cache, nearly."""


@dataclass(eq=False)
class SeriesNumbers:
    """Numbers of daily returns of many strategies.

    Attributes:
        values: By name, shape (s,); NaN where undefined.
        reasons: By name, the code of why, shape (s,); 0 where there is a value.
        sessions: Length of each series, shape (s,).
        capital: Whether it was measured on capital, shape (s,).
        trials: What the deflated Sharpe ratio was corrected for.
    """

    sessions: Whole
    capital: npt.NDArray[np.bool_]
    trials: int = 1
    values: dict[str, FloatArray] = field(default_factory=dict)
    reasons: dict[str, npt.NDArray[np.int8]] = field(default_factory=dict)

    def put(self, name: str, values: FloatArray, *why: tuple[npt.NDArray[np.bool_], str]) -> None:
        """Enter a number; the first reason that holds for a strategy is the one given."""
        codes = np.zeros(len(self.sessions), dtype=np.int8)
        for holds, reason in reversed(why):
            codes[holds] = _CODE[reason]
        codes[(codes == 0) & ~np.isfinite(values)] = _CODE["overflow"]
        self.values[name] = np.where(codes == 0, values, np.nan)
        self.reasons[name] = codes

    def rows(self) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
        """The values and the reasons of each strategy in turn."""
        names = list(self.values)
        values = zip(*(column.tolist() for column in self.values.values()), strict=True)
        codes = np.array([self.reasons[name] for name in names]).T
        lengths, capital = self.sessions.tolist(), self.capital.tolist()
        for length, known, row, why in zip(lengths, capital, values, codes, strict=True):
            found = dict(zip(names, row, strict=True))
            reasons = {}
            for place in np.flatnonzero(why).tolist():
                found[names[place]] = None
                reasons[names[place]] = _REASONS[why[place]]
            shortest = found["minimum_track_record_length"]
            found["sessions"] = length
            found["basis"] = "capital" if known else "mean_trade_return"
            found["trials"] = self.trials
            found["too_few_to_tell"] = shortest is None or length < shortest
            yield found, reasons


def records(
    table: DayTable,
    strategies: int,
    as_of: date,
    *,
    capital: Sequence[Decimal | None] | None = None,
    sessions: Sessions = "weekdays",
    risk_free: float = 0.0,
    benchmark_sharpe: float = 0.0,
    trials: int | None = None,
) -> list[Numbers]:
    """The record of each strategy.

    Counts, ``win_rate`` with Wilson's interval, money, ``profit_factor``,
    ``expectancy_ratio``, ``sqn``; of the daily returns what
    :func:`series_numbers` gives. Definitions: docs/numbers.md.

    Args:
        table: Rows of sums; those after ``as_of`` do not count. Without the column
            ``pnl_squares`` there is no ``sqn`` and no ``pnl_deviation``.
        strategies: How many; indices in the table are below this.
        as_of: The last day.
        capital: Per strategy; None where unknown.
        sessions: See :func:`~trackrecord.performance.days.daily_returns`.
        risk_free: Per session.
        benchmark_sharpe: Per session.
        trials: How many strategies were tried, retired and rejected ones too; at least
            those of the table, which is the default.

    Returns:
        One record per strategy, by index.

    Raises:
        ValueError: A capital is not above 0.
    """
    known: Sequence[Decimal | None] = [None] * strategies if capital is None else capital
    table = table.until(day_number(as_of))
    rows = table.merged(session_number(table.day, sessions))
    daily = returns_of_sessions(rows, as_of, known, sessions)
    series = series_numbers(
        daily,
        PERIODS[sessions],
        risk_free=risk_free,
        benchmark_sharpe=benchmark_sharpe,
        trials=trials,
    )
    whole = rows.merged(np.zeros(len(rows), dtype=np.int64))
    sums = _sums(whole, strategies)
    squares = _spread_out(whole, "pnl_squares", strategies)
    found = []
    for strategy, (values, reasons) in enumerate(series.rows()):
        square = None if squares is None else squares[strategy]
        own, why = _of_trades(sums[strategy], square)
        found.append(Numbers(own | values, why | reasons))
    return found


def series_numbers(
    daily: DailyReturns,
    periods_per_year: float,
    *,
    risk_free: float = 0.0,
    benchmark_sharpe: float = 0.0,
    trials: int | None = None,
    confidence: float = CONFIDENCE,
) -> SeriesNumbers:
    """Numbers of the daily returns of many strategies.

    ``sharpe``, ``sortino``, ``probabilistic_sharpe_ratio``, ``deflated_sharpe_ratio``
    (sd from the Sharpe ratios of all strategies here, N at least their number),
    ``minimum_track_record_length``, and with capital ``total_return``, ``cagr``,
    ``volatility``, ``max_drawdown_daily``, ``calmar``: formulas as in the functions of
    those names for one series.

    Args:
        daily: Returns, shape (t, s).
        periods_per_year: Sessions of a year.
        risk_free: Per session.
        benchmark_sharpe: Per session.
        trials: N of the deflated Sharpe ratio; at least s.
        confidence: Of the minimum track record length.
    """
    count = len(daily.sessions)
    numbers = SeriesNumbers(daily.sessions, daily.capital)
    width = max(1, _BLOCK // max(1, daily.values.shape[0]))
    blocks = [_measure(daily, first, width, risk_free) for first in range(0, count, width)]
    part = {
        name: np.concatenate([block[name] for block in blocks] or [np.zeros(0)])
        for name in _MEASURED
    }
    n = daily.sessions.astype(np.float64)
    none, one = n < 1, n < 2  # noqa: PLR2004 - two make a spread
    flat = part["deviation"] <= DUST * part["largest"]
    gone = (daily.ruined, RUINED)
    data, few, still = (none, "no_data"), (one, "too_few"), (flat, "no_variance")
    year = math.sqrt(periods_per_year)
    with np.errstate(all="ignore"):
        ratio = (part["mean"] - risk_free) / part["deviation"]
        numbers.put("sharpe", ratio * year, data, gone, few, still)
        level = part["downside"] <= DUST * part["largest"]
        down = (part["mean"] - risk_free) / part["downside"] * year
        numbers.put("sortino", down, data, gone, few, (level, "no_downside"))
        scale = np.sqrt(part["m2"])
        skew, kurt = part["m3"] / scale**3, part["m4"] / scale**4
        error = np.sqrt(np.maximum(1 - skew * ratio + (kurt - 1) / 4 * ratio * ratio, 0))
        sure = (error <= DUST, "no_variance")
        root = np.sqrt(np.maximum(n - 1, 0)) / error
        skill = _normal((ratio - benchmark_sharpe) * root)
        numbers.put("probabilistic_sharpe_ratio", skill, data, gone, few, still, sure)
        usable = ratio[~(none | one | flat | daily.ruined)]
        tried = max(count, trials or 0, 1)
        spread = float(np.std(usable, ddof=1)) if usable.size > 1 else 0.0
        luck = np.full(count, expected_maximum_sharpe(tried, spread))
        if usable.size < 2 and tried > 1:  # noqa: PLR2004 - their own error, then
            luck = expected_maximum_sharpe(tried, 1.0) / np.sqrt(np.maximum(n - 1, 1))
        skill = _normal((ratio - luck) * root)
        numbers.put("deflated_sharpe_ratio", skill, data, gone, few, still, sure)
        above = ratio - benchmark_sharpe
        length = 1 + (error * NORMAL.inv_cdf(confidence) / above) ** 2
        below = (above <= 0, "not_above_benchmark")
        numbers.put("minimum_track_record_length", length, data, gone, few, still, below)
        _growth(numbers, part, n, periods_per_year, (data, gone, few))
    numbers.trials = tried
    return numbers


_MEASURED: Final = (
    "mean", "deviation", "downside", "largest", "m2", "m3", "m4", "growth", "deepest",
)  # fmt: skip

Why = tuple[npt.NDArray[np.bool_], str]


def _growth(
    numbers: SeriesNumbers,
    part: dict[str, FloatArray],
    n: FloatArray,
    periods_per_year: float,
    common: tuple[Why, Why, Why],
) -> None:
    data, gone, few = common
    poor = (~numbers.capital, NO_CAPITAL)
    growth, deepest = part["growth"], part["deepest"]
    numbers.put("total_return", growth - 1, poor, data, gone)
    yearly = np.power(growth, periods_per_year / n) - 1
    lost = (growth < 0, "below_zero")
    numbers.put("cagr", yearly, poor, data, gone, lost)
    numbers.put(
        "volatility", part["deviation"] * math.sqrt(periods_per_year), poor, data, gone, few
    )
    numbers.put("max_drawdown_daily", deepest, poor, data, gone)
    numbers.put("calmar", yearly / -deepest, poor, data, gone, lost, (deepest == 0, "no_drawdown"))


def _measure(
    daily: DailyReturns, first: int, width: int, risk_free: float
) -> dict[str, FloatArray]:
    chosen = slice(first, first + width)
    n = daily.sessions[chosen]
    longest = int(n.max(initial=0))
    values = np.ascontiguousarray(daily.values[:longest, chosen])
    size = np.maximum(n, 1)
    within = None if (n == longest).all() else np.arange(longest)[:, None] < n
    with np.errstate(all="ignore"):
        mean = _added(values) / size
        centred = _masked(values - mean, within)
        square = centred * centred
        m2 = _added(square) / size
        below = _masked(np.minimum(values - risk_free, 0), within)
        growth = np.cumprod(1 + values, axis=0)
        peak = np.maximum(np.maximum.accumulate(growth, axis=0), 1)
        return {
            "mean": mean,
            "deviation": np.sqrt(m2 * size / np.maximum(n - 1, 1)),
            "downside": np.sqrt(_added(below * below) / size),
            "largest": np.max(np.abs(values), axis=0, initial=0.0),
            "m2": m2,
            "m3": _added(square * centred) / size,
            "m4": _added(square * square) / size,
            "growth": growth[-1] if longest else np.ones(len(n)),
            "deepest": np.min(growth / peak - 1, axis=0, initial=0.0),
        }


def _masked(values: FloatArray, within: npt.NDArray[np.bool_] | None) -> FloatArray:
    return values if within is None else np.where(within, values, 0.0)


def _added(values: FloatArray) -> FloatArray:
    # One session after the other: zeros after a series' end, and strategies beside
    # it, cannot change the last bit, as they would where numpy adds in pairs.
    total = np.zeros(values.shape[1])
    for session in values:
        total += session
    return total


def _normal(values: FloatArray) -> FloatArray:
    return np.array([0.5 * math.erfc(-value / math.sqrt(2)) for value in values.tolist()])


_SUMMED: Final = (
    "total_pnl", "gross_profit", "gross_loss", "realised_pnl", "fees", "carry", "sum_return",
)  # fmt: skip


def _sums(whole: DayTable, strategies: int) -> list[Sums]:
    names = [*(name for name in COUNTS if name in whole.counts), *_SUMMED]
    rows = zip(
        *(whole.counts[name].tolist() for name in COUNTS if name in whole.counts),
        *(whole.money[name].decimals() for name in _SUMMED),
        strict=True,
    )
    found = [Sums()] * strategies
    for place, row in zip(whole.strategy.tolist(), rows, strict=True):
        found[place] = Sums(**dict(zip(names, row, strict=True)))
    return found


def _spread_out(whole: DayTable, name: str, strategies: int) -> list[Decimal] | None:
    if name not in whole.money:
        return None
    found = [Decimal(0)] * strategies
    for place, value in zip(whole.strategy.tolist(), whole.money[name].decimals(), strict=True):
        found[place] = value
    return found


def _of_trades(sums: Sums, squares: Decimal | None) -> tuple[dict[str, Any], dict[str, str]]:
    values: dict[str, Any] = dict(vars(sums))
    interval = wilson(sums.wins, sums.closed)
    mean = average_pnl(sums)
    factor, no_factor = profit_factor(sums)
    ratio, no_ratio = expectancy_ratio(sums)
    values |= {
        "win_rate": sums.wins / sums.closed if sums.closed else None,
        "win_rate_interval": None if interval.low is None else [interval.low, interval.high],
        "average_pnl": mean,
        "expectancy": mean,
        "average_return": float(sums.sum_return) / sums.closed if sums.closed else None,
        "profit_factor": factor,
        "expectancy_ratio": ratio,
    }
    reasons = {} if sums.closed else dict.fromkeys(_MEANS, "no_data")
    if no_factor:
        reasons["profit_factor"] = no_factor
    if no_ratio:
        reasons["expectancy_ratio"] = no_ratio
    if squares is not None:
        values["sqn"], no_sqn = sqn_of_sums(sums.closed, sums.total_pnl, squares)
        if no_sqn:
            reasons["sqn"] = no_sqn
    return values, reasons


_MEANS: Final = (
    "win_rate", "win_rate_interval", "average_pnl", "expectancy", "average_return",
)  # fmt: skip
