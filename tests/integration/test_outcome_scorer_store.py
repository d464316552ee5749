"""Random histories in random batches, through the real tables, against the rules at once."""

import random
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from confluent_kafka import Message
from prometheus_client import CollectorRegistry

from services.outcome_scorer.handler import OutcomeScorer
from tests.support.messages import as_message
from trackrecord.cli.train_input import BarFile, in_columns
from trackrecord.events import Event, MarketBar, SignalClosed, SignalEmitted, SignalScored
from trackrecord.events.codec import decode
from trackrecord.features import History, Market
from trackrecord.learning.dataset import features_of, outcomes_of
from trackrecord.outcomes import Bar, Judged, Signal, label
from trackrecord.runtime import database
from trackrecord.runtime.batch import Reader
from trackrecord.runtime.decode import Refusal
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.stage import Context, Outgoing
from trackrecord.tracking import Entry, Exit, fold

pytestmark = pytest.mark.kafka
FIRST = datetime(2026, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)
HOURS = timedelta(hours=8)


class Scorer:
    """The stage's handler on tables of its own, and what it published."""

    def __init__(self, settings: Settings) -> None:
        self.handler = OutcomeScorer(Context(settings, CollectorRegistry()))
        self._reader = Reader(
            (MarketBar, SignalEmitted, SignalClosed), prepare=self.handler.prepare
        )
        self.connection = database.connect(
            settings, application="test", batches=self.handler.temporary
        )
        self.said: list[Outgoing] = []
        self._offset = 0

    def apply(self, events: Sequence[Event]) -> list[str]:
        """One batch; the reasons of what was refused."""
        messages = []
        for event in events:
            self._offset += 1
            messages.append(as_message(event, self._offset, self._offset % 3))
        return [each.reason for each in self.read(messages)]

    def read(self, messages: Sequence[Message]) -> list[Refusal]:
        """One batch of messages; what was refused of it."""
        batch = self._reader.read(messages)
        assert not batch.refused, batch.refused
        with self.connection, self.connection.cursor() as cursor:
            self.handler.load(batch, cursor)
            effects = self.handler.apply(batch, cursor)
        if effects.after_commit:
            effects.after_commit()
        self.said += effects.outgoing
        return effects.refused

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.connection, self.connection.cursor() as cursor:
            return database.rows(cursor, query)


def bar(symbol: str, day: int, prices: Sequence[float], revision: int = 0) -> MarketBar:
    opened, high, low, close = (Decimal(str(round(each, 2))) for each in prices)
    return MarketBar(
        symbol=symbol,
        timeframe="1d",
        source="test",
        opened_at=FIRST + day * DAY,
        closed_at=FIRST + day * DAY + HOURS,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=Decimal(1000),
        revision=revision,
    )


def walk(rng: random.Random, symbol: str, days: int) -> list[MarketBar]:
    """Daily bars; some days are missing."""
    price, bars = 100.0, []
    for day in range(days):
        opened = price * (1 + rng.gauss(0, 0.01))
        close = opened * (1 + rng.gauss(0, 0.02))
        high = max(opened, close) * (1 + abs(rng.gauss(0, 0.01)))
        low = min(opened, close) * (1 - abs(rng.gauss(0, 0.01)))
        price = close
        if rng.random() > 0.05:
            bars.append(bar(symbol, day, (opened, high, low, close)))
    return bars


def long(symbol: str = "AAA", **more: Any) -> SignalEmitted:
    """A long at 100, emitted when the first bar closes."""
    said = {"signal_id": "s", "strategy": "m", "side": "BUY", "price": Decimal(100)}
    return SignalEmitted.model_validate(
        {**said, "symbol": symbol, "emitted_at": FIRST + HOURS, **more}
    )


