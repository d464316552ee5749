"""The tracker's tables under whatever may be said of a few signals, in whatever order it comes.

hypothesis invents what is said and how it is cut into batches; the tables must
always be what the pure fold and the oracle make of what was delivered so far.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction as F
from functools import partial
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, note
from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from prometheus_client import CollectorRegistry

from services.signal_tracker.handler import SignalTracker
from services.signal_tracker.tables import TABLES
from tests.support import compare, oracle
from tests.support.histories import START
from trackrecord.events import SignalClosed, SignalEmitted
from trackrecord.performance.sums.sums import Sums
from trackrecord.reports.first_said import adjustments
from trackrecord.runtime import database
from trackrecord.runtime.decoding.batch import Reader
from trackrecord.runtime.late_marks import MARKED
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.stage import Context
from trackrecord.testing import as_message
from trackrecord.tracking import Entry, Exit, fold

pytestmark = pytest.mark.kafka

Said = SignalEmitted | SignalClosed

EXAMPLES = int(os.environ.get("TRACKRECORD_STATE_EXAMPLES", "40"))
"""How many histories each test invents."""

OUTCOMES = {"win": 1, "loss": -1, "breakeven": 0, None: None}


def decimals(least: str, most: str, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(least), Decimal(most), places=places, allow_nan=False)


prices = st.one_of(
    st.sampled_from([Decimal(100), Decimal("150.25")]),
    decimals("0.01", "999", 2),
    decimals("0.000000000000000001", "9", 18),
    st.sampled_from([Decimal(0), Decimal("-37.63")]),
    decimals("-999", "0", 2),
)
quantities = st.one_of(st.integers(1, 9).map(Decimal), decimals("0.001", "9", 3))
fees = st.one_of(
    st.just({"fee": None, "fee_rate": None}),
    decimals("-2", "2", 6).map(lambda fee: {"fee": fee, "fee_rate": None}),
    decimals("-0.01", "0.01", 5).map(lambda rate: {"fee": None, "fee_rate": rate}),
)
# Near to one another, at the edge of the tolerance, and days apart.
moments = st.builds(
    lambda nines, near: START + timedelta(hours=9 * nines) + near,
    st.integers(0, 5),
    st.sampled_from(
        [
            timedelta(0),
            timedelta(seconds=20),
            timedelta(seconds=300),
            timedelta(seconds=300, microseconds=1),
        ]
    ),
)
# To the millisecond, as brokers have it; around the tolerance, and a day apart.
arrivals = st.sampled_from([0, 150, 300, 300.001, 450, 86_400]).map(
    lambda seconds: timedelta(seconds=seconds)
)
signal_ids = st.sampled_from(["a", "b", "c"])
revisions = st.sampled_from([0, 1, 1, 2, 2**31 - 1])

entry_contents = st.fixed_dictionaries(
    {
        "strategy": st.sampled_from(["sma", "rsi"]),
        "symbol": st.sampled_from(["AAPL", "MSFT"]),
        "currency": st.sampled_from(["USD", "INR"]),
        "side": st.sampled_from(["BUY", "SELL"]),
        "price": prices,
        "quantity": quantities,
        "emitted_at": moments,
        "leverage": st.sampled_from([None, Decimal(3)]),
        "entry": st.sampled_from(["filled", "next_open"]),
        "account": st.sampled_from([None, "live", "backtest"]),
    }
)
exit_contents = st.fixed_dictionaries(
    {
        "symbol": st.sampled_from(["AAPL", "MSFT"]),
        "price": prices,
        "quantity": st.one_of(st.none(), quantities, decimals("0.001", "1", 3)),
        "closed_at": moments,
        "interest": st.one_of(st.none(), decimals("0", "1", 4)),
        "funding": st.one_of(st.none(), decimals("-1", "1", 4)),
        "entry_price": st.one_of(st.none(), prices),
        "reason": st.sampled_from(["target", "stop"]),
    }
)


@st.composite
def entries(draw: st.DrawFn, signal_id: str | None = None) -> SignalEmitted:
    return SignalEmitted(
        signal_id=signal_id or draw(signal_ids),
        revision=draw(revisions),
        **draw(entry_contents),
        **draw(fees),
    )


@st.composite
def exits(draw: st.DrawFn, quantity: Any = None) -> SignalClosed:
    content = draw(exit_contents)
    if quantity is not None:
        content["quantity"] = draw(quantity)
    return SignalClosed(
        signal_id=draw(signal_ids),
        exit_id=draw(st.sampled_from(["x", "y", "z"])),
        revision=draw(revisions),
        **content,
        **draw(fees),
    )


class Store:
    """The tracker over its tables, in a session that lasts."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._handler = SignalTracker(Context(settings, CollectorRegistry()))
        self._reader = Reader((SignalEmitted, SignalClosed), prepare=self._handler.prepare)
        self._connection = database.connect(
            settings, application="test", batches=self._handler.temporary
        )
        self._offset = 0
        with self._connection, self._connection.cursor() as cursor:
            # Nothing here asks what survives a crash of the server.
            cursor.execute("SET synchronous_commit = off")

    def close(self) -> None:
        self._connection.close()

    def clear(self) -> None:
        with self._connection, self._connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"DELETE FROM {table.name}")

    def apply(self, events: Sequence[Said], appended: Sequence[datetime]) -> list[int]:
        """One batch, over three partitions, by one of two; the indices of what was refused."""
        messages = []
        for event, at in zip(events, appended, strict=True):
            self._offset += 1
            messages.append(as_message(event, self._offset, self._offset % 3, appended_at=at))
        batch = self._reader.read(messages)
        assert not batch.refused
        with self._connection, self._connection.cursor() as cursor:
            self._handler.load(batch, cursor)
            effects = self._handler.apply(replace(batch, lane=self._offset % 2), cursor)
        return sorted(each.position for each in effects.refused)

    def fetch(self, query: str) -> list[tuple[Any, ...]]:
        """What a query gives."""
        with self._connection, self._connection.cursor() as cursor:
            return database.rows(cursor, query)

    def content(self) -> dict[str, list[tuple[Any, ...]]]:
        """All that follows from the topics, row by row."""
        return {table.name: sorted(self.fetch(table.content), key=repr) for table in TABLES}


