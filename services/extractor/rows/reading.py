"""What the runs of a batch say: rows for the tables, and the signals that they become.

A hundred runs are read at once, and all that is made of them is made before the next: what was
read then is still in the processor's cache, and most of it need not be kept. First all are read,
then all signals are made: in turns, run by run, each kind of work would drive the code of the
other out of the cache, and a run takes a quarter longer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

import polars as pl
from confluent_kafka import Message

from services.extractor.rows.refusals import refused_output
from services.extractor.rows.signals import SOURCE, refusal_to_signal, signal_event
from trackrecord.extraction import Extraction, Recommendation, extract
from trackrecord.runtime.database import CopyRows
from trackrecord.runtime.stage import Outgoing

_PLACE = frozenset({"position", "partition", "appended_at"})
"""Columns that say where a run lies on its topic, and nothing of the run."""

_KEPT = ("position", "execution_id", "script", "symbol", "finished_at", "exit_code")
"""Columns of a run that are needed after its output was read."""

_LONGEST_REMEMBERED = 500
"""Characters of the longest parameters that are remembered."""

_PART = 100
"""Runs read at once: few enough that their outputs stay in the processor's cache."""

_READ = {
    "digest": pl.String,
    "final_action": pl.String,
    "return_pct": pl.String,
    "outcome": pl.String,
    "extractor_version": pl.String,
}
"""Columns of executions that the message does not hold."""

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

_REFUSALS = {
    "position": pl.Int64,
    "rule": pl.String,
    "reason": pl.String,
    "excerpt": pl.String,
}


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a script, and what is needed of it once its rows are made."""

    row: dict[str, Any]
    """The columns of _KEPT."""
    said_at: datetime
    """When the script had said it all."""
    final_action: str | None
    recommendations: Sequence[Recommendation]
    signals: Sequence[Outgoing | None]
    """What each recommendation becomes, None where it becomes no signal."""


class Prepared(NamedTuple):
    """A batch that was read."""

    runs: list[Run]
    executions: CopyRows
    recommendations: CopyRows
    refusals: CopyRows
    """Why outputs recommend nothing."""


def read(
    frame: pl.DataFrame,
    messages: Sequence[Message],
    now: datetime,
    *,
    exits: bool,
    currency: str,
) -> Prepared:
    """Read every output.

    Args:
        frame: One row a run.
        messages: Those of the batch; the position of a run is its place among them.
        now: When their signals are published.
        exits: Whether a SELL closes a long instead of opening a short.
        currency: That of a signal whose prices are printed without one.
    """
    runs: list[Run] = []
    readings: list[tuple[str | None, ...]] = []
    recommended: list[tuple[Any, ...]] = []
    refused: list[tuple[Any, ...]] = []
    for part in frame.iter_slices(_PART):
        columns = [part[name].to_list() for name in _KEPT]
        kept = [dict(zip(_KEPT, values, strict=True)) for values in zip(*columns, strict=True)]
        outputs = part["output"].to_list()
        said = [
            extract(output, symbol=row["symbol"]) for row, output in zip(kept, outputs, strict=True)
        ]
        refused.extend(
            (row["position"], *reason)
            for row, output, found in zip(kept, outputs, said, strict=True)
            if (reason := refused_output(output, found)) is not None
        )
        for row, found, digest in zip(kept, said, digests(part), strict=True):
            runs.append(
                _run(row, found, messages, now, recommended, exits=exits, currency=currency)
            )
            result = found.result
            readings.append(
                (digest, found.final_action, _text(result.return_pct), result.outcome,
                 found.extractor_version)
            )  # fmt: skip
    recommendations = pl.DataFrame(recommended, schema=_RECOMMENDATIONS, orient="row")
    return Prepared(
        runs,
        CopyRows.of(_executions(frame, readings)),
        CopyRows.of(recommendations),
        CopyRows.of(pl.DataFrame(refused, schema=_REFUSALS, orient="row")),
    )


def _run(
    row: dict[str, Any],
    found: Extraction,
    messages: Sequence[Message],
    now: datetime,
    recommended: list[tuple[Any, ...]],
    *,
    exits: bool,
    currency: str,
) -> Run:
    """A run and its signals; ``recommended`` grows by the rows of its recommendations."""
    said_at = datetime.fromisoformat(row["finished_at"])
    position = row["position"]
    signals: list[Outgoing | None] = []
    for number, each in enumerate(found.recommendations):
        symbol = each.symbol or row["symbol"]
        reason = refusal_to_signal(each, symbol, exits=exits)
        signal = None if reason else signal_event(row, number, each, said_at, currency=currency)
        signals.append(
            None
            if signal is None
            else Outgoing.of(
                signal, source=SOURCE, position=position, cause=messages[position], now=now
            )
        )
        recommended.append(
            (
                position,
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
    return Run(row, said_at, found.final_action, found.recommendations, signals)


def _executions(frame: pl.DataFrame, readings: list[tuple[str | None, ...]]) -> pl.DataFrame:
    """The rows of executions, in the order of the frame."""
    return frame.select(
        "position", "execution_id", "script", "program", "symbol", "started_at",
        "finished_at", "exit_code", "appended_at",
        pl.col("output").str.len_bytes().alias("output_bytes"),
    ).hstack(pl.DataFrame(readings, schema=_READ, orient="row"))  # fmt: skip


def digests(frame: pl.DataFrame) -> list[str]:
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


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")
