"""Comparing a derived table with its replay: whether, how many, and what changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from trackrecord.runtime.database import Cursor, rows
from trackrecord.runtime.stage import DerivedTable

_MOST = 20_000
"""Differing rows of which the columns are compared; beyond that they are only counted."""

_EXAMPLES = 5

Digest = tuple[int, Any]
"""The number of rows, and the sum of their hashes."""


@dataclass(frozen=True)
class Difference:
    """How one table came out.

    Attributes:
        rows: As recorded.
        differences: Rows that are missing, too many, or other than before.
        changed_columns: In how many of them each column changed; ``missing`` and
            ``new`` count whole rows.
        examples: A few of them: the key, and each changed column's value before and after.
    """

    rows: int
    differences: int = 0
    changed_columns: dict[str, int] = field(default_factory=dict)
    examples: list[dict[str, Any]] = field(default_factory=list)


def digest(cursor: Cursor, table: DerivedTable) -> Digest:
    """The content of a table in two numbers: equal for equal sets of rows."""
    found = rows(
        cursor,
        "SELECT count(*), coalesce(sum(hashtextextended(content::text, 0)::numeric), 0)"
        f" FROM ({table.content}) AS content",
    )
    return int(found[0][0]), found[0][1]


def compare(before: Cursor, after: Cursor, table: DerivedTable, recorded: Digest) -> Difference:
    """Compare a table as it was recorded with what replay made of it.

    Args:
        before: Sees the live table as it was when ``recorded`` was taken.
        after: Sees the replayed one.
        table: Which.
        recorded: Its digest.
    """
    count = recorded[0]
    if digest(after, table) == recorded:
        return Difference(count)
    old, new = _hashes(before, table), _hashes(after, table)
    only_old, only_new = old - new, new - old
    if max(len(only_old), len(only_new)) > _MOST:
        return Difference(count, max(len(only_old), len(only_new)))
    return _details(count, table.key, _rows(before, table, only_old), _rows(after, table, only_new))


def _details(
    count: int, key: Sequence[str], old: list[dict[str, Any]], new: list[dict[str, Any]]
) -> Difference:
    def by_key(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
        return {"/".join(str(row[name]) for name in key): row for row in found}

    was, is_ = by_key(old), by_key(new)
    columns: Counter[str] = Counter()
    examples: list[dict[str, Any]] = []
    keys = sorted(was.keys() | is_.keys())
    for name in keys:
        if name not in is_ or name not in was:
            what = "missing" if name not in is_ else "new"
            columns[what] += 1
            changes: Any = what
        else:
            changes = {
                column: [was[name][column], is_[name][column]]
                for column in was[name]
                if was[name][column] != is_[name][column]
            }
            columns.update(changes.keys())
        if len(examples) < _EXAMPLES:
            examples.append({"key": name, "changed": changes})
    return Difference(count, len(keys), dict(columns.most_common()), examples)


def _hashes(cursor: Cursor, table: DerivedTable) -> set[int]:
    return {
        value
        for (value,) in rows(
            cursor,
            f"SELECT hashtextextended(content::text, 0) FROM ({table.content}) AS content",
        )
    }


def _rows(cursor: Cursor, table: DerivedTable, hashes: set[int]) -> list[dict[str, Any]]:
    found = rows(
        cursor,
        f"SELECT to_jsonb(content) FROM ({table.content}) AS content"
        " WHERE hashtextextended(content::text, 0) = ANY(%s)",
        (list(hashes),),
    )
    return [row for (row,) in found]
