"""From the columns of a batch to the rows that COPY takes."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from services.signal_tracker.store import Shape
from trackrecord.runtime.database import CopyRows


class Prepared(NamedTuple):
    """A batch, ready for the database."""

    entries: CopyRows
    exits: CopyRows
    shape: Shape


def prepare(entries: pl.DataFrame, exits: pl.DataFrame) -> Prepared:
    """Bring entries and exits into the form in which they are loaded.

    Args:
        entries: A row for each ``signal_emitted``.
        exits: A row for each ``signal_closed``.
    """
    return Prepared(_rows(entries), _rows(exits), Shape.of(entries, exits))


def _rows(frame: pl.DataFrame) -> CopyRows:
    """In the order of the index: neighbours are found, and inserted, in the same pages."""
    rows = frame.clone()
    rows.drop_in_place("partition")
    return CopyRows.of(rows.sort("signal_id", multithreaded=False))
