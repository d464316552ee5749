"""Positions and fences, as two processes see them through sessions of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import psycopg2
import pytest
from confluent_kafka.admin import AdminClient

from tests.support import compare
from tests.support.pipeline import until
from trackrecord.runtime import database, kafka
from trackrecord.runtime.admin.accept_topics import accept_new_topics
from trackrecord.runtime.database import Connection
from trackrecord.runtime.errors import FencedError, HaltedError, PassingError
from trackrecord.runtime.kafka import Origin
from trackrecord.runtime.loop import offsets
from trackrecord.runtime.loop.offsets import Claim
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka

A, B = ("signal_emitted", 0), ("signal_emitted", 1)
ORIGINS = {A: Origin("id-1", 0, 1000), B: Origin("id-1", 5, 1000)}
Connect = Callable[[], Connection]


@pytest.fixture
def connect(settings: Settings) -> Iterator[Connect]:
    opened: list[Connection] = []

    def connect_() -> Connection:
        opened.append(database.connect(settings, application="test"))
        return opened[-1]

    yield connect_
    for connection in opened:
        connection.close()


def move(connection: Connection, claims: dict[tuple[str, int], Claim], to: int) -> None:
    with connection, connection.cursor() as cursor:
        offsets.advance(cursor, "sink", claims, {A: to})


def at(settings: Settings) -> dict[tuple[str, int], tuple[int, int]]:
    found = compare.fetch(
        settings, "SELECT topic, partition, next_offset, epoch FROM consumer_offsets"
    )
    return {(topic, partition): (offset, epoch) for topic, partition, offset, epoch in found}


def test_a_partition_that_is_new_begins_where_the_topic_begins(
    settings: Settings, connect: Connect
) -> None:
    assert offsets.claim(connect(), "sink", ORIGINS) == {A: Claim(1, 0), B: Claim(1, 5)}
    assert at(settings) == {A: (0, 1), B: (5, 1)}


def test_stages_have_positions_of_their_own(connect: Connect) -> None:
    one, other = connect(), connect()
    claims = offsets.claim(one, "sink", ORIGINS)
    move(one, claims, 7)
    assert offsets.claim(other, "other", ORIGINS)[A] == Claim(1, 0)


def test_a_position_moves_from_where_it_was_left(settings: Settings, connect: Connect) -> None:
    connection = connect()
    claims = offsets.claim(connection, "sink", ORIGINS)
    move(connection, claims, 10)
    move(connection, {**claims, A: Claim(1, 10)}, 25)
    assert at(settings)[A] == (25, 1)


def test_a_position_that_is_not_where_it_was_left_does_not_move(
    settings: Settings, connect: Connect
) -> None:
    connection = connect()
    claims = offsets.claim(connection, "sink", ORIGINS)
    move(connection, claims, 10)
    with pytest.raises(FencedError, match="1 of 1"):
        move(connection, claims, 20)
    assert at(settings)[A] == (10, 1)


def test_a_rolled_back_move_has_not_happened(settings: Settings, connect: Connect) -> None:
    connection = connect()
    claims = offsets.claim(connection, "sink", ORIGINS)
    with connection.cursor() as cursor:
        offsets.advance(cursor, "sink", claims, {A: 10})
    connection.rollback()
    assert at(settings)[A] == (0, 1)


def test_whoever_was_replaced_can_move_and_resume_nothing(
    settings: Settings, connect: Connect
) -> None:
    first, second = connect(), connect()
    old = offsets.claim(first, "sink", ORIGINS)
    move(first, old, 10)
    new = offsets.claim(second, "sink", {A: ORIGINS[A]})
    assert new == {A: Claim(2, 10)}
    with pytest.raises(FencedError):
        move(first, {**old, A: Claim(1, 10)}, 20)
    with pytest.raises(FencedError, match="another owner"):
        offsets.resume(first, "sink", old)
    move(second, new, 20)
    assert at(settings)[A] == (20, 2)


def test_after_a_lost_reply_the_owner_finds_where_it_is_from_a_new_session(
    connect: Connect,
) -> None:
    first = connect()
    claims = offsets.claim(first, "sink", ORIGINS)
    move(first, claims, 10)  # committed, but say that the reply was lost
    first.close()
    found = offsets.resume(connect(), "sink", claims)
    assert found == {A: Claim(1, 10), B: Claim(1, 5)}


def test_a_predecessor_that_holds_a_transaction_is_ended_and_its_work_undone(
    settings: Settings, connect: Connect
) -> None:
    frozen, successor = connect(), connect()
    old = offsets.claim(frozen, "sink", ORIGINS)
    with frozen.cursor() as cursor:
        offsets.advance(cursor, "sink", old, {A: 500})  # and never commits
    new = offsets.claim(successor, "sink", ORIGINS)
    assert new[A] == Claim(2, 0)
    with pytest.raises(psycopg2.Error), frozen.cursor() as cursor:
        cursor.execute("SELECT 1")
    move(successor, new, 3)
    assert at(settings)[A] == (3, 2)


def test_a_claim_that_stops_in_the_middle_is_ended_by_the_database(
    settings: Settings, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, other = connect(), connect(), connect()
    offsets.claim(first, "sink", ORIGINS)
    inside, over = threading.Event(), threading.Event()
    check = offsets.check_origin

    def stop(*of: Any) -> None:
        check(*of)
        if threading.current_thread() is stuck:
            inside.set()
            over.wait(30)

    def claim() -> None:
        with pytest.raises(psycopg2.Error):
            offsets.claim(second, "sink", ORIGINS)

    monkeypatch.setattr(offsets, "check_origin", stop)
    stuck = threading.Thread(target=claim)
    stuck.start()
    assert inside.wait(10)

    def taken() -> bool:
        with suppress(psycopg2.errors.LockNotAvailable):
            return bool(offsets.claim(other, "sink", ORIGINS))
        return False

    until(taken, "another member takes the partitions over", 10)
    over.set()
    stuck.join()
    assert at(settings) == {A: (0, 2), B: (5, 2)}


def test_a_bystander_is_not_ended(connect: Connect) -> None:
    bystander = connect()
    with bystander.cursor() as cursor:
        cursor.execute("SELECT 1")  # a transaction is open
    offsets.claim(connect(), "sink", ORIGINS)
    offsets.claim(connect(), "sink", ORIGINS)
    with bystander.cursor() as cursor:
        assert database.rows(cursor, "SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        (Origin("id-2", 0, 1000), r"deleted and made anew.*topics --accept-new"),
        (Origin("id-1", 60, 1000), "deleted before it was read"),
        (Origin("id-1", 0, 40), "lost what was already read"),
    ],
)
def test_a_topic_that_is_not_the_one_that_was_read_stops_loudly(
    settings: Settings, connect: Connect, origin: Origin, words: str
) -> None:
    connection = connect()
    move(connection, offsets.claim(connection, "sink", ORIGINS), 50)
    with pytest.raises(HaltedError, match=words):
        offsets.claim(connection, "sink", {A: origin})
    assert at(settings)[A] == (50, 1)


def origin_of(client: AdminClient, place: tuple[str, int]) -> Origin:
    """What the broker says, once it has chosen a leader for a partition that is new."""

    def ask() -> dict[tuple[str, int], Origin] | None:
        with suppress(PassingError):
            return kafka.origins(client, [place])
        return None

    found: dict[tuple[str, int], Origin] = until(ask, "the partition has a leader")
    return found[place]


def test_a_topic_made_anew_is_accepted_when_asked_for(settings: Settings) -> None:
    kafka.ensure_topics(settings)
    topic = settings.topic("signal_emitted")
    client = kafka.admin(settings)
    place = (topic, 0)
    real = origin_of(client, place)
    connection = database.connect(settings, application="test")
    old = Origin("the id of the topic before", 0, 100)
    offsets.claim(connection, "sink", {place: old})
    with connection, connection.cursor() as cursor:
        offsets.advance(cursor, "sink", {place: Claim(1, 0)}, {place: 50})
    with pytest.raises(HaltedError):
        offsets.claim(connection, "sink", {place: real})
    connection.rollback()
    assert accept_new_topics(settings) == [topic]
    assert offsets.claim(connection, "sink", {place: real})[place].next_offset == 0
    connection.close()
    assert accept_new_topics(settings) == []