def signal(rng: random.Random, number: int, bars: Sequence[MarketBar]) -> SignalEmitted:
    before = rng.choice(bars)
    up = rng.choice([1, -1])
    price = before.close
    level = lambda share: (price * (1 + Decimal(str(share)))).quantize(Decimal("0.01"))  # noqa: E731
    return SignalEmitted(
        signal_id=f"s{number}",
        strategy=f"m{number % 3}",
        symbol=before.symbol,
        side="BUY" if up > 0 else "SELL",
        price=price,
        emitted_at=before.closed_at + timedelta(minutes=rng.randrange(60)),
        target_price=level(up * 0.04) if rng.random() < 0.8 else None,
        stop_loss=level(-up * 0.03) if rng.random() < 0.8 else None,
        horizon_bars=rng.choice([1, 3, 8, None]),
        entry=rng.choice(["filled", "next_open"]),
        exits="barriers",
    )


def judged(event: SignalEmitted, bars: Sequence[MarketBar]) -> tuple[Judged, Sequence[MarketBar]]:
    """By the rules for one signal, in exact decimals."""
    after = [each for each in bars if each.opened_at >= event.emitted_at]
    price = after[0].open if after and event.entry == "next_open" else event.price
    found = label(
        Signal(
            1 if event.side == "BUY" else -1,
            price,
            event.target_price,
            event.stop_loss,
            event.horizon_bars or 20,
        ),
        [Bar(each.open, each.high, each.low, each.close) for each in after],
    )
    return found, after


