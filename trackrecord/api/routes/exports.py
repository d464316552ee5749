"""Signals and days as files."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import Field

from trackrecord.api.exports import TYPES, Column, Format, export
from trackrecord.api.parts import parts_of
from trackrecord.api.problems import not_found
from trackrecord.api.routes.asking import VERSION_ONE, Asked, Day, PathName
from trackrecord.api.routes.signals import WhichSignals
from trackrecord.api.who import Who
from trackrecord.reports.series import read_spans, series_query

router = APIRouter(prefix=VERSION_ONE, tags=["exports"])

_SIGNALS: Final[tuple[Column, ...]] = (
    ("signal_id", "text"), ("strategy", "text"), ("symbol", "text"), ("side", "text"),
    ("price", "money"), ("entry_price", "money"), ("quantity", "money"), ("currency", "text"),
    ("emitted_at", "time"), ("timeframe", "text"), ("target_price", "money"),
    ("stop_loss", "money"), ("confidence", "number"), ("model_version", "text"),
    ("source", "text"), ("account", "text"), ("backdated", "flag"), ("corrected_late", "flag"),
    ("closed_quantity", "money"), ("realised_pnl", "money"), ("fees", "money"),
    ("closed_at", "time"), ("return", "money"), ("outcome", "text"),
)  # fmt: skip
_DAYS: Final[tuple[Column, ...]] = (
    ("day", "day"), ("currency", "text"), ("signals", "whole"), ("exits", "whole"),
    ("closed", "whole"), ("wins", "whole"), ("losses", "whole"), ("breakevens", "whole"),
    ("total_pnl", "money"), ("realised_pnl", "money"), ("fees", "money"), ("carry", "money"),
    ("backdated", "whole"), ("exits_backdated", "whole"), ("corrected_late", "whole"),
)  # fmt: skip

_IN_WORDS: Final = "CASE outcome WHEN 1 THEN 'win' WHEN -1 THEN 'loss' WHEN 0 THEN 'breakeven' END"

_FILES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The file.",
        "content": {
            kind.partition(";")[0]: {"schema": {"type": "string"}} for kind in TYPES.values()
        },
    }
}


class _Signals(WhichSignals):
    format: Format = "csv"
    """CSV, JSON lines or Parquet."""


class _Days(Asked):
    from_: Annotated[Day | None, Field(alias="from")] = None
    """The first day."""
    to: Day | None = None
    """The last day, included."""
    format: Format = "csv"
    """CSV, JSON lines or Parquet."""


@router.get(
    "/signals/export",
    response_class=StreamingResponse,
    responses=_FILES,
    operation_id="export_signals",
)
def export_signals(
    request: Request, who: Who, asked: Annotated[_Signals, Query()]
) -> StreamingResponse:
    """Signals and what became of them as a file, in no particular order."""
    condition, parameters = asked.chosen(who).condition()
    columns = ", ".join(
        f"{_IN_WORDS} AS outcome" if name == "outcome" else f'"{name}"' for name, _ in _SIGNALS
    )
    query = f"SELECT {columns} FROM positions AS s WHERE {condition}"
    return export(parts_of(request).exports, "signals", _SIGNALS, query, parameters, asked.format)


@router.get(
    "/strategies/{name}/days/export",
    response_class=StreamingResponse,
    responses=_FILES,
    operation_id="export_days",
)
def export_days(
    request: Request, who: Who, name: PathName, asked: Annotated[_Days, Query()]
) -> StreamingResponse:
    """One strategy by day as a file, oldest first."""
    parts = parts_of(request)
    with parts.pool.reading() as cursor:
        if name not in read_spans(cursor, [name], who.hidden):
            raise not_found(f"there is no strategy {name!r} on record")
    parameters = {"strategy": name, "since": asked.from_, "until": asked.to}
    return export(parts.exports, "days", _DAYS, series_query(), parameters, asked.format)
