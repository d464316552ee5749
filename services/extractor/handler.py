"""A batch of script runs in; records, and signals for what they recommend, out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial

from services.extractor import rows, store
from services.extractor.metrics import (
    DECISIONS,
    EXECUTIONS,
    EXTRACTION_SECONDS,
    METRICS,
    RECOMMENDATIONS_WITHOUT_SIGNAL,
)
from services.extractor.rows import SOURCE, Prepared, Run, close_event, refusal_to_signal
from trackrecord.events import ScriptExecuted
from trackrecord.runtime.database import Cursor
from trackrecord.runtime.decoding.batch import Batch
from trackrecord.runtime.decoding.decoder import Refusal
from trackrecord.runtime.metrics import Metrics
from trackrecord.runtime.stage import Context, Effects, Handler, Outgoing

_CONFLICT = "a run with this execution_id came before with other content"


class Extractor(Handler):
    """Reads outputs; what it has read lives in its tables only."""

    temporary = store.TEMPORARY
    # Reading is all Python. With turns as short as where the database does most of the work, the
    # two threads lose the processor's caches to one another: an eighth more processor time a run.
    turn_seconds = 0.02

    def __init__(self, context: Context) -> None:
        """Register the metrics."""
        self._settings = context.settings
        self._clock = context.clock
        self._exits = context.settings.sell_means == "exit"
        self._currency = context.settings.script_currency
        self._metrics = Metrics(context.registry, "extractor", METRICS)

    def prepare(self, batch: Batch) -> Prepared:
        """Read every output."""
        started = self._clock.monotonic()
        prepared = rows.read(
            batch.of(ScriptExecuted),
            batch.messages,
            self._clock.now(),
            exits=self._exits,
            currency=self._currency,
        )
        if prepared.runs:
            self._metrics.observe(EXTRACTION_SECONDS, self._clock.monotonic() - started)
        return prepared

    def load(self, batch: Batch, cursor: Cursor) -> None:
        """COPY what was found into temporary tables."""
        prepared: Prepared = batch.prepared
        store.load(cursor, prepared.executions, prepared.recommendations, prepared.refusals)

    def apply(self, batch: Batch, cursor: Cursor) -> Effects:
        """Record runs that are new, and publish their signals."""
        prepared: Prepared = batch.prepared
        applied = store.apply(
            cursor,
            timezone=self._settings.day_timezone,
            lane=batch.lane,
            refusals=prepared.refusals.count > 0,
        )
        fresh = [run for run in prepared.runs if run.row["position"] in applied.fresh]
        return Effects(
            refused=[Refusal(position, "conflict", _CONFLICT) for position in applied.conflicts],
            outgoing=list(self._outgoing(batch, cursor, fresh)),
            after_commit=partial(self._count, fresh),
        )

    def _outgoing(self, batch: Batch, cursor: Cursor, fresh: list[Run]) -> Iterator[Outgoing]:
        for run in fresh:
            said = zip(run.recommendations, run.signals, strict=True)
            for number, (recommendation, signal) in enumerate(said):
                if signal is not None:
                    yield signal
                elif self._exits and recommendation.action in {"SELL", "STRONG_SELL"}:
                    symbol = recommendation.symbol or run.row["symbol"]
                    if symbol is None or recommendation.entry_price is None:
                        continue
                    position = run.row["position"]
                    for signal_id in store.close_longs(cursor, run.row, number, symbol):
                        event = close_event(signal_id, run.row, symbol, recommendation, run.said_at)
                        yield Outgoing.of(
                            event,
                            source=SOURCE,
                            position=position,
                            cause=batch.messages[position],
                            now=self._clock.now(),
                        )

    def _count(self, fresh: list[Run]) -> None:
        exits = Counter("success" if run.row["exit_code"] == 0 else "failure" for run in fresh)
        self._metrics.count_all(EXECUTIONS, "exit", exits)
        actions = Counter(run.final_action or "none" for run in fresh)
        self._metrics.count_all(DECISIONS, "action", actions)
        reasons = Counter(
            reason
            for run in fresh
            for each in run.recommendations
            if (reason := refusal_to_signal(each, each.symbol or run.row["symbol"])) is not None
        )
        self._metrics.count_all(RECOMMENDATIONS_WITHOUT_SIGNAL, "reason", reasons)