@pytest.fixture
def store(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    result = Store(settings)
    # Hundreds of comparisons: in the session that is open, not in one of their own.
    monkeypatch.setattr(compare, "fetch", lambda _settings, query, *_: result.fetch(query))
    try:
        yield result
    finally:
        result.close()


def check_fold(store: Store, events: Sequence[Said]) -> None:
    """Positions and exits as the pure rules have them."""
    known, closed, _ = oracle.winners(events)
    positions = {
        signal_id: fold(
            Entry.of(entry),
            [Exit.of(each) for (owner, _), each in closed.items() if owner == signal_id],
        )
        for signal_id, entry in known.items()
    }
    found = {
        row[0]: row[1:]
        for row in store.fetch(
            'SELECT signal_id, closed_quantity, realised_pnl, closed_at, outcome, "return"'
            " FROM positions"
        )
    }
    assert found == {
        signal_id: (
            each.closed_quantity,
            each.realised_pnl,
            each.closed_at,
            OUTCOMES[each.outcome],
            each.return_,
        )
        for signal_id, each in positions.items()
    }
    found_exits = {
        row[:2]: row[2:]
        for row in store.fetch(
            "SELECT signal_id, exit_id, closed_quantity, realised_pnl, fees, carry, before_entry"
            " FROM exits"
        )
        if row[0] in positions
    }
    assert found_exits == {
        (signal_id, each.exit_id): (
            each.quantity,
            each.pnl,
            each.fees,
            each.carry,
            each.before_entry,
        )
        for signal_id, position in positions.items()
        for each in position.exits
    }


def check_verified(store: Store, first_said: dict[Any, oracle.FirstSaid]) -> None:
    """What was said in time comes to what the oracle makes of that alone."""
    with database.session(store.settings, application="test", snapshot=True) as cursor:
        changes = adjustments(cursor, store.settings, "strategy", None)
    names = [name for name in vars(Sums()) if name not in {"backdated", *MARKED}]
    sums = ", ".join(f"sum({name})" for name in names)
    kept = store.fetch(
        f"SELECT strategy, currency, day, {sums} FROM strategy_days GROUP BY 1, 2, 3"
    )
    found = {row[:3]: dict(zip(names, map(F, row[3:]), strict=True)) for row in kept}
    for row in changes:
        key = (row["owner"], row["currency"], date.fromisoformat(row["day"]))
        day = found.setdefault(key, dict.fromkeys(names, F(0)))
        for name in names:
            day[name] += F(row[name])
    wanted = oracle.expect(oracle.said_in_time(first_said)).strategy_days
    assert {key: nonzero(day) for key, day in found.items() if nonzero(day)} == {
        key: nonzero(day) for key, day in wanted.items()
    }


def nonzero(sums: Any) -> dict[str, F]:
    return {name: value for name, value in sums.items() if value}


class Times:
    """When the broker got each revision: whatever order it is read in, and its copies with it."""

    def __init__(self) -> None:
        self._known: dict[Any, datetime] = {}

    def of(self, event: Said, data: st.DataObject | None) -> datetime:
        key = (type(event), *event_key(event), event.revision)
        if key not in self._known:
            near = timedelta(0) if data is None else data.draw(arrivals)
            self._known[key] = START + timedelta(days=1) + near
        return self._known[key]


class Tracker(RuleBasedStateMachine):
    """What was said waits until a rule delivers some of it."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        store.clear()
        self.store = store
        self.waiting: list[Said] = []
        self.delivered: list[Said] = []
        self.appended: list[datetime] = []
        self.times = Times()
        self.refused: list[int] = []
        self.is_checked = True

    # -- what may be said ---------------------------------------------------------------

    @rule(entry=entries())
    def emit(self, entry: SignalEmitted) -> None:
        """A new entry, a correction or a stale one, as the revision falls."""
        self.waiting.append(entry)

    @rule(exit_=exits())
    def close(self, exit_: SignalClosed) -> None:
        """An exit, perhaps before its entry, perhaps of all that is open."""
        self.waiting.append(exit_)

    @rule(exit_=exits(quantity=decimals("0.001", "0.5", 3)))
    def close_a_part(self, exit_: SignalClosed) -> None:
        self.waiting.append(exit_)

    @precondition(lambda self: self.said)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """The same thing again."""
        self.waiting.append(data.draw(st.sampled_from(self.said)))

    @precondition(lambda self: self.said)
    @rule(data=st.data(), price=prices, up=st.integers(1, 3))
    def correct(self, data: st.DataObject, price: Decimal, up: int) -> None:
        """A higher revision of something, with another price and another day."""
        event = data.draw(st.sampled_from(self.said))
        when = "emitted_at" if isinstance(event, SignalEmitted) else "closed_at"
        moved = {when: data.draw(moments), "price": price}
        revision = min(event.revision + up, 2**31 - 1)
        self.waiting.append(event.model_copy(update={**moved, "revision": revision}))

    @precondition(lambda self: self.said)
    @rule(data=st.data(), price=prices)
    def contradict(self, data: st.DataObject, price: Decimal) -> None:
        """The same revision with other content: refused, unless a higher one was first."""
        event = data.draw(st.sampled_from(self.said))
        self.waiting.append(event.model_copy(update={"price": price}))

    @property
    def said(self) -> list[Said]:
        return [*self.delivered, *self.waiting]

    # -- how it comes -------------------------------------------------------------------

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        """Some of what waits, in any order, in one batch."""
        order = data.draw(st.permutations(self.waiting))
        size = data.draw(st.integers(1, len(order)))
        self._deliver(order[:size], data)
        self.waiting = order[size:]

    def _deliver(self, batch: Sequence[Said], data: st.DataObject | None = None) -> None:
        first = len(self.delivered)
        appended = [self.times.of(event, data) for event in batch]
        self.refused += [first + position for position in self.store.apply(batch, appended)]
        self.delivered += batch
        self.appended += appended
        self.is_checked = False

    # -- what must hold -----------------------------------------------------------------

    @invariant()
    def tables_are_what_was_delivered(self) -> None:
        if self.is_checked:
            return
        expected = oracle.expect(self.delivered, self.appended)
        assert self.refused == expected.conflicts
        compare.check(self.store.settings, expected)
        check_fold(self.store, self.delivered)
        self.is_checked = True

    def teardown(self) -> None:
        for event in self.waiting:
            self._deliver([event])
        self.tables_are_what_was_delivered()
        first_said = oracle.expect(self.delivered, self.appended).first_said
        assert first_said is not None
        check_verified(self.store, first_said)


def test_the_tables_are_always_what_was_delivered(store: Store) -> None:
    run_state_machine_as_test(
        cast("type[RuleBasedStateMachine]", partial(Tracker, store)),
        settings=profile(
            max_examples=EXAMPLES,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@st.composite
def histories_without_conflicts(draw: st.DrawFn) -> list[Said]:
    """Entries and exits, each id and revision with one content, some of them twice."""
    made = draw(st.lists(st.one_of(entries(), exits(), exits()), min_size=2, max_size=12))
    once: dict[Any, Said] = {}
    for event in made:
        once.setdefault((type(event), *event_key(event), event.revision), event)
    events = list(once.values())
    return events + draw(st.lists(st.sampled_from(events), max_size=4))


def event_key(event: Said) -> tuple[str, ...]:
    return tuple(getattr(event, name) for name in event.identity)


def cut(draw: st.DataObject, events: Sequence[Said]) -> list[Sequence[Said]]:
    """The same events, in another order, in batches."""
    order = draw.draw(st.permutations(events))
    at = sorted(draw.draw(st.sets(st.integers(1, len(order)), max_size=5)) | {len(order)})
    return [order[low:high] for low, high in zip([0, *at], at, strict=False) if high > low]


def test_any_order_in_any_batches_comes_to_the_same_rows(store: Store) -> None:
    @profile(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(events=histories_without_conflicts(), data=st.data())
    def check(events: list[Said], data: st.DataObject) -> None:
        seen = []
        times = Times()
        for _ in range(2):
            store.clear()
            batches = cut(data, events)
            note(f"batches of {[len(batch) for batch in batches]}")
            for batch in batches:
                assert not store.apply(batch, [times.of(event, data) for event in batch])
            seen.append(store.content())
        assert seen[0] == seen[1]

    check()
