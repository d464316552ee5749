"""What was asked for: kept when it comes, taken up by one worker, and ended once.

A request is waiting, working, then done or failed. Each worker that takes it up raises its epoch,
and what a worker brings under an earlier one is dropped; so one that was thought dead and comes
back changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from trackrecord.catalogue.store.rows import as_json
from trackrecord.errors import TrackrecordError
from trackrecord.events import StrategyRequested
from trackrecord.runtime.database import Cursor, rows

RequestStatus = Literal["waiting", "working", "done", "failed"]
Kind = Literal["offline", "asking"]
"""``offline``: made by rules at hand, in a moment; ``asking``: a language model is asked."""

_OFFLINE: Final = "coalesce(content->>'provider', %(standard)s) = 'offline'"


class ConflictingRequestError(TrackrecordError):
    """A request has the id of another one that asks for something else, or is somebody else's."""


class SupersededRequestError(TrackrecordError):
    """Another worker has taken a request up, or it has ended; what was made is dropped."""


@dataclass(frozen=True)
class Request:
    """What was asked for, and what came of it.

    Attributes:
        request_id: Chosen by who asked.
        owner: Who asked.
        user_id: The user of the HTTP API whose it is; None: nobody's.
        content: The request, as its event holds it.
        status: Where it stands.
        error: Why it failed.
        strategy_id: What was made.
        answer: What ``strategy_generated`` told, but for the ids.
        requested_at: When it came.
        worker: Who has it, or had it last.
        epoch: How often it was taken up.
        beat_at: The worker's last sign of life.
        ended_at: When it was done or failed.
    """

    request_id: str
    owner: str
    user_id: UUID | None
    content: Mapping[str, Any]
    status: RequestStatus
    error: str | None
    strategy_id: UUID | None
    answer: Mapping[str, Any] | None
    requested_at: datetime
    worker: str | None
    epoch: int
    beat_at: datetime | None
    ended_at: datetime | None

    @property
    def asked(self) -> StrategyRequested:
        """The request as an event."""
        return StrategyRequested.model_validate(dict(self.content))


_NAMES: Final = tuple(each.name for each in fields(Request))
_COLUMNS: Final = ", ".join(_NAMES)


def submit(
    cursor: Cursor, request: StrategyRequested, *, user_id: UUID | None, now: datetime
) -> bool:
    """Keep a request until it is worked upon.

    Args:
        cursor: Inside a transaction.
        request: What is asked for.
        user_id: The user who asks; None: nobody's.
        now: The time.

    Returns:
        Whether it is new: the same one may come twice.

    Raises:
        ConflictingRequestError: There is another one of this id.
    """
    content = request.model_dump(mode="json", exclude_none=True)
    cursor.execute(
        "INSERT INTO strategy_requests (request_id, owner, user_id, content, status, requested_at)"
        " VALUES (%s, %s, %s, %s, 'waiting', %s) ON CONFLICT (request_id) DO NOTHING",
        (
            request.request_id,
            request.owner,
            None if user_id is None else str(user_id),
            as_json(content),
            now,
        ),
    )
    if cursor.rowcount:
        return True
    known = of(cursor, request.request_id)
    if known is None or known.asked != request:
        raise ConflictingRequestError(
            f"there is a request {request.request_id!r} already, which asks for something else or "
            "is somebody else's: choose another id"
        )
    return False


