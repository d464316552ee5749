"""Sums per strategy and day as columns, for as many rows as there are: no object for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from trackrecord.performance.exact_columns import Column
from trackrecord.performance.sums.days import DayTable
from trackrecord.runtime.database import Cursor, read_columns

COUNTS = ("signals", "exits", "closed", "without_return")
MONEY = ("realised_pnl", "sum_return")
"""What daily returns are made of."""


def read_days(
    cursor: Cursor,
    days: str,
    parameters: Mapping[str, Any],
    owners: Sequence[tuple[str, str]],
) -> DayTable:
    """Read sums per owner, currency and day, and add up partitions.

    The rows come as they are and are added up here, exactly: that takes a quarter of the
    time that the database needs to group them.

    Args:
        cursor: In the snapshot that is reported on.
        days: A SELECT of rows of sums: owner, currency, day (a date), and every sum.
        parameters: Of that SELECT.
        owners: Owner and currency; the place in this list is the index in the table. Rows
            of others are left out.
    """
    query = f"""
        SELECT owner, currency, day - DATE '1970-01-01', {", ".join((*COUNTS, *MONEY))}
        FROM ({days}) AS days
    """
    found = _sums(cursor, query, parameters)
    places = pl.DataFrame(
        {
            "owner": [owner for owner, _ in owners],
            "currency": [currency for _, currency in owners],
            "strategy": np.arange(len(owners), dtype=np.int64),
        },
        schema={"owner": pl.String, "currency": pl.String, "strategy": pl.Int64},
    )
    found = found.join(places, on=["owner", "currency"], how="inner")
    table = DayTable(
        strategy=found["strategy"].to_numpy(),
        day=found["day"].to_numpy(),
        counts={name: found[name].to_numpy() for name in COUNTS},
        money={name: exact_column(found[name]) for name in MONEY},
    )
    table = table.merged(table.day)
    # Without an entry, an exit or a close a day says nothing: a correction emptied it.
    return table.where(np.any([table.counts[name] != 0 for name in COUNTS], axis=0))


def exact_column(texts: pl.Series) -> Column:
    """Decimals as the database writes them (``-1.50``), as exact numbers."""
    parts = texts.str.split_exact(".", 1).struct.unnest()
    whole, fraction = parts["field_0"], parts["field_1"].fill_null("")
    most = fraction.str.len_bytes().max()
    places = most if isinstance(most, int) else 0
    digits = whole + fraction.str.pad_end(places, "0")
    small = digits.cast(pl.Int64, strict=False)
    if small.null_count():
        return Column.whole([int(each) for each in digits.to_list()], places)
    return Column(small.to_numpy(), places)


def _sums(cursor: Cursor, query: str, parameters: Mapping[str, Any]) -> pl.DataFrame:
    schema = {
        "owner": pl.String,
        "currency": pl.String,
        "day": pl.Int64,
        **dict.fromkeys(COUNTS, pl.Int64),
        **dict.fromkeys(MONEY, pl.String),
    }
    return read_columns(cursor, query, parameters, schema)
