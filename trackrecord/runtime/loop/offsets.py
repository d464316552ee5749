"""Positions and fences: where a stage is in each partition, and who may move it.

A row of ``consumer_offsets`` holds the next offset of one partition, the epoch
of its owner, and the owner's database session. It is moved only inside the
transaction that holds the effects of the messages it passes, and only by the
owner of the current epoch. So a batch has its effects and its progress, or
neither, and whoever was replaced can do nothing any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from trackrecord.runtime.database import Connection, Cursor, rows
from trackrecord.runtime.decoding.batch import Partition
from trackrecord.runtime.errors import FencedError, HaltedError
from trackrecord.runtime.kafka import Origin
from trackrecord.runtime.logs import get_logger

_log = get_logger(__name__)

_WAIT_BRIEFLY = (
    "SET LOCAL lock_timeout = '1s'; SET LOCAL idle_in_transaction_session_timeout = '4s'"
)
"""A claim gives way to whoever holds a row, and is tried again: its member must go on polling.

Until a claim is committed nobody can tell whose session it is. So the database itself ends it,
should its owner freeze or the network break in the middle.
"""


class BeyondEndError(HaltedError):
    """A partition ends before what was already read of it, as far as the broker has said.

    Attributes:
        place: The partition.
        next_offset: Where the stage is.
    """

    def __init__(self, place: Partition, next_offset: int, end_offset: int) -> None:
        """Say so in words."""
        super().__init__(
            f"{place[0]}/{place[1]}: next is offset {next_offset}, but the topic ends at "
            f"{end_offset}: it lost what was already read"
        )
        self.place = place
        self.next_offset = next_offset


@dataclass(frozen=True)
class Claim:
    """The right to move a partition."""

    epoch: int
    next_offset: int


def claim(
    connection: Connection, stage: str, origins: Mapping[Partition, Origin]
) -> dict[Partition, Claim]:
    """Take partitions over: raise their epochs and end what their last owners left open.

    A predecessor that still holds a transaction is frozen or cut off, since a
    living one finishes before it gives a partition away. Its session is
    ended, which frees its locks; nothing else would (a session stuck in COPY
    heeds neither cancel nor time-outs).

    Raises:
        psycopg2.errors.LockNotAvailable: Somebody holds a row for longer than a second.
        BeyondEndError: A topic ends before where the stage is, or its predecessor was still
            moving on after the broker was asked.
        HaltedError: A topic is not the one that was read before, or what comes
            next has been deleted from it.
    """
    places = sorted(origins)
    # First of all: even an insert that finds its row waits for whoever is moving it.
    _end_predecessors(connection, stage, places)
    with connection, connection.cursor() as cursor:
        cursor.execute(_WAIT_BRIEFLY)
        for place in places:
            cursor.execute(
                "INSERT INTO consumer_offsets"
                " (stage, topic, partition, topic_id, next_offset, epoch)"
                " VALUES (%s, %s, %s, %s, %s, 0) ON CONFLICT DO NOTHING",
                (stage, *place, origins[place].topic_id, origins[place].first_offset),
            )
    return _raise_epochs(connection, stage, origins)


def _end_predecessors(connection: Connection, stage: str, places: list[Partition]) -> None:
    for pid in _end_open_sessions(connection, stage, "(o.topic, o.partition)", tuple(places)):
        _log.warning("ended the session of a frozen predecessor", backend_pid=pid)


def _end_open_sessions(
    connection: Connection, stage: str, columns: str, owned: tuple[tuple[object, ...], ...]
) -> list[int]:
    """End the owners' sessions that are inside a transaction; returns their backends."""
    with connection, connection.cursor() as cursor:
        ended = rows(
            cursor,
            "SELECT a.pid, pg_terminate_backend(a.pid) FROM pg_stat_activity a"
            " WHERE a.xact_start IS NOT NULL AND a.pid <> pg_backend_pid()"
            " AND EXISTS (SELECT FROM consumer_offsets o WHERE o.stage = %s"
            f"  AND {columns} IN %s"
            "  AND o.owner_pid = a.pid AND o.owner_started = a.backend_start)",
            (stage, owned),
        )
    return [pid for pid, _ in ended]


def _raise_epochs(
    connection: Connection, stage: str, origins: Mapping[Partition, Origin]
) -> dict[Partition, Claim]:
    with connection, connection.cursor() as cursor:
        cursor.execute(_WAIT_BRIEFLY)
        cursor.execute(
            "SELECT FROM consumer_offsets WHERE stage = %s AND (topic, partition) IN %s"
            " ORDER BY topic, partition FOR UPDATE",
            (stage, tuple(sorted(origins))),
        )
        taken = rows(
            cursor,
            "UPDATE consumer_offsets o SET epoch = epoch + 1, owner_pid = pg_backend_pid(),"
            "  owner_started = (SELECT backend_start FROM pg_stat_activity"
            "                   WHERE pid = pg_backend_pid())"
            " WHERE stage = %s AND (topic, partition) IN %s"
            " RETURNING topic, partition, epoch, next_offset, topic_id",
            (stage, tuple(sorted(origins))),
        )
        claims: dict[Partition, Claim] = {}
        for topic, partition, epoch, next_offset, topic_id in taken:
            check_origin((topic, partition), origins[topic, partition], next_offset, topic_id)
            claims[topic, partition] = Claim(epoch, next_offset)
        return claims