def claim(
    cursor: Cursor,
    worker: str,
    *,
    stale_seconds: float,
    now: datetime,
    kind: Kind | None = None,
    standard: str = "offline",
    request_id: str | None = None,
) -> Request | None:
    """Take up the oldest request that waits, or whose worker gave no sign of life.

    Args:
        cursor: Inside a transaction, which is to be committed before the work begins.
        worker: Who takes it up.
        stale_seconds: After so long without a sign of life a worker is taken for dead.
        now: The time.
        kind: Only of this kind.
        standard: The provider of requests that name none.
        request_id: Only this one.

    Returns:
        The request under its new epoch; None: there is none to take up.
    """
    conditions = {None: "true", "offline": _OFFLINE, "asking": f"NOT ({_OFFLINE})"}
    found = rows(
        cursor,
        "UPDATE strategy_requests SET status = 'working', worker = %(worker)s, epoch = epoch + 1,"
        " beat_at = %(now)s WHERE request_id = (SELECT request_id FROM strategy_requests"
        " WHERE (status = 'waiting' OR status = 'working'"
        "   AND beat_at < %(now)s::timestamptz - make_interval(secs => %(stale)s))"
        f" AND {conditions[kind]} AND (%(id)s::text IS NULL OR request_id = %(id)s)"
        " ORDER BY requested_at, request_id LIMIT 1 FOR UPDATE SKIP LOCKED)"
        f" RETURNING {_COLUMNS}",
        {
            "worker": worker,
            "now": now,
            "stale": stale_seconds,
            "standard": standard,
            "id": request_id,
        },
    )
    return _request(found[0]) if found else None


def beat(cursor: Cursor, request_id: str, epoch: int, now: datetime) -> bool:
    """Give a sign of life; False where the request is in other hands, or has ended."""
    cursor.execute(
        "UPDATE strategy_requests SET beat_at = %s"
        " WHERE request_id = %s AND epoch = %s AND status = 'working'",
        (now, request_id, epoch),
    )
    return cursor.rowcount == 1


def release(cursor: Cursor, request_id: str, epoch: int) -> bool:
    """Give a request back that nothing was done about; whether it was still in these hands."""
    cursor.execute(
        "UPDATE strategy_requests SET status = 'waiting', worker = NULL, beat_at = NULL"
        " WHERE request_id = %s AND epoch = %s AND status = 'working'",
        (request_id, epoch),
    )
    return cursor.rowcount == 1


def end(
    cursor: Cursor,
    request_id: str,
    epoch: int,
    *,
    now: datetime,
    answer: Mapping[str, Any],
    strategy_id: UUID | None = None,
    error: str | None = None,
) -> None:
    """Write what came of a request, in the transaction that writes the strategy.

    Args:
        cursor: Inside a transaction.
        request_id: Of the request.
        epoch: Under which it was taken up.
        now: The time.
        answer: What ``strategy_generated`` tells, but for the ids.
        strategy_id: What was made; None: nothing.
        error: Why it failed; None: it is done, whatever came out.

    Raises:
        SupersededRequestError: It is in other hands, or has ended; nothing may be committed.
    """
    cursor.execute(
        "UPDATE strategy_requests SET status = %s, error = %s, answer = %s, strategy_id = %s,"
        " ended_at = %s WHERE request_id = %s AND epoch = %s AND status = 'working'",
        (
            "done" if error is None else "failed",
            error,
            as_json(answer),
            None if strategy_id is None else str(strategy_id),
            now,
            request_id,
            epoch,
        ),
    )
    if not cursor.rowcount:
        raise SupersededRequestError(f"request {request_id!r} was taken up by another worker")


def of(cursor: Cursor, request_id: str) -> Request | None:
    """A request; None: there is none of this id, for this session to see."""
    found = rows(
        cursor, f"SELECT {_COLUMNS} FROM strategy_requests WHERE request_id = %s", (request_id,)
    )
    return _request(found[0]) if found else None


def open_count(cursor: Cursor) -> int:
    """How many requests have not ended."""
    [(number,)] = rows(
        cursor, "SELECT count(*) FROM strategy_requests WHERE status IN ('waiting', 'working')"
    )
    return int(number)


def open_of(cursor: Cursor, user_id: UUID | None) -> int:
    """How many requests of a user have not ended; None: of those that are nobody's."""
    [(number,)] = rows(
        cursor,
        "SELECT count(*) FROM strategy_requests WHERE status IN ('waiting', 'working')"
        " AND user_id IS NOT DISTINCT FROM %s",
        (None if user_id is None else str(user_id),),
    )
    return int(number)


def _request(row: tuple[Any, ...]) -> Request:
    values = dict(zip(_NAMES, row, strict=True))
    for name in ("user_id", "strategy_id"):
        values[name] = None if values[name] is None else UUID(str(values[name]))
    return Request(**values)
