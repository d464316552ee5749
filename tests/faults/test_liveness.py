"""Nobody waits for ever: neither for a frozen process, nor for a session that nobody uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from tests.support import compare, histories
from tests.support.pipeline import Pipeline, until
from tests.support.proxy import HOST, LIST_OFFSETS, Proxy
from trackrecord.clock import SYSTEM_CLOCK
from trackrecord.events import Event, SignalClosed
from trackrecord.runtime import database, kafka
from trackrecord.runtime.errors import PassingError
from trackrecord.runtime.loop.membership import Membership
from trackrecord.runtime.loop.topic_identity import Identity
from trackrecord.runtime.loop.turn import BetweenBatches
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka

SESSION = {"TRACKRECORD_SESSION_TIMEOUT_MS": "1000", "TRACKRECORD_BATCH_SIZE": "50"}


@pytest.fixture
def to_postgres(settings: Settings) -> Iterator[Proxy]:
    proxy = Proxy("postgres", urlsplit(settings.database_url).port or 5432)
    yield proxy
    proxy.close()


@pytest.fixture
def to_kafka(settings: Settings) -> Iterator[Proxy]:
    proxy = Proxy("kafka", int(settings.kafka_bootstrap_servers.rpartition(":")[2]))
    yield proxy
    proxy.close()


def through(proxy: Proxy, settings: Settings) -> str:
    """The database's address by way of a proxy."""
    parts = urlsplit(settings.database_url)
    there = parts.netloc.rpartition("@")[0]
    return parts._replace(netloc=f"{there}@{HOST}:{proxy.port}").geturl()


def apart(event: Event) -> int:
    """Entries and exits in partitions that different members have."""
    return 2 if isinstance(event, SignalClosed) else 0


def test_members_that_wait_for_rows_of_a_member_frozen_for_good_take_over_from_it(
    pipeline: Pipeline, seed: str
) -> None:
    first, second = (histories.make(f"{seed}-{n}", 150) for n in range(2))
    places = pipeline.publish(first, apart)
    healthy = pipeline.start_ready("signal_tracker", **SESSION)
    pipeline.done("signal_tracker")
    # Corrections by entries only, and exits of the same signals: one member has the former.
    frozen = pipeline.start_ready("signal_tracker", "freeze_holding_locks", 1, **SESSION)
    again = [
        each.model_copy(update={"revision": each.revision + 5, "price": each.price + 1})
        for each in first
    ]
    places += pipeline.publish([*again, *second], apart)
    until(lambda: frozen.is_frozen, "it is frozen")
    pipeline.done("signal_tracker", 30)
    assert healthy.lines("ended the session of a frozen predecessor")
    pipeline.check_tracker([*first, *again, *second], places)


def test_a_network_that_breaks_unnoticed_by_the_database_stops_nobody(
    pipeline: Pipeline, to_postgres: Proxy, seed: str
) -> None:
    settings = pipeline.settings
    stage = pipeline.start_ready(
        "signal_tracker", DATABASE_URL=through(to_postgres, settings), **SESSION
    )
    events = histories.make(seed, 400)
    holder = database.connect(settings, application="test")
    try:
        with holder.cursor() as cursor:
            # The stage waits inside a transaction, with its positions locked.
            cursor.execute("LOCK TABLE signals IN EXCLUSIVE MODE")
        places = pipeline.publish(events)
        until(lambda: _waits(settings), "the stage waits", 20)
        assert to_postgres.sever()
    finally:
        holder.close()
    pipeline.done("signal_tracker", 30)
    assert len(stage.lines("assigned")) == 1
    pipeline.check_tracker(events, places)


def _waits(settings: Settings) -> bool:
    return bool(
        compare.fetch(
            settings,
            "SELECT FROM pg_stat_activity WHERE application_name = 'trackrecord signal_tracker'"
            " AND wait_event_type = 'Lock'",
        )
    )


def test_what_was_paused_before_a_rebalance_is_read_after_it(pipeline: Pipeline, seed: str) -> None:
    settings = pipeline.settings
    pipeline.publish(histories.make(seed, 50))
    topics = [settings.topic(name) for name in ("signal_emitted", "signal_closed")]
    member = Membership(
        "signal_tracker",
        topics,
        settings,
        Identity(settings),
        BetweenBatches(),
        SYSTEM_CLOCK,
    )
    connection = database.connect(settings, application="test")
    try:
        member.join(lambda _ours: None)
        _settled(member, connection)
        # The first topic comes first, so the other one is paused. Somebody else reads the
        # first one to its end, and the partitions come back.
        with connection, connection.cursor() as cursor:
            for (topic, partition), end in pipeline.ends("signal_tracker").items():
                if topic == topics[0]:
                    cursor.execute(
                        "UPDATE consumer_offsets SET next_offset = %s"
                        " WHERE topic = %s AND partition = %s",
                        (end, topic, partition),
                    )
        member.leave()
        member.join(lambda _ours: None)
        _settled(member, connection)
        found = until(lambda: member.poll(100, 0.2), "the other topic is read", 10)
        assert {each.topic() for each in found} == {topics[1]}
    finally:
        member.close()
        connection.close()


def _settled(member: Membership, connection: database.Connection) -> None:
    def settled() -> bool:
        if member.unsettled:
            member.settle(connection)
        else:
            _ignoring(lambda: member.poll(1, 0.05))
        return bool(member.claims)

    until(settled, "partitions are taken up", 20)


def _ignoring(ask: Callable[[], object]) -> None:
    try:
        ask()
    except PassingError:
        return


def test_a_broker_that_does_not_answer_where_a_topic_ends_is_not_believed_to_have_lost_it(
    pipeline: Pipeline, to_kafka: Proxy
) -> None:
    settings = pipeline.settings.model_copy(
        update={"kafka_bootstrap_servers": f"{HOST}:{to_kafka.port}"}
    )
    client = kafka.admin(settings)
    places = kafka.partitions_of(client, [settings.topic("signal_emitted")])
    to_kafka.lose(1, LIST_OFFSETS)
    try:
        ends = kafka.end_offsets(client, places)
    except PassingError:
        ends = {}
    assert to_kafka.lost == 1
    assert all(end >= 0 for end in ends.values())
