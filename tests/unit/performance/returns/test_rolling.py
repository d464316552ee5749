"""A number over a moving window is the number of each window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from trackrecord.performance.returns import drawdown, rolling, sharpe, statistics

SERIES = np.random.default_rng(3).normal(0.001, 0.02, 60)
SERIES[20:30] = 0


@pytest.mark.parametrize(
    ("rolled", "one"),
    [
        (rolling.rolling_sharpe, sharpe.sharpe),
        (rolling.rolling_sortino, sharpe.sortino),
        (rolling.rolling_volatility, statistics.volatility),
        (rolling.rolling_return, statistics.total_return),
        (rolling.rolling_max_drawdown, drawdown.max_drawdown),
    ],
)
@pytest.mark.parametrize("window", [2, 7, 60])
def test_each_window_has_its_own_number(
    rolled: Callable[..., Any], one: Callable[..., Any], window: int
) -> None:
    found = rolled(SERIES, window)
    assert len(found) == SERIES.size
    assert found[: window - 1] == [None] * (window - 1)
    for place in range(window - 1, SERIES.size):
        expected = one(SERIES[place - window + 1 : place + 1]).value
        if expected is None:
            assert found[place] is None
        else:
            assert found[place] == pytest.approx(expected, abs=1e-12)


def test_win_rates_of_windows() -> None:
    assert rolling.rolling_win_rate([1, -1, 0, 1], 2) == [None, 0.5, 0, 0.5]


def test_a_window_longer_than_the_series_is_never_full() -> None:
    assert rolling.rolling_return([0.1, 0.2], 5) == [None, None]


def test_gaps_and_windows_too_short_are_refused() -> None:
    with pytest.raises(ValueError, match="without gaps"):
        rolling.rolling_return([0.1, float("nan")], 1)
    with pytest.raises(ValueError, match="at least 2 periods"):
        rolling.rolling_sharpe([0.1, 0.2], 1)
