"""A batch of script runs in; records, and signals for what they recommend, out."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

import polars as pl

from services.extractor import store
from services.extractor.metrics import METRICS
from services.extractor.signals import close_event, refusal_to_signal, signal_event
from trackrecord.events import Event, ScriptExecuted
from trackrecord.events.codec import encode, header, headers
from trackrecord.extraction import Extraction, extract
from trackrecord.runtime import clock
from trackrecord.runtime.batch import Batch
from trackrecord.runtime.database import Cursor
from trackrecord.runtime.decode import Refusal, headers_of
from trackrecord.runtime.metrics import Metrics
from trackrecord.runtime.stage import Context, Effects, Handler, Outgoing

_CONFLICT = "a run with this execution_id came before with other content"


@dataclass(frozen=True)
class Run:
    """One run of a script, and what was read from its output."""

    row: dict[str, Any]
    digest: str
    found: Extraction

    @property
    def said_at(self) -> datetime:
        """When the script had said it all."""
        return datetime.fromisoformat(self.row["finished_at"])


class Extractor(Handler):
    """Reads outputs; what it has read lives in its tables only."""

    def __init__(self, context: Context) -> None:
        """Register the metrics."""
        self._settings = context.settings
        self._metrics = Metrics(context.registry, "extractor", METRICS)
        self._runs: list[Run] = []

    def load(self, batch: Batch, cursor: Cursor) -> None:
        """Read every output, and COPY what was found into temporary tables."""
        started = clock.monotonic()
        frame = batch.of(ScriptExecuted)
        self._runs = [_read(row) for row in frame.iter_rows(named=True)]
        if self._runs:
            self._metrics.observe("trackrecord_extraction_seconds", clock.monotonic() - started)
        exits = self._settings.sell_means == "exit"
        store.load(cursor, _executions(self._runs), _recommendations(self._runs, exits))

    def apply(self, batch: Batch, cursor: Cursor) -> Effects:
        """Record runs that are new, and publish their signals."""
        applied = store.apply(cursor, timezone=self._settings.day_timezone)
        fresh = [run for run in self._runs if run.row["position"] in applied.fresh]
        outgoing = list(self._outgoing(batch, cursor, fresh))
        return Effects(
            refused=[Refusal(position, "conflict", _CONFLICT) for position in applied.conflicts],
            outgoing=outgoing,
            after_commit=partial(self._count, fresh),
        )

    def _outgoing(self, batch: Batch, cursor: Cursor, fresh: list[Run]) -> Iterator[Outgoing]:
        exits = self._settings.sell_means == "exit"
        for run in fresh:
            message = batch.messages[run.row["position"]]
            trace = header(headers_of(message), "traceparent")
            for number, recommendation in enumerate(run.found.recommendations):
                symbol = recommendation.symbol or run.row["symbol"]
                if exits and recommendation.action in {"SELL", "STRONG_SELL"}:
                    if symbol is None or recommendation.entry_price is None:
                        continue
                    events: list[Event] = [
                        close_event(signal_id, run.row, symbol, recommendation, run.said_at)
                        for signal_id in store.close_longs(
                            cursor, run.row["script"], symbol, run.row["execution_id"]
                        )
                    ]
                elif refusal_to_signal(recommendation, symbol, exits=exits) is None:
                    events = [signal_event(run.row, number, recommendation, run.said_at)]
                else:
                    events = []
                for event in events:
                    yield _outgoing(event, run.row["position"], trace)

    def _count(self, fresh: list[Run]) -> None:
        exits = Counter("success" if run.row["exit_code"] == 0 else "failure" for run in fresh)
        self._metrics.count_all("trackrecord_executions_total", "exit", exits)
        actions = Counter(run.found.final_action or "none" for run in fresh)
        self._metrics.count_all("trackrecord_decisions_total", "action", actions)
        reasons = Counter(
            reason
            for run in fresh
            for each in run.found.recommendations
            if (reason := refusal_to_signal(each, each.symbol or run.row["symbol"])) is not None
        )
        self._metrics.count_all(
            "trackrecord_recommendations_without_signal_total", "reason", reasons
        )


def _read(row: dict[str, Any]) -> Run:
    content = "\x1f".join(
        _same_form(name, row[name])
        for name in sorted(row)
        if name not in {"position", "partition", "appended_at"}
    )
    return Run(
        row,
        hashlib.blake2b(content.encode(), digest_size=16).hexdigest(),
        extract(row["output"], symbol=row["symbol"]),
    )


def _same_form(name: str, value: Any) -> str:
    """A value in one form, however its publisher wrote it."""
    if name.endswith("_at"):
        return datetime.fromisoformat(value).isoformat()
    if name == "parameters" and value is not None:
        return json.dumps(json.loads(value), sort_keys=True)
    return str(value)


def _executions(runs: list[Run]) -> pl.DataFrame:
    taken = ("position", "partition", "execution_id", "script", "program", "symbol", "started_at",
             "finished_at", "exit_code")  # fmt: skip
    return pl.DataFrame(
        [
            {
                **{name: run.row[name] for name in taken},
                "output_bytes": len(run.row["output"].encode()),
                "digest": run.digest,
                "final_action": run.found.final_action,
                "return_pct": _text(run.found.result.return_pct),
                "outcome": run.found.result.outcome,
                "extractor_version": run.found.extractor_version,
                "appended_at": run.row["appended_at"],
            }
            for run in runs
        ],
        infer_schema_length=None,
    )


def _recommendations(runs: list[Run], exits: bool) -> pl.DataFrame:
    rows = []
    for run in runs:
        for number, each in enumerate(run.found.recommendations):
            symbol = each.symbol or run.row["symbol"]
            reason = refusal_to_signal(each, symbol, exits=exits)
            signal = None if reason else signal_event(run.row, number, each, run.said_at)
            rows.append(
                {
                    "position": run.row["position"],
                    "execution_id": run.row["execution_id"],
                    "number": number,
                    "script": run.row["script"],
                    "action": each.action,
                    "symbol": symbol,
                    "entry_price": _text(each.entry_price),
                    "target_price": _text(each.target_price),
                    "stop_loss": _text(each.stop_loss),
                    "confidence": each.confidence,
                    "said_at": run.row["finished_at"],
                    "signal_id": None if signal is None else signal.signal_id,
                    "no_signal": reason,
                }
            )
    return pl.DataFrame(rows, infer_schema_length=None)


def _outgoing(event: Event, position: int, trace: str | None) -> Outgoing:
    return Outgoing(
        event.event_type,
        event.key.encode(),
        encode(event),
        headers(event, source="/extractor", time=clock.now(), traceparent=trace),
        position,
    )


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")
