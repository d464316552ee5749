"""Rules asked on many windows at once answer what they answer on each symbol alone."""

from __future__ import annotations

import random
from datetime import datetime
from decimal import Decimal

import numpy as np
import pytest

from tests.unit.strategies.made_up import columns, made_bars, made_rule
from trackrecord.outcomes import Bar
from trackrecord.strategies.contract import Decision
from trackrecord.strategies.live.lines import Came, Counted, Kept, Line
from trackrecord.strategies.live.panel import Panel
from trackrecord.strategies.rules import Series, evaluate
from trackrecord.strategies.simulate import Held, State
from trackrecord.times import DAY, microseconds

BARS = {seed: made_bars(seed, 1_100) for seed in (1, 2, 3)}
SERIES = {seed: Series(columns(bars)) for seed, bars in BARS.items()}


def counted_of(seed: int, upto: int) -> list[Counted]:
    """Every bar of a symbol as a line counts it."""
    line = Line(1_000, Kept(np.zeros(0, np.int64), np.zeros((5, 0)), [], [], None), None)
    found = []
    for bar in BARS[seed][:upto]:
        at = microseconds(datetime.fromisoformat(bar["time"]))
        prices = Bar(*(Decimal(repr(bar[name])) for name in ("open", "high", "low", "close")))
        _, some = line.take(Came(at, at + DAY, at + DAY, "feed", 0, prices, bar["volume"]))
        found += some
    return found


COUNTED = {seed: counted_of(seed, 1_100) for seed in BARS}


def held(direction: int, entry_time: str) -> State:
    one = Decimal(1)
    return State(
        held=Held(direction, one, None, None, None, 1, one, one, one, entry_time=entry_time)
    )


@pytest.mark.parametrize("first", range(0, 200, 40))
def test_each_window_is_answered_as_it_is_alone(first: int) -> None:
    for seed in range(first, first + 40):
        rule = made_rule(seed)
        rng = random.Random(seed)
        places = [(symbol, rng.randrange(1_100)) for symbol in BARS for _ in range(6)]
        panel = Panel([COUNTED[symbol][row] for symbol, row in places])
        answers = panel.ask(rule, range(len(places)))
        for place, (symbol, row) in enumerate(places):
            alone = evaluate(rule, SERIES[symbol])
            assert answers.decision(place, State()) == alone.decision(row, None)
            entry = max(0, row - rng.choice((0, 1, 5, 30, 900)))
            for direction, side in ((1, "LONG"), (-1, "SHORT")):
                if rule.sides not in ("both", side.lower()):
                    continue
                state = held(direction, COUNTED[symbol][entry].time)
                assert answers.decision(place, state) == alone.decision(row, side, entry)
            enters = bool(alone.enter_long[row] or alone.enter_short[row])
            assert (place in answers.entering) == enters


def test_a_bar_with_too_few_before_it_is_not_asked() -> None:
    rule = next(made_rule(seed) for seed in range(99) if made_rule(seed).lookback > 5)
    panel = Panel([COUNTED[1][rule.lookback - 2], COUNTED[1][rule.lookback - 1]])
    answers = panel.ask(rule, [0, 1])
    assert answers.decision(0, State()) is None
    assert isinstance(answers.decision(1, State()), Decision)
