"""What is kept in memory: the symbols' last bars and their waiting signals, as in the tables.

A symbol is kept with the version that its row had when this consumer last wrote it. Where the row
has another one, another consumer has changed the symbol since, and it is read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl

from services.outcome_scorer import store
from services.outcome_scorer.rows.bars import bar_columns
from services.outcome_scorer.rows.sessions import session_rows
from services.outcome_scorer.rows.signals import WrittenSignal, as_waiting, waiting
from services.outcome_scorer.rows.symbols import Asked, Ceased, Claimed, Key, touched_rows
from trackrecord.outcomes.label_many import Rows
from trackrecord.outcomes.model import DELISTED_AFTER
from trackrecord.outcomes.watch import KEPT, Watch
from trackrecord.runtime.database import Cursor

_AVERAGE_OF = 20
_MOST_SYMBOLS = 50_000
"""Symbols in memory, beyond which all are read anew as they come."""


class Symbols:
    """Bars and waiting signals by symbol.

    Attributes:
        watch: Where they are, and what judges them.
    """

    def __init__(self, policy: str) -> None:
        """Nothing is in memory yet.

        Args:
            policy: Whose outcomes are on record of the signals.
        """
        self._policy = policy
        self.watch = Watch()

    def forget(self) -> None:
        """Drop what is in memory."""
        self.watch = Watch()

    @property
    def waiting_signals(self) -> int:
        """How many signals wait for bars."""
        return len(self.watch.signals.slot)

    # -- of a batch ---------------------------------------------------------------------------

    def claim(self, cursor: Cursor) -> list[Claimed]:
        """Lock the symbols of the batch."""
        if len(self.watch.slots) > _MOST_SYMBOLS:
            self.forget()
        return store.symbols.claim(cursor)

    def bring(
        self,
        cursor: Cursor,
        claimed: Sequence[Claimed],
        late: Iterable[Key],
        bars: pl.DataFrame,
        signals: pl.DataFrame,
        written: Sequence[WrittenSignal],
    ) -> None:
        """Have all symbols of the batch in memory as they stand in the tables by now.

        Args:
            cursor: In the transaction.
            claimed: The symbols of the batch, with their versions before it.
            late: Those with bars that are not behind all others.
            bars: Bars of the batch that were not in the table.
            signals: Signals of the batch.
            written: What became of them.
        """
        watch = self.watch
        corrected = {signal.signal_id for signal in written if not signal.is_new}
        named = signals.select("signal_id", "symbol", "timeframe").iter_rows()
        again = set(late) | {
            (symbol, timeframe) for signal_id, symbol, timeframe in named if signal_id in corrected
        }
        fresh: set[Key] = set()
        stale: list[Key] = []
        for symbol in claimed:
            slot = watch.slot(symbol.key)  # which may make room, in new arrays
            if watch.version[slot] == symbol.version and symbol.key not in again:
                fresh.add(symbol.key)
            else:
                stale.append(symbol.key)
        if fresh:
            behind = self.placed(bars, fresh).sort("slot", "opened_us")
            arrays = bar_columns(behind.with_columns(opened_at="opened_us", closed_at="closed_us"))
            watch.append(behind["slot"].to_numpy(), arrays)
            sound = [signal.signal_id for signal in written if signal.is_new and not signal.unsound]
            new = signals.filter(pl.col("signal_id").is_in(sound))
            watch.put_signals(waiting(as_waiting(self.placed(new, fresh))))
        if stale:
            self._read(cursor, stale)

    def note(self, cursor: Cursor, claimed: Sequence[Claimed], bars: pl.DataFrame) -> None:
        """Note what new bars say of the market, and up to where each symbol has come.

        Args:
            cursor: In the transaction.
            claimed: The symbols of the batch, all in memory.
            bars: Bars of the batch that were not in the table.
        """
        watch = self.watch
        if bars.height:
            placed = self.placed(bars)
            moved, above = watch.moves(
                placed["slot"].to_numpy(), placed["opened_us"].to_numpy(), _AVERAGE_OF
            )
            store.sessions.write(cursor, session_rows(placed, moved, above))
        keys = [symbol.key for symbol in claimed]
        slots = np.array([watch.slots[key] for key in keys], np.int64)
        store.symbols.touch(
            cursor, touched_rows(keys, watch.last_opened_at(slots), watch.last_closed_at(slots))
        )
        watch.version[slots] = [symbol.version + 1 for symbol in claimed]

    def placed(self, frame: pl.DataFrame, keys: set[Key] | None = None) -> pl.DataFrame:
        """A frame with the place in memory of each row's symbol, of some symbols or of all."""
        slots = self.watch.slots
        named = frame.select("symbol", "timeframe").iter_rows()
        places = [slots[key] if keys is None or key in keys else None for key in named]
        column = pl.Series("slot", places, dtype=pl.Int64)
        return frame.with_columns(column).filter(pl.col("slot").is_not_null())

    # -- of symbols that have ceased to trade -------------------------------------------------

    def ceased(self, cursor: Cursor, timeframes: Sequence[str], most: int) -> list[Ceased]:
        """Lock some symbols without a bar for ten sessions, and have them in memory.

        Args:
            cursor: In the transaction.
            timeframes: Where to look for them.
            most: Symbols at most.
        """
        watch = self.watch
        found: list[Ceased] = []
        for name in timeframes:
            found += store.symbols.end_ceased(cursor, name, DELISTED_AFTER, most - len(found))
        slots = [watch.slot(symbol.key) for symbol in found]
        stale = [
            symbol.key
            for slot, symbol in zip(slots, found, strict=True)
            if watch.version[slot] != symbol.version - 1
        ]
        if stale:
            self._read(cursor, stale)
        for slot, symbol in zip(slots, found, strict=True):
            watch.version[slot] = symbol.version
        return found

    # -- from the tables ----------------------------------------------------------------------

    def read_again(self, slots: Rows) -> None:
        """Have symbols read from the tables when they come next."""
        self.watch.version[slots] = -1

    def _read(self, cursor: Cursor, keys: Sequence[Key]) -> None:
        """Bring symbols into memory as they stand in the tables."""
        watch = self.watch
        slots = [watch.slot(key) for key in keys]
        asked = [Asked(slot, *key, most=KEPT) for slot, key in zip(slots, keys, strict=True)]
        put_bars(watch, slots, store.bars.read(cursor, asked), KEPT)
        watch.forget_signals(slots)
        watch.put_signals(waiting(store.signals.read(cursor, asked, self._policy)))


def put_bars(watch: Watch, slots: Iterable[int], bars: pl.DataFrame, most: int | None) -> None:
    """Set the bars of symbols from rows that name their place.

    Args:
        watch: Takes them.
        slots: All places, those without bars too.
        bars: As :func:`services.outcome_scorer.store.bars.read` gives them.
        most: How many were asked for; None for all.
    """
    columns = bar_columns(bars)
    number = bars["number"].to_numpy()
    for slot in slots:
        start, end = np.searchsorted(number, (slot, slot + 1))
        whole = most is None or end - start < most
        watch.put_bars(slot, columns.take(slice(start, end)), whole=whole)


def left(claimed: Sequence[Claimed], keys: Sequence[Key]) -> list[Claimed]:
    """The symbols of a batch, of which some have lost signals to others, at their new versions."""
    return [symbol._replace(version=symbol.version + (symbol.key in keys)) for symbol in claimed]