@pytest.mark.parametrize("seed", range(12))
def test_any_history_in_any_batches_gives_what_the_rules_say_at_once(
    settings: Settings, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if seed % 4 == 3:  # long histories begin before the time that computers count from
        monkeypatch.setitem(globals(), "FIRST", datetime(1969, 12, 10, tzinfo=UTC))
    rng = random.Random(seed)
    days = 60
    symbols = {name: walk(rng, name, days) for name in ("AAA", "BBB", "CCC")}
    signals = [signal(rng, number, symbols[rng.choice(list(symbols))]) for number in range(40)]
    final = {(each.symbol, each.opened_at): each for bars in symbols.values() for each in bars}
    events: list[tuple[float, Event]] = [
        (each.opened_at.timestamp(), each) for each in final.values()
    ] + [(each.emitted_at.timestamp(), each) for each in signals]
    # Some bars are corrected afterwards, some come late, some twice.
    for each in rng.sample(list(final.values()), 15):
        wrong = each.model_copy(update={"close": each.low, "revision": 0})
        right = each.model_copy(update={"revision": 1})
        final[each.symbol, each.opened_at] = right
        events = [(at, wrong if event is each else event) for at, event in events]
        events.append((each.opened_at.timestamp() + rng.random() * 20 * 86_400, right))
    if seed % 3:
        events = [(at + rng.random() * 86_400 * (seed % 5) * 3, event) for at, event in events]
    events += rng.sample(events, 10)
    events.sort(key=lambda pair: pair[0])
    scorer = Scorer(settings)
    left = [event for _, event in events]
    while left:
        size = rng.choice([1, 2, 7, 30, 100])
        scorer.apply(left[:size])
        left = left[size:]
        if rng.random() < 0.1:
            scorer.handler.forget()
    found = {
        row[0]: row[1:]
        for row in scorer.rows(
            'SELECT signal_id, outcome, label, "return", mae, mfe, bars_held, exit_price, how,'
            " ambiguous, ends_at FROM outcomes WHERE outcome <> 'pending' AND NOT delisted"
        )
    }
    sessions = sorted({each.closed_at for each in final.values()})
    for event in signals:
        bars = sorted(
            (each for (symbol, _), each in final.items() if symbol == event.symbol),
            key=lambda each: each.opened_at,
        )
        wanted, after = judged(event, bars)
        ceased = sum(at > bars[-1].closed_at for at in sessions) >= 10
        if wanted.outcome == "pending":
            assert event.signal_id not in found or ceased
            continue
        outcome, tag, returned, mae, mfe, held, price, how, ambiguous, ends_at = found[
            event.signal_id
        ]
        assert (outcome, tag, price, how, ambiguous) == (
            wanted.outcome, wanted.label, wanted.exit_price, wanted.how, wanted.ambiguous,
        )  # fmt: skip
        if wanted.returned is not None and wanted.mae is not None and wanted.mfe is not None:
            assert returned == pytest.approx(float(wanted.returned), abs=1e-12)
            assert mae == pytest.approx(float(wanted.mae), abs=1e-12)
            assert mfe == pytest.approx(float(wanted.mfe), abs=1e-12)
            assert wanted.exit_index is not None
            assert held == wanted.exit_index + 1
        horizon = event.horizon_bars or 20
        assert ends_at == (after[horizon - 1].closed_at if len(after) >= horizon else None)


def test_features_are_those_of_all_bars_and_signals_at_once(settings: Settings) -> None:
    rng = random.Random(5)
    symbols = {name: walk(rng, name, 300) for name in ("AAA", "BBB", "CCC")}
    signals = [
        signal(rng, number, bars[200:]) for number, bars in enumerate([*symbols.values()] * 9)
    ]
    bars = [each for found in symbols.values() for each in found]
    events = sorted(
        [*((each.closed_at, 0, each) for each in bars)]
        + [(each.emitted_at, 1, each) for each in signals],
        key=lambda found: found[:2],
    )
    scorer = Scorer(settings)
    left: list[Event] = [event for _, _, event in events]
    while left:
        size = rng.choice([1, 5, 40])
        scorer.apply(left[:size])
        left = left[size:]
    history = bars_of(bars)
    given = in_columns(signals, history, 20)
    wanted = features_of(
        Market(history.history),
        given.sent,
        outcomes_of(history.history, history.opened_at, given.sent),
    )
    found = dict(scorer.rows("SELECT signal_id, features FROM assessments"))
    assert found.keys() == {each.signal_id for each in signals}
    for event, row in zip(signals, wanted, strict=True):
        got = np.array([np.nan if value is None else value for value in found[event.signal_id]])
        np.testing.assert_allclose(got, row, rtol=1e-9, atol=1e-12, err_msg=event.signal_id)


def bars_of(bars: Sequence[MarketBar]) -> BarFile:
    ordered = sorted(bars, key=lambda each: (each.symbol, each.opened_at))
    names = sorted({each.symbol for each in bars})
    columns = [
        np.array([float(getattr(each, name)) for each in ordered])
        for name in ("open", "high", "low", "close", "volume")
    ]
    micros = [
        np.array([round(getattr(each, name).timestamp() * 1e6) for each in ordered])
        for name in ("closed_at", "opened_at")
    ]
    starts = np.array([[each.symbol for each in ordered].index(name) for name in names])
    return BarFile(History(*columns, micros[0], starts), micros[1], names, [])


def test_exits_of_signals_that_nobody_manages_are_published_once(settings: Settings) -> None:
    scorer = Scorer(settings)
    first = bar("AAA", 0, (100, 101, 99, 100))
    said = long(
        target_price=Decimal("104.5"), stop_loss=Decimal(95), horizon_bars=5, exits="barriers"
    )
    scorer.apply([first, said])
    scorer.apply([bar("AAA", 1, (101, 103, 100, 102)), bar("AAA", 2, (102, 105, 101, 104))])
    [closed] = [each for each in scorer.said if each.event_type == "signal_closed"]
    event = decode(SignalClosed, closed.value)
    assert (event.price, event.reason, event.exit_id) == (Decimal("104.5"), "target", "barrier")
    assert event.entry_price is None  # it was entered at the signal's own
    # A correction shows that the stop was met before: the score changes, the exit does not.
    scorer.apply([bar("AAA", 1, (101, 103, 94, 102), revision=1)])
    assert len([each for each in scorer.said if each.event_type == "signal_closed"]) == 1
    scores = [
        decode(SignalScored, each.value)
        for each in scorer.said
        if each.event_type == "signal_scored"
    ]
    assert [(each.outcome, each.revision) for each in scores] == [("target", 0), ("stop", 1)]
    assert scores[0].features["direction"] == 1.0


def test_the_exit_of_a_signal_entered_at_the_next_open_tells_that_open(
    settings: Settings,
) -> None:
    scorer = Scorer(settings)
    said = long(target_price=Decimal("104.5"), entry="next_open", exits="barriers", horizon_bars=5)
    scorer.apply([bar("AAA", 0, (100, 101, 99, 100)), said])
    scorer.apply([bar("AAA", 1, (101.37, 103, 100, 102)), bar("AAA", 2, (102, 105, 101, 104))])
    [event] = [
        decode(SignalClosed, each.value)
        for each in scorer.said
        if each.event_type == "signal_closed"
    ]
    assert event.entry_price == Decimal("101.37")
    position = fold(Entry.of(said), [Exit.of(event)])
    [(returned,)] = scorer.rows('SELECT "return" FROM outcomes')
    assert position.return_ is not None
    assert float(position.return_) == pytest.approx(returned, rel=1e-14)
    # What was published stays, also when the open is corrected.
    scorer.apply([bar("AAA", 1, (101.5, 103, 100, 102), revision=1)])
    assert scorer.rows("SELECT entry_price FROM closings") == [(Decimal("101.37"),)]


def test_a_level_on_the_wrong_side_is_void_and_contradictions_are_refused(
    settings: Settings,
) -> None:
    scorer = Scorer(settings)
    first = bar("AAA", 0, (100, 101, 99, 100))
    said = long(target_price=Decimal(90))
    assert scorer.apply([first, said]) == []
    assert scorer.rows("SELECT outcome FROM outcomes") == [("void",)]
    assert scorer.rows("SELECT problem FROM watched_signals") == [
        ("the target lies on the wrong side of the entry",)
    ]
    [reason] = scorer.apply([bar("AAA", 0, (100, 102, 99, 100))])
    assert "needs a higher revision" in reason
    twice = [bar("AAA", 1, (100, 102, 99, 100)), bar("AAA", 1, (100, 103, 99, 100))]
    assert len(scorer.apply(twice)) == 1


def in_other_words(event: MarketBar, offset: int) -> Message:
    """A bar whose numbers are written with more zeros."""
    text = event.to_json().decode()
    for name in ("open", "high", "low", "close", "volume"):
        text = re.sub(rf'("{name}":"[0-9]+)(\.[0-9]+)?"', r'\g<1>\g<2>00"', text)
        text = re.sub(rf'("{name}":"[0-9]+)00"', r'\g<1>.00"', text)
    return Message(
        topic="market_bar", partition=0, offset=offset, value=text.encode(), timestamp=(2, 1)
    )


@pytest.mark.parametrize("seed", range(10))
def test_which_bars_contradict_others_does_not_depend_on_the_batches(
    settings: Settings, seed: int
) -> None:
    rng = random.Random(seed)
    said = []
    for _ in range(60):
        day, high, revision = rng.randrange(4), rng.choice([101, 102.5]), rng.randrange(3)
        said.append(bar("AAA", day, (100, high, 99, 100.5), revision))
    scorer = Scorer(settings)
    best: dict[datetime, MarketBar] = {}
    wanted, found = [], []
    left = []
    for offset, each in enumerate(said):
        before = best.get(each.opened_at)
        if before is None or each.revision > before.revision:
            best[each.opened_at] = each
        elif each.revision == before.revision and each != before:
            wanted.append(offset)
        write = rng.choice([as_message, in_other_words])
        left.append(write(each, offset))
    while left:
        size = rng.choice([1, 2, 5, 20])
        found += [left[each.position].offset() for each in scorer.read(left[:size])]
        left = left[size:]
    assert found == wanted
    assert scorer.rows("SELECT opened_at, high FROM bars ORDER BY 1") == [
        (at, best[at].high) for at in sorted(best)
    ]


def test_a_symbol_that_ceases_to_trade_ends_its_signals_and_may_come_back(
    settings: Settings,
) -> None:
    scorer = Scorer(settings)
    said = long(horizon_bars=30)
    scorer.apply([bar("AAA", 0, (100, 101, 99, 100)), said])
    scorer.apply([bar("AAA", 1, (100, 101, 97, 98))])
    for day in range(2, 11):
        scorer.apply([bar("BBB", day, (50, 51, 49, 50))])
    assert scorer.rows("SELECT * FROM outcomes") == []
    scorer.apply([bar("BBB", 11, (50, 51, 49, 50))])
    assert scorer.rows("SELECT outcome, exit_price, delisted, known_at FROM outcomes") == [
        ("expired", Decimal(98), True, FIRST + 11 * DAY + HOURS)
    ]
    scorer.apply([bar("AAA", 12, (98, 99, 97, 97))])
    assert scorer.rows("SELECT outcome, revision FROM outcomes") == [("pending", 1)]
    assert scorer.rows("SELECT ends_at FROM watched_signals") == [(None,)]


@pytest.mark.parametrize("late", [5, 11])
def test_when_it_could_be_told_that_a_symbol_ceased_does_not_depend_on_what_came_late(
    settings: Settings, late: int
) -> None:
    scorer = Scorer(settings)
    flat = (100, 101, 99, 100)
    scorer.apply([bar("AAA", 0, flat), long(horizon_bars=30)])
    touched = long(signal_id="touched", target_price=Decimal(102), horizon_bars=30)
    scorer.apply([touched, bar("AAA", 1, (100, 103, 99, 100))])
    for day in range(2, 13):
        if day != late:
            scorer.apply([bar("BBB", day, flat)])
    at = "SELECT signal_id, outcome, known_at, ends_at, revision FROM outcomes ORDER BY signal_id"
    told, told_late = FIRST + 11 * DAY + HOURS, FIRST + 12 * DAY + HOURS
    met = ("touched", "target", FIRST + DAY + HOURS)
    assert scorer.rows(at) == [("s", "expired", told_late, told_late, 0), (*met, told_late, 0)]
    # Another symbol's bar shows that there was one more session.
    scorer.apply([bar("CCC", late, flat)])
    assert scorer.rows(at) == [("s", "expired", told, told, 1), (*met, told, 0)]
    assert scorer.rows("SELECT DISTINCT ends_at FROM watched_signals") == [(told,)]


def test_a_batch_raises_the_revision_of_a_score_once(settings: Settings) -> None:
    scorer = Scorer(settings)
    flat = (100, 101, 99, 100)
    scorer.apply([bar("AAA", 0, flat), long(horizon_bars=30)])
    scorer.apply([bar("AAA", 1, flat), *(bar("BBB", day, flat) for day in range(2, 12))])
    # It waits again for a moment, until it is told again that the symbol has ceased to trade.
    scorer.apply([bar("AAA", 1, (100, 104, 99, 101), revision=1)])
    said = [
        decode(SignalScored, each.value)
        for each in scorer.said
        if each.event_type == "signal_scored"
    ]
    assert [(each.revision, each.outcome, each.exit_price) for each in said] == [
        (0, "expired", 100), (1, "expired", 101),
    ]  # fmt: skip


def test_there_is_room_for_any_number_of_symbols_and_bars(settings: Settings) -> None:
    scorer = Scorer(settings)
    names = [f"S{number}" for number in range(150)]
    scorer.apply([bar(name, 0, (100, 101, 99, 100)) for name in names])
    signals = [
        long(name, signal_id=f"of {name}", target_price=Decimal(110), horizon_bars=700)
        for name in names
    ]
    scorer.apply(signals)
    # More bars of one symbol than are kept of it; its signal has to be judged on all of them.
    for start in (1, 400):
        scorer.apply([bar("S7", day, (100, 101, 99, 100)) for day in range(start, start + 399)])
    scorer.apply([bar(name, 799, (100, 112, 99, 100)) for name in names if name != "S7"])
    found = dict(scorer.rows("SELECT signal_id, outcome FROM outcomes"))
    assert found == {f"of {name}": "target" for name in names} | {"of S7": "expired"}
    [(held, at)] = scorer.rows("SELECT bars_held, ends_at FROM outcomes WHERE symbol = 'S7'")
    assert (held, at) == (700, FIRST + 700 * DAY + HOURS)
