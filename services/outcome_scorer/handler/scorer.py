"""A batch of bars, signals and exits in; assessments and outcomes out.

An outcome is a function of the set of a symbol's bars and of the signal. Bars that come behind
those in memory are added there; after a late or corrected bar, or when another consumer has
changed a symbol in the meantime, the symbol is read again from the tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import polars as pl

from services.outcome_scorer import store
from services.outcome_scorer.handler.assessments import Assessed, Assessor
from services.outcome_scorer.handler.outcomes import Judging
from services.outcome_scorer.handler.outgoing import assessed_events
from services.outcome_scorer.handler.symbols import Key, bar_columns, fill, waiting
from services.outcome_scorer.metrics import METRICS
from services.outcome_scorer.rows import (
    SIGNAL_COLUMNS,
    as_bars,
    as_closes,
    as_signals,
    as_waiting,
    assessment_rows,
    repeats,
    session_rows,
)
from services.outcome_scorer.store import Change, Claimed
from trackrecord.events import MarketBar, SignalClosed, SignalEmitted
from trackrecord.outcomes.watch import Watch
from trackrecord.runtime import clock
from trackrecord.runtime.database import CopyRows, Cursor
from trackrecord.runtime.decoding.batch import Batch
from trackrecord.runtime.decoding.decoder import Refusal
from trackrecord.runtime.metrics import Metrics
from trackrecord.runtime.stage import Context, Effects, Handler
from trackrecord.times import NEVER

_AVERAGE_OF = 20
_MOST_SYMBOLS = 50_000
"""Symbols in memory, beyond which all are read anew as they come."""

_CONFLICT = (
    "the same bar and revision came before with other content; a correction needs a higher revision"
)


class Prepared(NamedTuple):
    """A batch, ready for the database."""

    bars: pl.DataFrame
    """Each once."""
    repeats: bool
    """Whether some came more than once."""
    signals: pl.DataFrame
    copies: tuple[CopyRows, CopyRows, CopyRows]


class Told(NamedTuple):
    """What the tables say of a batch's bars."""

    late: dict[Key, int]
    """Symbols with changed bars that are not behind all others, and when the first opened."""
    new: pl.DataFrame
    """Bars that were not there."""
    conflicts: list[int]
    corrected: int


