"""What ``trackrecord train`` and ``score`` read: signals and bars from files, into columns."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trackrecord.cli.common import InputError, notes
from trackrecord.events import InvalidEventError, SignalEmitted
from trackrecord.events.codec import validate
from trackrecord.features import Emitted, History
from trackrecord.learning.dataset import Sent
from trackrecord.times import microseconds

_PRICES: Final = ("open", "high", "low", "close")
_NEEDED: Final = ("symbol", "opened_at", *_PRICES)
_TOLD: Final = 5
"""Bad lines that are named one by one."""
_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "M": 2_629_746}
_SECOND: Final = 1_000_000
_TIMEFRAME: Final = re.compile(r"([1-9][0-9]{0,3})([smhdwM])")


@dataclass(frozen=True)
class BarFile:
    """Bars in columns.

    Attributes:
        history: Of all symbols, one behind the other.
        opened_at: Of each bar; microseconds since 1970 UTC.
        symbols: Their names, in the order of the history's starts.
        notes: What was left out, in words.
    """

    history: History
    opened_at: NDArray[np.int64]
    symbols: list[str]
    notes: list[str] = field(default_factory=list)


def read_bars(file: Path) -> BarFile:
    """Read bars from CSV or Parquet, in any order.

    Raises:
        InputError: The file or a column cannot be read, or nothing usable is left.
    """
    frame = _columns(_frame(file), file)
    notes: list[str] = []
    sound = frame.filter(_sound())
    if sound.height < frame.height:
        notes.append(
            f"{frame.height - sound.height:,} of {frame.height:,} bars were left out: a price that "
            "is missing, NaN or not above 0, a high below or a low above the others"
        )
    order = ["symbol", "opened_at", "revision"]
    kept = sound.sort(order, maintain_order=True).unique(
        ["symbol", "opened_at"], keep="last", maintain_order=True
    )
    if kept.height < sound.height:
        notes.append(
            f"{sound.height - kept.height:,} bars were there twice: of each, the highest revision "
            "counts, and the last given"
        )
    if not kept.height:
        raise InputError(f"{file} holds no usable bar")
    names = kept["symbol"].unique(maintain_order=True).to_list()
    changed = kept.select(pl.col("symbol") != pl.col("symbol").shift()).to_series().fill_null(True)
    starts = changed.arg_true().to_numpy().astype(np.int64)
    columns: list[Any] = [kept[name].to_numpy() for name in (*_PRICES, "volume", "closed_at")]
    history = History(*[*columns, starts])
    return BarFile(history, kept["opened_at"].to_numpy(), names, notes)


def _frame(file: Path) -> pl.DataFrame:
    kind = file.suffix.lower()
    try:
        if kind in {".parquet", ".pq"}:
            return pl.read_parquet(file)
        if kind == ".csv":
            return pl.read_csv(file, infer_schema_length=10_000)
    except FileNotFoundError:
        raise InputError(f"there is no file {file}") from None
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"cannot read {file}: {str(error).splitlines()[0]}") from None
    raise InputError(f"{file}: name a CSV file .csv and a Parquet file .parquet")


def _columns(frame: pl.DataFrame, file: Path) -> pl.DataFrame:
    missing = [name for name in _NEEDED if name not in frame.columns]
    if missing:
        raise InputError(
            f"{file} has no column {', '.join(missing)}; bars have "
            f"{', '.join(_NEEDED)} and may have closed_at, volume, timeframe and revision"
        )
    timeframe = "1d"
    if "timeframe" in frame.columns:
        found = frame["timeframe"].unique().to_list()
        if len(found) != 1:
            raise InputError(
                f"{file} holds bars of {len(found)} timeframes; give those of one at a time"
            )
        timeframe = str(found[0])
    opened = _moments(frame, "opened_at", file)
    closed = (
        _moments(frame, "closed_at", file)
        if "closed_at" in frame.columns
        else opened + _length(timeframe)
    )
    try:
        return frame.select(
            pl.col("symbol").cast(pl.String),
            *(pl.col(name).cast(pl.Float64, strict=False) for name in _PRICES),
            (pl.col("volume") if "volume" in frame.columns else pl.lit(None))
            .cast(pl.Float64, strict=False)
            .alias("volume"),
            (pl.col("revision") if "revision" in frame.columns else pl.lit(0))
            .cast(pl.Int64)
            .alias("revision"),
            opened.alias("opened_at"),
            closed.alias("closed_at"),
        )
    except pl.exceptions.PolarsError as error:
        raise InputError(f"{file}: {str(error).splitlines()[0]}") from None


def _length(timeframe: str) -> int:
    """Microseconds."""
    match = _TIMEFRAME.fullmatch(timeframe)
    if match is None:
        raise InputError(f"the timeframe is a number and one of s m h d w M, not {timeframe!r}")
    return int(match[1]) * _UNITS[match[2]] * _SECOND


def _moments(frame: pl.DataFrame, name: str, file: Path) -> pl.Series:
    """A column of times as microseconds since 1970 UTC."""
    column = frame[name]
    if column.dtype == pl.String:
        text = column.str.replace("Z$", "+00:00")
        parsed = text.str.to_datetime("%+", strict=False, time_unit="us", time_zone="UTC")
        if parsed.null_count():
            days = column.str.to_date("%Y-%m-%d", strict=False)
            parsed = parsed.fill_null(days.cast(pl.Datetime("us")).dt.replace_time_zone("UTC"))
        column = parsed
    if column.dtype == pl.Date:
        column = column.cast(pl.Datetime("us"))
    if not isinstance(column.dtype, pl.Datetime):
        raise InputError(f"{file}: {name} holds no times, such as 2026-01-05T14:30:00Z")
    if column.null_count():
        place = column.is_null().arg_true()[0]
        raise InputError(f"{file}: {name} of row {place + 1} is no time: {frame[name][place]!r}")
    return column.dt.epoch("us")


def _sound() -> pl.Expr:
    highest = pl.max_horizontal("open", "close", "low")
    lowest = pl.min_horizontal("open", "close", "high")
    finite = pl.all_horizontal(pl.col(name).is_finite() & (pl.col(name) > 0) for name in _PRICES)
    return (finite & (pl.col("high") >= highest) & (pl.col("low") <= lowest)).fill_null(value=False)


@dataclass(frozen=True)
class SignalFile:
    """Signals, as events and in columns.

    Attributes:
        events: In the order of the file.
        sent: Of the same signals.
        notes: What is to be known of them, in words.
    """

    events: list[SignalEmitted]
    sent: Sent
    notes: list[str] = field(default_factory=list)


def read_signals(file: Path | None) -> list[SignalEmitted]:
    """Read signals from JSON lines, CSV or Parquet; JSON lines on standard input where None.

    Raises:
        InputError: Something cannot be read, or breaks a rule of ``signal_emitted``.
    """
    events: list[SignalEmitted] = []
    wrong: list[str] = []
    others: Counter[str] = Counter()
    for place, row in _signal_rows(file):
        # The lines that `trackrecord publish` takes are understood too.
        wrapped = isinstance(row, dict) and set(row) >= {"type", "data"}
        if wrapped and row["type"] != SignalEmitted.event_type:
            others[str(row["type"])] += 1
            continue
        try:
            events.append(validate(SignalEmitted, row["data"] if wrapped else row))
        except InvalidEventError as error:
            wrong.append(f"{place}: {error}")
    if wrong:
        more = f"\nand {len(wrong) - _TOLD} more" if len(wrong) > _TOLD else ""
        raise InputError("\n".join(wrong[:_TOLD]) + more)
    if others:
        named = ", ".join(f"{count:,} {name}" for name, count in others.most_common())
        if not events:
            raise InputError(f"there is no signal_emitted among the events: only {named}")
        notes.print(f"passed over, for they are no signals: {named}")
    return events


def _signal_rows(file: Path | None) -> list[tuple[str, Any]]:
    if file is not None and file.suffix.lower() in {".csv", ".parquet", ".pq"}:
        rows = _frame(file).to_dicts()
        return [(f"row {number}", _given(row)) for number, row in enumerate(rows, start=1)]
    try:
        text = sys.stdin.read() if file is None else file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {file or 'standard input'}: {error}") from None
    found: list[tuple[str, Any]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                found.append((f"line {number}", json.loads(line)))
            except (ValueError, RecursionError) as error:
                raise InputError(f"line {number} is not JSON: {error}") from None
    return found


def _given(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in row.items() if value is not None}


def _plain(value: Any) -> Any:
    """A cell as JSON would hold it; times and numbers as text, which decimals are read from."""
    if hasattr(value, "isoformat"):
        moment = value if getattr(value, "tzinfo", None) else value.replace(tzinfo=None)
        text = str(moment.isoformat())
        return text if "+" in text or text.endswith("Z") else f"{text}Z"
    if isinstance(value, bool | int | str):
        return value
    return str(value) if isinstance(value, float) else value


def in_columns(
    events: list[SignalEmitted], bars: BarFile, default_horizon: int, *, all_: bool = False
) -> SignalFile:
    """Bring signals into columns.

    Args:
        events: Signals.
        bars: Their symbols' numbers.
        default_horizon: Bars, where a signal has none.
        all_: Whether those with a level on the wrong side of the entry are kept.
    """
    sound = [event for event in events if all_ or _is_sound(event)]
    notes = []
    if len(sound) < len(events):
        notes.append(
            f"{len(events) - len(sound):,} signals were left out: a target or a stop on the wrong "
            "side of the entry"
        )
    symbols = {name: number for number, name in enumerate(bars.symbols)}
    unknown = sum(event.symbol not in symbols for event in sound)
    if unknown:
        notes.append(f"{unknown:,} signals are of symbols without bars")
    strategies: dict[str, int] = {}
    return SignalFile(
        sound,
        Sent(
            Emitted(
                np.array([symbols.get(event.symbol, -1) for event in sound], np.int64),
                np.array(
                    [strategies.setdefault(event.strategy, len(strategies)) for event in sound],
                    np.int64,
                ),
                np.array([microseconds(event.emitted_at) for event in sound], np.int64),
                np.array([1 if event.side == "BUY" else -1 for event in sound], np.int8),
                _floats([event.price for event in sound]),
                _floats([event.target_price for event in sound]),
                _floats([event.stop_loss for event in sound]),
                _floats([event.confidence for event in sound]),
                np.array([event.horizon_bars or default_horizon for event in sound], np.int64),
            ),
            np.array([event.entry == "next_open" for event in sound], np.bool_),
        ),
        notes,
    )


def _is_sound(event: SignalEmitted) -> bool:
    up = 1 if event.side == "BUY" else -1
    return not (
        (event.target_price is not None and (event.target_price - event.price) * up <= 0)
        or (event.stop_loss is not None and (event.price - event.stop_loss) * up <= 0)
    )


def _floats(values: list[Any]) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else float(value) for value in values], np.float64)
