"""Features know what was known at the emission, and nothing that came later."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.features.worlds import DAY, MONDAY, market, outcomes, signals, some, until
from trackrecord.features import BARS_NEEDED, FEATURES, NAMES, Market, features_at_emission
from trackrecord.features.catalogue import REGIME
from trackrecord.features.regime import MOMENTS_NEEDED, regime_from
from trackrecord.features.strategy_record import Resolved

BARS = market(1, (400, 320, 300))
FIRST, LAST = MONDAY + 150 * DAY, MONDAY + 399 * DAY
SIGNALS = signals(2, 60, 3, FIRST, LAST)
OUTCOMES = outcomes(3, 200, MONDAY, LAST)


def test_there_are_at_least_27_and_each_says_what_it_is() -> None:
    assert len(FEATURES) >= 27
    assert len(set(NAMES)) == len(NAMES)
    assert all(feature.formula and feature.unit for feature in FEATURES)
    found = features_at_emission(Market(BARS), SIGNALS, OUTCOMES)
    assert tuple(found) == NAMES
    assert {len(values) for values in found.values()} == {60}


def test_no_feature_changes_when_the_future_is_cut_off() -> None:
    whole = features_at_emission(Market(BARS), SIGNALS, OUTCOMES)
    for place, moment in enumerate(SIGNALS.emitted_at):
        known = OUTCOMES.known_at < moment
        alone = features_at_emission(
            Market(until(BARS, moment)),
            some(SIGNALS, np.array([place])),
            Resolved(*(column[known] for column in OUTCOMES)),
        )
        for name in NAMES:
            np.testing.assert_array_equal(alone[name][0], whole[name][place], err_msg=name)


def test_a_feature_that_peeks_one_bar_ahead_would_be_caught() -> None:
    moment = int(SIGNALS.emitted_at[30])
    market_ = Market(BARS)
    row = market_.last_known(SIGNALS.symbol[30:31], SIGNALS.emitted_at[30:31])
    assert BARS.closed_at[row[0]] <= moment < BARS.closed_at[row[0] + 1]


def test_bars_older_than_the_longest_window_do_not_count() -> None:
    own = [name for name in NAMES if name not in {feature.name for feature in REGIME}]
    whole = features_at_emission(Market(BARS), SIGNALS, OUTCOMES)
    for place in range(0, 60, 7):
        moment = int(SIGNALS.emitted_at[place])
        recent = until(BARS, moment, BARS_NEEDED + 1)
        alone = features_at_emission(Market(recent), some(SIGNALS, np.array([place])), OUTCOMES)
        for name in own:
            if name != "relative_return_20":
                np.testing.assert_array_equal(alone[name][0], whole[name][place], err_msg=name)


def test_a_history_shorter_than_every_window_has_no_such_features() -> None:
    found = features_at_emission(
        Market(market(1, (3, 2))), some(SIGNALS, np.array([0]))._replace(
            symbol=np.array([0]), emitted_at=np.array([MONDAY + 9 * DAY])
        ), OUTCOMES
    )  # fmt: skip
    assert not np.isnan(found["return_1"][0])
    assert np.isnan([found[name][0] for name in ("return_5", "rsi_14", "below_high_250")]).all()


def test_a_symbol_without_bars_has_no_market_features_but_its_own() -> None:
    unknown = some(SIGNALS, np.arange(1))._replace(symbol=np.array([-1]))
    found = features_at_emission(Market(BARS), unknown, OUTCOMES)
    assert np.isnan(found["return_1"][0])
    assert not np.isnan(found["market_return_1"][0])
    assert not np.isnan(found["horizon"][0])


def test_formulas_are_those_of_the_catalogue() -> None:
    place = 40
    moment, symbol = int(SIGNALS.emitted_at[place]), int(SIGNALS.symbol[place])
    found = features_at_emission(Market(BARS), SIGNALS, OUTCOMES)
    known = until(BARS, moment)
    ends = np.append(known.starts[1:], len(known.close))
    mine = slice(known.starts[symbol], ends[symbol])
    opened, high, low, close = (
        known.open[mine],
        known.high[mine],
        known.low[mine],
        known.close[mine],
    )
    volume = known.volume[mine]
    returns = np.log(close[1:] / close[:-1])
    change = np.diff(close)[-14:]
    gains, losses = change[change > 0].sum(), -change[change < 0].sum()
    true_range = np.maximum(high[1:], close[:-1]) - np.minimum(low[1:], close[:-1])
    price, target, stop = (
        column[place] for column in (SIGNALS.price, SIGNALS.target, SIGNALS.stop)
    )
    expected = {
        "return_20": close[-1] / close[-21] - 1,
        "average_gap_50": close[-1] / close[-50:].mean() - 1,
        "averages_20_50": close[-20:].mean() / close[-50:].mean() - 1,
        "rsi_14": gains / (gains + losses),
        "stochastic_14": (close[-1] - low[-14:].min()) / (high[-14:].max() - low[-14:].min()),
        "up_bars_10": (np.diff(close)[-10:] > 0).mean(),
        "volatility_20": returns[-20:].std(ddof=1),
        "volatility_5_20": returns[-5:].std(ddof=1) / returns[-20:].std(ddof=1),
        "true_range_14": true_range[-14:].mean() / close[-1],
        "volume_5_20": volume[-5:].mean() / volume[-20:].mean(),
        "turnover_20": np.log10(1 + (close[-20:] * volume[-20:]).mean()),
        "gap_1": opened[-1] / close[-2] - 1,
        "gap_20": np.abs(opened[-20:] / close[-21:-1] - 1).mean(),
        "range_position_20": (close[-1] - low[-20:].min()) / (high[-20:].max() - low[-20:].min()),
        "target_distance": abs(target - price) / price,
        "reward_to_risk": abs(target - price) / abs(price - stop),
        "price_gap": price / close[-1] - 1,
        "trend_with": SIGNALS.direction[place] * (close[-1] / close[-21] - 1),
    }
    if len(close) >= 250:
        expected["below_high_250"] = close[-1] / high[-250:].max() - 1
        expected["above_low_250"] = close[-1] / low[-250:].min() - 1
    for name, value in expected.items():
        assert found[name][place] == pytest.approx(value, rel=1e-9, nan_ok=True), name


def test_the_market_is_the_mean_of_what_could_be_compared() -> None:
    moment = MONDAY + 250 * DAY
    at_250 = some(SIGNALS, np.arange(1))._replace(emitted_at=np.array([moment]))
    found = features_at_emission(Market(BARS), at_250, OUTCOMES)
    ends = np.append(BARS.starts[1:], len(BARS.close))
    moves, above = [], []
    for start, end in zip(BARS.starts, ends, strict=True):
        close = BARS.close[start:end][BARS.closed_at[start:end] <= moment]
        moves.append(close[-1] / close[-2] - 1)
        above.append(close[-1] > close[-20:].mean())
    assert found["market_return_1"][0] == pytest.approx(np.mean(moves))
    assert found["market_breadth"][0] == pytest.approx(np.mean(above))


def test_the_last_moments_give_the_same_bits_as_all_of_them() -> None:
    rng = np.random.default_rng(3)
    times = np.arange(400) * DAY
    moved, breadth = rng.normal(0, 0.01, 400), rng.random(400)
    moved[200] = np.nan  # nothing could be compared
    whole = regime_from(times, moved, breadth).features
    for begin in (0, 17, 300):
        part = regime_from(times[begin:], moved[begin:], breadth[begin:]).features
        for name, values in part.items():
            known = slice(MOMENTS_NEEDED, None)
            np.testing.assert_array_equal(values[known], whole[name][begin:][known], name)
    index = np.cumprod(1 + np.nan_to_num(moved))
    np.testing.assert_allclose(whole["market_return_20"][20:], index[20:] / index[:-20] - 1)
    assert np.isnan(whole["market_return_20"][:20]).all()
    mean = np.convolve(index, np.full(50, 1 / 50), "valid")
    np.testing.assert_allclose(
        whole["market_average_gap_50"][49:], index[49:] / mean - 1, atol=1e-12
    )
    assert np.isnan(whole["market_average_gap_50"][:49]).all()


def test_a_record_counts_what_had_ended_before_the_emission() -> None:
    known = Resolved(
        np.array([1, 1, 1, 2]), np.array([10, 20, 30, 5]), np.array([0.1, -0.05, 0.2, 1.0])
    )
    asked = some(SIGNALS, np.arange(4))._replace(
        strategy=np.array([1, 1, 2, 3]), emitted_at=np.array([20, 31, 6, 100])
    )
    found = features_at_emission(Market(BARS), asked, known)
    np.testing.assert_allclose(found["strategy_outcomes"], np.log1p([1, 3, 1, 0]))
    np.testing.assert_allclose(found["strategy_win_rate"], [2 / 3, 3 / 5, 2 / 3, 1 / 2])
    np.testing.assert_allclose(found["strategy_mean_return"], [0.1 / 3, 0.25 / 5, 1 / 3, 0])
    assert np.isnan(found["strategy_last_10"]).all()


def test_the_calendar_is_that_of_utc() -> None:
    asked = some(SIGNALS, np.arange(3))._replace(
        emitted_at=np.array([MONDAY, MONDAY - 1, MONDAY + 27 * DAY])
    )
    found = features_at_emission(Market(BARS), asked, OUTCOMES)
    assert list(found["weekday"]) == [0, 6, 6]
    assert list(found["month"]) == [1, 1, 2]
    assert list(found["day_of_month"]) == [5, 4, 1]
