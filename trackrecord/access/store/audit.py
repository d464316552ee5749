"""The audit log: what was changed of users, keys, claims and letters, when and by whom."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from trackrecord.runtime.database import Cursor, rows

_COLUMNS: Final = ("audit_id", "at", "actor", "action", "subject", "details", "address")


@dataclass(frozen=True)
class Actor:
    """Who changes something.

    Attributes:
        name: For people.
        user_id: None: the command line, where whoever has the database's password acts.
        address: From where; None: from this machine.
    """

    name: str
    user_id: UUID | None = None
    address: str | None = None


COMMAND_LINE: Final = Actor("command line")


def note(cursor: Cursor, actor: Actor, action: str, subject: str, **details: object) -> None:
    """Write down a change, in its own transaction.

    Args:
        cursor: Of that transaction.
        actor: Who changes.
        action: Such as ``user added``.
        subject: What is changed.
        details: What else there is to know; no secrets.
    """
    cursor.execute(
        "INSERT INTO audit_log (user_id, actor, action, subject, details, address)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (
            actor.user_id and str(actor.user_id),
            actor.name,
            action,
            subject,
            json.dumps(details, default=str),
            actor.address,
        ),
    )


def read(cursor: Cursor, before: int | None, limit: int) -> list[Mapping[str, Any]]:
    """One page of what was changed, the latest first.

    Args:
        cursor: Inside a transaction of an admin, or of the tables' owner.
        before: The ``audit_id`` of the last one of the page before.
        limit: How many at most.
    """
    found = rows(
        cursor,
        f"SELECT {', '.join(_COLUMNS)} FROM audit_log"
        " WHERE %(before)s::bigint IS NULL OR audit_id < %(before)s"
        " ORDER BY audit_id DESC LIMIT %(limit)s",
        {"before": before, "limit": limit},
    )
    return [dict(zip(_COLUMNS, row, strict=True)) for row in found]
