"""Signals and exits as they are loaded, and signals that wait as arrays."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from services.outcome_scorer.rows.outcomes import OUR_EXIT
from trackrecord.outcomes.label_many import HOWS, OUTCOMES
from trackrecord.outcomes.waiting import Known, Waiting
from trackrecord.runtime.sql_times import wire_micros
from trackrecord.times import NEVER

LOADED: Final = (
    "position", "appended_at", "signal_id", "revision", "strategy", "symbol", "timeframe", "side",
    "price", "target_price", "stop_loss", "horizon_bars", "entry", "exits", "confidence",
    "emitted_at",
)  # fmt: skip
"""What is loaded of signals."""
READ: Final = {
    "signal_id": pl.String,
    "number": pl.Int64,
    "direction": pl.Int64,
    "price": pl.Float64,
    "target_price": pl.Float64,
    "stop_loss": pl.Float64,
    "horizon_bars": pl.Int64,
    "next_open": pl.String,
    "emitted_at": pl.Int64,
    "outcome": pl.String,
    "how": pl.String,
    "ambiguous": pl.String,
    "exit_opened_at": pl.Int64,
    "exit_price": pl.Float64,
    "return": pl.Float64,
    "mae": pl.Float64,
    "mfe": pl.Float64,
    "delisted": pl.String,
    "bars_held": pl.Int64,
    "known_at": pl.Int64,
}
"""What the tables answer; times in microseconds since 1970 UTC."""

_HOW: Final = {name: code for code, name in enumerate(HOWS) if name is not None}
_OUTCOME: Final = {name: code for code, name in enumerate(OUTCOMES)}


class WrittenSignal(NamedTuple):
    """What became of a signal of the batch that the table did not have like this."""

    signal_id: str
    is_new: bool
    unsound: bool
    """Whether nothing can be said of it."""


def as_signals(frame: pl.DataFrame, default_horizon: int) -> pl.DataFrame:
    """Signals, each once, as they are loaded and as numbers."""
    return (
        frame.sort("signal_id", -pl.col("revision"), "position")
        .unique("signal_id", keep="first", maintain_order=True)
        .with_columns(
            wire_micros("emitted_at").alias("emitted_us"),
            pl.when(pl.col("side") == "BUY").then(1).otherwise(-1).alias("direction"),
            pl.col("horizon_bars").fill_null(default_horizon).alias("horizon_"),
            pl.col("price").cast(pl.Float64).alias("price_"),
            pl.col("target_price").cast(pl.Float64).alias("target_"),
            pl.col("stop_loss").cast(pl.Float64).alias("stop_"),
        )
    )


def as_closes(frame: pl.DataFrame) -> pl.DataFrame:
    """Exits of others that close a whole signal."""
    return frame.filter((pl.col("exit_id") != OUR_EXIT) & pl.col("quantity").is_null()).select(
        "signal_id", "closed_at", "reason"
    )


def as_waiting(signals: pl.DataFrame) -> pl.DataFrame:
    """New signals with their ``slot``, in the columns of :data:`READ`."""
    nothing = {
        **dict.fromkeys(("outcome", "how", "ambiguous", "delisted"), pl.String),
        **dict.fromkeys(("exit_opened_at", "bars_held", "known_at"), pl.Int64),
        **dict.fromkeys(("exit_price", "return", "mae", "mfe"), pl.Float64),
    }
    return signals.select(
        "signal_id",
        "direction",
        pl.col("slot").alias("number"),
        pl.col("price_").alias("price"),
        pl.col("target_").alias("target_price"),
        pl.col("stop_").alias("stop_loss"),
        pl.col("horizon_").alias("horizon_bars"),
        pl.col("emitted_us").alias("emitted_at"),
        pl.when(pl.col("entry") == "next_open")
        .then(pl.lit("t"))
        .otherwise(pl.lit("f"))
        .alias("next_open"),
        *(pl.lit(None, dtype).alias(name) for name, dtype in nothing.items()),
    )


def waiting(frame: pl.DataFrame) -> Waiting:
    """Signals from rows in the columns of :data:`READ`."""
    known: list[Any] = [
        _coded(frame["outcome"], _OUTCOME),
        _coded(frame["how"], _HOW),
        _flags(frame["ambiguous"]),
        frame["exit_opened_at"].fill_null(NEVER).to_numpy(),
        *(_numbers(frame[name]) for name in ("exit_price", "return", "mae", "mfe")),
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
