"""What the outcome_scorer keeps in memory, and how it comes there from the tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import polars as pl

from services.outcome_scorer import store
from services.outcome_scorer.store import Asked
from trackrecord.outcomes.label_many import HOWS, OUTCOMES
from trackrecord.outcomes.waiting import BarColumns, Known, Waiting
from trackrecord.outcomes.watch import KEPT, Watch
from trackrecord.runtime.database import Cursor
from trackrecord.times import NEVER

Key = tuple[str, str]
"""Symbol and timeframe."""

_BARS = ("opened_at", "closed_at", "open", "high", "low", "close", "volume")
_HOW = {name: code for code, name in enumerate(HOWS) if name is not None}
_OUTCOME = {name: code for code, name in enumerate(OUTCOMES)}


def bar_columns(frame: pl.DataFrame) -> BarColumns:
    """The bars of a frame as arrays."""
    columns: list[Any] = [frame[name].to_numpy() for name in _BARS]
    return BarColumns(*columns)


def fill(cursor: Cursor, watch: Watch, keys: Sequence[Key], policy: str) -> None:
    """Bring symbols into memory as they stand in the tables."""
    slots = [watch.slot(key) for key in keys]
    asked = [Asked(slot, *key, most=KEPT) for slot, key in zip(slots, keys, strict=True)]
    put_bars(watch, slots, store.read_bars(cursor, asked), KEPT)
    watch.forget_signals(slots)
    watch.put_signals(waiting(store.read_signals(cursor, asked, policy)))


def put_bars(watch: Watch, slots: Iterable[int], bars: pl.DataFrame, most: int | None) -> None:
    """Set the bars of symbols from rows that name their place.

    Args:
        watch: Takes them.
        slots: All places, those without bars too.
        bars: As :func:`store.read_bars` gives them.
        most: How many were asked for; None for all.
    """
    columns = bar_columns(bars)
    number = bars["number"].to_numpy()
    for slot in slots:
        start, end = np.searchsorted(number, (slot, slot + 1))
        whole = most is None or end - start < most
        watch.put_bars(slot, columns.take(slice(start, end)), whole=whole)


def waiting(frame: pl.DataFrame) -> Waiting:
    """Signals from rows as :func:`store.read_signals` gives them."""
    known: list[Any] = [
        _coded(frame["outcome"], _OUTCOME),
        _coded(frame["how"], _HOW),
        _flags(frame["ambiguous"]),
        frame["exit_opened_at"].fill_null(NEVER).to_numpy(),
        *(_numbers(frame[name]) for name in ("return", "mae", "mfe")),
        _flags(frame["delisted"]),
        frame["bars_held"].fill_null(0).to_numpy(),
        frame["known_at"].fill_null(NEVER).to_numpy(),
    ]
    columns: list[Any] = [
        np.array(frame["signal_id"].to_list(), np.object_),
        frame["number"].to_numpy(),
        frame["direction"].to_numpy().astype(np.int8),
        *(_numbers(frame[name]) for name in ("price", "target_price", "stop_loss")),
        frame["horizon_bars"].to_numpy().astype(np.int64),
        _flags(frame["next_open"]),
        frame["emitted_at"].to_numpy(),
        Known(*known),
    ]
    return Waiting(*columns)


def _flags(texts: pl.Series) -> Any:
    """Booleans as Postgres writes them."""
    return texts.eq("t").fill_null(value=False).to_numpy()


def _coded(names: pl.Series, codes: dict[str, int]) -> Any:
    return np.array([0 if name is None else codes[name] for name in names.to_list()], np.int8)


def _numbers(values: pl.Series) -> Any:
    return values.cast(pl.Float64).fill_null(float("nan")).to_numpy().astype(np.float64)
