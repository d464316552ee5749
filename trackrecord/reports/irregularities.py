"""What looks wrong on record, counted: exits without an entry, wrong levels and times, symbols.

Nothing of it is refused, for each may be right one day; but a record that holds it deserves a
second look. Rows are found by indexes that hold such rows alone, so a report on a long history
takes no longer for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from trackrecord.runtime.database import Cursor, rows

# The condition of the index signals_wrong_levels, word for word.
_WRONG_LEVELS: Final = """
    ((side = 'BUY' AND (target_price <= price OR stop_loss >= price))
     OR (side = 'SELL' AND (target_price >= price OR stop_loss <= price)))
"""

COUNTS: Final = {
    "exits_without_entry": """
        SELECT x.strategy, count(*) FROM exits AS x JOIN signals AS s USING (signal_id)
        WHERE s.revision = -1 AND (%(as_of)s::timestamptz IS NULL OR x.closed_at <= %(as_of)s)
        GROUP BY 1
    """,
    "exits_before_entry": """
        SELECT s.strategy, count(*) FROM exits AS x JOIN signals AS s USING (signal_id)
        WHERE x.before_entry AND (%(as_of)s::timestamptz IS NULL OR s.emitted_at <= %(as_of)s)
        GROUP BY 1
    """,
    "levels_on_wrong_side": f"""
        SELECT strategy, count(*) FROM signals
        WHERE {_WRONG_LEVELS} AND (%(as_of)s::timestamptz IS NULL OR emitted_at <= %(as_of)s)
        GROUP BY 1
    """,
    "emitted_in_future": """
        SELECT strategy, count(*) FROM signals
        WHERE ahead AND (%(as_of)s::timestamptz IS NULL OR emitted_at <= %(as_of)s)
        GROUP BY 1
    """,
}
"""How many of each kind there are, by strategy."""

# From one symbol to the next by the key, however many days each has.
_SYMBOLS: Final = """
    WITH RECURSIVE known AS (
        (SELECT symbol FROM symbol_days ORDER BY symbol LIMIT 1)
        UNION ALL
        SELECT (SELECT d.symbol FROM symbol_days AS d WHERE d.symbol > known.symbol
                ORDER BY d.symbol LIMIT 1)
        FROM known WHERE known.symbol IS NOT NULL
    ) SELECT symbol FROM known WHERE symbol IS NOT NULL
"""


@dataclass(frozen=True)
class Irregularities:
    """What looks wrong.

    Attributes:
        by_strategy: How many of each kind, by the name of the kind, then by strategy (None: an
            exit without an entry that names none). Kinds and strategies without any are left out.
            ``exits_without_entry``: their ``signal_emitted`` has not come. ``exits_before_entry``:
            older than it by more than the tolerance. ``levels_on_wrong_side``: signals with a
            target or a stop on the wrong side of their price. ``emitted_in_future``: signals that
            claimed to be later than the broker's time by more than the tolerance.
        symbols: Symbols of signals that differ only by case, one list for each.
    """

    by_strategy: dict[str, dict[str | None, int]] = field(default_factory=dict)
    symbols: list[list[str]] = field(default_factory=list)

    def total(self, kind: str) -> int:
        """How many there are of a kind."""
        return sum(self.by_strategy.get(kind, {}).values())

    def of(self, strategy: str) -> dict[str, int]:
        """How many of each kind a strategy has; kinds of which it has none are left out."""
        return {
            kind: counts[strategy]
            for kind, counts in self.by_strategy.items()
            if strategy in counts
        }


def read_irregularities(
    cursor: Cursor, as_of: datetime | None, strategy: str | None = None
) -> Irregularities:
    """Count what looks wrong on record.

    Args:
        cursor: In the snapshot that is reported on.
        as_of: Event time; what was emitted or closed later does not count.
        strategy: Only this one's; symbols are those of the whole record, and left out then.
    """
    found: dict[str, dict[str | None, int]] = {}
    for kind, query in COUNTS.items():
        counts = dict(rows(cursor, query, {"as_of": as_of}))
        if strategy is not None:
            counts = {name: count for name, count in counts.items() if name == strategy}
        if counts:
            found[kind] = counts
    symbols = [] if strategy is not None else _symbols(cursor, as_of)
    return Irregularities(found, symbols)


def _symbols(cursor: Cursor, as_of: datetime | None) -> list[list[str]]:
    alike = _alike(symbol for (symbol,) in rows(cursor, _SYMBOLS))
    if not alike:
        return []
    # A symbol that a correction has taken away, or that comes only later, is none.
    query = """
        SELECT symbol FROM symbol_days WHERE symbol = ANY(%(symbols)s)
        GROUP BY symbol HAVING sum(signals) > 0
    """
    if as_of is not None:
        query = """
            SELECT DISTINCT symbol FROM signals
            WHERE symbol = ANY(%(symbols)s) AND revision >= 0 AND emitted_at <= %(as_of)s
        """
    named = {"symbols": [name for names in alike for name in names], "as_of": as_of}
    return _alike(symbol for (symbol,) in rows(cursor, query, named))


def _alike(symbols: Iterable[str]) -> list[list[str]]:
    """Those that are equal but for the case of their letters, in the order of the alphabet."""
    forms: dict[str, set[str]] = defaultdict(set)
    for symbol in symbols:
        forms[symbol.casefold()].add(symbol)
    return sorted(sorted(names) for names in forms.values() if len(names) > 1)


_SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "exits_without_entry": (
        "1 exit names a signal whose entry is not on record",
        "{} exits name signals whose entries are not on record",
    ),
    "exits_before_entry": (
        "1 exit is older than its signal and closed nothing",
        "{} exits are older than their signals and closed nothing",
    ),
    "levels_on_wrong_side": (
        "1 signal has its target or stop on the wrong side of its price",
        "{} signals have their target or stop on the wrong side of their price",
    ),
    "emitted_in_future": (
        "1 signal came with a time that lay in the future",
        "{} signals came with a time that lay in the future",
    ),
}


def sentences(found: Irregularities) -> list[str]:
    """What looks wrong in words, one sentence for each kind that there is."""
    words = []
    for kind, (one, many) in _SENTENCES.items():
        count = found.total(kind)
        if count:
            words.append(one if count == 1 else many.format(f"{count:,}"))
    words += [f"symbols that differ only by case: {', '.join(names)}" for names in found.symbols]
    return words


def as_fields(found: Irregularities) -> dict[str, Any]:
    """What looks wrong on the whole record as fields of an answer; only those that there are."""
    fields: dict[str, Any] = {kind: found.total(kind) for kind in _SENTENCES if found.total(kind)}
    if found.symbols:
        fields["symbols_differing_by_case"] = found.symbols
    return fields
