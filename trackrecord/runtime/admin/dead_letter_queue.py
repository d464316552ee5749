"""Reading dead letters, giving them another try, and putting them aside."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from trackrecord.clock import SYSTEM_CLOCK
from trackrecord.kafka.acknowledgements import Acknowledged
from trackrecord.kafka.producer import producer_config
from trackrecord.runtime import kafka
from trackrecord.runtime.database import Connection, Cursor, connect, rows, session
from trackrecord.runtime.dead_letters import ATTEMPT, ORIGIN
from trackrecord.runtime.errors import UnreachableError
from trackrecord.runtime.settings import Settings

_COLUMNS: Final = (
    "id", "topic", "partition", "log_offset", "stage", "error_class", "reason", "first_seen",
    "attempt", "replayed_at", "dismissed_at", "dismissed_why",
)  # fmt: skip
_OPEN: Final = "replayed_at IS NULL AND dismissed_at IS NULL"
_SECONDS: Final = 30.0
_AT_A_TIME: Final = 200
"""Letters whose bytes are in memory at once."""

_LARGEST: Final = 1_000_000_000
"""The most that the client takes for the size of a message: the broker's own limit decides."""

_PLACE: Final = re.compile(r"[0-9]{1,10}/[0-9]{1,19}")

_ANSWERED: Final = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.TOPIC_AUTHORIZATION_FAILED,
                    KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.INVALID_RECORD}  # fmt: skip
"""What a broker says of one message, or of one topic, and not of all."""


@dataclass
class Replayed:
    """What became of a replay.

    Attributes:
        letters: How many letters had their message sent again.
        messages: How many messages that were: what several stages refuse is sent once.
        failed: Letters that the broker did not take, and why.
        missing: Ids that do not exist.
    """

    letters: int = 0
    messages: int = 0
    failed: list[dict[str, str]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Again:
    """A message to send again: the letter that holds its bytes, and all letters of it."""

    letter: str
    origin: str
    attempt: int
    letters: list[str]


def read_letters(
    settings: Settings, *, limit: int | None = None, replayed: bool = False
) -> list[dict[str, Any]]:
    """Dead letters, oldest first; those already replayed or dismissed only where asked for."""
    with session(settings, application="trackrecord dlq") as cursor:
        found = rows(
            cursor,
            f"SELECT {', '.join(_COLUMNS)} FROM dead_letters"
            + ("" if replayed else f" WHERE {_OPEN}")
            + " ORDER BY first_seen, topic, partition, log_offset LIMIT %s",
            (limit,),
        )
    return [_named(row) for row in found]


def _named(row: tuple[Any, ...]) -> dict[str, Any]:
    named = dict(zip(_COLUMNS, row, strict=True))
    named["offset"] = named.pop("log_offset")
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in named.items()
    }


def read_letters_after(
    cursor: Cursor, after: tuple[datetime, str] | None, limit: int, *, replayed: bool = False
) -> list[dict[str, Any]]:
    """One page of dead letters, oldest first.

    Args:
        cursor: Inside a transaction.
        after: When the last one of the page before was first seen, and its id.
        limit: How many at most.
        replayed: Whether those that were replayed or dismissed count, too.
    """
    at, letter_id = after or (None, None)
    found = rows(
        cursor,
        f"SELECT {', '.join(_COLUMNS)} FROM dead_letters"
        f" WHERE {'true' if replayed else _OPEN}"
        " AND (%(at)s::timestamptz IS NULL OR (first_seen, id) > (%(at)s, %(id)s))"
        " ORDER BY first_seen, id LIMIT %(limit)s",
        {"at": at, "id": letter_id, "limit": limit},
    )
    return [_named(row) for row in found]


def read_letter(settings: Settings, letter_id: str) -> dict[str, Any] | None:
    """One dead letter with its bytes; None if there is none of that id."""
    with session(settings, application="trackrecord dlq") as cursor:
        return letter_of(cursor, letter_id)


def letter_of(cursor: Cursor, letter_id: str) -> dict[str, Any] | None:
    """The same, inside a transaction."""
    found = rows(
        cursor,
        f"SELECT {', '.join(_COLUMNS)}, key, value, headers FROM dead_letters WHERE id = %s",
        (letter_id,),
    )
    if not found:
        return None
    *columns, key, value, headers = found[0]
    return {
        **_named(tuple(columns)),
        "key": _bytes(key),
        "value": _bytes(value),
        "headers": _headers(headers),
    }


def _bytes(value: Any) -> bytes | None:
    return None if value is None else bytes(value)


def _headers(stored: list[tuple[str, str | None]]) -> list[tuple[str, bytes | None]]:
    return [(name, None if text is None else bytes.fromhex(text)) for name, text in stored]


def dismiss_letters(settings: Settings, ids: Sequence[str], why: str) -> dict[str, str]:
    """Put dead letters aside: they are kept, and neither waited for nor replayed any more.

    Args:
        settings: Where they are.
        ids: Which.
        why: In words, for whoever looks later.

    Returns:
        By id, what became of each: ``dismissed``, ``missing``, or ``replayed`` or
        ``dismissed before``, which nothing was changed about.
    """
    with session(settings, application="trackrecord dlq") as cursor:
        found = rows(
            cursor,
            "SELECT id, replayed_at IS NOT NULL, dismissed_at IS NOT NULL FROM dead_letters"
            " WHERE id = ANY(%s) FOR UPDATE",
            (list(ids),),
        )
        before = {
            letter: "dismissed before" if dismissed else "replayed" if replayed else "dismissed"
            for letter, replayed, dismissed in found
        }
        cursor.execute(
            f"UPDATE dead_letters SET dismissed_at = %s, dismissed_why = %s"
            f" WHERE id = ANY(%s) AND {_OPEN}",
            (SYSTEM_CLOCK.now(), why, list(ids)),
        )
    return {letter: before.get(letter, "missing") for letter in ids}


