"""Transactions that read and write for one user, and no other."""

from __future__ import annotations

from uuid import UUID

from trackrecord.runtime.database import Cursor


def act_for(cursor: Cursor, user_id: UUID | None) -> None:
    """Have the rest of this transaction see what a user may; None: what nobody in particular may.

    It ends with the transaction, so that no session is left to the next request as somebody's.
    """
    cursor.execute(
        "SELECT set_config('trackrecord.user_id', %s, true)",
        ("" if user_id is None else str(user_id),),
    )
