"""A feature that knows the future is caught and named; one that does not is left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.learning.worlds import learnable, planted, random_walks
from tests.unit.features.worlds import DAY, MONDAY, market, outcomes, signals
from tests.unit.learning.worlds import world
from trackrecord.features import Emitted, History, Resolved
from trackrecord.features.windows import Timeline
from trackrecord.learning.data import Data
from trackrecord.learning.leaks import catalogue, peeking, suspicious
from trackrecord.learning.search import Budget
from trackrecord.learning.train import train

BARS = market(1, (400, 320, 300))
SIGNALS = signals(2, 60, 3, MONDAY + 150 * DAY, MONDAY + 399 * DAY)
OUTCOMES = outcomes(3, 200, MONDAY, MONDAY + 399 * DAY)


def one_bar_ahead(bars: History, sent: Emitted) -> np.ndarray:
    """The return of the first bar that closes after the emission."""
    row = Timeline(bars.starts, bars.closed_at).row(sent.symbol, sent.emitted_at, "right")
    ends = np.append(bars.starts[1:], len(bars.close))[sent.symbol]
    there = row < ends
    row = np.where(there, row, 1)
    return np.where(there, bars.close[row] / bars.close[row - 1] - 1, np.nan)


def with_a_peek(bars: History, sent: Emitted, resolved: Resolved) -> dict[str, np.ndarray]:
    return {**catalogue(bars, sent, resolved), "tomorrow": one_bar_ahead(bars, sent)}


def test_a_feature_that_peeks_one_bar_ahead_is_named() -> None:
    assert peeking(BARS, SIGNALS, OUTCOMES, with_a_peek) == ("tomorrow",)


def test_one_that_uses_outcomes_before_they_were_known_is_named() -> None:
    def all_outcomes(_bars: History, sent: Emitted, resolved: Resolved) -> dict[str, np.ndarray]:
        return {"mean_outcome": np.full(len(sent.symbol), resolved.returned.mean())}

    assert peeking(BARS, SIGNALS, OUTCOMES, all_outcomes) == ("mean_outcome",)


def test_no_feature_of_the_catalogue_peeks() -> None:
    assert peeking(BARS, SIGNALS, OUTCOMES, sample=15) == ()


def test_symbols_that_began_to_trade_later_do_not_confuse_it() -> None:
    # In BARS the second and third symbol have no bars yet at the first emissions.
    early = signals(4, 20, 1, MONDAY + 20 * DAY, MONDAY + 79 * DAY)
    assert peeking(BARS, early, OUTCOMES, with_a_peek) == ("tomorrow",)


def test_the_report_names_a_column_that_peeks_into_a_random_walk() -> None:
    market_ = random_walks(5, shared=False)
    data, _ = learnable(market_)
    last = data.span.emitted_at
    peek = (
        one_bar_ahead(
            market_.bars,
            market_.sent.signals._replace(symbol=data.symbol, emitted_at=last),
        )
        * data.features[:, data.names.index("direction")]
    )
    leaky = Data(
        np.column_stack((data.features, peek)),
        (*data.names, "tomorrow"),
        data.success,
        data.returned,
        data.symbol,
        data.span,
    )
    trained = train(leaky, budget=Budget(None, 1))
    assert list(trained.report["suspicious_features"]) == ["tomorrow"]
    assert suspicious(data.features, data.names, data.success) == {}


def test_a_column_that_is_the_outcome_is_named_whichever_way_it_points() -> None:
    data = world(1, 1_000, 1.5)
    told = replace(data, features=np.column_stack((data.features, -data.success)))
    assert suspicious(told.features, (*data.names, "outcome"), data.success) == {"outcome": 1.0}


def test_honest_structure_is_not_suspected() -> None:
    data, _ = learnable(planted(3, 0.85, symbols=20, length=400))
    assert suspicious(data.features, data.names, data.success) == {}
