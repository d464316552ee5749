"""Dead letters: messages that had no effect, kept with their bytes and the reason.

Each is a row of ``dead_letters`` and a message on ``<topic>.dlq``, both made in
the transaction that moves the offset past it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from confluent_kafka import Message

from trackrecord.events.base import derived_id
from trackrecord.events.codec import Headers, header
from trackrecord.events.types import wire_time
from trackrecord.runtime.database import Cursor, insert_records
from trackrecord.runtime.decoding.decoder import ErrorClass, Refusal, headers_of
from trackrecord.runtime.errors import HaltedError
from trackrecord.runtime.logs import get_logger

_log = get_logger(__name__)

_LOGGED = 20
"""Dead letters of one batch that the log names."""

ATTEMPT = "dlq_attempt"
"""The header that counts how often a message was tried; `dlq replay` raises it."""

ORIGIN = "dlq_origin"
"""The header by which `dlq replay` knows that messages are one: partition/offset of the first."""


_INSERT = """
INSERT INTO dead_letters (id, stage, topic, partition, log_offset, appended_at, key, value,
                          headers, error_class, reason, first_seen, attempt)
SELECT id, stage, topic, partition, log_offset, appended_at, decode(key, 'base64'),
       decode(value, 'base64'), headers, error_class, reason, first_seen, attempt
FROM json_to_recordset(%s) AS letter (
    id text, stage text, topic text, partition integer, log_offset bigint,
    appended_at timestamptz, key text, value text, headers jsonb, error_class text,
    reason text, first_seen timestamptz, attempt integer)
ON CONFLICT (id) DO NOTHING
RETURNING id
"""


@dataclass(frozen=True)
class DeadLetter:
    """A refused message: where it came from, its bytes, who refused it and why."""

    id: str
    stage: str
    topic: str
    partition: int
    offset: int
    timestamp: datetime
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    error_class: ErrorClass
    reason: str
    first_seen: datetime
    attempt: int

    def outgoing_headers(self) -> Headers:
        """The message's own headers, and what is known of its refusal."""
        own = [
            (name, value)
            for name, value in self.headers
            if value is not None and not name.startswith("dlq_")
        ]
        return [
            *own,
            ("dlq_id", self.id.encode()),
            ("dlq_topic", self.topic.encode()),
            ("dlq_partition", str(self.partition).encode()),
            ("dlq_offset", str(self.offset).encode()),
            ("dlq_timestamp", wire_time(self.timestamp).encode()),
            ("dlq_stage", self.stage.encode()),
            ("dlq_error_class", self.error_class.encode()),
            ("dlq_reason", self.reason.encode(errors="replace")),
            ("dlq_first_seen", wire_time(self.first_seen).encode()),
            (ATTEMPT, str(self.attempt).encode()),
        ]


def make(stage: str, message: Message, refusal: Refusal, now: datetime) -> DeadLetter:
    """The dead letter of a refused message."""
    topic, partition, offset = (
        message.topic() or "",
        message.partition() or 0,
        message.offset() or 0,
    )
    headers = headers_of(message)
    attempt = header(headers, ATTEMPT)
    return DeadLetter(
        id=derived_id("dead_letter", stage, topic, partition, offset),
        stage=stage,
        topic=topic,
        partition=partition,
        offset=offset,
        timestamp=datetime.fromtimestamp(max(message.timestamp()[1], 0) / 1000, UTC),
        key=message.key(),
        value=message.value(),
        headers=headers,
        error_class=refusal.error_class,
        reason=refusal.reason.replace("\x00", "\\0"),
        first_seen=now,
        attempt=int(attempt) if attempt and attempt.isdecimal() and len(attempt) < 6 else 1,  # noqa: PLR2004
    )


