"""Numbers of the daily returns of many strategies, all at once, column by column.

Series are added up in the order of time, and intervals come from resamples that
series of one length share: a strategy has the same numbers to the last bit alone
and among others.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from trackrecord.performance.confidence.many_intervals import many_intervals
from trackrecord.performance.measure import DUST, ENTRY_NOT_POSITIVE, FloatArray
from trackrecord.performance.returns.sharpe import (
    CONFIDENCE,
    FEWEST_SESSIONS,
    FEWEST_TRADES,
    NORMAL,
    expected_maximum_sharpe,
    too_few_to_tell,
)
from trackrecord.performance.sums.days import DailyReturns, Whole

NO_CAPITAL: Final = "no_capital"
RUINED: Final = "equity_gone"

_REASONS: Final = (
    "", "no_data", "too_few", "no_variance", "no_downside", "no_drawdown", NO_CAPITAL, RUINED,
    ENTRY_NOT_POSITIVE, "below_zero", "overflow", "not_above_benchmark",
)  # fmt: skip
_CODE: Final = {reason: code for code, reason in enumerate(_REASONS)}
_BLOCK: Final = 2_000_000
"""Returns worked on at once: their columns stay in the processor's cache, nearly."""


@dataclass(eq=False)
class SeriesNumbers:
    """Numbers of daily returns of many strategies.

    Attributes:
        values: By name, shape (s,), of intervals (2, s); NaN where undefined.
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
        undefined = ~np.isfinite(values if values.ndim == 1 else values[0])
        codes[(codes == 0) & undefined] = _CODE["overflow"]
        self.values[name] = np.where(codes == 0, values, np.nan)
        self.reasons[name] = codes

    def withhold(self, where: npt.NDArray[np.bool_], reason: str) -> None:
        """Leave the strategies of ``where``, shape (s,), without the numbers that they have."""
        for name, codes in self.reasons.items():
            undefined = where & ~np.isin(codes, (_CODE["no_data"], _CODE[NO_CAPITAL]))
            codes[undefined] = _CODE[reason]
            self.values[name][..., undefined] = np.nan

    def rows(
        self, chosen: Sequence[int] | slice = slice(None)
    ) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
        """The values and the reasons of each strategy in turn, or of some by their place."""
        names = list(self.values)
        values = zip(
            *(column[..., chosen].T.tolist() for column in self.values.values()), strict=True
        )
        codes = np.array([self.reasons[name] for name in names])[:, chosen].T
        lengths, capital = self.sessions[chosen].tolist(), self.capital[chosen].tolist()
        for length, known, row, why in zip(lengths, capital, values, codes, strict=True):
            found = dict(zip(names, row, strict=True))
            reasons = {}
            for place in np.flatnonzero(why).tolist():
                found[names[place]] = None
                reasons[names[place]] = _REASONS[why[place]]
            found["sessions"] = length
            found["basis"] = "capital" if known else "mean_trade_return"
            found["trials"] = self.trials
            found["too_few_to_tell"] = too_few_to_tell(found["probabilistic_sharpe_ratio"])
            yield found, reasons


@dataclass(frozen=True, eq=False)
class Measured:
    """What the numbers of daily returns are made of.

    Attributes:
        sessions: Length of each series, shape (s,).
        capital: Whether it was measured on capital, shape (s,).
        ruined: Whether its returns ended, shape (s,).
        unknown: Whether it is of trades of which one has no return, shape (s,).
        closed: Signals that closed in it, shape (s,).
        active: Sessions in which one did, shape (s,).
        part: By name, shape (s,), of intervals (2, s).
    """

    sessions: Whole
    capital: npt.NDArray[np.bool_]
    ruined: npt.NDArray[np.bool_]
    unknown: npt.NDArray[np.bool_]
    closed: Whole
    active: Whole
    part: dict[str, FloatArray]

    @staticmethod
    def join(blocks: list[Measured], order: Whole) -> Measured:
        """Blocks of strategies as one; ``order`` says which strategy each column is."""
        back = np.argsort(order)
        return Measured(
            np.concatenate([block.sessions for block in blocks])[back],
            np.concatenate([block.capital for block in blocks])[back],
            np.concatenate([block.ruined for block in blocks])[back],
            np.concatenate([block.unknown for block in blocks])[back],
            np.concatenate([block.closed for block in blocks])[back],
            np.concatenate([block.active for block in blocks])[back],
            {
                name: np.concatenate([block.part[name] for block in blocks], axis=-1)[..., back]
                for name in blocks[0].part
            },
        )

    def flat(self) -> FloatArray:
        """All of it as one table, to be kept; shape (s, columns)."""
        rows: list[npt.NDArray[Any]] = [
            *(self.sessions, self.capital, self.ruined, self.unknown, self.closed, self.active),
            *(self.part[name] for name in _MEASURED),
            *(bound for name in _INTERVALS for bound in self.part[name]),
        ]
        return np.column_stack([row.astype(np.float64) for row in rows])

    @staticmethod
    def of_flat(table: FloatArray) -> Measured:
        """What :meth:`flat` gave."""
        columns = list(table.reshape(-1, FLAT_COLUMNS).T)
        sessions, capital, ruined, unknown, closed, active = columns[:6]
        part = dict(zip(_MEASURED, columns[6:], strict=False))
        bounds = columns[6 + len(_MEASURED) :]
        part |= {
            name: np.stack(bounds[2 * place : 2 * place + 2])
            for place, name in enumerate(_INTERVALS)
        }
        return Measured(
            sessions.astype(np.int64),
            capital.astype(np.bool_),
            ruined.astype(np.bool_),
            unknown.astype(np.bool_),
            closed.astype(np.int64),
            active.astype(np.int64),
            part,
        )


def measure(daily: DailyReturns, risk_free: float = 0.0) -> Measured:
    """Moments, growth, drawdown and bootstrap intervals of each series.

    Args:
        daily: Returns, shape (t, s).
        risk_free: Per session.
    """
    count = len(daily.sessions)
    width = max(1, _BLOCK // max(1, daily.values.shape[0]))
    blocks = [_moments(daily, first, width, risk_free) for first in range(0, count, width)]
    part = {
        name: np.concatenate([block[name] for block in blocks] or [np.zeros(0)])
        for name in _MEASURED
    }
    means, ratios = np.full((2, count), np.nan), np.full((2, count), np.nan)
    for length in np.unique(daily.sessions).tolist():
        chosen = np.flatnonzero((daily.sessions == length) & ~daily.ruined)
        if length > 1 and chosen.size:
            series = np.ascontiguousarray(daily.values[:length, chosen].T)
            means[:, chosen], ratios[:, chosen] = many_intervals(series, risk_free=risk_free)
    part |= dict(zip(_INTERVALS, (means, ratios), strict=True))
    return Measured(
        daily.sessions, daily.capital, daily.ruined, daily.unknown, daily.closed, daily.active, part
    )


def series_numbers(
    measured: Measured,
    periods_per_year: FloatArray,
    *,
    risk_free: float = 0.0,
    benchmark_sharpe: float = 0.0,
    trials: int | None = None,
    confidence: float = CONFIDENCE,
) -> SeriesNumbers:
    """Numbers of the daily returns of many strategies.

    ``mean_return`` (per session) and ``sharpe`` with their intervals, ``sortino``,
    ``probabilistic_sharpe_ratio``, ``deflated_sharpe_ratio`` (sd from the Sharpe ratios
    per session of all strategies here, N at least their number),
    ``minimum_track_record_length``, and with capital ``total_return``, ``cagr``,
    ``volatility``, ``max_drawdown_daily``, ``calmar``: formulas as in the functions of
    those names for one series. Below :data:`~trackrecord.performance.returns.sharpe.FEWEST_TRADES`
    closed signals or FEWEST_SESSIONS sessions with one there is no Sharpe ratio, nor what
    follows from it (``too_few``).

    Args:
        measured: Of s series.
        periods_per_year: Sessions of a year, shape (s,).
        risk_free: Per session; the one they were measured with.
        benchmark_sharpe: Per session.
        trials: N of the deflated Sharpe ratio; at least s.
        confidence: Of the minimum track record length.
    """
    count, part, ruined = len(measured.sessions), measured.part, measured.ruined
    numbers = SeriesNumbers(measured.sessions, measured.capital)
    n = measured.sessions.astype(np.float64)
    none, one = n < 1, n < 2  # noqa: PLR2004 - two make a spread
    flat = part["deviation"] <= DUST * part["largest"]
    gone = (ruined, RUINED)
    data, few, still = (none, "no_data"), (one, "too_few"), (flat, "no_variance")
    rare = (measured.active < FEWEST_SESSIONS) | (measured.closed < FEWEST_TRADES)
    seldom = (rare, "too_few")
    year = np.sqrt(periods_per_year)
    numbers.put("mean_return", part["mean"], data, gone)
    numbers.put("mean_return_interval", part["mean_interval"], data, gone, few)
    with np.errstate(all="ignore"):
        ratio = (part["mean"] - risk_free) / part["deviation"]
        numbers.put("sharpe", ratio * year, data, gone, few, still, seldom)
        reach = part["ratio_interval"] * year
        numbers.put("sharpe_interval", reach, data, gone, few, still, seldom)
        level = part["downside"] <= DUST * part["largest"]
        down = (part["mean"] - risk_free) / part["downside"] * year
        numbers.put("sortino", down, data, gone, few, (level, "no_downside"))
        scale = np.sqrt(part["m2"])
        skew, kurt = part["m3"] / scale**3, part["m4"] / scale**4
        error = np.sqrt(np.maximum(1 - skew * ratio + (kurt - 1) / 4 * ratio * ratio, 0))
        sure = (error <= DUST, "no_variance")
        root = np.sqrt(np.maximum(n - 1, 0)) / error
        skill = _normal((ratio - benchmark_sharpe) * root)
        numbers.put("probabilistic_sharpe_ratio", skill, data, gone, few, still, seldom, sure)
        numbers.trials = max(count, trials or 0, 1)
        luck = _best_by_luck(
            ratio[~(none | one | flat | ruined | rare | measured.unknown)], numbers.trials, n
        )
        skill = _normal((ratio - luck) * root)
        numbers.put("deflated_sharpe_ratio", skill, data, gone, few, still, seldom, sure)
        above = ratio - benchmark_sharpe
        length = 1 + (error * NORMAL.inv_cdf(confidence) / above) ** 2
        below = (above <= 0, "not_above_benchmark")
        common = (data, gone, few, still, seldom)
        numbers.put("minimum_track_record_length", length, *common, below)
        _growth(numbers, part, n, periods_per_year, (data, gone, few))
    numbers.withhold(measured.unknown, ENTRY_NOT_POSITIVE)
    return numbers


def _best_by_luck(ratios: FloatArray, trials: int, n: FloatArray) -> FloatArray:
    """SR* for each series: of the spread of ratios, or where there is none, of their error."""
    if ratios.size > 1 or trials == 1:
        spread = float(np.std(ratios, ddof=1)) if ratios.size > 1 else 0.0
        return np.full(len(n), expected_maximum_sharpe(trials, spread))
    luck: FloatArray = expected_maximum_sharpe(trials, 1.0) / np.sqrt(np.maximum(n - 1, 1))
    return luck


_MEASURED: Final = (
    "mean", "deviation", "downside", "largest", "m2", "m3", "m4", "growth", "deepest",
)  # fmt: skip

_INTERVALS: Final = ("mean_interval", "ratio_interval")

FLAT_COLUMNS: Final = 6 + len(_MEASURED) + 2 * len(_INTERVALS)
"""Columns of :meth:`Measured.flat`."""

Why = tuple[npt.NDArray[np.bool_], str]


def _growth(
    numbers: SeriesNumbers,
    part: dict[str, FloatArray],
    n: FloatArray,
    periods_per_year: FloatArray,
    common: tuple[Why, Why, Why],
) -> None:
    data, gone, few = common
    poor = (~numbers.capital, NO_CAPITAL)
    growth, deepest = part["growth"], part["deepest"]
    numbers.put("total_return", growth - 1, poor, data, gone)
    yearly = np.power(growth, periods_per_year / n) - 1
    lost = (growth < 0, "below_zero")
    numbers.put("cagr", yearly, poor, data, gone, lost)
    numbers.put("volatility", part["deviation"] * np.sqrt(periods_per_year), poor, data, gone, few)
    numbers.put("max_drawdown_daily", deepest, poor, data, gone)
    numbers.put("calmar", yearly / -deepest, poor, data, gone, lost, (deepest == 0, "no_drawdown"))


def _moments(
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
