"""One keeper of a kind at a time, however many processes run one."""

from __future__ import annotations

from trackrecord.runtime.database import Connection, rows


def is_ours(connection: Connection, lock: int) -> bool:
    """Whether nobody else keeps these things of this schema; ours until the connection ends.

    Args:
        connection: That commits by itself.
        lock: The number of an advisory lock that stands for the kind of things.

    Raises:
        PassingError: The database does not answer.
    """
    with connection.cursor() as cursor:
        ((ours,),) = rows(
            cursor, "SELECT pg_try_advisory_lock(%s, hashtext(current_schema()))", (lock,)
        )
    return bool(ours)