def check_origin(place: Partition, origin: Origin, next_offset: int, topic_id: str) -> None:
    """See that a partition is the one that was read before, and holds what comes next.

    Args:
        place: The partition.
        origin: What the broker says of it.
        next_offset: Where the stage is.
        topic_id: The topic's id when it was first read.

    Raises:
        HaltedError: It is another, or lost what was not read yet.
        BeyondEndError: It ends before where the stage is.
    """
    where = f"{place[0]}/{place[1]}"
    if origin.topic_id != topic_id:
        raise HaltedError(made_anew(where, topic_id, origin.topic_id))
    if next_offset < origin.first_offset:
        raise HaltedError(
            f"{where}: next is offset {next_offset}, but the topic begins at "
            f"{origin.first_offset}: what lies between was deleted before it was read"
        )
    if next_offset > origin.end_offset:
        raise BeyondEndError(place, next_offset, origin.end_offset)


def made_anew(where: str, known: str, found: str) -> str:
    """What to tell a reader of a topic that is not the one it was."""
    return (
        f"{where}: the topic was deleted and made anew (its id was {known}, and is {found}), so "
        "the position in it means something else now. If that was meant, `trackrecord topics "
        "--accept-new` starts the stages at its beginning"
    )


def resume(
    connection: Connection, stage: str, claims: Mapping[Partition, Claim]
) -> dict[Partition, Claim]:
    """Read the positions again, after an abort or a lost commit reply, from a new session.

    Where the network broke, the database may hold the old session, and its locks, for hours:
    it is ended.

    Raises:
        psycopg2.errors.LockNotAvailable: Somebody holds a row for longer than a second.
        FencedError: Another owner has raised an epoch in the meantime.
    """
    # By the epoch too: the session of whoever has taken a partition over is none of ours.
    ours = tuple((topic, partition, claim.epoch) for (topic, partition), claim in claims.items())
    for pid in _end_open_sessions(connection, stage, "(o.topic, o.partition, o.epoch)", ours):
        _log.warning("ended our own session, which the database still held", backend_pid=pid)
    with connection, connection.cursor() as cursor:
        cursor.execute(_WAIT_BRIEFLY)
        found = rows(
            cursor,
            "UPDATE consumer_offsets o SET owner_pid = pg_backend_pid(),"
            "  owner_started = (SELECT backend_start FROM pg_stat_activity"
            "                   WHERE pid = pg_backend_pid())"
            " FROM unnest(%s::text[], %s::int[], %s::bigint[]) AS mine(topic, partition, epoch)"
            " WHERE o.stage = %s AND o.topic = mine.topic AND o.partition = mine.partition"
            "  AND o.epoch = mine.epoch"
            " RETURNING o.topic, o.partition, o.epoch, o.next_offset",
            (*_columns((t, p, c.epoch) for (t, p), c in claims.items()), stage),
        )
        if len(found) != len(claims):
            raise FencedError(f"{len(claims) - len(found)} partition(s) have another owner")
        return {(topic, p): Claim(epoch, offset) for topic, p, epoch, offset in found}


def advance(
    cursor: Cursor,
    stage: str,
    claims: Mapping[Partition, Claim],
    moves: Mapping[Partition, int],
    *,
    wait_ms: int = 10_000,
) -> None:
    """Move positions, in the transaction of the effects.

    Args:
        cursor: Inside that transaction.
        stage: Whose positions.
        claims: The epochs and positions as this process knows them.
        moves: The new next offset of each partition that moves.
        wait_ms: How long this and the rest of the transaction wait for any row, in
            milliseconds. Who holds it may be frozen: then its partitions, and its session
            with them, are taken over by those that wait, once they stop waiting.

    Raises:
        psycopg2.errors.LockNotAvailable: Somebody holds a row for longer than that.
        FencedError: A partition is not ours any more, or not where we left it.
    """
    cursor.execute(
        "SET LOCAL lock_timeout = %s;"
        " UPDATE consumer_offsets o SET next_offset = new.next_offset, updated_at = now()"
        " FROM unnest(%s::text[], %s::int[], %s::bigint[], %s::bigint[], %s::bigint[])"
        "  AS new(topic, partition, epoch, expected, next_offset)"
        " WHERE o.stage = %s AND o.topic = new.topic AND o.partition = new.partition"
        "  AND o.epoch = new.epoch AND o.next_offset = new.expected",
        (
            wait_ms,
            *_columns(
                (topic, p, claims[topic, p].epoch, claims[topic, p].next_offset, to)
                for (topic, p), to in sorted(moves.items())
            ),
            stage,
        ),
    )
    if cursor.rowcount != len(moves):
        raise FencedError(
            f"{len(moves) - cursor.rowcount} of {len(moves)} partition(s) are not ours, "
            "or not where we left them"
        )


def _columns(table: Iterable[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*table, strict=True)]
