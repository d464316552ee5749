"""The log of attempts in the database: every question to a generator, and what came of it.

Each row is committed by itself, in a transaction of its own: a question is on the disk before a
provider is asked, whatever becomes of the process that asks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import psycopg2

from trackrecord.errors import TrackrecordError
from trackrecord.providers.attempts import INTERRUPTED, Attempt, Question, Result
from trackrecord.runtime.database import Cursor, rows

Connect = Callable[[], AbstractContextManager[Cursor]]
"""Gives the cursor of a transaction, which is committed at the end of the block."""

_QUESTION: Final = (
    "attempt_id", "request_id", "number", "owner", "prompt", "instructions", "request", "provider",
    "model", "most_tokens", "most_seconds", "asked_at",
)  # fmt: skip
_RESULT: Final = (
    "status", "ending", "error", "raw_answer", "code", "problems", "answered_by", "input_tokens",
    "output_tokens", "seconds", "ended_at",
)  # fmt: skip

AttemptPlace = tuple[datetime, str]
"""Where a page of attempts ended: when the last one was asked, and its id."""


@dataclass(frozen=True)
class Logged:
    """An attempt as the log has it.

    Attributes:
        attempt: The question and what came of it; its ``generation_id`` is the request's id.
        request_id: What it was an attempt at.
        user_id: The user of the HTTP API whose it is; None: nobody's.
    """

    attempt: Attempt
    request_id: str
    user_id: UUID | None


class AttemptTable:
    """An :class:`~trackrecord.providers.attempts.AttemptLog` in ``generation_log``."""

    def __init__(
        self, connect: Connect, *, request_id: str = "", user_id: UUID | None = None
    ) -> None:
        """Prepare; nothing is reached yet.

        Args:
            connect: Opens a transaction for each row.
            request_id: What the attempts are at; needed to write.
            user_id: The user whose they are; None: nobody's.
        """
        self._connect = connect
        self._request_id = request_id
        self._user_id = user_id

    def asking(self, question: Question) -> None:
        """Keep a question, before it is asked.

        Raises:
            OSError: It cannot be kept.
        """
        with _kept(), self._connect() as cursor:
            write(cursor, question, self._request_id, self._user_id, Result("asking"))

    def ended(self, attempt_id: str, result: Result) -> None:
        """Keep what came of it; of several results the last counts.

        Raises:
            OSError: It cannot be kept.
        """
        with _kept(), self._connect() as cursor:
            columns = _columns(result)
            setting = ", ".join(f"{name} = %({name})s" for name in columns)
            cursor.execute(
                f"UPDATE generation_log SET {setting} WHERE attempt_id = %(attempt_id)s",
                {**columns, "attempt_id": attempt_id},
            )

    def attempts(self, limit: int | None = None) -> list[Attempt]:
        """The attempts, the latest first; at most ``limit`` of them.

        Raises:
            OSError: They cannot be read.
        """
        with _kept(), self._connect() as cursor:
            request = self._request_id or None
            return [each.attempt for each in logged(cursor, request_id=request, limit=limit)]


def write(
    cursor: Cursor, question: Question, request_id: str, user_id: UUID | None, result: Result
) -> None:
    """Write an attempt into the log, in the transaction of a cursor."""
    values = {
        **_columns(result),
        "attempt_id": question.attempt_id,
        "request_id": request_id,
        "number": question.number,
        "owner": question.owner,
        "user_id": None if user_id is None else str(user_id),
        "prompt": question.sentence,
        "instructions": question.instructions,
        "request": question.request,
        "provider": question.provider,
        "model": question.model,
        "most_tokens": question.most_tokens,
        "most_seconds": question.most_seconds,
        "asked_at": question.asked_at,
    }
    names = ", ".join(values)
    places = ", ".join(f"%({name})s" for name in values)
    cursor.execute(f"INSERT INTO generation_log ({names}) VALUES ({places})", values)


def logged(
    cursor: Cursor,
    *,
    attempt_id: str | None = None,
    request_id: str | None = None,
    owner: str | None = None,
    user_id: UUID | None = None,
    provider: str | None = None,
    status: str | None = None,
    after: AttemptPlace | None = None,
    limit: int | None = None,
) -> list[Logged]:
    """Attempts that this session may see, the latest first.

    Args:
        cursor: Inside a transaction.
        attempt_id: Only this one.
        request_id: Only at this request.
        owner: Only of this owner.
        user_id: Only of this user.
        provider: Only those that asked it.
        status: Only those that stand so: asking, success, failure or partial.
        after: The last one of the page before: its ``asked_at`` and ``attempt_id``.
        limit: How many at most; None: all.
    """
    found = rows(
        cursor,
        f"SELECT user_id, {', '.join(_QUESTION)}, {', '.join(_RESULT)} FROM generation_log"
        " WHERE (%(attempt)s::text IS NULL OR attempt_id = %(attempt)s)"
        " AND (%(request)s::text IS NULL OR request_id = %(request)s)"
        " AND (%(owner)s::text IS NULL OR owner = %(owner)s)"
        " AND (%(user)s::uuid IS NULL OR user_id = %(user)s)"
        " AND (%(provider)s::text IS NULL OR provider = %(provider)s)"
        " AND (%(status)s::text IS NULL OR status = %(status)s)"
        " AND (%(at)s::timestamptz IS NULL OR (asked_at, attempt_id) < (%(at)s, %(id)s))"
        " ORDER BY asked_at DESC, attempt_id DESC LIMIT %(limit)s",
        {
            "attempt": attempt_id,
            "request": request_id,
            "owner": owner,
            "user": None if user_id is None else str(user_id),
            "provider": provider,
            "status": status,
            "at": None if after is None else after[0],
            "id": None if after is None else after[1],
            "limit": None if limit is None else max(0, limit),
        },
    )
    return [_logged(user, row) for user, *row in found]


def interrupt(cursor: Cursor, request_id: str, now: datetime) -> bool:
    """End attempts at a request whose worker is gone; whether any was ever made.

    One whose question had gone out may have been billed, and is not asked again by itself.
    """
    cursor.execute(
        "UPDATE generation_log SET status = 'failure', error = %s, ended_at = %s"
        " WHERE request_id = %s AND status = 'asking'",
        (INTERRUPTED, now, request_id),
    )
    made = rows(cursor, "SELECT FROM generation_log WHERE request_id = %s LIMIT 1", (request_id,))
    return bool(made)


def _columns(result: Result) -> dict[str, Any]:
    return {
        "status": result.status,
        "ending": result.ending,
        "error": _storable(result.error),
        "raw_answer": _storable(result.answer),
        "code": _storable(result.code),
        "problems": json.dumps([dict(each) for each in result.problems]).replace("\\u0000", ""),
        "answered_by": _storable(result.answered_by),
        "input_tokens": result.input_tokens,
        "output_tokens": result.output_tokens,
        "seconds": result.seconds,
        "ended_at": result.ended_at,
    }


def _storable(text: str | None) -> str | None:
    """A text as the database takes it: what is no character there is shown by its number."""
    if text is None:
        return None
    return text.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()


def _logged(user_id: object, row: Sequence[Any]) -> Logged:
    asked = dict(zip(_QUESTION, row, strict=False))
    told = dict(zip(_RESULT, row[len(_QUESTION) :], strict=True))
    request_id = str(asked.pop("request_id"))
    asked["sentence"] = asked.pop("prompt")
    asked["most_tokens"] = asked["most_tokens"] or 0
    asked["most_seconds"] = asked["most_seconds"] or 0.0
    told["answer"] = told.pop("raw_answer")
    attempt = Attempt(Question(generation_id=request_id, **asked), Result(**told))
    return Logged(attempt, request_id, None if user_id is None else UUID(str(user_id)))


@contextmanager
def _kept() -> Iterator[None]:
    """What goes wrong with the database, as a log of attempts says it."""
    try:
        yield
    except (TrackrecordError, psycopg2.Error) as error:
        raise OSError(str(error).strip() or type(error).__name__) from error