def insert(cursor: Cursor, letters: Sequence[DeadLetter]) -> None:
    """Write dead letters, in the transaction that moves past their messages."""
    insert_records(
        cursor,
        _INSERT,
        [
            {
                "id": letter.id,
                "stage": letter.stage,
                "topic": letter.topic,
                "partition": letter.partition,
                "log_offset": letter.offset,
                "appended_at": letter.timestamp,
                "key": letter.key,
                "value": letter.value,
                "headers": [
                    [name.replace("\x00", "\\0"), None if value is None else value.hex()]
                    for name, value in letter.headers
                ],
                "error_class": letter.error_class,
                "reason": letter.reason,
                "first_seen": letter.first_seen,
                "attempt": letter.attempt,
            }
            for letter in letters
        ],
    )


def log(letters: Sequence[DeadLetter]) -> None:
    """Say in the log what was refused, with the trace that it belongs to.

    Of many, the first are told one by one: all are in the table, and a log that costs
    more than the work does not help.
    """
    for letter in letters[:_LOGGED]:
        _log.warning(
            "dead letter",
            id=letter.id,
            topic=letter.topic,
            partition=letter.partition,
            offset=letter.offset,
            error_class=letter.error_class,
            reason=letter.reason[:500],
            event_id=header(letter.headers, "ce_id"),
            trace_id=trace_id(letter.headers),
        )
    if len(letters) > _LOGGED:
        _log.warning("more dead letters", count=len(letters) - _LOGGED, see="trackrecord dlq list")


def trace_id(headers: Sequence[tuple[str, bytes | None]] | None) -> str | None:
    """The trace id of a W3C ``traceparent`` header, if there is one."""
    parts = (header(headers, "traceparent") or "").split("-")
    return parts[1] if len(parts) == 4 else None  # noqa: PLR2004 - version-trace-parent-flags


class Limit:
    """Stops a consumer that refuses too much: that is a bad deploy, not bad data."""

    def __init__(self, in_a_row: int, window: int, share: float) -> None:
        """At most ``in_a_row`` - 1 in a row, and ``share`` of the last ``window`` messages."""
        self._most_in_a_row = in_a_row
        self._share = share
        self._window: deque[bool] = deque(maxlen=window)
        self._refused_in_window = 0
        self._in_a_row = 0

    def check(self, count: int, refused: Sequence[int]) -> Limit:
        """See what a batch would do to the limits; the caller keeps the answer once it commits.

        Args:
            count: Messages in the batch.
            refused: The positions of those refused.

        Raises:
            HaltedError: A limit is reached. The batch must not be committed.
        """
        after = Limit(self._most_in_a_row, self._window.maxlen or 1, self._share)
        after._window = self._window.copy()
        after._refused_in_window = self._refused_in_window
        after._in_a_row = self._in_a_row
        if not refused and not self._refused_in_window and not self._in_a_row:
            after._window.extend([False] * min(count, self._window.maxlen or 1))
            return after
        bad = set(refused)
        for position in range(count):
            after._take(position in bad)
        return after

    def _take(self, refused: bool) -> None:
        window = self._window
        if len(window) == window.maxlen:
            self._refused_in_window -= window[0]
        window.append(refused)
        self._refused_in_window += refused
        self._in_a_row = self._in_a_row + 1 if refused else 0
        if self._in_a_row >= self._most_in_a_row:
            raise HaltedError(
                f"{self._in_a_row:,} messages in a row were refused: the limit. Nothing after the "
                "last committed batch was moved. See the log for the reasons; raise "
                "TRACKRECORD_DEAD_LETTERS_IN_A_ROW only if the data, not the deploy, is at fault"
            )
        if len(window) == window.maxlen and self._refused_in_window > self._share * len(window):
            raise HaltedError(
                f"{self._refused_in_window:,} of the last {len(window):,} messages were refused: "
                f"more than {self._share:.0%}. See the log for the reasons; raise "
                "TRACKRECORD_DEAD_LETTERS_SHARE only if the data, not the deploy, is at fault"
            )
