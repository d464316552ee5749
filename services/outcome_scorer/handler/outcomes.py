"""Outcomes: what bars say of signals is written, and becomes events.

Most signals are judged in memory, on the bars that are kept there. Some are judged apart, on all
bars since they were emitted: those that entered before the first bar that is kept, and those whose
horizon had elapsed before a bar came late or was corrected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import polars as pl

from services.outcome_scorer import store
from services.outcome_scorer.handler.outgoing import closed_event, scored_event
from services.outcome_scorer.handler.symbols import Symbols, put_bars
from services.outcome_scorer.rows.outcomes import OwnExit, outcome_rows, void_rows
from services.outcome_scorer.rows.signals import waiting
from services.outcome_scorer.rows.symbols import Asked, Ceased, Key
from trackrecord.clock import Clock
from trackrecord.events import MarketBar
from trackrecord.outcomes.model import DELISTED_AFTER, Policy
from trackrecord.outcomes.waiting import Judgement, Waiting
from trackrecord.outcomes.watch import Watch
from trackrecord.runtime.database import Cursor
from trackrecord.runtime.decoding.batch import Batch
from trackrecord.runtime.stage import Outgoing

_CEASED_AT_ONCE = 1000
"""Symbols that are brought into memory together."""


class Judging:
    """Judges signals in the transaction of a batch.

    Attributes:
        outcomes: How many there were of each.
    """

    def __init__(
        self,
        cursor: Cursor,
        symbols: Symbols,
        policy: Policy,
        batch: Batch,
        positions: Mapping[str, int],
        clock: Clock,
    ) -> None:
        """Nothing is judged yet.

        Args:
            cursor: In the transaction.
            symbols: Bars and waiting signals in memory.
            policy: Which level counts when one bar reaches both target and stop.
            batch: What came.
            positions: The message of the batch that what happens to a symbol is owed to.
            clock: Says when an outcome is written.
        """
        self._clock = clock
        self._cursor = cursor
        self._symbols = symbols
        self._policy = policy
        self._batch = batch
        self._positions = positions
        self._rounds = 0
        self._exits: list[OwnExit] = []
        self.outcomes: Counter[str] = Counter()

    def void(self, signals: Mapping[str, int]) -> None:
        """Record signals of which nothing can be said, by the position of their messages."""
        if signals:
            self._write(void_rows(list(signals), dict(signals)))

    def revisit(self, late: Mapping[Key, int]) -> None:
        """Judge anew what had ended, where a bar came late or was corrected.

        Args:
            late: By symbol, when the first such bar opened.
        """
        self._judge_ended(late, {}, all_=True)

    def judge(self, keys: Sequence[Key], timeframes: Iterable[str]) -> None:
        """Judge what waits for bars of symbols, and where a symbol has ceased to trade.

        Args:
            keys: Symbols that have changed.
            timeframes: Those of the batch.
        """
        names = self._where_some_have_ceased(timeframes)
        ceased = self._symbols.ceased(self._cursor, names, _CEASED_AT_ONCE)
        self._judge(keys, ceased)
        seen = {symbol.key for symbol in ceased}
        while len(ceased) >= _CEASED_AT_ONCE:
            found = self._symbols.ceased(self._cursor, names, _CEASED_AT_ONCE)
            ceased = [symbol for symbol in found if symbol.key not in seen]
            seen |= {symbol.key for symbol in ceased}
            self._judge([], ceased)

    def _judge(self, keys: Sequence[Key], ceased: Sequence[Ceased]) -> None:
        watch = self._symbols.watch
        self._end_sooner([symbol for symbol in ceased if symbol.known_before])
        ceased_at = {watch.slots[symbol.key]: symbol.known_at for symbol in ceased}
        slots = {watch.slots[key] for key in keys} | ceased_at.keys()
        if not slots:
            return
        judged, deep = watch.judge(slots, self._policy, ceased_at)
        names = list(watch.slots)
        self._write_judged(judged, names)
        if len(deep.slot):
            apart = judge_apart(self._cursor, names, deep, self._policy, ceased_at)
            self._write_judged(apart, names)
            # What is in memory of them has not moved on.
            self._symbols.read_again(np.unique(deep.slot))

    def _where_some_have_ceased(self, timeframes: Iterable[str]) -> list[str]:
        """Timeframes with symbols that have ceased to trade, if that can be told by now.

        Where sessions have piled up, some partitions are read before others: a symbol has had no
        bar for so long only if none lies unread. An exit that was published cannot be taken back.
        """
        reach = self._batch.reach
        if reach.ends_here() or (self._batch.of(MarketBar).height and reach.ends_here(MarketBar)):
            store.symbols.take_turns(self._cursor)
        names = [
            name
            for name in sorted(set(timeframes))
            if store.symbols.have_ceased(self._cursor, name, DELISTED_AFTER)
        ]
        return names if names and reach.has_all(MarketBar) else []

    def _end_sooner(self, ceased: Sequence[Ceased]) -> None:
        """End signals sooner that were ended already, as a session has come late."""
        ceased_at = {symbol.key: symbol.known_at for symbol in ceased}
        # The whole horizon of all others had elapsed by the last bar.
        since = {key: known_at + 1 for key, known_at in ceased_at.items()}
        self._judge_ended(since, ceased_at, all_=False)

    def _judge_ended(
        self, since: Mapping[Key, int], ceased_at: Mapping[Key, int], *, all_: bool
    ) -> None:
        """Judge anew what had ended at a moment of its symbol or later.

        Args:
            since: The moment, by symbol.
            ceased_at: Symbols that have ceased to trade, and since when that is known.
            all_: Whether outcomes that are as before are written too.
        """
        if not since:
            return
        keys = list(since)
        asked = [Asked(place, *key, since=since[key]) for place, key in enumerate(keys)]
        ended = waiting(store.signals.read(self._cursor, asked, self._policy, ended=True))
        if len(ended.slot):
            places = {place: ceased_at[key] for place, key in enumerate(keys) if key in ceased_at}
            judged = judge_apart(self._cursor, keys, ended, self._policy, places)
            self._write_judged(judged, keys, all_=all_)

    def _write_judged(self, judged: Judgement, keys: Sequence[Key], *, all_: bool = False) -> None:
        slots = np.unique(judged.signals.slot)
        positions = np.zeros(len(keys), np.int64)
        positions[slots] = [self._positions.get(keys[slot][0], 0) for slot in slots.tolist()]
        symbols = positions[judged.signals.slot]
        rows = outcome_rows(judged, symbols, all_=all_)
        if rows.height:
            self._write(rows)

    def _write(self, rows: pl.DataFrame) -> None:
        self._rounds += 1
        numbered = rows.with_columns(pl.lit(self._rounds).alias("round"))
        self._exits += store.outcomes.write(self._cursor, numbered, self._policy, self._clock.now())

    def move_totals(self) -> None:
        """Add to the totals what has changed."""
        if self._rounds:
            store.totals.move_outcomes(self._cursor, self._policy, self._batch.lane)

    def events(self) -> Iterator[Outgoing]:
        """What was found, once assessments are written: a score tells the features too."""
        if not self._rounds:
            return
        now = self._clock.now()
        scored = store.outcomes.scored(self._cursor, self._policy)
        names = store.assessments.feature_names(self._cursor) if scored else {}
        messages = self._batch.messages
        about = {}
        for outcome in scored:
            about[outcome.signal_id] = outcome
            self.outcomes[outcome.outcome] += 1
            yield scored_event(outcome, self._policy, names, now, messages)
        for own in self._exits:
            yield closed_event(own, about[own.signal_id], now, messages)


def judge_apart(
    cursor: Cursor,
    keys: Sequence[Key],
    signals: Waiting,
    policy: Policy,
    ceased_at: Mapping[int, int] | None = None,
) -> Judgement:
    """Judge signals on all bars since the first of them was emitted.

    Args:
        cursor: In the transaction.
        keys: Symbols.
        signals: ``slot`` is the place of each one's symbol in ``keys``.
        policy: Which level counts when one bar reaches both target and stop.
        ceased_at: By the place of the symbol: since when it is known that it ceased to trade.
    """
    places = [int(place) for place in np.unique(signals.slot)]
    asked = [
        Asked(place, *keys[place], since=int(signals.emitted_at[signals.slot == place].min()))
        for place in places
    ]
    bars = store.bars.read(cursor, asked)
    longest = bars.group_by("number").len()["len"].max() if bars.height else 1
    watch = Watch(int(str(longest)))
    for key in keys:
        watch.slot(key)
    put_bars(watch, places, bars, None)
    watch.put_signals(signals)
    judged, _ = watch.judge(places, policy, dict(ceased_at or {}))
    return judged
