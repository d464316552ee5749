"""The tables of the outcome_scorer; nobody else writes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import polars as pl

from services.outcome_scorer.store import statements as sql
from trackrecord.runtime.database import (
    CopyRows,
    Cursor,
    copy_rows,
    execute_planned,
    read_columns,
    rows,
    taken,
)
from trackrecord.runtime.stage import DerivedTable

TABLES: Final = tuple(DerivedTable(*each) for each in sql.TABLES)
TEMPORARY = sql.TEMPORARY
"""The temporary tables that a batch is loaded into."""

_FLOATS: Final = ("open", "high", "low", "close", "volume")
_BARS: Final = {
    "number": pl.Int64,
    "opened_at": pl.Int64,
    "closed_at": pl.Int64,
    **dict.fromkeys(_FLOATS, pl.Float64),
}
_SIGNALS: Final = {
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
    "return": pl.Float64,
    "mae": pl.Float64,
    "mfe": pl.Float64,
    "delisted": pl.String,
    "bars_held": pl.Int64,
    "known_at": pl.Int64,
}


class Asked(NamedTuple):
    """A symbol, and which part of its history is wanted; microseconds since 1970 UTC."""

    number: int
    symbol: str
    timeframe: str
    since: int | None = None
    before: int | None = None
    most: int | None = None


class Claimed(NamedTuple):
    """A symbol of the batch, locked."""

    symbol: str
    timeframe: str
    version: int
    last_opened_at: int | None
    ceased: bool
    """Whether its signals were ended, as it had no bar for ten sessions."""


class Ceased(NamedTuple):
    """A symbol without a bar for ten sessions, locked; microseconds since 1970 UTC."""

    symbol: str
    timeframe: str
    version: int
    told_at: int
    """When it could be told."""
    before: int | None
    """When it was said before that it could be; its signals were ended then."""


class Change(NamedTuple):
    """What became of a signal of the batch."""

    signal_id: str
    is_new: bool
    unsound: bool


def load(cursor: Cursor, bars: CopyRows, signals: CopyRows, closes: CopyRows) -> None:
    """COPY a batch into temporary tables; locks nothing that others use."""
    copy_rows(cursor, "new_bars", bars)
    copy_rows(cursor, "new_signals", signals)
    copy_rows(cursor, "new_closes", closes)


def claim(cursor: Cursor) -> list[Claimed]:
    """Lock the symbols of the batch until the commit, those first that come first by name.

    Raises:
        PassingError: Another consumer made one at the same moment.
    """
    with taken("another consumer has just met the same symbol"):
        execute_planned(cursor, sql.CLAIM, {})
    execute_planned(cursor, sql.LOCK, {})
    return [Claimed(*row) for row in cursor.fetchall()]


class Known(NamedTuple):
    """What the table says of a bar of the batch."""

    position: int
    stays: bool
    """Whether it is the one of the batch that counts."""
    is_there: bool
    corrects: bool
    contradicts: bool


def known_bars(cursor: Cursor) -> list[Known]:
    """What the table says of the bars of the batch."""
    execute_planned(cursor, sql.KNOWN_BARS, {})
    return [Known(*row) for row in cursor.fetchall()]


def write_bars(cursor: Cursor) -> None:
    """Write the bars of the batch; of each the highest revision stays."""
    execute_planned(cursor, sql.WRITE_BARS, {})


def write_signals(cursor: Cursor, default_horizon: int) -> list[Change]:
    """Write the signals of the batch; says which are new or corrected."""
    execute_planned(cursor, sql.WRITE_SIGNALS, {"horizon": default_horizon})
    return [Change(*row) for row in cursor.fetchall()]


def leave(cursor: Cursor) -> list[tuple[str, str]]:
    """Symbols and timeframes that signals of the batch leave for others, by a correction.

    What is in memory of them is out of date from now on, here and with every other member.
    """
    return rows(cursor, sql.LEFT)


def write_closes(cursor: Cursor) -> None:
    """Note signals that were closed by others: they get no exit of ours."""
    execute_planned(cursor, sql.WRITE_CLOSES, {})


def read_bars(cursor: Cursor, asked: Sequence[Asked]) -> pl.DataFrame:
    """Bars of symbols, in order, each with the number it was asked by."""
    _ask(cursor, asked)
    return read_columns(cursor, sql.READ_BARS, {}, _BARS)


def read_signals(
    cursor: Cursor, asked: Sequence[Asked], policy: str, *, ended: bool = False
) -> pl.DataFrame:
    """Signals of symbols, with what is on record of them.

    Args:
        cursor: In the transaction.
        asked: Symbols.
        policy: Of the outcomes.
        ended: Those whose horizon had elapsed at ``since`` or after, instead of those that wait.
    """
    _ask(cursor, asked)
    return read_columns(cursor, sql.read_signals(ended=ended), {"policy": policy}, _SIGNALS)


def write_sessions(cursor: Cursor, sessions: pl.DataFrame) -> None:
    """Add what the bars of the batch say of the market as a whole."""
    copy_rows(cursor, "new_sessions", CopyRows.of(sessions))
    execute_planned(cursor, sql.WRITE_SESSIONS, {})


def take_turns(cursor: Cursor) -> None:
    """Let no two members, each with the last of its messages, miss what the other one brings."""
    cursor.execute(sql.TAKE_TURNS)


def have_ceased(cursor: Cursor, timeframe: str, sessions: int) -> bool:
    """Whether a symbol that has signals to end has had no bar for so many sessions."""
    [(found,)] = rows(cursor, sql.HAVE_CEASED, {"timeframe": timeframe, "sessions": sessions})
    return bool(found)


def ceased(cursor: Cursor, timeframe: str, sessions: int, most: int) -> list[Ceased]:
    """Up to so many of these symbols, locked."""
    parameters = {"timeframe": timeframe, "sessions": sessions, "most": most}
    symbols = [symbol for (symbol,) in rows(cursor, sql.LOCK_CEASED, parameters)]
    if not symbols:
        return []
    found = rows(cursor, sql.CEASED, {**parameters, "symbols": symbols})
    return [Ceased(*row) for row in found]


def regime(cursor: Cursor, timeframe: str, since: int, until: int, moments: int) -> pl.DataFrame:
    """The market at each close: from so many closes before ``since`` up to ``until``."""
    parameters = {"timeframe": timeframe, "since": since, "until": until, "moments": moments}
    schema = {"closed_at": pl.Int64, "moved": pl.Float64, "breadth": pl.Float64}
    return read_columns(cursor, sql.REGIME, parameters, schema)


def record(cursor: Cursor, strategies: Sequence[str], policy: str, until: int) -> pl.DataFrame:
    """Outcomes of strategies whose exit bar had closed before a moment."""
    parameters = {"strategies": list(strategies), "policy": policy, "until": until}
    schema = {"strategy": pl.String, "known_at": pl.Int64, "return": pl.Float64}
    return read_columns(cursor, sql.RECORD, parameters, schema)


def write_assessments(
    cursor: Cursor,
    assessments: pl.DataFrame,
    feature_set: str,
    names: Sequence[str],
    version: str | None,
    now: datetime,
) -> None:
    """Record what was known and thought of signals."""
    parameters = {"feature_set": feature_set, "names": list(names), "version": version, "now": now}
    cursor.execute(sql.WRITE_FEATURE_SET, parameters)
    cursor.execute("DELETE FROM new_assessments")  # those of another timeframe
    copy_rows(cursor, "new_assessments", CopyRows.of(assessments))
    cursor.execute(sql.WRITE_ASSESSMENTS, parameters)


def write_outcomes(
    cursor: Cursor, outcomes: pl.DataFrame, policy: str, now: datetime
) -> list[tuple[Any, ...]]:
    """Record what happened to signals.

    Args:
        cursor: In the transaction.
        outcomes: As they are loaded; ``round`` tells them from others of the same batch.
        policy: What counts where target and stop lie inside one bar.
        now: When they were scored.

    Returns:
        The exits to publish: signal, price, time, reason, and the entry price of a signal that was
        entered at the next open.
    """
    parameters = {"policy": policy, "now": now, "round": outcomes["round"][0]}
    copy_rows(cursor, "new_outcomes", CopyRows.of(outcomes))
    cursor.execute(sql.WRITE_ENDS, parameters)
    cursor.execute(sql.WRITE_OUTCOMES, parameters)
    cursor.execute(sql.WRITE_OUTCOME_ENDS, parameters)
    return rows(cursor, sql.CLOSE, parameters)


def scored(cursor: Cursor, policy: str) -> list[tuple[Any, ...]]:
    """What has changed in this batch, as :data:`statements.SCORED` names it."""
    return rows(cursor, sql.SCORED, {"policy": policy})


def touch(cursor: Cursor, touched: pl.DataFrame) -> None:
    """Raise the versions of symbols, and note their last bars."""
    copy_rows(cursor, "touched", CopyRows.of(touched))
    execute_planned(cursor, sql.TOUCH, {})


def feature_names(cursor: Cursor) -> dict[str, list[str]]:
    """The names of every feature set on record."""
    return dict(rows(cursor, "SELECT feature_set, names FROM feature_sets"))


def _ask(cursor: Cursor, asked: Sequence[Asked]) -> None:
    cursor.execute("DELETE FROM asked")
    frame = pl.DataFrame(
        asked,
        schema={
            "number": pl.Int64, "symbol": pl.String, "timeframe": pl.String, "since": pl.Int64,
            "before": pl.Int64, "most": pl.Int64,
        },
        orient="row",
    )  # fmt: skip
    copy_rows(cursor, "asked", CopyRows.of(frame))
