"""Return for risk: Sharpe and Sortino ratio, and how far to believe a Sharpe ratio.

Series as in :mod:`trackrecord.performance.returns.statistics`. Probabilistic and deflated
Sharpe ratio and the minimum track record length follow Bailey and López de
Prado, "The Sharpe Ratio Efficient Frontier" (2012) and "The Deflated Sharpe
Ratio" (2014). They take Sharpe ratios per period, never annualised ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Final

import numpy as np

from trackrecord.performance.measure import (
    DUST,
    NO_DATA,
    NO_DOWNSIDE,
    NO_VARIANCE,
    TOO_FEW,
    Floats,
    Measure,
    finite,
    observed,
    spread,
    undefined,
)
from trackrecord.performance.returns.statistics import PERIODS_PER_YEAR, kurtosis, skewness

EULER: Final = 0.5772156649015329
"""The Euler-Mascheroni constant."""

CONFIDENCE: Final = 0.95

NORMAL: Final = NormalDist()

NOT_ABOVE_BENCHMARK: Final = "not_above_benchmark"

FEWEST_SESSIONS: Final = 5
"""Sessions in which something was earned or lost, below which a Sharpe ratio says nothing."""

FEWEST_TRADES: Final = 10
"""Closed trades, below which a Sharpe ratio says nothing."""


def period_sharpe(returns: Floats, risk_free: float = 0.0) -> Measure:
    """mean(r - risk_free) / std (ddof 1), per period; ``risk_free`` per period.

    Undefined: ``no_data``; ``too_few`` with fewer than two observations;
    ``no_variance`` where the standard deviation is at most 1e-12 · max(abs(r)).
    """
    values = observed(returns)
    if values.size < 2:  # noqa: PLR2004 - two make a spread
        return undefined(TOO_FEW if values.size else NO_DATA)
    deviation = spread(values)
    if deviation is None:
        return undefined(NO_VARIANCE)
    return finite((float(np.mean(values)) - risk_free) / deviation)


def sharpe(
    returns: Floats, periods_per_year: float = PERIODS_PER_YEAR, risk_free: float = 0.0
) -> Measure:
    """mean(r - risk_free) / std (ddof 1) · √periods_per_year.

    Equal to empyrical's and quantstats'. ``risk_free`` is per period. Undefined:
    as :func:`period_sharpe`.
    """
    ratio = period_sharpe(returns, risk_free)
    return ratio if ratio.value is None else finite(ratio.value * math.sqrt(periods_per_year))


def sortino(
    returns: Floats, periods_per_year: float = PERIODS_PER_YEAR, risk_free: float = 0.0
) -> Measure:
    """mean(e) · √periods_per_year / √(mean of min(e, 0)² over all n), e = r - risk_free.

    Equal to empyrical's. Undefined: ``no_data``; ``too_few`` with fewer than two
    observations; ``no_downside`` where no period fell short.
    """
    values = observed(returns)
    if values.size < 2:  # noqa: PLR2004 - one return is no record
        return undefined(TOO_FEW if values.size else NO_DATA)
    excess = values - risk_free
    below = np.minimum(excess, 0)
    downside = math.sqrt(float(np.mean(below * below)))
    if downside <= DUST * float(np.max(np.abs(values))):
        return undefined(NO_DOWNSIDE)
    return finite(float(np.mean(excess)) / downside * math.sqrt(periods_per_year))


def sharpe_error(ratio: float, skew: float, kurt: float) -> float:
    """√(1 - g3·SR + (g4 - 1)/4·SR²): the standard error of SR times √(n - 1).

    Args:
        ratio: Sharpe ratio per period.
        skew: g3, biased.
        kurt: g4, raw (a normal distribution has 3), biased.
    """
    return math.sqrt(max(1 - skew * ratio + (kurt - 1) / 4 * ratio * ratio, 0.0))


def probability_of_skill(
    ratio: float, periods: int, skew: float, kurt: float, benchmark: float = 0.0
) -> Measure:
    """Φ((SR - SR*) · √(n - 1) / √(1 - g3·SR + (g4 - 1)/4·SR²)), 0..1.

    Args:
        ratio: SR, per period.
        periods: n, observations it was measured on.
        skew: g3 of the returns, biased.
        kurt: g4 of the returns, raw, biased.
        benchmark: SR*, per period.

    Returns:
        SR 0.1, SR* 0, n 252, g3 -0.5, g4 5 give 0.9380742. Undefined: ``too_few`` for
        n < 2; ``no_variance`` where the estimate has no error (two values only).
    """
    if periods < 2:  # noqa: PLR2004 - two make a spread
        return undefined(TOO_FEW)
    error = sharpe_error(ratio, skew, kurt)
    if error <= DUST:
        return undefined(NO_VARIANCE)
    return finite(NORMAL.cdf((ratio - benchmark) * math.sqrt(periods - 1) / error))


def probabilistic_sharpe_ratio(
    returns: Floats, benchmark_sharpe: float = 0.0, risk_free: float = 0.0
) -> Measure:
    """The probability that the true Sharpe ratio is above ``benchmark_sharpe``, 0..1.

    :func:`probability_of_skill` of the series' own moments; both arguments per
    period. Undefined: as :func:`period_sharpe`, and ``no_variance`` where the
    estimate has no error.
    """
    ratio = period_sharpe(returns, risk_free)
    skew, kurt = skewness(returns).value, kurtosis(returns).value
    if ratio.value is None or skew is None or kurt is None:
        return undefined(ratio.reason or NO_VARIANCE)
    count = observed(returns).size
    return probability_of_skill(ratio.value, count, skew, kurt, benchmark_sharpe)


def expected_maximum_sharpe(trials: int, deviation: float) -> float:
    """What luck gives: sd · [(1 - g)·Φ⁻¹(1 - 1/N) + g·Φ⁻¹(1 - 1/(N·e))].

    Args:
        trials: N; every strategy or variant tried, the rejected ones too.
        deviation: sd, the standard deviation (ddof 1) of their Sharpe ratios per period.

    Returns:
        A Sharpe ratio per period; 0 for one trial.

    Raises:
        ValueError: Fewer than one trial.
    """
    if trials < 1:
        raise ValueError(f"at least the strategy itself was tried: trials is {trials}, not >= 1")
    if trials == 1:
        return 0.0
    # Φ⁻¹(1 - p) is -Φ⁻¹(p): exact where 1 - p would round to 1.
    first = -NORMAL.inv_cdf(1 / trials)
    second = -NORMAL.inv_cdf(1 / (trials * math.e))
    return deviation * ((1 - EULER) * first + EULER * second)


def deflated_benchmark(trials: int | Sequence[float], periods: int) -> float:
    """SR* of the deflated Sharpe ratio, per period.

    Args:
        trials: The Sharpe ratios per period of everything that was tried, or only
            how many there were; then sd = 1/√(n - 1), the error of one without skill.
        periods: n, at least 2.

    Raises:
        ValueError: No trial, or one that is not finite.
    """
    if isinstance(trials, int):
        return expected_maximum_sharpe(trials, 1 / math.sqrt(periods - 1))
    ratios = np.asarray(trials, dtype=np.float64)
    if not np.isfinite(ratios).all():
        raise ValueError("trials are finite Sharpe ratios per period")
    deviation = float(np.std(ratios, ddof=1)) if ratios.size > 1 else 0.0
    return expected_maximum_sharpe(int(ratios.size), deviation)


def deflated_sharpe_ratio(
    returns: Floats, trials: int | Sequence[float], risk_free: float = 0.0
) -> Measure:
    """The probability that the Sharpe ratio is above what the best of all trials has by luck.

    :func:`probabilistic_sharpe_ratio` against :func:`deflated_benchmark`. Undefined:
    as :func:`probabilistic_sharpe_ratio`.

    Raises:
        ValueError: No trial, or one that is not finite.
    """
    count = observed(returns).size
    if count < 2:  # noqa: PLR2004 - two make a spread
        return undefined(TOO_FEW if count else NO_DATA)
    return probabilistic_sharpe_ratio(returns, deflated_benchmark(trials, count), risk_free)


def is_too_few(sessions: int, trades: int | None = None) -> bool:
    """Whether there is too little of a record for a Sharpe ratio, and how sure it is.

    The formulas of this module take returns for draws from one distribution that the sample
    shows. A single win among many days without a trade has a probabilistic Sharpe ratio of
    Φ(2) = 0.977 whatever it earned, two have 0.997: such a sample shows no distribution.

    Args:
        sessions: In which a trade closed; of bare returns, those that are not 0.
        trades: Closed ones; None where only returns are known.
    """
    return sessions < FEWEST_SESSIONS or (trades is not None and trades < FEWEST_TRADES)


def too_few_to_tell(skill: float | None, confidence: float = CONFIDENCE) -> bool:
    """Whether a record is too short to tell its Sharpe ratio from the benchmark's, either way.

    A record as long as :func:`minimum_track_record_length` can tell that it is above; one
    that is below as clearly needs no more trades to be called so.

    Args:
        skill: Its probabilistic Sharpe ratio; None where undefined: nothing can be told.
        confidence: Between 0.5 and 1.
    """
    return skill is None or 1 - confidence < skill < confidence


def minimum_track_record_length(
    returns: Floats,
    benchmark_sharpe: float = 0.0,
    risk_free: float = 0.0,
    confidence: float = CONFIDENCE,
) -> Measure:
    """1 + (1 - g3·SR + (g4 - 1)/4·SR²) · (Φ⁻¹(confidence) / (SR - SR*))², in periods.

    So many observations of this kind make the probabilistic Sharpe ratio reach
    ``confidence``. Undefined: as :func:`period_sharpe`; ``not_above_benchmark``
    where no length would.

    Raises:
        ValueError: ``confidence`` is not between 0.5 and 1.
    """
    if not 0.5 < confidence < 1:  # noqa: PLR2004 - less than a coin's is no confidence
        raise ValueError(f"confidence is between 0.5 and 1, not {confidence}")
    ratio = period_sharpe(returns, risk_free)
    skew, kurt = skewness(returns).value, kurtosis(returns).value
    if ratio.value is None or skew is None or kurt is None:
        return undefined(ratio.reason or NO_VARIANCE)
    above = ratio.value - benchmark_sharpe
    if above <= 0:
        return undefined(NOT_ABOVE_BENCHMARK)
    error = sharpe_error(ratio.value, skew, kurt)
    return finite(1 + (error * NORMAL.inv_cdf(confidence) / above) ** 2)
