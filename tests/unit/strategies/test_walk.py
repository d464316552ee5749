"""Parameters are chosen on what has been; nothing behind a window's first session is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tests.support.strategy_worlds import START, Given, history_of, series_of, walk_bars
from tests.support.strategy_worlds import given as answers
from trackrecord.strategies.answers import Columnar
from trackrecord.strategies.backtest import Settings, backtest
from trackrecord.strategies.history import BadBarsError, Series
from trackrecord.strategies.source import Parameter
from trackrecord.strategies.walk import Search, distribution_of, leads, walk, windows_of

DAYS = {"days": Parameter("int", 5, 2, 30), "width": Parameter("float", 1.0, 0.5, 2.0)}


class Spied:
    """A momentum rule that remembers how far the bars reached which it was shown."""

    def __init__(self) -> None:
        self.reached: list[tuple[int, Mapping[str, Any]]] = []

    def __call__(self, series: Series, parameters: Mapping[str, Any]) -> Given:
        self.reached.append((int(series.day[-1]), dict(parameters)))
        days = int(parameters["days"])
        up = np.zeros(len(series), np.bool_)
        up[days:] = series.close[days:] > series.close[:-days]
        return answers(series, enter_long=np.flatnonzero(up), leave_long=np.flatnonzero(~up))


def test_no_choice_is_shown_a_bar_of_its_window_or_later() -> None:
    history = history_of(series_of(walk_bars(500, 1)), series_of(walk_bars(500, 2), "BBB"))
    spy = Spied()
    firsts = windows_of(history, 4, 0.2)
    found = walk(Columnar(spy, "long"), history, DAYS, {}, firsts, search=Search(trials=10, seed=3))
    # Sets of earlier windows are compared again: 10, 19, 28 and 37 of them, of two symbols each.
    window_of = np.repeat(range(4), [20, 38, 56, 74])
    assert len(spy.reached) == len(window_of)
    for (day, _), window in zip(spy.reached, window_of, strict=True):
        assert day < firsts[window]
    assert [each.first for each in found.chosen] == firsts
    assert [each.tried for each in found.chosen] == [10, 19, 28, 37]
    assert len(found.tried) == 37


def test_out_of_sample_each_window_runs_with_what_was_chosen_before_it() -> None:
    history = history_of(series_of(walk_bars(500, 1)))
    spy = Spied()
    found = backtest(
        Columnar(spy, "long"), history, DAYS, {"width": 1.5}, len,
        Settings(search=Search(trials=8), windows=3, resamples=0),
    )  # fmt: skip
    # The last three askings are the windows'; each is shown the bars up to its own end alone.
    ends = [*(each.first - 1 for each in found.windows[1:]), START + 499]
    assert spy.reached[-3:] == [
        (end, each.parameters) for end, each in zip(ends, found.windows, strict=True)
    ]
    assert all(each.parameters["width"] == 1.5 for each in found.windows)


def test_the_same_seed_chooses_the_same() -> None:
    history = history_of(series_of(walk_bars(400, 5)))
    firsts = windows_of(history)

    def chosen(seed: int) -> list[Any]:
        strategy = Columnar(Spied(), "long")
        return walk(strategy, history, DAYS, {}, firsts, search=Search(9, seed)).chosen

    assert chosen(1) == chosen(1)
    assert chosen(1) != chosen(2)


def test_every_set_that_was_tried_counts_once() -> None:
    history = history_of(series_of(walk_bars(400, 5)))
    few = {"days": Parameter("int", 2, 2, 4)}
    found = walk(
        Columnar(Spied(), "long"), history, few, {}, windows_of(history), search=Search(40)
    )
    assert len(found.tried) == 3


def test_what_was_tried_until_it_broke_counts() -> None:
    history = history_of(series_of(walk_bars(400, 5)))
    counted: list[int] = []

    class Breaks(Spied):
        def __call__(self, series: Series, parameters: Mapping[str, Any]) -> Given:
            if len(self.reached) == 4:
                raise KeyboardInterrupt
            return super().__call__(series, parameters)

    with pytest.raises(KeyboardInterrupt):
        backtest(
            Columnar(Breaks(), "long"), history, DAYS, {},
            lambda tried: counted.append(len(tried)) or 1,  # type: ignore[func-returns-value]
            Settings(search=Search()),
        )  # fmt: skip
    assert counted == [5]


def test_a_budget_ends_the_search_and_the_defaults_are_tried_at_least() -> None:
    history = history_of(series_of(walk_bars(400, 5)))
    found = walk(
        Columnar(Spied(), "long"), history, DAYS, {}, windows_of(history),
        search=Search(40, 0, lambda: True),
    )  # fmt: skip
    assert len(found.tried) == 1
    assert {tuple(each.parameters.items()) for each in found.chosen} == {
        (("days", 5), ("width", 1.0))
    }


def test_windows_cover_what_is_not_in_sample_and_one_session_is_not_enough() -> None:
    history = history_of(series_of(walk_bars(100, 1)))
    assert windows_of(history, 4, 0.2) == [START + 20, START + 40, START + 60, START + 80]
    assert windows_of(history_of(series_of(walk_bars(3, 1))), 5, 0.2) == [START + 1, START + 2]
    with pytest.raises(BadBarsError):
        windows_of(history_of(series_of(walk_bars(1, 1))))


def test_defaults_stay_unless_the_best_leads_by_more_than_luck() -> None:
    rng = np.random.default_rng(1)
    usual = rng.normal(0.001, 0.01, 500)
    barely, clearly = usual + rng.normal(0.0001, 0.01, 500), usual + 0.001
    assert not leads(barely, usual)
    assert leads(clearly, usual)
    assert not leads(usual, clearly)
    assert not leads(usual, usual.copy())


def test_the_error_of_a_lead_is_what_resampling_says() -> None:
    rng = np.random.default_rng(2)
    mixed = rng.multivariate_normal([0.001, 0.0005], [[1e-4, 6e-5], [6e-5, 1e-4]], (4_000, 250))
    ratios = mixed.mean(axis=1) / mixed.std(axis=1, ddof=1)
    error = float(np.std(ratios[:, 0] - ratios[:, 1]))
    # Where both are as sure as in 250 sessions, the lead of the first is compared with that error.
    lead = ratios[:, 0] - ratios[:, 1]
    found = np.array([leads(one[:, 0], one[:, 1]) for one in mixed])
    assert found.mean() == pytest.approx((lead > error).mean(), abs=0.02)


def test_what_has_a_record_leads_over_what_has_none() -> None:
    returns = np.random.default_rng(3).normal(0, 0.01, 100)
    assert leads(returns, None)
    assert not leads(None, returns)
    assert not leads(None, None)


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        (Parameter("int", 5, 2, 9), "IntDistribution"),
        (Parameter("float", 0.5, 0.1, 9.0), "FloatDistribution"),
        (Parameter("bool", False), "CategoricalDistribution"),
        (Parameter("str", "a", choices=("a", "b")), "CategoricalDistribution"),
        (Parameter("int", 5, 2, None), "NoneType"),
        (Parameter("int", 5, 5, 5), "NoneType"),
        (Parameter("str", "a"), "NoneType"),
    ],
)
def test_what_declares_limits_can_be_searched(declared: Parameter, found: str) -> None:
    assert type(distribution_of(declared)).__name__ == found
