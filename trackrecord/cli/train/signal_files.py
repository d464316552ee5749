"""What ``trackrecord train`` and ``score`` read: signals and bars from files, into columns."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trackrecord.cli.common import InputError, notes
from trackrecord.cli.tables import frame_of, is_table, open_table
from trackrecord.events import InvalidEventError, SignalEmitted
from trackrecord.events.codec import validate
from trackrecord.events.market import impossible_bar
from trackrecord.events.reading import from_json, from_texts
from trackrecord.features import Emitted, History
from trackrecord.learning.dataset import Sent
from trackrecord.times import NO_NUMBER, microseconds, read_time

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
        split_ratio: New shares for an old one from each bar on; None where no bar tells any.
    """

    history: History
    opened_at: NDArray[np.int64]
    symbols: list[str]
    notes: list[str] = field(default_factory=list)
    split_ratio: NDArray[np.float64] | None = None


def read_bars(file: Path) -> BarFile:
    """Read bars from CSV or Parquet, in any order.

    Raises:
        InputError: The file or a column cannot be read, or nothing usable is left.
    """
    frame = _columns(frame_of(file), file)
    notes: list[str] = []
    fits = frame.select(_sound()).to_series()
    sound = frame.filter(fits)
    if sound.height < frame.height:
        notes.append(
            f"{frame.height - sound.height:,} of {frame.height:,} bars were left out: "
            + _first_problem(frame, (~fits).arg_true()[0])
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
    ratio = kept["split_ratio"].fill_null(1.0).to_numpy()
    told = ratio if (ratio != 1).any() else None
    return BarFile(history, kept["opened_at"].to_numpy(), names, notes, told)


def _columns(frame: pl.DataFrame, file: Path) -> pl.DataFrame:
    missing = [name for name in _NEEDED if name not in frame.columns]
    if missing:
        raise InputError(
            f"{file} has no column {', '.join(missing)}; bars have "
            f"{', '.join(_NEEDED)} and may have closed_at, volume, timeframe, split_ratio and "
            "revision"
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
            *(_floats_of(frame, name) for name in _PRICES),
            _floats_of(frame, "volume"),
            _ratios_of(frame, file),
            _floats_of(frame, "revision").fill_null(0).cast(pl.Int64),
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
        return _moments_of_texts(column, name, file)
    if column.dtype == pl.Date:
        column = column.cast(pl.Datetime("us"))
    if column.dtype.is_numeric():
        raise InputError(f"{file}: {name}: {NO_NUMBER}")
    if not isinstance(column.dtype, pl.Datetime):
        raise InputError(f"{file}: {name} holds no times, such as 2026-01-05T14:30:00Z")
    if column.null_count():
        raise InputError(f"{file}: {name} of row {column.is_null().arg_true()[0] + 1} is missing")
    return column.dt.epoch("us")


def _moments_of_texts(column: pl.Series, name: str, file: Path) -> pl.Series:
    found = column.str.replace("Z$", "+00:00").str.to_datetime(
        "%+", strict=False, time_unit="us", time_zone="UTC"
    )
    moments = found.dt.epoch("us")
    # What is not written in full: days, and times without an offset, each read once.
    others = column.filter(moments.is_null()).unique()
    if not others.len():
        return moments
    read: dict[str, int] = {}
    for text in others.to_list():
        try:
            read[text] = microseconds(read_time(text or ""))
        except ValueError as error:
            place = column.eq_missing(pl.Series([text], dtype=pl.String)).arg_true()[0]
            raise InputError(f"{file}: {name} of row {place + 1}: {error}") from None
    slow = column.replace_strict(read, default=None, return_dtype=pl.Int64)
    return moments.fill_null(slow).alias(name)


def _floats_of(frame: pl.DataFrame, name: str) -> pl.Series:
    """A column of numbers; null where one is missing or none, or the column is not there."""
    if name not in frame.columns:
        return pl.Series(name, [None] * frame.height, dtype=pl.Float64)
    column = frame[name]
    if column.dtype == pl.String:
        column = column.str.strip_chars()
    return column.cast(pl.Float64, strict=False).fill_nan(None)


def _ratios_of(frame: pl.DataFrame, file: Path) -> pl.Series:
    """The column of splits; null where there was none.

    Raises:
        InputError: A ratio is no number above 0.
    """
    found = _floats_of(frame, "split_ratio")
    if "split_ratio" not in frame.columns:
        return found
    given = frame["split_ratio"]
    if given.dtype == pl.String:
        given = given.str.strip_chars().replace("", None)
    wrong = given.is_not_null() & ~(found.is_finite() & (found > 0)).fill_null(value=False)
    if wrong.any():
        place = wrong.arg_true()[0]
        raise InputError(
            f"{file}: split_ratio of row {place + 1} is {given[place]}; it is the number of new "
            "shares for an old one, above 0, such as 2"
        )
    return found


def _first_problem(frame: pl.DataFrame, place: int) -> str:
    row = frame.row(place, named=True)
    missing = [name for name in _PRICES if row[name] is None]
    if missing:
        problem = f"{', '.join(missing)} is missing or no number"
    else:
        problem = impossible_bar(*(row[name] for name in _PRICES)) or "no bar"
    return f"the first is row {place + 1}, of {row['symbol']}: {problem}"


def _sound() -> pl.Expr:
    """:func:`trackrecord.events.market.impossible_bar`, of columns: true where it finds nothing."""
    highest = pl.max_horizontal("open", "close", "low")
    lowest = pl.min_horizontal("open", "close", "high")
    finite = pl.all_horizontal(pl.col(name).is_finite() for name in _PRICES)
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
        data = row["data"] if wrapped else row
        try:
            native = from_json(SignalEmitted, data) if isinstance(data, dict) else data
            events.append(validate(SignalEmitted, native))
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


def _signal_rows(file: Path | None) -> Iterator[tuple[str, Any]]:
    if file is not None and is_table(file):
        for place, row in open_table(file).dicts():
            yield place, from_texts(SignalEmitted, row)
        return
    try:
        text = sys.stdin.buffer.read() if file is None else file.read_bytes()
        lines = text.decode("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {file or 'standard input'}: {error}") from None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_float=Decimal)
        except (ValueError, RecursionError) as error:
            raise InputError(f"line {number} is not JSON: {error}") from None
        yield f"line {number}", row


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
