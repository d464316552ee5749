"""What the strategy_runner has said, held against the rules on the bars in the order they came.

The oracle keeps no arrays, no memory and no tables: it goes through the bars of a symbol as they
lie in their partition, asks each rule about the whole series that was known at each, and folds
what it answers.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

import numpy as np

from tests.support import compare, runner, wire
from tests.support.pipeline import Pipeline
from tests.torture.history import Item, Sent
from trackrecord.events import EVENTS, Event, MarketBar, SignalClosed, SignalEmitted, derived_id
from trackrecord.events.base import EventType
from trackrecord.events.codec import decode
from trackrecord.outcomes import Bar
from trackrecord.outcomes.model import DELISTED_AFTER
from trackrecord.runtime.settings import Settings
from trackrecord.strategies.contract import Side
from trackrecord.strategies.rules import Series, evaluate
from trackrecord.strategies.rules.canonical import finished
from trackrecord.strategies.rules.code import code
from trackrecord.strategies.rules.model import (
    Ago,
    Compare,
    Cross,
    Field,
    Indicator,
    Percent,
    Rule,
)
from trackrecord.strategies.rules.series import Columns
from trackrecord.strategies.simulate import NOTHING, Entered, Exited, advance, decide

_CLOSE = Field("close")
_AVERAGE = Indicator("sma", (3,), _CLOSE)
RULES: Mapping[str, Rule] = {
    "dips": finished(
        Rule(
            entry=Compare(_CLOSE, "<", _AVERAGE), exit=Compare(_CLOSE, ">", _AVERAGE),
            stop=Percent(3.0), target=Percent(4.0),
        )
    ),
    "turns": finished(
        Rule(
            entry=Cross(_CLOSE, "above", _AVERAGE), short_entry=Cross(_CLOSE, "below", _AVERAGE),
            stop=Percent(5.0), horizon_bars=6,
        )
    ),
    "trails": finished(
        Rule(entry=Compare(_CLOSE, ">", Ago(_CLOSE, 1)), trail=Percent(2.0), horizon_bars=9)
    ),
    "coded": finished(
        Rule(
            entry=Compare(_CLOSE, ">", Ago(_CLOSE, 1)), exit=Compare(_CLOSE, "<", Ago(_CLOSE, 1)),
        )
    ),
}  # fmt: skip
"""The strategies that run, by name; the last one as code."""
CODED = "coded"
TIMEFRAMES = ("1d", "1h")
_TOPICS: tuple[EventType, ...] = ("signal_emitted", "signal_closed")

Key = tuple[str, str]


class Asker(Protocol):
    """The verdict that is being found."""

    def compare(self, expected: Any, found: Any) -> None: ...

    def ask(self, what: str, check: Any) -> None: ...


def activate(settings: Settings) -> None:
    """Have the strategies active, each on bars of every timeframe that there is."""
    for timeframe in TIMEFRAMES:
        for name, rule in RULES.items():
            runner.add_strategy(
                settings, f"{name} {timeframe}", timeframe=timeframe,
                **{"source_code": code(rule)} if name == CODED else {"rule": rule},
            )  # fmt: skip


@dataclass
class Expected:
    """What strategies say about a symbol.

    Attributes:
        said: Signals and exits by id, as tuples of what they must say.
        until: From this bar on (its open) nothing is certain: the symbol may have been taken for
            one that has ceased to trade, by how much of other partitions was read.
    """

    said: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    until: datetime | None = None


def check_strategies(verdict: Asker, pipeline: Pipeline, sent: Sequence[Sent]) -> list[Sent]:
    """Check signals and exits of strategies.

    Args:
        verdict: Told what is wrong.
        pipeline: Its stages have stopped.
        sent: What was published, in the order of its places.

    Returns:
        What the runner has published, as if a strategy of somebody else had.
    """
    settings = pipeline.settings
    ours = {each.place for each in sent}
    found = [
        each
        for name in _TOPICS
        for each in wire.read(settings, settings.topic(name))
        if each.place not in ours and each.header("ce_source") == "/strategy_runner"
    ]
    events = [decode(EVENTS[_type_of(each)], each.value) for each in found]
    told: dict[str, set[tuple[object, ...]]] = defaultdict(set)
    for each, event in zip(found, events, strict=True):
        told[event.event_id].add((each.key, each.value, tuple(each.headers)))
    several = [name for name, same in told.items() if len(same) > 1]
    verdict.ask("strategies", lambda: _none(several, "events in more than one form"))
    expected = _expect(settings, sent)
    wanted, certain = _certain(expected, {each.event_id: each for each in events})
    verdict.compare(wanted.keys(), certain.keys())
    verdict.ask("strategies", lambda: _check(wanted, certain))
    verdict.ask("strategies", lambda: _check_exits(events))
    faults = "SELECT symbol, opened_at, fault FROM strategy_decisions WHERE fault IS NOT NULL"
    verdict.ask("strategies", lambda: _none(compare.fetch(settings, faults), "failures"))
    return [Sent(Item(each, event), each.place) for each, event in zip(found, events, strict=True)]


def _type_of(parcel: wire.Parcel) -> EventType:
    return next(name for name in _TOPICS if parcel.topic.endswith(name))


def _none(found: Sequence[Any], what: str) -> None:
    assert not found, f"{len(found)} {what}, such as {found[:3]}"


Said = dict[str, tuple[Any, ...]]
"""What events say, by their ids."""


def _certain(expected: Mapping[Key, Expected], events: Mapping[str, Event]) -> tuple[Said, Said]:
    """What is expected and what was said, as far as both are certain."""
    wanted: Said = {}
    for each in expected.values():
        wanted |= {
            name: row
            for name, row in each.said.items()
            if each.until is None or row[2] < each.until
        }
    timeframes = {
        event.signal_id: event.timeframe
        for event in events.values()
        if isinstance(event, SignalEmitted)
    }
    certain: Said = {}
    for name, event in events.items():
        assert isinstance(event, SignalEmitted | SignalClosed)
        row = _told(event)
        until = expected[event.symbol, timeframes[event.signal_id]].until
        if until is None or row[2] < until:
            certain[name] = row
    return wanted, certain


def _check(wanted: Said, certain: Said) -> None:
    missing = [wanted[name] for name in wanted.keys() - certain.keys()]
    assert not missing, f"{len(missing)} were never said, such as {sorted(missing, key=str)[:3]}"
    extra = [certain[name] for name in certain.keys() - wanted.keys()]
    assert not extra, f"{len(extra)} that no bar explains, such as {sorted(extra, key=str)[:3]}"
    other = [(certain[name], row) for name, row in wanted.items() if certain[name] != row]
    assert not other, f"{len(other)} say something else, such as {other[:2]}"


def _check_exits(events: Sequence[Event]) -> None:
    """Each signal has one exit at most, and each exit a signal."""
    signals = {each.signal_id for each in events if isinstance(each, SignalEmitted)}
    exits = {(each.signal_id, each.exit_id) for each in events if isinstance(each, SignalClosed)}
    assert {signal for signal, _ in exits} <= signals, "an exit of no signal"
    assert len({signal for signal, _ in exits}) == len(exits), "a signal has two exits"


def _told(event: Event) -> tuple[Any, ...]:
    """What an event says; the third is the time of what it is about, where bars are compared."""
    if isinstance(event, SignalEmitted):
        return (
            "emitted", event.symbol, event.emitted_at, event.strategy, event.side, event.price,
            event.stop_loss, event.target_price, event.horizon_bars,
        )  # fmt: skip
    assert isinstance(event, SignalClosed)
    return (
        "closed", event.symbol, event.closed_at, event.strategy, event.price, event.entry_price,
        event.reason.split(":")[0],
    )  # fmt: skip


# -- the oracle -----------------------------------------------------------------------------------


def _expect(settings: Settings, sent: Sequence[Sent]) -> dict[Key, Expected]:
    topic = settings.topic("market_bar")
    appended = {each.place: each.appended_at for each in wire.read(settings, topic)}
    bars: dict[Key, list[tuple[datetime, MarketBar]]] = defaultdict(list)
    days: dict[str, list[tuple[datetime, date]]] = defaultdict(list)
    for each in sent:
        bar, at = each.item.event, appended.get(each.place)
        if isinstance(bar, MarketBar) and at is not None:
            bars[bar.symbol, bar.timeframe].append((at, bar))
            days[bar.timeframe].append((at, bar.opened_at.date()))
    for each_day in days.values():
        each_day.sort()
    return {key: _Symbol(key, days[key[1]]).follow(some) for key, some in bars.items()}


class _Symbol:
    """A symbol and timeframe, bar by bar as they came."""

    def __init__(self, key: Key, days: Sequence[tuple[datetime, date]]) -> None:
        self._key = key
        self._days = days
        self._appended = [at for at, _ in days]
        self._known: dict[datetime, dict[str, MarketBar]] = {}
        self._folded: datetime | None = None
        self._last_day: date | None = None
        self._expected = Expected()
        self._folds = {
            name: _Fold(f"{name} {key[1]}", rule, key[0], key[1]) for name, rule in RULES.items()
        }

    def follow(self, bars: Sequence[tuple[datetime, MarketBar]]) -> Expected:
        for at, bar in bars:
            self._look_for_an_end(at, bar)
            for opened_at in self._take(bar):
                self._fold(opened_at)
        # Whether somebody has seen it cease to trade, when all was read.
        if self._last_day is not None:
            self._may_have_ended(self._appended[-1], max(self._known))
        return self._expected

    def _look_for_an_end(self, at: datetime, bar: MarketBar) -> None:
        if self._last_day is not None:
            self._may_have_ended(at, max(self._known))
        day = bar.opened_at.date()
        self._last_day = day if self._last_day is None else max(day, self._last_day)

    def _may_have_ended(self, at: datetime, newest: datetime) -> None:
        if self._expected.until is not None:
            return
        read = self._days[: bisect_right(self._appended, at)]
        later = {day for _, day in read if self._last_day is not None and day > self._last_day}
        if len(later) >= DELISTED_AFTER:
            # What the last bar showed at its open is certain still; what it ended at its close
            # may have the same time as the end of all.
            self._expected.until = newest

    def _take(self, bar: MarketBar) -> Iterator[datetime]:
        """Note a bar; which bars count now."""
        at, source = bar.opened_at, bar.source
        newest = max(self._known, default=None)
        there = self._known.setdefault(at, {})
        before = min(there, default=None)
        if source in there and bar.revision <= there[source].revision:
            return
        there[source] = bar
        if newest is None or at > newest:
            if newest is not None and self._folded != newest:
                yield newest
            if newest is None or source <= min(self._known[newest]):
                yield at
        elif at == newest and self._folded != at and (before is None or source <= before):
            earlier = [each for each in self._known if each < at]
            if not earlier or source <= min(self._known[max(earlier)]):
                yield at

    def _fold(self, at: datetime) -> None:
        self._folded = at
        window = [some[min(some)] for when, some in sorted(self._known.items()) if when <= at]
        for fold in self._folds.values():
            fold.bar(window, self._expected.said)


class _Fold:
    """A strategy on a symbol."""

    def __init__(self, name: str, rule: Rule, symbol: str, timeframe: str) -> None:
        self._name, self._rule, self._symbol, self._timeframe = name, rule, symbol, timeframe
        self._state = NOTHING
        self._held: str | None = None
        self._coming: str | None = None
        self._entered: datetime | None = None

    def bar(self, window: Sequence[MarketBar], said: dict[str, tuple[Any, ...]]) -> None:
        bar = window[-1]
        self._state, events = advance(self._state, _exact(bar))
        for event in events:
            if isinstance(event, Entered):
                self._held, self._coming, self._entered = self._coming, None, bar.opened_at
                continue
            signal = self._held if event.held is not None else self._coming
            if isinstance(event, Exited):
                price, entry, reason = event.price, event.held.entry_price, event.left
                at_open = event.how in ("gap", "open")
            else:
                price = entry = bar.open if event.held is None else event.held.entry_price
                reason, at_open = "void", True
            closed_at = bar.opened_at if at_open else bar.closed_at
            exit_id = derived_id("strategy exit", signal, _shown(bar.opened_at))
            said[derived_id("signal_closed", signal, exit_id, 0)] = (
                "closed", self._symbol, closed_at, self._name, price, entry, str(reason),
            )  # fmt: skip
            if event.held is None:
                self._coming = None
            else:
                self._held = None
        self._decide(window, said)

    def _decide(self, window: Sequence[MarketBar], said: dict[str, tuple[Any, ...]]) -> None:
        bar = window[-1]
        signals = evaluate(self._rule, Series(_columns(window)))
        side: Side | None = None
        entry_row = 0
        if self._state.held is not None:
            side = "LONG" if self._state.held.direction > 0 else "SHORT"
            entry_row = sum(
                self._entered is not None and each.opened_at < self._entered for each in window
            )
        decision = signals.decision(len(window) - 1, side, entry_row)
        if decision is None:
            return
        self._state = decide(self._state, decision, self._rule.sides)
        order = self._state.order
        if order is None or not order.opens:
            return
        strategy = runner.strategy_id(self._name)
        self._coming = derived_id(
            "strategy", strategy, 1, self._symbol, self._timeframe, _shown(bar.opened_at)
        )
        said[derived_id("signal_emitted", self._coming, 0)] = (
            "emitted", self._symbol, bar.closed_at, self._name,
            "BUY" if order.opens > 0 else "SELL", bar.close, order.stop, order.target,
            order.horizon,
        )  # fmt: skip


def _shown(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _exact(bar: MarketBar) -> Bar:
    return Bar(bar.open, bar.high, bar.low, bar.close, bar.split_ratio or Decimal(1))


def _columns(window: Sequence[MarketBar]) -> Columns:
    times = np.array([each.opened_at.replace(tzinfo=None) for each in window], "datetime64[us]")
    values = (
        np.array([float(getattr(each, name)) for each in window])
        for name in ("open", "high", "low", "close", "volume")
    )
    return Columns.of(times, *values)
