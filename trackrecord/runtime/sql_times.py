"""Times as microseconds since 1970 UTC, as SQL and as an expression over columns."""

from __future__ import annotations

import polars as pl

from trackrecord.times import NEVER


def micros(name: str) -> str:
    """SQL of microseconds since 1970 UTC."""
    return f"(extract(epoch FROM {name}) * 1000000)::bigint"


def moment(name: str) -> str:
    """SQL of a time from microseconds since 1970 UTC; null where there are none."""
    then = f"'epoch'::timestamptz + {name} * interval '1 us'"
    return f"CASE WHEN {name} > '{NEVER}'::bigint THEN {then} END"


def wire_micros(name: str) -> pl.Expr:
    """A column of times as they are on the wire, as microseconds since 1970 UTC."""
    return (
        pl.col(name)
        .str.strip_chars_end("Z")
        .str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us")
        .dt.epoch("us")
    )
