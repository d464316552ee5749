"""The judging of one batch: what bars say of signals is written, and becomes events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from services.outcome_scorer import store
from services.outcome_scorer.handler.apart import judge_apart
from services.outcome_scorer.handler.outgoing import closed_event, scored_event
from services.outcome_scorer.handler.symbols import Key, fill, waiting
from services.outcome_scorer.rows import outcome_rows, void_rows
from services.outcome_scorer.store import Asked, Ceased
from trackrecord.events import MarketBar
from trackrecord.outcomes.model import DELISTED_AFTER, Policy
from trackrecord.outcomes.waiting import Judgement
from trackrecord.outcomes.watch import Watch
from trackrecord.runtime import clock
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
        watch: Watch,
        policy: Policy,
        batch: Batch,
        positions: Mapping[str, int],
    ) -> None:
        """Nothing is judged yet.

        Args:
            cursor: In the transaction.
            watch: Bars and waiting signals.
            policy: What counts where target and stop lie inside one bar.
            batch: What came.
            positions: The message of the batch that what happens to a symbol is owed to.
        """
        self._cursor = cursor
        self._watch = watch
        self._policy = policy
        self._batch = batch
        self._positions = positions
        self._rounds = 0
        self._exits: list[tuple[Any, ...]] = []
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
        ceased = self._ceased(names)
        self._judge(keys, ceased)
        seen = {each[:2] for each in ceased}
        while len(ceased) >= _CEASED_AT_ONCE:
            ceased = [each for each in self._ceased(names) if each[:2] not in seen]
            seen |= {each[:2] for each in ceased}
            self._judge([], ceased)

    def _judge(self, keys: Sequence[Key], ceased: Sequence[Ceased]) -> None:
        watch = self._watch
        self._tell_sooner([each for each in ceased if each.before])
        told_at = {watch.slots[each[:2]]: each.told_at for each in ceased}
        slots = {watch.slots[key] for key in keys} | told_at.keys()
        if not slots:
            return
        judged, deep = watch.judge(slots, self._policy, told_at)
        names = list(watch.slots)
        self._write_judged(judged, names)
        if len(deep.slot):
            apart = judge_apart(self._cursor, names, deep, self._policy, told_at)
            self._write_judged(apart, names)
            # What is in memory of them has not moved on.
            watch.version[np.unique(deep.slot)] = -1

    def _where_some_have_ceased(self, timeframes: Iterable[str]) -> list[str]:
        """Timeframes with symbols that have ceased to trade, if that can be told by now.

        Where sessions have piled up, some partitions are read before others: a symbol has had no
        bar for so long only if none lies unread. An exit that was published cannot be taken back.
        """
        reach = self._batch.reach
        if reach.ends_here() or (self._batch.of(MarketBar).height and reach.ends_here(MarketBar)):
            store.take_turns(self._cursor)
        names = [
            name
            for name in sorted(set(timeframes))
            if store.have_ceased(self._cursor, name, DELISTED_AFTER)
        ]
        return names if names and reach.has_all(MarketBar) else []

    def _ceased(self, timeframes: Sequence[str]) -> list[Ceased]:
        """Some symbols without a bar for ten sessions, in memory as they stand in the tables."""
        watch = self._watch
        found: list[Ceased] = []
        for name in timeframes:
            most = _CEASED_AT_ONCE - len(found)
            found += store.ceased(self._cursor, name, DELISTED_AFTER, most)
        slots = [watch.slot(each[:2]) for each in found]
        stale = [
            each[:2]
            for slot, each in zip(slots, found, strict=True)
            if watch.version[slot] != each.version - 1
        ]
        if stale:
            fill(self._cursor, watch, stale, self._policy)
        for slot, each in zip(slots, found, strict=True):
            watch.version[slot] = each.version
        return found

    def _tell_sooner(self, ceased: Sequence[Ceased]) -> None:
        """End signals sooner that were ended already, as a session has come late."""
        told_at = {each[:2]: each.told_at for each in ceased}
        # The whole horizon of all others had elapsed by the last bar.
        self._judge_ended({key: told + 1 for key, told in told_at.items()}, told_at, all_=False)

    def _judge_ended(
        self, since: Mapping[Key, int], told_at: Mapping[Key, int], *, all_: bool
    ) -> None:
        """Judge anew what had ended at a moment of its symbol or later.

        Args:
            since: The moment, by symbol.
            told_at: Symbols that have ceased to trade, and when that could be told.
            all_: Whether what is said as before is written too.
        """
        if not since:
            return
        keys = list(since)
        asked = [Asked(place, *key, since=since[key]) for place, key in enumerate(keys)]
        ended = waiting(store.read_signals(self._cursor, asked, self._policy, ended=True))
        if len(ended.slot):
            told = {place: told_at[key] for place, key in enumerate(keys) if key in told_at}
            judged = judge_apart(self._cursor, keys, ended, self._policy, told)
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
        self._exits += store.write_outcomes(self._cursor, numbered, self._policy, clock.now())

    def events(self) -> Iterator[Outgoing]:
        """What was found, once assessments are written: a score tells the features too."""
        if not self._rounds:
            return
        now = clock.now()
        scored = store.scored(self._cursor, self._policy)
        names = store.feature_names(self._cursor) if scored else {}
        messages = self._batch.messages
        about = {}
        for row in scored:
            position, signal_id, strategy, symbol, _, outcome = row[:6]
            about[signal_id] = (strategy, symbol, position)
            self.outcomes[outcome] += 1
            yield scored_event(row, self._policy, names, now, messages)
        for row in self._exits:
            yield closed_event(row, *about[row[0]], messages)
