"""One batch, from its messages to what is written and published.

An outcome is a function of the set of a symbol's bars and of the signal. Bars that come behind
those in memory are added there; after a late or corrected bar, or when another consumer has
changed a symbol in the meantime, the symbol is read again from the tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import polars as pl

from services.outcome_scorer import store
from services.outcome_scorer.handler.assessments import Assessed, Assessor
from services.outcome_scorer.handler.bars import WrittenBars, write_bars
from services.outcome_scorer.handler.outcomes import Judging
from services.outcome_scorer.handler.outgoing import assessed_events
from services.outcome_scorer.handler.symbols import Symbols, left
from services.outcome_scorer.metrics import (
    ASSESSMENTS,
    BARS,
    JUDGING_SECONDS,
    METRICS,
    MODELS_REFUSED,
    OUTCOMES,
    WAITING_SIGNALS,
)
from services.outcome_scorer.rows.bars import as_bars, repeats
from services.outcome_scorer.rows.signals import LOADED, WrittenSignal, as_closes, as_signals
from trackrecord.events import MarketBar, SignalClosed, SignalEmitted
from trackrecord.runtime.database import CopyRows, Cursor
from trackrecord.runtime.decoding.batch import Batch
from trackrecord.runtime.decoding.decoder import Refusal
from trackrecord.runtime.metrics import Metrics
from trackrecord.runtime.stage import Context, Effects, Handler

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
    """Each once."""
    bar_rows: CopyRows
    signal_rows: CopyRows
    close_rows: CopyRows


class OutcomeScorer(Handler):
    """Keeps bars and waiting signals in memory, as they stand in its tables."""

    temporary = store.TEMPORARY

    def __init__(self, context: Context) -> None:
        """Register the metrics."""
        self._settings = context.settings
        self._clock = context.clock
        self._policy = context.settings.outcome_policy
        self._metrics = Metrics(context.registry, "outcome_scorer", METRICS)
        self._symbols = Symbols(self._policy)
        sent = context.settings.publisher_features.split(",")
        self._assessor = Assessor(
            context.settings.model,
            tuple(name.strip() for name in sent if name.strip()),
            context.clock,
        )

    def prepare(self, batch: Batch) -> Prepared:
        """Bring bars, signals and exits into the forms in which they are loaded and judged."""
        bars, others = repeats(as_bars(batch.of(MarketBar)))
        loaded = pl.concat(
            [
                bars.with_columns(stays=pl.lit(value=True)),
                others.with_columns(stays=pl.lit(value=False)),
            ]
        )
        signals = as_signals(batch.of(SignalEmitted), self._settings.default_horizon_bars)
        return Prepared(
            bars,
            bool(others.height),
            signals,
            CopyRows.of(loaded.drop("opened_us", "closed_us")),
            CopyRows.of(signals.select(LOADED)),
            CopyRows.of(as_closes(batch.of(SignalClosed))),
        )

    def load(self, batch: Batch, cursor: Cursor) -> None:
        """COPY the batch into temporary tables."""
        prepared: Prepared = batch.prepared
        store.bars.load(cursor, prepared.bar_rows)
        store.signals.load(cursor, prepared.signal_rows, prepared.close_rows)

    def forget(self) -> None:
        """Drop what is in memory."""
        self._symbols.forget()

    def apply(self, batch: Batch, cursor: Cursor) -> Effects:
        """Write bars, assess new signals, and judge all that wait for what came."""
        prepared: Prepared = batch.prepared
        if prepared.close_rows.count:
            store.signals.write_closes(cursor)
        if not (prepared.bars.height or prepared.signals.height):
            return Effects()
        symbols, signals = self._symbols, prepared.signals
        claimed = symbols.claim(cursor)
        bars = write_bars(cursor, prepared.bars, claimed, repeats=prepared.repeats)
        if signals["revision"].max():
            claimed = left(claimed, store.signals.leave(cursor))
        written = store.signals.write(cursor, self._settings.default_horizon_bars)
        judging = Judging(cursor, symbols, self._policy, batch, _positions(prepared), self._clock)
        judging.revisit(bars.late)
        symbols.bring(cursor, claimed, bars.late, bars.new, signals, written)
        symbols.note(cursor, claimed, bars.new)
        started = self._clock.monotonic()
        judging.void(_unsound(signals, written))
        timeframes = {symbol.timeframe for symbol in claimed}
        judging.judge([symbol.key for symbol in claimed], timeframes)
        judging.move_totals()
        self._metrics.observe(JUDGING_SECONDS, self._clock.monotonic() - started)
        # After the outcomes: a strategy's record holds what had closed by the emission.
        new = [signal.signal_id for signal in written if signal.is_new]
        assessed = self._assessor.assess(
            cursor,
            symbols,
            signals.filter(pl.col("signal_id").is_in(new)),
            self._policy,
            batch.lane,
        )
        outgoing = [
            *assessed_events(assessed, batch.messages, self._clock.now()),
            *judging.events(),
        ]
        return Effects(
            refused=[Refusal(bar, "conflict", _CONFLICT) for bar in sorted(bars.conflicts)],
            outgoing=outgoing,
            after_commit=partial(self._count, prepared, bars, assessed, judging.outcomes),
        )

    def _count(
        self,
        prepared: Prepared,
        bars: WrittenBars,
        assessed: Sequence[Assessed],
        outcomes: Counter[str],
    ) -> None:
        """Metrics, once the batch is committed."""
        count = self._metrics.count
        repeated = prepared.bars.height - bars.new.height - bars.corrected
        count(BARS, bars.new.height, kind="new")
        count(BARS, bars.corrected, kind="correction")
        count(BARS, repeated, kind="repeat")
        verdicts = Counter(
            verdict
            for group in assessed
            for verdict in (group.verdicts or ["none"] * group.signals.height)
        )
        self._metrics.count_all(ASSESSMENTS, "verdict", verdicts)
        self._metrics.count_all(OUTCOMES, "outcome", outcomes)
        self._metrics.set(WAITING_SIGNALS, self._symbols.waiting_signals)
        self._metrics.set(MODELS_REFUSED, len(self._assessor.refused))


def _positions(prepared: Prepared) -> dict[str, int]:
    """The last message of the batch about each symbol."""
    named = pl.concat(
        [prepared.bars.select("symbol", "position"), prepared.signals.select("symbol", "position")]
    )
    found = named.group_by("symbol").agg(pl.col("position").max())
    return dict(found.iter_rows())


def _unsound(signals: pl.DataFrame, written: Sequence[WrittenSignal]) -> dict[str, int]:
    """Signals of which nothing can be said, and their messages."""
    unsound = {signal.signal_id for signal in written if signal.unsound}
    if not unsound:
        return {}
    named = signals.select("signal_id", "position").iter_rows()
    return {signal_id: position for signal_id, position in named if signal_id in unsound}
