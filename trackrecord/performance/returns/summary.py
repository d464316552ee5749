"""Every number of a series of periodic returns, under its published name."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from trackrecord.performance.confidence import intervals
from trackrecord.performance.measure import (
    NO_DATA,
    NO_DRAWDOWN,
    TOO_FEW,
    Book,
    Floats,
    Measure,
    Numbers,
    as_series,
    finite,
    observed,
    undefined,
)
from trackrecord.performance.returns import benchmark as relative
from trackrecord.performance.returns import drawdown, sharpe, statistics


def summarise_returns(
    series: Floats,
    *,
    periods_per_year: float = statistics.PERIODS_PER_YEAR,
    risk_free: float = 0.0,
    benchmark_sharpe: float = 0.0,
    trials: int | Sequence[float] | None = None,
    cut_off: float = statistics.CUT_OFF,
    benchmark: Floats | None = None,
    levels: Floats | None = None,
    sessions_with_trades: int | None = None,
    trades: int | None = None,
    resamples: int | None = None,
    seed: int = intervals.SEED,
) -> Numbers:
    """Every number of a return series.

    Args:
        series: Simple returns as fractions, oldest first, shape (n,); NaN for none.
        periods_per_year: 252 for days of an exchange.
        risk_free: Per period.
        benchmark_sharpe: Of the probabilistic Sharpe ratio, per period.
        trials: Sharpe ratios per period of everything tried, or how many; without it
            there is no deflated Sharpe ratio.
        cut_off: Of the value at risk.
        benchmark: Returns of the same periods, shape (n,), for alpha, beta and capture.
        levels: The equity curve that the returns were made of, shape (n + 1,): then what is
            read off the curve is read off this one, not off returns multiplied up again.
        sessions_with_trades: In which a trade closed; by default the periods whose return
            is not 0.
        trades: How many closed; None where only returns are known.
        resamples: Of the bootstrap; by default 1,000, fewer (at least 100) beyond 20,000
            periods; 0 leaves the bootstrapped intervals out.
        seed: Of the bootstrap.

    Raises:
        ValueError: A series is not one-dimensional or holds an infinity, lengths
            differ, or an argument is out of its range.
    """
    if not periods_per_year > 0:
        raise ValueError(f"periods_per_year is above 0, not {periods_per_year}")
    values = as_series(series)
    seen = observed(values)
    book = Book()
    book.put("periods", int(values.size))
    book.put("missing", int(values.size - seen.size))
    growth = drawdown.growth_of(values, levels)
    yearly = statistics.yearly(growth, values.size / periods_per_year)
    book.put("total_return", growth)
    book.put("cagr", yearly)
    book.put("annual_return", yearly)
    book.put("mean_return", statistics.mean_return(values))
    book.put("best_return", float(seen.max()) if seen.size else None, NO_DATA)
    book.put("worst_return", float(seen.min()) if seen.size else None, NO_DATA)
    book.put("positive_periods", statistics.positive_periods(values))
    book.put("volatility", statistics.volatility(values, periods_per_year))
    book.put("downside_risk", statistics.downside_risk(values, periods_per_year, risk_free))
    book.put("skewness", statistics.skewness(values))
    book.put("kurtosis", statistics.kurtosis(values))
    book.put("value_at_risk", statistics.value_at_risk(values, cut_off))
    book.put("conditional_value_at_risk", statistics.conditional_value_at_risk(values, cut_off))
    book.put("omega", statistics.omega(values, risk_free))
    book.put("tail_ratio", statistics.tail_ratio(values))
    book.put("stability", statistics.stability(values))
    active = np.count_nonzero(seen) if sessions_with_trades is None else sessions_with_trades
    few = sharpe.is_too_few(int(active), trades)
    ratio = sharpe.period_sharpe(values, risk_free)
    if few and ratio.value is not None:
        ratio = undefined(TOO_FEW)
    yearly_ratio = ratio
    if ratio.value is not None:
        yearly_ratio = finite(ratio.value * math.sqrt(periods_per_year))
    book.put("sharpe", yearly_ratio)
    book.put("period_sharpe", ratio)
    book.put("sortino", sharpe.sortino(values, periods_per_year, risk_free))
    _luck(book, values, ratio, benchmark_sharpe, risk_free, trials)
    _drawdown(book, values, levels, yearly)
    if resamples is None:
        resamples = intervals.affordable_resamples(seen.size)
    if resamples:
        for name, statistic in (
            ("sharpe_interval", intervals.sharpe_of(periods_per_year, risk_free)),
            ("mean_return_interval", intervals.mean_of),
        ):
            found = intervals.stationary_bootstrap(
                values, statistic, resamples=resamples, seed=seed
            )
            bounds = None if found.low is None else [found.low, found.high]
            if name == "sharpe_interval" and ratio.value is None:
                bounds, found = None, found._replace(reason=ratio.reason)
            book.put(name, bounds, found.reason)
    if benchmark is not None:
        _relative(book, values, benchmark, periods_per_year, risk_free)
    return book.numbers(empty=not seen.size)


def _luck(
    book: Book,
    values: Floats,
    ratio: Measure,
    benchmark_sharpe: float,
    risk_free: float,
    trials: int | Sequence[float] | None,
) -> None:
    """How far to believe the Sharpe ratio per period; nothing where there is none."""
    none = None if ratio.reason is None else undefined(ratio.reason)
    skill = none or sharpe.probabilistic_sharpe_ratio(values, benchmark_sharpe, risk_free)
    book.put("probabilistic_sharpe_ratio", skill)
    if trials is None:
        book.put("deflated_sharpe_ratio", None, "no_trials")
    else:
        deflated = sharpe.deflated_sharpe_ratio(values, trials, risk_free)
        book.put("deflated_sharpe_ratio", none or deflated)
        book.put("trials", trials if isinstance(trials, int) else len(trials))
    length = sharpe.minimum_track_record_length(values, benchmark_sharpe, risk_free)
    book.put("minimum_track_record_length", none or length)
    book.put("too_few_to_tell", sharpe.too_few_to_tell(skill.value))


def _drawdown(book: Book, values: Floats, levels: Floats | None, yearly: Measure) -> None:
    curve = drawdown.equity_of_returns(values) if levels is None else levels
    depth = drawdown.max_drawdown_of(curve) if len(values) else undefined(NO_DATA)
    book.put("max_drawdown", depth)
    book.put("calmar", drawdown.growth_to_depth(yearly, depth))
    found = drawdown.drawdowns(curve)
    longest = drawdown.longest_drawdown(found).value
    book.put("longest_drawdown", longest if observed(values).size else None, NO_DATA)
    book.put("longest_recovery", drawdown.longest_recovery(found))
    deepest = min(found, key=lambda item: item.depth, default=None)
    recovered = None if deepest is None else deepest.recovery
    book.put(
        "max_drawdown_recovery",
        None if deepest is None or recovered is None else recovered - deepest.trough,
        NO_DRAWDOWN if deepest is None else drawdown.NO_RECOVERY,
    )


def _relative(
    book: Book, values: Floats, benchmark: Floats, periods_per_year: float, risk_free: float
) -> None:
    book.put("beta", relative.beta(values, benchmark, risk_free))
    book.put("alpha", relative.alpha(values, benchmark, periods_per_year, risk_free))
    book.put("excess_sharpe", relative.excess_sharpe(values, benchmark))
    book.put("up_capture", relative.up_capture(values, benchmark, periods_per_year))
    book.put("down_capture", relative.down_capture(values, benchmark, periods_per_year))
