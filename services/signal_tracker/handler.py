"""A batch of entries and exits in, positions and sums out."""

from __future__ import annotations

from functools import partial

from services.signal_tracker import rows, store
from services.signal_tracker.metrics import (
    BACKDATED_SIGNALS,
    EXCESS_EXITS,
    EXITS,
    EXITS_BEFORE_ENTRY,
    METRICS,
    REPEATS,
    SIGNALS,
)
from services.signal_tracker.rows import Prepared
from trackrecord.events import SignalClosed, SignalEmitted
from trackrecord.runtime.database import Cursor
from trackrecord.runtime.decoding.batch import Batch
from trackrecord.runtime.decoding.decoder import Refusal
from trackrecord.runtime.metrics import Metrics
from trackrecord.runtime.stage import Context, Effects, Handler

_CONFLICT = (
    "the same id and revision came before with other content; a correction needs a higher revision"
)


class SignalTracker(Handler):
    """Keeps signals, exits and sums; nothing in memory between batches."""

    temporary = store.TEMPORARY

    def __init__(self, context: Context) -> None:
        """Register the metrics."""
        self._settings = context.settings
        self._metrics = Metrics(context.registry, "signal_tracker", METRICS)

    def prepare(self, batch: Batch) -> Prepared:
        """Bring entries and exits into the form in which they are loaded."""
        return rows.prepare(batch.of(SignalEmitted), batch.of(SignalClosed))

    def load(self, batch: Batch, cursor: Cursor) -> None:
        """COPY entries and exits into temporary tables."""
        prepared: Prepared = batch.prepared
        store.load(cursor, prepared.entries, prepared.exits)

    def apply(self, batch: Batch, cursor: Cursor) -> Effects:
        """Match entries with exits, and move the sums by what changed."""
        prepared: Prepared = batch.prepared
        applied = store.apply(
            cursor,
            prepared.shape,
            backdated_after=self._settings.backdated_after_seconds,
            timezone=self._settings.day_timezone,
            lane=batch.lane,
        )
        return Effects(
            refused=[
                Refusal(position, "conflict", _CONFLICT) for position in sorted(applied.conflicts)
            ],
            after_commit=partial(self._count, batch, applied),
        )

    def _count(self, batch: Batch, applied: store.Applied) -> None:
        count = self._metrics.count
        count(SIGNALS, applied.new_signals, kind="new")
        count(SIGNALS, applied.corrected_signals, kind="correction")
        count(EXITS, applied.new_exits, kind="new")
        count(EXITS, applied.corrected_exits, kind="correction")
        count(BACKDATED_SIGNALS, applied.backdated)
        count(EXCESS_EXITS, applied.excess_exits)
        count(EXITS_BEFORE_ENTRY, applied.exits_before_entry)
        for model, applied_count in (
            (SignalEmitted, applied.new_signals + applied.corrected_signals),
            (SignalClosed, applied.new_exits + applied.corrected_exits),
        ):
            frame = batch.of(model)
            conflicts = len(applied.conflicts.intersection(frame["position"].to_list()))
            repeats = frame.height - conflicts - applied_count
            count(REPEATS, repeats, event_type=model.event_type)
