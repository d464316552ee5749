"""Strategies that run, the bars that they run on, and their trades, live and in a backtest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from tests.support.strategy_worlds import bar, history_of, series_of, walk_bars
from trackrecord.events import Event, MarketBar, SignalClosed, SignalEmitted
from trackrecord.events.base import NAMESPACE
from trackrecord.outcomes import Bar
from trackrecord.runtime import database
from trackrecord.runtime.settings import Settings
from trackrecord.strategies.history import History, Series, instants
from trackrecord.strategies.rules.as_json import to_json
from trackrecord.strategies.rules.code import code
from trackrecord.strategies.rules.model import Rule
from trackrecord.strategies.trades import Trade
from trackrecord.times import moment

LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)

HOLDS = """LOOKBACK = 1

def execute_strategy(market_data, strategy_params):
    return {"action": "hold"}
"""


def strategy_id(name: str) -> UUID:
    """The id of a strategy of these tests."""
    return uuid5(NAMESPACE, name)


def add_strategy(
    settings: Settings,
    name: str,
    *,
    rule: Rule | None = None,
    source_code: str | None = None,
    symbols: Sequence[str] = ("*",),
    version: int = 1,
    owner: str = "ada",
    **columns: Any,
) -> UUID:
    """An active strategy; further columns of ``strategies`` by name."""
    found = strategy_id(name)
    written = source_code if source_code is not None else code(rule) if rule is not None else ""
    values = {
        "strategy_id": str(found), "owner": owner, "name": name, "record_name": name,
        "kind": "code" if rule is None else "rule", "status": "active", "version": version,
        "symbols": list(symbols), "created_at": LONG_AGO, "changed_at": LONG_AGO,
        "activated_at": LONG_AGO, **columns,
    }  # fmt: skip
    with database.session(settings, application="test") as cursor:
        cursor.execute(
            f"INSERT INTO strategies ({', '.join(values)})"
            f" VALUES ({', '.join(['%s'] * len(values))})",
            list(values.values()),
        )
    add_version(settings, found, version, written, rule, current=False)
    return found


def add_version(
    settings: Settings,
    strategy: UUID,
    version: int,
    source_code: str,
    rule: Rule | None = None,
    *,
    current: bool = True,
) -> None:
    """A version, which becomes the strategy's present one."""
    with database.session(settings, application="test") as cursor:
        cursor.execute(
            "INSERT INTO strategy_versions (strategy_id, version, code, code_digest, rule,"
            " is_valid, created_at) VALUES (%s, %s, %s, %s, %s, true, %s)",
            (
                str(strategy), version, source_code,
                hashlib.sha256(source_code.encode()).hexdigest(),
                None if rule is None else json.dumps(to_json(rule)), LONG_AGO,
            ),
        )  # fmt: skip
    if current:
        change(settings, strategy, version=version)


def change(settings: Settings, strategy: UUID, **columns: Any) -> None:
    """Set columns of a strategy."""
    names = ", ".join(f"{name} = %s" for name in columns)
    with database.session(settings, application="test") as cursor:
        cursor.execute(
            f"UPDATE strategies SET {names} WHERE strategy_id = %s",
            (*columns.values(), str(strategy)),
        )


def forget_decisions(settings: Settings) -> None:
    """Empty what the runner has recorded, and the strategies."""
    with database.session(settings, application="test") as cursor:
        cursor.execute(
            "TRUNCATE strategy_positions, strategy_decisions, strategy_counts, strategy_failures,"
            " strategy_bars, strategy_symbols, strategy_sessions, strategies CASCADE"
        )


# -- bars -----------------------------------------------------------------------------------------


