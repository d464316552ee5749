"""Splits that bars tell, through the scorer's tables, in any order and with corrections."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from tests.support.scorer import DAY, FIRST, HOURS, Scorer, bar, long
from trackrecord.events import Event, MarketBar, SignalEmitted
from trackrecord.outcomes import Bar, Signal, label
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka

QUIET = (150, 153, 147, 150)
AFTER = (100, 102, 98, 100)
LEVELS: dict[str, Any] = {
    "price": Decimal(150),
    "target_price": Decimal(165),
    "stop_loss": Decimal(135),
    "exits": "barriers",
}
RATIOS = [Decimal(ratio) for ratio in ("2", "4", "0.5", "1.25", "0.1")]


def outcome(scorer: Scorer, signal_id: str = "s") -> tuple[Any, ...]:
    [found] = scorer.rows(
        f"SELECT outcome, exit_price, \"return\", how FROM outcomes WHERE signal_id = '{signal_id}'"
    )
    return found


def test_three_for_two_that_is_told_is_no_stop(settings: Settings) -> None:
    scorer = Scorer(settings)
    scorer.apply([long(**LEVELS), bar("AAA", 0, QUIET), bar("AAA", 1, QUIET)])
    scorer.apply([bar("AAA", 2, AFTER, split="1.5")])
    assert scorer.rows("SELECT outcome FROM outcomes") == []
    scorer.apply([bar("AAA", 3, (104, 110, 103, 108))])
    assert outcome(scorer) == ("target", Decimal(165), 0.1, "intrabar")
    assert scorer.rows("SELECT exit_price, reason FROM closings") == [(Decimal(165), "target")]


def test_a_gap_is_told_in_the_money_of_the_signals_shares(settings: Settings) -> None:
    scorer = Scorer(settings)
    scorer.apply([long(**LEVELS), bar("AAA", 0, QUIET), bar("AAA", 1, QUIET)])
    scorer.apply([bar("AAA", 2, (80, 85, 79, 84), split="1.5")])
    assert outcome(scorer) == ("stop", Decimal(120), -0.2, "gap")


@pytest.mark.parametrize(("emitted", "entry"), [(HOURS, "180.0"), (DAY, "120")])
def test_who_enters_at_the_open_of_the_split(
    settings: Settings, emitted: timedelta, entry: str
) -> None:
    # Before that open the signal speaks of old shares; at that very moment, of new ones.
    scorer = Scorer(settings)
    signal = long(
        price=Decimal(entry), entry="next_open", exits="barriers", horizon_bars=1,
        emitted_at=FIRST + emitted,
    )  # fmt: skip
    scorer.apply([signal, bar("AAA", 0, QUIET), bar("AAA", 1, (120, 132, 119, 132), split="1.5")])
    scale = Decimal(entry) / 120
    assert outcome(scorer) == ("expired", 132 * scale, 0.1, "expiry")
    assert scorer.rows("SELECT entry_price, exit_price FROM closings") == [
        (Decimal(entry), 132 * scale)
    ]


def test_a_correction_tells_another_ratio(settings: Settings) -> None:
    scorer = Scorer(settings)
    scorer.apply([long(**{**LEVELS, "exits": "own"}), bar("AAA", 0, QUIET), bar("AAA", 1, QUIET)])
    scorer.apply([bar("AAA", 2, AFTER)])
    assert outcome(scorer)[:2] == ("stop", Decimal(100))
    scorer.apply([bar("AAA", 2, AFTER, revision=1, split="1.5")])
    assert outcome(scorer)[0] == "pending"
    # The same revision with another ratio contradicts.
    assert len(scorer.apply([bar("AAA", 2, AFTER, revision=1, split="2")])) == 1
    scorer.apply([bar("AAA", 3, (104, 110, 103, 108))])
    assert outcome(scorer)[:2] == ("target", Decimal(165))


def test_a_correction_of_the_entry_bar_moves_the_exit_price_alone(settings: Settings) -> None:
    scorer = Scorer(settings)
    signal = long(entry="next_open", exits="own", horizon_bars=1)
    bars = [bar("AAA", 0, QUIET), bar("AAA", 1, (100, 110, 99, 110), split="2")]
    scorer.apply([signal, *bars])
    assert outcome(scorer)[:3] == ("expired", Decimal(220), 0.1)
    scorer.apply([bar("AAA", 1, (100, 110, 99, 110), revision=1, split="4")])
    assert outcome(scorer)[:3] == ("expired", Decimal(440), 0.1)


def test_of_two_sources_the_first_by_name_tells_the_split(settings: Settings) -> None:
    scorer = Scorer(settings)
    other = bar("AAA", 2, AFTER, split="3").model_copy(update={"source": "zzz"})
    scorer.apply([long(**LEVELS), bar("AAA", 0, QUIET), bar("AAA", 1, QUIET), other])
    scorer.apply([bar("AAA", 2, AFTER, split="1.5"), bar("AAA", 3, (80, 81, 79, 80))])
    assert outcome(scorer) == ("stop", Decimal(120), -0.2, "gap")


@pytest.mark.parametrize("seed", range(6))
def test_any_history_comes_to_what_it_would_without_splits(settings: Settings, seed: int) -> None:
    rng = random.Random(f"splits {seed}")
    plain, told, shares = world(rng)
    signals, wanted = [], {}
    for number in range(25):
        place = rng.randrange(len(plain) - 1)
        up, price = rng.choice([1, -1]), plain[place].close
        step = (price * Decimal("0.04")).quantize(Decimal("0.01"))
        target, stop = (
            None if rng.random() < 0.2 else price + up * step,
            None if rng.random() < 0.2 else price - up * step,
        )
        horizon, now = rng.choice([1, 3, 8]), shares[place]
        signals.append(
            SignalEmitted(
                signal_id=f"s{number}", strategy="m", symbol="AAA",
                side="BUY" if up > 0 else "SELL", price=price / now,
                target_price=None if target is None else target / now,
                stop_loss=None if stop is None else stop / now,
                horizon_bars=horizon, emitted_at=plain[place].closed_at,
            )
        )  # fmt: skip
        after = [Bar(each.open, each.high, each.low, each.close) for each in plain[place + 1 :]]
        found = label(Signal(up, price, target, stop, horizon), after)
        if found.outcome != "pending":
            exit_price = None if found.exit_price is None else found.exit_price / now
            wanted[f"s{number}"] = (found.outcome, exit_price, found.how, found.returned)
    events: list[tuple[float, Event]] = [(each.emitted_at.timestamp(), each) for each in signals]
    for each in told:
        at = each.opened_at.timestamp() + rng.random() * 86_400 * seed
        if each.split_ratio is not None and rng.random() < 0.5:
            wrong = rng.choice([None, Decimal(3)])
            events.append((at, each.model_copy(update={"split_ratio": wrong})))
            at += rng.random() * 86_400 * 10
            events.append((at, each.model_copy(update={"revision": 1})))
            continue
        events.append((at, each))
    events += rng.sample(events, 10)
    events.sort(key=lambda pair: pair[0])
    scorer = Scorer(settings)
    left = [event for _, event in events]
    while left:
        size = rng.choice([1, 5, 30])
        scorer.apply(left[:size])
        left = left[size:]
        if rng.random() < 0.2:
            scorer.handler.forget()
    rows = scorer.rows(
        'SELECT signal_id, outcome, exit_price, how, "return" FROM outcomes'
        " WHERE outcome <> 'pending'"
    )
    assert {row[0]: row[1:4] for row in rows} == {key: row[:3] for key, row in wanted.items()}
    for signal_id, *_, returned in rows:
        exact = wanted[signal_id][3]
        assert returned == (None if exact is None else pytest.approx(float(exact), abs=1e-12))


def world(rng: random.Random) -> tuple[list[MarketBar], list[MarketBar], list[Decimal]]:
    """Bars without splits, the same with some told, and new shares for a first one at each."""
    plain, told, shares = [], [], []
    price, so_far = 200.0, Decimal(1)
    for day in range(40):
        opened = price * (1 + rng.gauss(0, 0.01))
        price = opened * (1 + rng.gauss(0, 0.02))
        high, low = max(opened, price) * 1.005, min(opened, price) * 0.995
        each = bar("AAA", day, (opened, high, low, price))
        ratio = rng.choice(RATIOS) if rng.random() < 0.15 else None
        so_far *= ratio or 1
        names = ("open", "high", "low", "close")
        scaled = {name: getattr(each, name) / so_far for name in names}
        plain.append(each)
        told.append(each.model_copy(update={**scaled, "split_ratio": ratio}))
        shares.append(so_far)
    assert all(one.opened_at < two.opened_at for one, two in pairwise(plain))
    return plain, told, shares
