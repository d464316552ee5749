"""Many signals in columns come to what each comes to alone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.outcomes import POLICIES, Bar, Bars, Labels, Policy, Signal, Signals, label
from trackrecord.outcomes.label_many import HOWS, OUTCOMES, label_many

# Cents within a narrow range: levels are touched at equality all the time.
cents = st.integers(8_800, 11_400).map(lambda cents: Decimal(cents) / 100)


@st.composite
def bars(draw: Any, price: Any = cents) -> Bar:
    low, first, second, high = sorted(draw(st.tuples(price, price, price, price)))
    return Bar(first, high, low, second) if draw(st.booleans()) else Bar(second, high, low, first)


@st.composite
def signals(draw: Any, low: int = 9_500, high: int = 10_500) -> Signal:
    direction = draw(st.sampled_from((1, -1)))
    price = Decimal(draw(st.integers(low, high))) / 100
    steps = st.none() | st.integers(1, 600).map(lambda cents: Decimal(cents) / 100)
    target, stop = draw(steps), draw(steps)
    return Signal(
        direction,
        price,
        None if target is None else price + direction * target,
        None if stop is None else price - direction * stop,
        draw(st.integers(1, 6)),
    )


def column(values: list[Decimal | None]) -> Any:
    return np.array([np.nan if value is None else float(value) for value in values])


def judged(symbols: list[list[Bar]], each: list[tuple[int, int, Signal]], policy: Policy) -> Labels:
    """Signals on (symbol, place of the entry bar), in columns."""
    starts = np.cumsum([0, *(len(rows) for rows in symbols)])
    rows = [bar for symbol in symbols for bar in symbol]
    held = [signal for _, _, signal in each]
    return label_many(
        Bars(*(column([bar[place] for bar in rows]) for place in range(5))),
        Signals(
            np.array([signal.direction for signal in held], np.int8),
            column([signal.price for signal in held]),
            column([signal.target for signal in held]),
            column([signal.stop for signal in held]),
            np.array([signal.horizon for signal in held], np.int64),
            np.array([starts[symbol] + place for symbol, place, _ in each], np.int64),
            np.array([starts[symbol + 1] for symbol, _, _ in each], np.int64),
        ),
        policy,
    )


@given(
    st.lists(st.lists(bars(), max_size=8), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 8), signals()), max_size=6),
    st.sampled_from(POLICIES),
)
def test_many_signals_come_to_what_each_comes_to_alone(
    symbols: list[list[Bar]], asked: list[tuple[int, int, Signal]], policy: Policy
) -> None:
    compare(symbols, asked, policy)


# As of a spread: above and below 0, and 0 itself.
around_zero = st.integers(-300, 300).map(lambda cents: Decimal(cents) / 100)


@given(
    st.lists(st.lists(bars(around_zero), max_size=8), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 8), signals(-200, 300)), max_size=6),
    st.sampled_from(POLICIES),
)
def test_prices_around_zero_come_to_the_same_in_columns(
    symbols: list[list[Bar]], asked: list[tuple[int, int, Signal]], policy: Policy
) -> None:
    compare(symbols, asked, policy)


@st.composite
def with_splits(draw: Any) -> list[Bar]:
    ratio = st.sampled_from([*["1"] * 5, "1.5", "2", "0.1", "1.333333"]).map(Decimal)
    return [each._replace(split_ratio=draw(ratio)) for each in draw(st.lists(bars(), max_size=8))]


@given(
    st.lists(with_splits(), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 8), signals()), max_size=6),
    st.sampled_from(POLICIES),
)
def test_splits_come_to_the_same_in_columns(
    symbols: list[list[Bar]], asked: list[tuple[int, int, Signal]], policy: Policy
) -> None:
    compare(symbols, asked, policy)


def compare(symbols: list[list[Bar]], asked: list[tuple[int, int, Signal]], policy: Policy) -> None:
    each = [
        (number % len(symbols), min(place, len(symbols[number % len(symbols)])), signal)
        for number, place, signal in asked
    ]
    labels = judged(symbols, each, policy)
    starts = np.cumsum([0, *(len(rows) for rows in symbols)])
    for place, (symbol, first, signal) in enumerate(each):
        alone = label(signal, symbols[symbol][first:], policy)
        assert OUTCOMES[labels.outcome[place]] == alone.outcome
        assert HOWS[labels.how[place]] == alone.how
        assert bool(labels.ambiguous[place]) == alone.ambiguous
        label_value = labels.label[place]
        assert (None if np.isnan(label_value) else label_value) == alone.label
        if alone.exit_index is None:
            assert labels.exit_row[place] == -1
            assert np.isnan(labels.returned[place])
            continue
        assert labels.exit_row[place] - starts[symbol] - first == alone.exit_index
        assert alone.exit_price is not None
        assert labels.exit_price[place] == float(alone.exit_price)
        for found, exact in (
            (labels.returned[place], alone.returned),
            (labels.mae[place], alone.mae),
            (labels.mfe[place], alone.mfe),
        ):
            assert exact is not None
            assert found == pytest.approx(float(exact), abs=1e-12)


def test_no_signals_and_no_bars_are_no_labels() -> None:
    nothing = judged([[]], [], "stop_first")
    assert len(nothing.outcome) == 0
    waiting = judged([[]], [(0, 0, Signal(1, Decimal(100)))], "stop_first")
    assert OUTCOMES[waiting.outcome[0]] == "pending"
