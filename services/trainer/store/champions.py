"""Which version of a model serves, and which did."""

from __future__ import annotations

from typing import Any

from trackrecord.runtime.database import Cursor, rows


def lock(cursor: Cursor, model: str) -> None:
    """Until the end of the transaction nobody else changes which version serves."""
    cursor.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(current_schema || ' champion ' || %s, 0))",
        (model,),
    )


def change(
    cursor: Cursor, model: str, version: str | None, reason: str, training_id: str | None
) -> None:
    """Have a version serve from now on; the lock must be held."""
    # A clock that was set back must not make one version end before it began.
    [(now,)] = rows(
        cursor,
        "SELECT greatest(clock_timestamp(), max(live_from) + interval '1 microsecond')"
        " FROM champions WHERE model = %s",
        (model,),
    )
    cursor.execute(
        "UPDATE champions SET live_until = %s WHERE model = %s AND live_until IS NULL",
        (now, model),
    )
    cursor.execute(
        "INSERT INTO champions (model, live_from, version, reason, training_id)"
        " VALUES (%s, %s, %s, %s, %s)",
        (model, now, version, reason, training_id),
    )


def before(cursor: Cursor, model: str, present: str | None) -> str | None:
    """What served when a version took over by a training; so a second step goes further back."""
    if present is None:
        return None
    found = rows(
        cursor,
        "SELECT earlier.version FROM champions won LEFT JOIN champions earlier"
        " ON earlier.model = won.model AND earlier.live_until = won.live_from"
        " WHERE won.model = %s AND won.version = %s AND won.training_id IS NOT NULL"
        " ORDER BY won.live_from LIMIT 1",
        (model, present),
    )
    return found[0][0] if found else None


def history(cursor: Cursor, model: str) -> list[dict[str, Any]]:
    """Which version was live when, the present one first."""
    names = ("version", "live_from", "live_until", "reason", "training_id")
    return [
        dict(zip(names, row, strict=True))
        for row in rows(
            cursor,
            f"SELECT {', '.join(names)} FROM champions WHERE model = %s ORDER BY live_from DESC",
            (model,),
        )
    ]