class OutcomeScorer(Handler):
    """Keeps bars and waiting signals in memory, as they stand in its tables."""

    temporary = store.TEMPORARY

    def __init__(self, context: Context) -> None:
        """Register the metrics."""
        self._settings = context.settings
        self._policy = context.settings.outcome_policy
        self._metrics = Metrics(context.registry, "outcome_scorer", METRICS)
        self._watch = Watch()
        sent = context.settings.publisher_features.split(",")
        self._assessor = Assessor(
            context.settings.model, tuple(name.strip() for name in sent if name.strip())
        )

    def prepare(self, batch: Batch) -> Prepared:
        """Bring bars, signals and exits into the forms in which they are loaded and judged."""
        bars, others = repeats(as_bars(batch.of(MarketBar)))
        told = pl.concat(
            [
                each.with_columns(stays=pl.lit(stay))
                for each, stay in ((bars, True), (others, False))
            ]
        )
        signals = as_signals(batch.of(SignalEmitted), self._settings.default_horizon_bars)
        copies = (
            CopyRows.of(told.drop("opened_us", "closed_us")),
            CopyRows.of(signals.select(SIGNAL_COLUMNS)),
            CopyRows.of(as_closes(batch.of(SignalClosed))),
        )
        return Prepared(bars, bool(others.height), signals, copies)

    def load(self, batch: Batch, cursor: Cursor) -> None:
        """COPY the batch into temporary tables."""
        store.load(cursor, *batch.prepared.copies)

    def forget(self) -> None:
        """Drop what is in memory."""
        self._watch = Watch()

    def apply(self, batch: Batch, cursor: Cursor) -> Effects:
        """Write bars, assess new signals, and judge all that wait for what came."""
        prepared: Prepared = batch.prepared
        if prepared.copies[2].count:
            store.write_closes(cursor)
        if not (prepared.bars.height or prepared.signals.height):
            return Effects()
        if len(self._watch.slots) > _MOST_SYMBOLS:
            self.forget()
        claimed = store.claim(cursor)
        told = self._write_bars(cursor, prepared, claimed)
        if prepared.signals["revision"].max():
            claimed = _as_left(claimed, store.leave(cursor))
        changes = store.write_signals(cursor, self._settings.default_horizon_bars)
        judging = Judging(cursor, self._watch, self._policy, batch, _positions(prepared))
        judging.revisit(told.late)
        self._bring(cursor, prepared, claimed, told, changes)
        self._note(cursor, claimed, told)
        started = clock.monotonic()
        judging.void(_unsound(prepared, changes))
        timeframes = {each.timeframe for each in claimed}
        judging.judge([(each.symbol, each.timeframe) for each in claimed], timeframes)
        self._metrics.observe("trackrecord_judging_seconds", clock.monotonic() - started)
        # After the outcomes: a strategy's record holds what had closed by the emission.
        assessed = self._assess(cursor, prepared, changes)
        outgoing = [
            *assessed_events(assessed, batch.messages, clock.now()),
            *judging.events(),
        ]
        return Effects(
            refused=[Refusal(each, "conflict", _CONFLICT) for each in sorted(told.conflicts)],
            outgoing=outgoing,
            after_commit=partial(self._count, prepared, told, assessed, judging.outcomes),
        )

    # -- from the batch into memory -----------------------------------------------------------

    def _write_bars(self, cursor: Cursor, prepared: Prepared, claimed: Sequence[Claimed]) -> Told:
        """Write bars, and tell which of them are late, corrections or repeats."""
        bars = prepared.bars
        if not bars.height:
            return Told({}, bars, [], 0)
        last = {
            each[:2]: NEVER if each.last_opened_at is None else each.last_opened_at
            for each in claimed
        }
        names = bars.select("symbol", "timeframe").iter_rows()
        behind = pl.Series([last[key] for key in names], dtype=pl.Int64)
        late = bars.filter(pl.col("opened_us") <= behind)
        # Who was taken for delisted trades again.
        traded = set(bars.select("symbol", "timeframe").iter_rows())
        back = {key: last[key] for each in claimed if each.ceased and (key := each[:2]) in traded}
        known = store.known_bars(cursor) if late.height or prepared.repeats else []
        store.write_bars(cursor)
        there = [each for each in known if each.stays and each.is_there]
        same = [each.position for each in there if not each.corrects]
        # Of two sources of one bar, the second to come may be the one that counts.
        shared = bars.filter(pl.struct("symbol", "timeframe", "opened_us").is_duplicated())
        changed = pl.concat([late, shared]).filter(~pl.col("position").is_in(same))
        firsts = changed.group_by("symbol", "timeframe").agg(pl.col("opened_us").min())
        since = dict(back)
        for symbol, timeframe, first in firsts.iter_rows():
            since[symbol, timeframe] = min(first, since.get((symbol, timeframe), first))
        return Told(
            since,
            bars.filter(~pl.col("position").is_in([each.position for each in there])),
            [each.position for each in known if each.contradicts],
            sum(each.corrects for each in there),
        )

    def _bring(
        self,
        cursor: Cursor,
        prepared: Prepared,
        claimed: Sequence[Claimed],
        told: Told,
        changes: Sequence[Change],
    ) -> None:
        """Have all symbols of the batch in memory as they stand in the tables by now."""
        watch = self._watch
        corrected = {each.signal_id for each in changes if not each.is_new}
        named = prepared.signals.select("signal_id", "symbol", "timeframe").iter_rows()
        again = {
            (symbol, timeframe) for signal_id, symbol, timeframe in named if signal_id in corrected
        }
        fresh: set[Key] = set()
        stale: list[Key] = []
        for each in claimed:
            key = (each.symbol, each.timeframe)
            slot = watch.slot(key)  # which may make room, in new arrays
            known = watch.version[slot] == each.version
            if known and key not in told.late and key not in again:
                fresh.add(key)
            else:
                stale.append(key)
        if fresh:
            bars = self._placed(told.new, fresh).sort("slot", "opened_us")
            arrays = bar_columns(bars.with_columns(opened_at="opened_us", closed_at="closed_us"))
            watch.append(bars["slot"].to_numpy(), arrays)
            sound = [each.signal_id for each in changes if each.is_new and not each.unsound]
            new = prepared.signals.filter(pl.col("signal_id").is_in(sound))
            watch.put_signals(waiting(as_waiting(self._placed(new, fresh))))
        if stale:
            fill(cursor, watch, stale, self._policy)

    def _placed(self, frame: pl.DataFrame, keys: set[Key] | None = None) -> pl.DataFrame:
        """A frame with the place in memory of each row's symbol, of some symbols or of all."""
        slots = self._watch.slots
        named = frame.select("symbol", "timeframe").iter_rows()
        places = [slots[key] if keys is None or key in keys else None for key in named]
        column = pl.Series("slot", places, dtype=pl.Int64)
        return frame.with_columns(column).filter(pl.col("slot").is_not_null())

    def _note(self, cursor: Cursor, claimed: Sequence[Claimed], told: Told) -> None:
        """Note what the bars say of the market, and up to where each symbol has come."""
        watch = self._watch
        if told.new.height:
            bars = self._placed(told.new)
            moved, above = watch.moves(
                bars["slot"].to_numpy(), bars["opened_us"].to_numpy(), _AVERAGE_OF
            )
            store.write_sessions(cursor, session_rows(bars, moved, above))
        keys = [(each.symbol, each.timeframe) for each in claimed]
        slots = np.array([watch.slots[key] for key in keys], np.int64)
        frame = pl.DataFrame(
            {
                "symbol": [symbol for symbol, _ in keys],
                "timeframe": [timeframe for _, timeframe in keys],
                "last_opened_at": watch.last_opened_at(slots),
                "last_closed_at": watch.last_closed_at(slots),
            }
        )
        store.touch(cursor, frame)
        watch.version[slots] = [each.version + 1 for each in claimed]

    # -- assessing ----------------------------------------------------------------------------

    def _assess(
        self, cursor: Cursor, prepared: Prepared, changes: Sequence[Change]
    ) -> list[Assessed]:
        new = [each.signal_id for each in changes if each.is_new]
        if not new:
            return []
        signals = self._placed(prepared.signals.filter(pl.col("signal_id").is_in(new)))
        assessed = self._assessor.assess(cursor, self._watch, signals, self._policy)
        for each in assessed:
            rows = assessment_rows(
                each.signals["signal_id"],
                each.features,
                each.probability,
                each.verdicts,
                each.qualities,
            )
            store.write_assessments(
                cursor, rows, each.feature_set, each.names, each.version, clock.now()
            )
        return assessed

    def _count(
        self,
        prepared: Prepared,
        told: Told,
        assessed: Sequence[Assessed],
        outcomes: Counter[str],
    ) -> None:
        """Metrics, once the batch is committed."""
        count = self._metrics.count
        repeats = prepared.bars.height - told.new.height - told.corrected
        count("trackrecord_bars_total", told.new.height, kind="new")
        count("trackrecord_bars_total", told.corrected, kind="correction")
        count("trackrecord_bars_total", repeats, kind="repeat")
        verdicts = Counter(
            verdict
            for each in assessed
            for verdict in (each.verdicts or ["none"] * each.signals.height)
        )
        self._metrics.count_all("trackrecord_assessments_total", "verdict", verdicts)
        self._metrics.count_all("trackrecord_outcomes_total", "outcome", outcomes)
        self._metrics.set("trackrecord_waiting_signals", len(self._watch.signals.slot))
        self._metrics.set("trackrecord_models_refused", len(self._assessor.refused))


def _as_left(claimed: Sequence[Claimed], left: Sequence[Key]) -> list[Claimed]:
    """The symbols of a batch, of which some have lost signals to others."""
    return [each._replace(version=each.version + (each[:2] in left)) for each in claimed]


def _positions(prepared: Prepared) -> dict[str, int]:
    """The last message of the batch about each symbol."""
    named = pl.concat(
        [prepared.bars.select("symbol", "position"), prepared.signals.select("symbol", "position")]
    )
    found = named.group_by("symbol").agg(pl.col("position").max())
    return dict(found.iter_rows())


def _unsound(prepared: Prepared, changes: Sequence[Change]) -> dict[str, int]:
    """Signals of which nothing can be said, and their messages."""
    unsound = {each.signal_id for each in changes if each.unsound}
    if not unsound:
        return {}
    named = prepared.signals.select("signal_id", "position").iter_rows()
    return {signal_id: position for signal_id, position in named if signal_id in unsound}