def world(bars: int = 260, symbols: int = 4, seed: int = 1, *, away: bool = True) -> History:
    """Random walks; one symbol has a split, one may be away for a while, one ceases to trade."""
    found: list[Series] = []
    for number in range(symbols):
        walk = walk_bars(bars, seed * 100 + number, volatility=0.03)
        days = list(range(bars))
        if number == 1:
            half = bars // 2
            walk = [
                *walk[:half],
                *(_halved(each, first=not at) for at, each in enumerate(walk[half:])),
            ]
        if number == 2 and away:
            gone = slice(bars // 3, bars // 3 + 25)
            del walk[gone], days[gone]
        if number == 3:
            del walk[bars * 3 // 4 :], days[bars * 3 // 4 :]
        found.append(series_of(walk, f"S{number}", [15_000 + day for day in days]))
    return history_of(*found)


def _halved(each: Bar, *, first: bool) -> Bar:
    """A bar after a split of two for one."""
    return bar(each.open / 2, each.high / 2, each.low / 2, each.close / 2, 2 if first else 1)


def events_of(history: History, *, source: str = "feed") -> list[MarketBar]:
    """The bars of a history as events, in the order in which they were known."""
    return [
        bar_event(history.series[name], row, source=source)
        for _, some in instants(history)
        for name, row in some
    ]


def bar_event(series: Series, row: int, **other: Any) -> MarketBar:
    """A bar as an event."""
    exact = series.exact(row)
    values: dict[str, Any] = {
        "symbol": series.symbol, "timeframe": "1d", "source": "feed",
        "opened_at": moment(int(series.opened_at[row])),
        "closed_at": moment(int(series.closed_at[row])),
        "open": exact.open, "high": exact.high, "low": exact.low, "close": exact.close,
        "volume": Decimal(repr(float(series.volume[row]))),
        "split_ratio": None if exact.split_ratio == 1 else exact.split_ratio,
    }  # fmt: skip
    return MarketBar(**{**values, **other})


def day_bar(
    symbol: str, day: int, prices: Sequence[Any], *, source: str = "feed", revision: int = 0
) -> MarketBar:
    """A daily bar by the number of its day, and open, high, low, close."""
    opened = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)
    return MarketBar(
        symbol=symbol, timeframe="1d", source=source, opened_at=opened,
        closed_at=opened + timedelta(days=1), volume=Decimal(1000), revision=revision,
        **dict(
            zip(
                ("open", "high", "low", "close"),
                (Decimal(str(price)) for price in prices), strict=True,
            )
        ),
    )  # fmt: skip


# -- trades ---------------------------------------------------------------------------------------

Row = tuple[Any, ...]


def live_trades(events: Iterable[Event], name: str) -> list[Row]:
    """A strategy's trades from its events, each of which may have come more than once.

    Left out are those of a symbol's last bar before it ceased to trade: no open followed.
    """
    signals: dict[str, SignalEmitted] = {}
    exits: dict[str, SignalClosed] = {}
    for event in events:
        if isinstance(event, SignalEmitted) and event.strategy == name:
            assert signals.setdefault(event.signal_id, event) == event, "one id, two signals"
        elif isinstance(event, SignalClosed) and event.strategy == name:
            assert exits.setdefault(event.signal_id, event) == event, "a signal has two exits"
    assert exits.keys() <= signals.keys(), "an exit of no signal"
    never = {each.signal_id for each in exits.values() if each.reason == "void: delisted"}
    return sorted(
        _live(each, exits.get(name)) for name, each in signals.items() if name not in never
    )


def _live(signal: SignalEmitted, exit_: SignalClosed | None) -> Row:
    side = "LONG" if signal.side == "BUY" else "SHORT"
    begun = (signal.symbol, signal.emitted_at.isoformat(), side)
    if exit_ is None:
        return (*begun, "open")
    reason = exit_.reason.split(":")[0]
    if reason == "void":
        return (*begun, "void", exit_.closed_at.isoformat())
    levels = tuple(map(_plain, (signal.stop_loss, signal.target_price)))
    assert exit_.entry_price is not None
    return (
        *begun, reason, exit_.closed_at.isoformat(), *levels, str(signal.horizon_bars),
        _plain(exit_.entry_price), _plain(exit_.price),
    )  # fmt: skip


def backtest_trades(
    history: History, trades: Iterable[Trade], pending: Iterable[Row] = ()
) -> list[Row]:
    """The same of a backtest; ``pending`` are entries that wait for an open behind the end."""
    return sorted([*(_tested(history.series[each.symbol], each) for each in trades), *pending])


def _tested(series: Series, trade: Trade) -> Row:
    side = "LONG" if trade.direction > 0 else "SHORT"
    decided = moment(int(series.closed_at[trade.entry_row - 1])).isoformat()
    begun = (series.symbol, decided, side)
    if trade.outcome == "open":
        return (*begun, "open")
    opened, closed = (
        moment(int(times[trade.exit_row])).isoformat()
        for times in (series.opened_at, series.closed_at)
    )
    if trade.outcome == "void":
        return (*begun, "void", opened)
    assert trade.exit_price is not None
    return (
        *begun, trade.outcome, opened if trade.how in ("gap", "open") else closed,
        _plain(trade.stop), _plain(trade.target), str(trade.horizon), _plain(trade.entry_price),
        _plain(trade.exit_price),
    )  # fmt: skip


def _plain(price: Decimal | None) -> str:
    """All digits, and none that says nothing."""
    if price is None:
        return ""
    text = format(price, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def waiting(trades: Sequence[Row], expected: Sequence[Row], history: History) -> list[Row]:
    """Signals of a symbol's last bar: a backtest has no open to enter them at."""
    ends = {
        (name, moment(int(series.closed_at[-1])).isoformat())
        for name, series in history.series.items()
    }
    known = set(expected)
    return [row for row in trades if row not in known and row[:2] in ends and row[3] == "open"]


def counts(settings: Settings, strategy: UUID) -> Mapping[str, int]:
    """What a strategy was asked and answered, of all its versions and lanes."""
    names = ("decisions", "entries", "exits", "faults", "missed", "corrected")
    with database.session(settings, application="test") as cursor:
        [row] = database.rows(
            cursor,
            f"SELECT {', '.join(f'coalesce(sum({name}), 0)::int' for name in names)}"
            " FROM strategy_counts WHERE strategy_id = %s",
            (str(strategy),),
        )
    return dict(zip(names, row, strict=True))
