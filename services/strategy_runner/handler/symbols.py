"""What is kept in memory of symbols: their last bars, and what strategies hold of them.

A symbol is kept with the version that its row had when this consumer last wrote it. Where the row
has another one, another consumer has changed the symbol since, and it is read again. Bars are kept
only of symbols that a strategy trades.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from services.strategy_runner import store
from services.strategy_runner.handler.roster import Member, Roster
from services.strategy_runner.rows import Claimed, Key, VersionKey
from trackrecord.runtime.database import Cursor
from trackrecord.strategies.live.lines import Line
from trackrecord.strategies.live.standing import Standing

_MOST_SYMBOLS: Final = 50_000
"""Symbols in memory, beyond which all are read anew as they come."""
_LEAST_KEPT: Final = 60
"""Bars that are kept at least: a bar that came before is known as such."""


@dataclass
class Symbol:
    """A symbol and timeframe in memory.

    Attributes:
        version: Of its row when this was read or written; -1 is never.
        last_day: The date on which its last bar opened, days since 1970.
        lines: By source; None is that of the first source by name.
        standings: What is held, by strategy and version, with the source of its bars.
        failures: How often in a row strategies have failed on it.
        active: Who decides on it, by the line's source; of a strategy one version.
        leaving: Who only leaves what it holds.
        heirs: By an older version, the line and the version that takes its position over.
    """

    key: Key
    version: int = -1
    last_day: int | None = None
    generation: int = -1
    lines: dict[str | None, Line] = field(default_factory=dict)
    standings: dict[VersionKey, tuple[str | None, Standing]] = field(default_factory=dict)
    failures: dict[VersionKey, int] = field(default_factory=dict)
    active: dict[str | None, dict[VersionKey, Member]] = field(default_factory=dict)
    leaving: dict[VersionKey, Member] = field(default_factory=dict)
    heirs: dict[VersionKey, tuple[str | None, VersionKey]] = field(default_factory=dict)

    def enrol(self, roster: Roster) -> None:
        """Note who trades it, where that has changed."""
        if self.generation == roster.generation:
            return
        self.generation = roster.generation
        symbol, timeframe = self.key
        self.active = {}
        for member in roster.active.values():
            if member.listed.timeframe == timeframe and member.trades(symbol):
                self.active.setdefault(member.source, {})[member.key] = member

    def part(self, roster: Roster, others: Mapping[VersionKey, Member]) -> None:
        """Note who only leaves what it holds, and on which line everybody is followed now."""
        self.leaving = {}
        for key, (source, standing) in self.standings.items():
            member = roster.active.get(key)
            if member is not None and key in self.active.get(member.source, {}):
                if member.source != source:
                    self.standings[key] = (member.source, standing)
                continue
            member = member or others.get(key)
            if member is not None:
                # Of one that is active elsewhere, too: this symbol is no longer its own.
                listed = member.listed._replace(is_active=False, source=source)
                self.leaving[key] = replace(member, listed=listed)
        self.heirs = self._heirs() if self.leaving else {}

    def _heirs(self) -> dict[VersionKey, tuple[str | None, VersionKey]]:
        taking = {
            key[0]: (source, key)
            for source, members in self.active.items()
            for key, member in members.items()
            if member.listed.takes_over
        }
        return {key: taking[key[0]] for key in self.leaving if key[0] in taking}

    @property
    def wanted(self) -> dict[str | None, int]:
        """Bars that strategies look back on, by the source of the line."""
        found: dict[str | None, int] = {}
        for source, members in self.active.items():
            found[source] = max(member.lookback for member in members.values())
        for key, (source, _) in self.standings.items():
            member = self.leaving.get(key)
            lookback = 1 if member is None else member.lookback
            found[source] = max(found.get(source, 1), lookback)
        return found


class Symbols:
    """The symbols that this consumer has met."""

    def __init__(self) -> None:
        """Nothing is in memory yet."""
        self._all: dict[Key, Symbol] = {}

    def forget(self) -> None:
        """Drop what is in memory."""
        self._all = {}

    @property
    def positions(self) -> int:
        """How many are held or wait, of all symbols."""
        return sum(len(each.standings) for each in self._all.values())

    def bring(
        self, cursor: Cursor, roster: Roster, claimed: Sequence[Claimed]
    ) -> dict[Key, Symbol]:
        """Have symbols in memory as they stand in the tables, before this batch is written.

        Args:
            cursor: In the transaction.
            roster: Who is active.
            claimed: The symbols, locked.
        """
        if len(self._all) > _MOST_SYMBOLS:
            self.forget()
        found: dict[Key, Symbol] = {}
        stale: list[Key] = []
        for row in claimed:
            symbol = self._all.get(row.key)
            if symbol is None or symbol.version != row.version:
                symbol = self._all[row.key] = Symbol(row.key, row.version, row.last_day)
                stale.append(row.key)
            found[row.key] = symbol
        if stale:
            held = store.positions.read(cursor, stale)
            failed = store.decisions.failures(cursor, stale)
            for key in stale:
                found[key].standings, found[key].failures = held[key], failed[key]
        keys = {key for symbol in found.values() for key in symbol.standings}
        others = roster.others(cursor, keys)
        for row in claimed:
            symbol = found[row.key]
            symbol.enrol(roster)
            symbol.part(roster, others)
            self._bring_lines(cursor, symbol, row.folded_at)
        return found

    def _bring_lines(self, cursor: Cursor, symbol: Symbol, folded_at: int | None) -> None:
        wanted = symbol.wanted
        for source in symbol.lines.keys() - wanted.keys():
            del symbol.lines[source]
        for source, lookback in wanted.items():
            line = symbol.lines.get(source)
            if line is not None and line.keep >= lookback:
                continue
            keep = max(lookback, _LEAST_KEPT)
            kept = store.bars.read(cursor, symbol.key, source, keep)
            # Of one source every bar counts when it comes; none waits.
            folded = folded_at if source is None else None
            symbol.lines[source] = Line(keep, kept, folded)
