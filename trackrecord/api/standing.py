"""Whose a name of a strategy or script is, as far as whoever asks may know."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from trackrecord.access.store.claims import Standing, standings
from trackrecord.access.store.session import act_for
from trackrecord.api.who import Reader
from trackrecord.runtime.database import Cursor


def standings_of(cursor: Cursor, who: Reader, names: list[str]) -> dict[str, Standing]:
    """What the standing of each of some names is."""
    act_for(cursor, None if who.identity is None else who.identity.user_id)
    return standings(cursor, names)


def standing_of(cursor: Cursor, who: Reader, name: str) -> Standing:
    """What one name's standing is.

    Args:
        cursor: Inside a transaction.
        who: Who asks.
        name: Of a strategy or script that they may see.
    """
    return standings_of(cursor, who, [name])[name]


def with_standing(
    cursor: Cursor, who: Reader, found: Iterable[dict[str, Any]], name: str = "strategy"
) -> list[dict[str, Any]]:
    """Records, each with the standing of its name.

    Args:
        cursor: Inside a transaction.
        who: Who asks.
        found: Records that they may see.
        name: What the name is called in them.
    """
    records = list(found)
    known = standings_of(cursor, who, sorted({each[name] for each in records}))
    return [{**each, "standing": known[each[name]]} for each in records]
