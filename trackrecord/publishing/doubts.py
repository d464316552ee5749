"""What is allowed in events and yet looks like a mistake: said when they are published.

Nothing is refused for it: history is published late, exits before their entries, and what a
symbol is called is its publisher's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import polars as pl

from trackrecord.events import Event, MarketBar, SignalClosed, SignalEmitted
from trackrecord.events.types import wire_time

AHEAD = timedelta(minutes=1)
"""A time this far after the clock's is in the future; less is two clocks that differ."""

_MOST_IDS = 1_500_000
"""Signals and exits beyond which it is not remembered which of them the file opens: 30 MB."""

_TIMES = {SignalEmitted: "emitted_at", SignalClosed: "closed_at", MarketBar: "closed_at"}


def doubts_of(event: Event, now: datetime) -> list[str]:
    """What looks wrong in an event by itself, in words."""
    found = []
    name = _TIMES.get(type(event))
    if name is not None and getattr(event, name) > now + AHEAD:
        found.append(f"{name} is {wire_time(getattr(event, name))}, which is in the future")
    if isinstance(event, SignalEmitted):
        up = 1 if event.side == "BUY" else -1
        for level, sign, where in (("target_price", 1, "above"), ("stop_loss", -1, "below")):
            price = getattr(event, level)
            if price is not None and (price - event.price) * up * sign <= 0:
                right = where if up > 0 else {"above": "below", "below": "above"}[where]
                found.append(
                    f"{level} {price} of a {event.side} at {event.price} is not {right} its price, "
                    "so bars do not judge it"
                )
    return found


def may_be_doubtful(model: type[Event], frame: pl.DataFrame, now: datetime) -> pl.Series:
    """Which rows of a frame :func:`doubts_of` must be asked of; it finds nothing in the others.

    Args:
        model: The type of the events.
        frame: As :meth:`trackrecord.runtime.decoding.decoder.Decoder.accept` gives it.
        now: The time.
    """
    conditions = [pl.lit(value=False)]
    if model in _TIMES:
        # Times are UTC in one form up to the second.
        conditions.append(pl.col(_TIMES[model]).str.slice(0, 19) >= wire_time(now + AHEAD)[:19])
    if model is SignalEmitted:
        up = pl.when(pl.col("side") == "BUY").then(1.0).otherwise(-1.0)
        price, target, stop = (
            pl.col(name).cast(pl.Float64, strict=False)
            for name in ("price", "target_price", "stop_loss")
        )
        conditions += [(target - price) * up <= 0, (price - stop) * up <= 0]
    return frame.select(doubtful=pl.any_horizontal(conditions).fill_null(value=False)).to_series()


class Together:
    """What looks wrong only beside other events of the same file."""

    def __init__(self) -> None:
        """Nothing was seen yet."""
        self._spellings: dict[str, str] = {}
        self._warned: set[str] = set()
        self._opened: list[pl.Series] = []
        self._closed: list[pl.DataFrame] = []
        self._ids = 0

    def spellings(self, symbols: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Symbols that differ from one before by capitals only, once each, and what is said."""
        for symbol in symbols:
            first = self._spellings.setdefault(symbol.casefold(), symbol)
            if first != symbol and symbol not in self._warned:
                self._warned.add(symbol)
                yield symbol, f"the symbol {symbol} is not {first}, which is there as well"

    def opened(self, signal_ids: pl.Series) -> None:
        """Signals that were emitted."""
        if self._room(signal_ids.len()):
            self._opened.append(signal_ids.hash(seed=1))

    def closed(self, signal_ids: pl.Series, lines: pl.Series) -> None:
        """Signals that were closed, and in which lines."""
        if self._room(signal_ids.len()):
            hashed = signal_ids.hash(seed=1).alias("id")
            self._closed.append(pl.DataFrame([hashed, lines.alias("line").cast(pl.Int64)]))

    def strays(self) -> tuple[int, str] | None:
        """The first line of an exit whose signal is not in the file, and what is said of all.

        None where there is no such exit, or no entry at all: then the file is one of exits.
        """
        if not self._closed or not self._opened or self._ids > _MOST_IDS:
            return None
        closed, opened = pl.concat(self._closed), pl.concat(self._opened)
        strays = closed.filter(~pl.col("id").is_in(opened.implode()))
        if not strays.height:
            return None
        first = strays["line"].min()
        return int(first), (  # type: ignore[arg-type]
            f"{strays.height:,} exits, this one first, are of signals that are not in this file: "
            "they count once these are on record"
        )

    def _room(self, count: int) -> bool:
        self._ids += count
        if self._ids > _MOST_IDS:
            self._opened, self._closed = [], []
        return self._ids <= _MOST_IDS
