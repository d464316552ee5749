"""From the columns of a batch to the rows that COPY takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from trackrecord.runtime.database import CopyRows


@dataclass(frozen=True)
class Shape:
    """What a batch can need, seen from its frames.

    Attributes:
        entries: How many entries it has.
        exits: How many exits.
        signals: How many signals they are of.
        repeats: Whether an entry or an exit is named more than once.
        several: Whether a signal has more than one exit.
    """

    entries: int
    exits: int
    signals: int
    repeats: bool
    several: bool

    @classmethod
    def of(cls, opened: pl.DataFrame, closed: pl.DataFrame) -> Shape:
        """The shape of a batch."""
        entry_ids, exit_ids = opened["signal_id"], closed["signal_id"]
        several = exit_ids.n_unique() < closed.height
        return cls(
            opened.height,
            closed.height,
            pl.concat([entry_ids, exit_ids]).n_unique(),
            entry_ids.n_unique() < opened.height
            or (
                several
                and closed.select(pl.struct("signal_id", "exit_id").n_unique()).item()
                < closed.height
            ),
            several,
        )


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
