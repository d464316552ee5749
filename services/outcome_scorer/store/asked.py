"""The symbols whose history a statement is to read, in a temporary table beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from services.outcome_scorer.rows.symbols import Asked
from trackrecord.runtime.database import CopyRows, Cursor, copy_rows

TEMPORARY: Final = """
CREATE TEMPORARY TABLE asked (
    number integer, symbol text COLLATE "C", timeframe text COLLATE "C", since bigint,
    before bigint, most integer
) ON COMMIT DELETE ROWS;
"""
"""Times that come from arrays are microseconds since 1970 UTC."""

_COLUMNS: Final = {
    "number": pl.Int64,
    "symbol": pl.String,
    "timeframe": pl.String,
    "since": pl.Int64,
    "before": pl.Int64,
    "most": pl.Int64,
}


def ask(cursor: Cursor, asked: Sequence[Asked]) -> None:
    """Say which parts of which histories the next statement reads."""
    cursor.execute("DELETE FROM asked")
    copy_rows(cursor, "asked", CopyRows.of(pl.DataFrame(asked, schema=_COLUMNS, orient="row")))
