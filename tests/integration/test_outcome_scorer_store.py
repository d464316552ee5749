"""Random histories in random batches, through the real tables, against the rules at once."""

import random
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from confluent_kafka import Message

from tests.support.scorer import DAY, FIRST, HOURS, Scorer, bar, long
from trackrecord.cli.train.signal_files import BarFile, in_columns
from trackrecord.events import Event, MarketBar, SignalEmitted
from trackrecord.features import History, Market
from trackrecord.learning.dataset import features_of, outcomes_of
from trackrecord.outcomes import Bar, Judged, Signal, label
from trackrecord.runtime.settings import Settings
from trackrecord.testing import as_message

pytestmark = pytest.mark.kafka


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


def test_an_outcome_goes_with_its_signal_to_the_strategy_that_a_correction_names(
    settings: Settings,
) -> None:
    scorer = Scorer(settings)
    said = long("AAA", target_price=Decimal(101))
    scorer.apply([said, *(bar("AAA", day, (100, 102, 99, 100)) for day in range(2))])
    read = "SELECT strategy, revision, outcome FROM outcomes"
    assert scorer.rows(read) == [("m", 0, "target")]
    # The bars say the same of it as before.
    scorer.apply([said.model_copy(update={"revision": 1, "strategy": "other"})])
    assert scorer.rows(read) == [("other", 1, "target")]
    told = [each for each in scorer.said if each.event_type == "signal_scored"]
    assert [each.key for each in told] == [b"m", b"other"]
    # What nothing is on record of stays so.
    waiting = long("AAA", signal_id="waits", emitted_at=FIRST + 9 * DAY)
    scorer.apply([waiting])
    scorer.apply([waiting.model_copy(update={"revision": 1, "strategy": "other"})])
    assert len(scorer.rows(read)) == 1


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


def test_prices_at_and_below_zero_are_judged_where_a_return_means_something(
    settings: Settings,
) -> None:
    scorer = Scorer(settings)
    day = (10.01, 10.01, -40.32, -37.63)
    refused = scorer.apply(
        [
            bar("CL", 0, (18, 18, 10, 10.01)),
            bar("SPREAD", 0, (1, 1, -1, 0)),
            long("CL", signal_id="fell", price=Decimal("10.01"), stop_loss=Decimal(-30)),
            long("SPREAD", signal_id="at zero", price=Decimal(0)),
            long("SPREAD", signal_id="next open", entry="next_open", price=Decimal(1)),
            bar("CL", 1, day),
            bar("SPREAD", 1, (-2, -1, -3, -2)),
        ]
    )
    assert refused == []
    found = scorer.rows(
        'SELECT signal_id, outcome, "return", exit_price FROM outcomes ORDER BY signal_id'
    )
    assert [(name, outcome) for name, outcome, _, _ in found] == [
        ("at zero", "void"),
        ("fell", "stop"),
        ("next open", "void"),
    ]
    assert found[1][2] == pytest.approx(-40.01 / 10.01)
    assert found[1][3] == -30
    assert found[0][2] is found[2][2] is None
    assert scorer.rows("SELECT signal_id, problem FROM watched_signals WHERE problem <> ''") == [
        ("at zero", "entry_not_positive")
    ]
    # What is no return of a price above 0 enters nobody's market.
    assert scorer.rows("SELECT sum(movers) FROM sessions WHERE moved < -1") == [(None,)]
