"""Every number of a series of periodic returns, under its published name."""

from __future__ import annotations

from collections.abc import Sequence

from trackrecord.performance.confidence import intervals
from trackrecord.performance.measure import (
    NO_DATA,
    NO_DRAWDOWN,
    Book,
    Floats,
    Numbers,
    as_series,
    observed,
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
    book.put("total_return", statistics.total_return(values))
    book.put("cagr", statistics.cagr(values, periods_per_year))
    book.put("annual_return", statistics.cagr(values, periods_per_year))
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
    book.put("sharpe", sharpe.sharpe(values, periods_per_year, risk_free))
    book.put("period_sharpe", sharpe.period_sharpe(values, risk_free))
    book.put("sortino", sharpe.sortino(values, periods_per_year, risk_free))
    _luck(book, values, benchmark_sharpe, risk_free, trials)
    _drawdown(book, values, periods_per_year)
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
            book.put(name, bounds, found.reason)
    if benchmark is not None:
        _relative(book, values, benchmark, periods_per_year, risk_free)
    return book.numbers(empty=not seen.size)


def _luck(
    book: Book,
    values: Floats,
    benchmark_sharpe: float,
    risk_free: float,
    trials: int | Sequence[float] | None,
) -> None:
    skill = sharpe.probabilistic_sharpe_ratio(values, benchmark_sharpe, risk_free)
    book.put("probabilistic_sharpe_ratio", skill)
    if trials is None:
        book.put("deflated_sharpe_ratio", None, "no_trials")
    else:
        deflated = sharpe.deflated_sharpe_ratio(values, trials, risk_free)
        book.put("deflated_sharpe_ratio", deflated)
        book.put("trials", trials if isinstance(trials, int) else len(trials))
    length = sharpe.minimum_track_record_length(values, benchmark_sharpe, risk_free)
    book.put("minimum_track_record_length", length)
    book.put("too_few_to_tell", sharpe.too_few_to_tell(skill.value))


def _drawdown(book: Book, values: Floats, periods_per_year: float) -> None:
    book.put("max_drawdown", drawdown.max_drawdown(values))
    book.put("calmar", drawdown.calmar(values, periods_per_year))
    found = drawdown.drawdowns(drawdown.equity_of_returns(values))
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
