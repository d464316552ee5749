"""A batch of script runs in; records, and signals for what they recommend, out."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any, NamedTuple

import polars as pl

from services.extractor import store
from services.extractor.metrics import METRICS
from services.extractor.signals import close_event, refusal_to_signal, signal_event
from trackrecord.events import Event, ScriptExecuted, SignalEmitted
from trackrecord.events.codec import encode, header, headers
from trackrecord.extraction import Extraction, extract
from trackrecord.runtime import clock
from trackrecord.runtime.batch import Batch
from trackrecord.runtime.database import CopyRows, Cursor
from trackrecord.runtime.decode import Refusal, headers_of
from trackrecord.runtime.metrics import Metrics
from trackrecord.runtime.stage import Context, Effects, Handler, Outgoing

_CONFLICT = "a run with this execution_id came before with other content"


_PLACE = frozenset({"position", "partition", "appended_at"})
"""Columns that say where a run lies on its topic, and nothing of the run."""

_KEPT = ("position", "execution_id", "script", "symbol", "finished_at", "exit_code")
"""Columns of a run that are needed after its output was read."""

_LONGEST_REMEMBERED = 500
"""Characters of the longest parameters that are remembered."""

_PART = 500
"""Runs read at once: few enough that their outputs stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a script, and what was read from its output."""

    row: dict[str, Any]
    """The columns of _KEPT."""
    found: Extraction
    said_at: datetime
    """When the script had said it all."""
    signals: list[SignalEmitted | None] = field(default_factory=list)
    """What each recommendation became, None where it became no signal."""


class Prepared(NamedTuple):
    """A batch that was read."""

    runs: list[Run]
    executions: CopyRows
    recommendations: CopyRows


class Extractor(Handler):
    """Reads outputs; what it has read lives in its tables only."""

    temporary = store.TEMPORARY
    # Reading is all Python. With turns as short as where the database does most of the work, the
    # two threads spend a fifth of their time on losing the processor's caches to one another.
    turn_seconds = 0.02

    def __init__(self, context: Context) -> None:
        """Register the metrics."""
        self._settings = context.settings
        self._metrics = Metrics(context.registry, "extractor", METRICS)

    def prepare(self, batch: Batch) -> Prepared:
        """Read every output."""
        started = clock.monotonic()
        frame = batch.of(ScriptExecuted)
        runs: list[Run] = []
        digests: list[str] = []
        for part in frame.iter_slices(_PART):
            kept = part.select(_KEPT).iter_rows(named=True)
            runs.extend(map(_read, kept, part["output"].to_list()))
            digests.extend(_digests(part))
        if runs:
            self._metrics.observe("trackrecord_extraction_seconds", clock.monotonic() - started)
        exits = self._settings.sell_means == "exit"
        return Prepared(
            runs,
            CopyRows.of(_executions(frame, runs, digests)),
            CopyRows.of(_recommendations(runs, exits)),
        )

    def load(self, batch: Batch, cursor: Cursor) -> None:
        """COPY what was found into temporary tables."""
        prepared: Prepared = batch.prepared
        store.load(cursor, prepared.executions, prepared.recommendations)

    def apply(self, batch: Batch, cursor: Cursor) -> Effects:
        """Record runs that are new, and publish their signals."""
        prepared: Prepared = batch.prepared
        applied = store.apply(cursor, timezone=self._settings.day_timezone)
        fresh = [run for run in prepared.runs if run.row["position"] in applied.fresh]
        outgoing = list(self._outgoing(batch, cursor, fresh))
        return Effects(
            refused=[Refusal(position, "conflict", _CONFLICT) for position in applied.conflicts],
            outgoing=outgoing,
            after_commit=partial(self._count, fresh),
        )

    def _outgoing(self, batch: Batch, cursor: Cursor, fresh: list[Run]) -> Iterator[Outgoing]:
        exits = self._settings.sell_means == "exit"
        for run in fresh:
            if not run.found.recommendations:
                continue
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
                else:
                    signal = run.signals[number]
                    events = [] if signal is None else [signal]
                if events:
                    position = run.row["position"]
                    trace = header(headers_of(batch.messages[position]), "traceparent")
                    for event in events:
                        yield _outgoing(event, position, trace)

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


def _read(row: dict[str, Any], output: str) -> Run:
    found = extract(output, symbol=row["symbol"], explained=False)
    return Run(row, found, datetime.fromisoformat(row["finished_at"]))


def _digests(frame: pl.DataFrame) -> list[str]:
    """What tells a repeat of each run from a conflict, however its publisher wrote it."""
    names = sorted(name for name in frame.columns if name not in _PLACE)
    columns = [_same_form(name, frame[name].to_list()) for name in names]
    contents = map("\x1f".join, zip(*columns, strict=True))
    return [hashlib.blake2b(each.encode(), digest_size=16).hexdigest() for each in contents]


def _same_form(name: str, values: Sequence[Any]) -> list[str]:
    """Values in one form, however their publisher wrote them."""
    if name.endswith("_at"):
        return [datetime.fromisoformat(value).isoformat() for value in values]
    if name == "parameters":
        return ["None" if value is None else _in_order(value) for value in values]
    return [str(value) for value in values]


def _in_order(text: str) -> str:
    """A JSON text in one form; a script is mostly run with the parameters of the day before."""
    return _remembered_order(text) if len(text) <= _LONGEST_REMEMBERED else _new_order(text)


def _new_order(text: str) -> str:
    return json.dumps(json.loads(text), sort_keys=True)


_remembered_order = lru_cache(maxsize=2048)(_new_order)


def _executions(frame: pl.DataFrame, runs: Sequence[Run], digests: list[str]) -> pl.DataFrame:
    """The rows of executions, in the order of the frame."""
    found = [run.found for run in runs]
    return frame.select(
        "position", "partition", "execution_id", "script", "program", "symbol", "started_at",
        "finished_at", "exit_code",
        pl.col("output").str.len_bytes().alias("output_bytes"),
        pl.Series("digest", digests, dtype=pl.String),
        pl.Series("final_action", [each.final_action for each in found], dtype=pl.String),
        pl.Series("return_pct", [_text(each.result.return_pct) for each in found], dtype=pl.String),
        pl.Series("outcome", [each.result.outcome for each in found], dtype=pl.String),
        pl.Series("extractor_version", [each.extractor_version for each in found], dtype=pl.String),
        pl.from_epoch("appended_at", time_unit="ms"),
    )  # fmt: skip


_RECOMMENDATIONS = {
    "position": pl.Int64,
    "execution_id": pl.String,
    "number": pl.Int64,
    "script": pl.String,
    "action": pl.String,
    "symbol": pl.String,
    "entry_price": pl.String,
    "target_price": pl.String,
    "stop_loss": pl.String,
    "confidence": pl.Float64,
    "said_at": pl.String,
    "signal_id": pl.String,
    "no_signal": pl.String,
}


def _recommendations(runs: Sequence[Run], exits: bool) -> pl.DataFrame:
    """The rows of recommendations; each run is given the signals that its own become."""
    rows: list[tuple[Any, ...]] = []
    for run in runs:
        row = run.row
        for number, each in enumerate(run.found.recommendations):
            symbol = each.symbol or row["symbol"]
            reason = refusal_to_signal(each, symbol, exits=exits)
            signal = None if reason else signal_event(row, number, each, run.said_at)
            run.signals.append(signal)
            rows.append(
                (
                    row["position"],
                    row["execution_id"],
                    number,
                    row["script"],
                    each.action,
                    symbol,
                    _text(each.entry_price),
                    _text(each.target_price),
                    _text(each.stop_loss),
                    each.confidence,
                    row["finished_at"],
                    None if signal is None else signal.signal_id,
                    reason,
                )
            )
    return pl.DataFrame(rows, schema=_RECOMMENDATIONS, orient="row")


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