def replay_letters(settings: Settings, ids: Sequence[str]) -> Replayed:
    """Publish messages again that were refused, to the topics they came from.

    A message that several stages refuse is one message: it is sent once, and all its letters
    count as replayed. So is one that was replayed before and refused again. Bytes and event id
    stay as they were.

    Args:
        settings: Where to.
        ids: Which letters; all that are open if empty.

    Raises:
        UnreachableError: The broker did not answer; what it acknowledged is marked as replayed.
    """
    result = Replayed()
    with closing(connect(settings, application="trackrecord dlq")) as connection:
        with connection, connection.cursor() as cursor:
            wanted, result.missing = _wanted(cursor, ids)
        sender = _Sender(settings, result)
        try:
            for again, key, value, topic, headers in _with_bytes(connection, wanted):
                sender.send(again, topic, key, value, headers)
            sender.flush()
        finally:
            # Also where Ctrl-C comes in between: what the broker has is not sent again.
            _mark(connection, sender.acknowledged)
    if sender.unreachable is not None:
        raise UnreachableError(
            f"the broker acknowledged {result.messages} of {len(wanted)}: "
            f"{sender.unreachable.str()}. The others are as they were: replay again"
        )
    return result


def _wanted(cursor: Cursor, ids: Sequence[str]) -> tuple[list[_Again], list[str]]:
    """The messages to send, in the order in which they came, and the ids that do not exist."""
    chosen = (
        f"(id = ANY(%(ids)s) OR ({_OPEN} AND (topic, partition, log_offset) IN"
        " (SELECT topic, partition, log_offset FROM dead_letters WHERE id = ANY(%(ids)s))))"
    )
    found = rows(
        cursor,
        "SELECT id, topic, partition, log_offset, attempt, headers, md5(coalesce(key, '')),"
        " md5(coalesce(value, '')) FROM dead_letters"
        f" WHERE {chosen if ids else _OPEN} ORDER BY topic, partition, log_offset, id",
        {"ids": list(ids)},
    )
    groups: dict[tuple[str, ...], list[tuple[str, int, str]]] = {}
    for letter, topic, partition, offset, attempt, headers, key, value in found:
        origin = (dict(_headers(headers)).get(ORIGIN) or b"").decode(errors="replace")
        named = origin if _PLACE.fullmatch(origin) else f"{partition}/{offset}"
        # The bytes as well: the header is one that anybody may write.
        groups.setdefault((topic, named, key, value), []).append((letter, attempt, named))
    wanted = [
        _Again(
            group[0][0],
            group[0][2],
            max(attempt for _, attempt, _ in group) + 1,
            [letter for letter, _, _ in group],
        )
        for group in groups.values()
    ]
    there = {letter for letter, *_ in found}
    return wanted, [letter for letter in dict.fromkeys(ids) if letter not in there]


def _with_bytes(
    connection: Connection, wanted: Sequence[_Again]
) -> Iterator[tuple[_Again, bytes | None, bytes | None, str, list[tuple[str, bytes | None]]]]:
    for start in range(0, len(wanted), _AT_A_TIME):
        some = wanted[start : start + _AT_A_TIME]
        with connection, connection.cursor() as cursor:
            found = {
                letter: (_bytes(key), _bytes(value), topic, _headers(headers))
                for letter, key, value, topic, headers in rows(
                    cursor,
                    "SELECT id, key, value, topic, headers FROM dead_letters WHERE id = ANY(%s)",
                    ([each.letter for each in some],),
                )
            }
        for each in some:
            yield (each, *found[each.letter])


class _Sender:
    """Sends one message after the other, and keeps what the broker says of each."""

    def __init__(self, settings: Settings, result: Replayed) -> None:
        self._result = result
        self._told = Acknowledged()
        self.acknowledged: list[str] = []
        self.unreachable: KafkaError | None = None
        self._producer = Producer(
            producer_config(
                kafka.client_config(settings, "dlq"),
                gives_up_after_ms=int(_SECONDS * 1000),
                message_max_bytes=_LARGEST,
                # The broker refuses a batch as a whole: one that is too large takes no other along.
                batch_num_messages=1,
            )
        )

    def send(
        self,
        again: _Again,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes | None]],
    ) -> None:
        def delivered(error: KafkaError | None, message: Message) -> None:
            self._take(again, self._told.problem(error, message))

        own: list[tuple[str, str | bytes | None]] = [
            (name, text) for name, text in headers if name not in {ATTEMPT, ORIGIN}
        ]
        own += [(ATTEMPT, str(again.attempt).encode()), (ORIGIN, again.origin.encode())]
        while True:
            try:
                self._producer.produce(topic, value, key, headers=own, on_delivery=delivered)
            except BufferError:
                self._producer.poll(0.1)
            except KafkaException as error:
                self._take(again, error.args[0])
                return
            else:
                self._producer.poll(0)
                return

    def flush(self) -> None:
        self._producer.flush(_SECONDS + 5)

    def _take(self, again: _Again, problem: KafkaError | None) -> None:
        if problem is None:
            self.acknowledged += again.letters
            self._result.letters += len(again.letters)
            self._result.messages += 1
        elif problem.code() in _ANSWERED:
            self._result.failed += [
                {"id": letter, "reason": f"the broker: {problem.str()}"} for letter in again.letters
            ]
        else:
            self.unreachable = problem


def _mark(connection: Connection, ids: Sequence[str]) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "UPDATE dead_letters SET replayed_at = %s WHERE id = ANY(%s)",
            (SYSTEM_CLOCK.now(), list(ids)),
        )
