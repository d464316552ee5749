"""The loop of the data plane on a real broker and database, through a stage of the tests' own."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace

import psycopg2.errors
import pytest
from confluent_kafka import Message
from confluent_kafka.admin import AdminClient

from tests.integration.sink import (
    TOO_MUCH,
    Running,
    Sink,
    bad,
    make_table,
    parcels,
    positions,
    publish,
    running,
    signals,
    sunk,
)
from tests.support import compare, wire
from tests.support.pipeline import until
from trackrecord.events import SignalClosed, derived_id
from trackrecord.events.codec import decode
from trackrecord.runtime import kafka
from trackrecord.runtime.decoding.batch import Partition
from trackrecord.runtime.errors import HaltedError, PassingError
from trackrecord.runtime.kafka import Origin
from trackrecord.runtime.loop.membership import Membership
from trackrecord.runtime.outbox import Outbox
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka


@pytest.fixture(autouse=True)
def table(settings: Settings) -> None:
    make_table(settings)


def test_every_message_has_its_effect_once_and_offsets_lie_beside_the_effects(
    settings: Settings,
) -> None:
    with running(settings) as consumer:
        places = publish(settings, signals(500))
        consumer.caught_up()
        assert sunk(settings) == {f"s{number}" for number in range(500)}
        ends = Counter((topic, number) for topic, number, _ in places)
        assert {place: at for place, at in positions(settings).items() if at} == dict(ends)
        topic = settings.topic("signal_emitted")
        assert consumer.metric("trackrecord_messages_total", topic=topic) == 500
        until(lambda: consumer.metric("trackrecord_lag_messages") == 0, "no lag")
        until(lambda: consumer.metric("trackrecord_assigned_partitions") == 3, "all are ours")


def test_a_batch_is_at_most_as_large_as_the_setting_says(settings: Settings) -> None:
    publish(settings, signals(120))
    with running(settings.model_copy(update={"batch_size": 50})) as consumer:
        consumer.caught_up()
    assert sum(consumer.handler.sizes) == 120
    assert max(consumer.handler.sizes) <= 50


def test_what_cannot_be_read_or_breaks_a_rule_is_a_dead_letter_and_the_rest_goes_on(
    settings: Settings,
) -> None:
    good = parcels(settings, signals(6))
    whole = good[0].value or b""
    refused = {
        b"not json": "unreadable",
        b'{"metadata": {"a": "\xff"}}': "unreadable",
        whole.replace(b'"quantity":"1"', b'"quantity":"-1"'): "invalid",
        whole.replace(b'"BUY"', b'"HOLD"'): "invalid",
    }
    letters = [bad(settings, value, ("traceparent", b"00-aa-bb-01")) for value in refused]
    letters.append(bad(settings, whole, ("ce_type", b"trackrecord.market_bar.v1")))
    letters.append(bad(settings, None))
    classes = [*refused.values(), "wrong_type", "unreadable"]
    with running(settings) as consumer:
        wire.send(settings, good[:3])
        places = wire.send(settings, letters)
        wire.send(settings, good[3:])
        consumer.caught_up()
    assert sunk(settings) == {f"s{number}" for number in range(6)}

    rows = compare.fetch(
        settings,
        "SELECT topic, partition, log_offset, value, error_class, reason, stage, attempt"
        " FROM dead_letters",
    )
    by_place = {row[:3]: row[3:] for row in rows}
    assert set(by_place) == set(places)
    found = wire.read(settings, f"{places[0][0]}.dlq")
    on_topic = {each.header("dlq_offset"): each for each in found}
    for place, sent, error_class in zip(places, letters, classes, strict=True):
        value, found_class, reason, stage, attempt = by_place[place]
        assert (None if value is None else bytes(value)) == sent.value
        assert (found_class, stage, attempt) == (error_class, "sink", 1)
        letter = on_topic[str(place[2])]
        assert (letter.key, letter.value) == (sent.key, sent.value)
        own = {name: value for name, value in letter.headers if not name.startswith("dlq_")}
        assert own == dict(sent.headers)
        assert letter.header("dlq_reason") == reason
        assert letter.header("dlq_error_class") == error_class
        assert letter.header("dlq_stage") == "sink"
        assert letter.header("dlq_topic") == place[0]
        assert letter.header("dlq_partition") == str(place[1])
        assert letter.header("dlq_id") == derived_id("dead_letter", "sink", *place)
    reasons = [by_place[place][2] for place in places]
    assert "not readable JSON" in reasons[0]
    assert "not UTF-8" in reasons[1]
    assert "quantity: must be above 0" in reasons[2]
    assert "side" in reasons[3]
    assert "trackrecord.market_bar.v1" in reasons[4]
    assert "no value" in reasons[5]
    labels = {"topic": places[0][0], "error_class": "unreadable"}
    assert consumer.metric("trackrecord_dead_letters_total", **labels) == 3


def test_what_the_database_refuses_is_searched_for_and_refused_alone(settings: Settings) -> None:
    events = signals(200)
    culprits = {17, 18, 140}
    for number in culprits:
        events[number] = events[number].model_copy(update={"price": TOO_MUCH})
    with running(settings) as consumer:
        publish(settings, events)
        consumer.caught_up()
    assert sunk(settings) == {f"s{number}" for number in range(200) if number not in culprits}
    rows = compare.fetch(settings, "SELECT value, error_class, reason FROM dead_letters")
    assert {bytes(value) for value, _, _ in rows} == {events[n].to_json() for n in culprits}
    assert {error_class for _, error_class, _ in rows} == {"refused"}
    assert all(reason.startswith("the database refuses it: ") for _, _, reason in rows)
    assert all("check constraint" in reason for _, _, reason in rows)


def test_what_a_handler_refuses_is_a_dead_letter_with_its_reason(settings: Settings) -> None:
    with running(settings) as consumer:
        publish(settings, [*signals(2), *signals(1, 2, symbol="NEVER")])
        consumer.caught_up()
    rows = compare.fetch(settings, "SELECT error_class, reason FROM dead_letters")
    assert rows == [("conflict", "no tables in this stage like it")]


def test_outgoing_events_are_published_after_the_commit_and_leave_the_outbox(
    settings: Settings,
) -> None:
    with running(settings) as consumer:
        publish(settings, [*signals(40, exits="barriers"), *signals(10, 40)])
        consumer.caught_up()
        until(
            lambda: compare.fetch(settings, "SELECT count(*) FROM outbox") == [(0,)],
            "the outbox is empty",
        )
    sent = wire.read(settings, settings.topic("signal_closed"))
    events = [decode(SignalClosed, each.value) for each in sent]
    assert sorted(each.signal_id for each in events) == sorted(f"s{n}" for n in range(40))
    for parcel, event in zip(sent, events, strict=True):
        assert parcel.value == event.to_json()
        assert parcel.key == event.symbol.encode()
        assert parcel.header("ce_id") == event.event_id
        assert parcel.header("ce_type") == "trackrecord.signal_closed.v1"
        assert parcel.header("ce_source") == "/sink"


def test_what_an_earlier_process_left_in_the_outbox_is_sent_on_assignment(
    settings: Settings,
) -> None:
    with running(settings):
        pass
    topic = settings.topic("signal_emitted")
    compare.fetch(
        settings,
        "INSERT INTO outbox (stage, source_topic, source_partition, topic, key, value, headers)"
        " VALUES ('sink', %s, 1, %s, 'k', %s, %s) RETURNING id",
        (topic, settings.topic("signal_closed"), b"left \x00\xff", '[["ce_id", "6162"]]'),
    )
    with running(settings):
        until(lambda: wire.read(settings, settings.topic("signal_closed")), "what was left is sent")
    assert compare.fetch(settings, "SELECT count(*) FROM outbox") == [(0,)]
    [found] = wire.read(settings, settings.topic("signal_closed"))
    assert (found.key, found.value) == (b"k", b"left \x00\xff")
    assert found.header("ce_id") == "ab"


def failing(times: int, fault: object) -> Sink:
    handler = Sink()

    def before(cursor: object) -> None:
        nonlocal times
        if times:
            times -= 1
            if isinstance(fault, BaseException):
                raise fault
            cursor.execute(fault)  # type: ignore[attr-defined]

    handler.after = before
    return handler


@pytest.mark.parametrize(
    "fault",
    [
        PassingError("another consumer was there first"),
        psycopg2.errors.DeadlockDetected("deadlock detected"),
        "SELECT pg_terminate_backend(pg_backend_pid())",
        "SET LOCAL statement_timeout = 50; SELECT pg_sleep(5)",
    ],
    ids=["passing", "deadlock", "session ended", "statement cancelled"],
)
def test_after_a_passing_error_everything_is_read_again_and_counts_once(
    settings: Settings, fault: object
) -> None:
    with running(settings, failing(2, fault)) as consumer:
        publish(settings, signals(100, exits="barriers"))
        consumer.caught_up()
        # A batch that took too long for the database is not tried again whole, but in halves.
        if not (isinstance(fault, str) and "statement_timeout" in fault):
            assert consumer.metric("trackrecord_retries_total") >= 2
        until(lambda: consumer.health.ready, "it is ready again")
    assert sunk(settings) == {f"s{number}" for number in range(100)}
    assert len(wire.read(settings, settings.topic("signal_closed"))) == 100
    assert consumer.handler.forgotten >= 2
    assert compare.fetch(settings, "SELECT count(*) FROM dead_letters") == [(0,)]


def test_asked_to_stop_it_ends_its_batch_and_the_next_goes_on_from_there(
    settings: Settings,
) -> None:
    in_batch, go_on = threading.Event(), threading.Event()

    def wait(_cursor: object) -> None:
        in_batch.set()
        go_on.wait(10)

    handler = Sink()
    handler.after = wait
    publish(settings, signals(50))
    with running(settings.model_copy(update={"batch_size": 10}), handler) as first:
        assert in_batch.wait(10)
        first.consumer.stop()
        go_on.set()
    assert first.error is None
    assert first.handler.sizes == [len(sunk(settings))]
    with running(settings) as second:
        second.caught_up()
    assert sunk(settings) == {f"s{number}" for number in range(50)}
    assert sum(second.handler.sizes) == 50 - sum(first.handler.sizes)


def test_two_consumers_share_the_partitions_and_one_takes_over_from_the_other(
    settings: Settings,
) -> None:
    with running(settings) as first, running(settings) as second:
        until(
            lambda: 0 < first.metric("trackrecord_assigned_partitions") < 3,
            "the second has some of them",
        )
        publish(settings, signals(300))
        second.caught_up()
        assert first.handler.sizes
        assert second.handler.sizes
        # Each adds to rows of its own, and they stay the same ones.
        assert len(first.handler.lanes) == len(second.handler.lanes) == 1
        assert first.handler.lanes != second.handler.lanes
        second.stop()
        until(lambda: first.metric("trackrecord_assigned_partitions") == 3, "the first has all")
        publish(settings, signals(100, 300))
        first.caught_up()
    assert sunk(settings) == {f"s{number}" for number in range(400)}


def test_partitions_that_go_while_a_batch_is_under_way_go_when_it_is_done(
    settings: Settings,
) -> None:
    with running(settings.model_copy(update={"batch_size": 5})) as first:
        first.handler.after = lambda _: time.sleep(0.3)
        for join in range(3):
            publish(settings, signals(60, 60 * join))
            until(lambda: first.handler.sizes, "a batch is under way")
            with running(settings):
                first.handler.sizes.clear()
        first.handler.after = lambda _: None
        first.caught_up()
    assert sunk(settings) == {f"s{number}" for number in range(180)}


def test_a_member_that_was_left_without_partitions_is_ready_again_after_a_passing_error(
    settings: Settings,
) -> None:
    with ExitStack() as stack:
        fails = threading.Event()

        class Failing(Membership):
            """Without partitions, its polls fail once they are to."""

            def poll(self, most: int, seconds: float) -> list[Message]:
                if fails.is_set() and not self.claims:
                    fails.clear()
                    raise PassingError("the broker: all brokers are down")
                return super().poll(most, seconds)

        members = [stack.enter_context(running(settings, membership=Failing)) for _ in range(4)]

        def assigned(member: Running) -> int:
            return len(member.health.status.get("assigned", []))

        until(lambda: sorted(map(assigned, members)) == [0, 1, 1, 1], "three have one each")
        until(lambda: all(each.health.ready for each in members), "the idle one is ready, too")
        fails.set()

        # Not the member that was idle above: partitions may have changed hands since.
        def met() -> list[Running]:
            return [each for each in members if each.metric("trackrecord_retries_total")]

        until(lambda: bool(met()), "one has met the error")
        until(lambda: all(each.health.ready for each in met()), "it is ready again", 5)


def limited(settings: Settings) -> Settings:
    return settings.model_copy(update={"dead_letters_in_a_row": 20, "batch_size": 200})


def test_a_predecessor_that_moved_on_while_the_broker_was_asked_halts_nobody(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(settings, signals(40))
    with running(settings) as consumer:
        consumer.caught_up()
    ask = kafka.origins
    asked: list[int] = []

    def asked_before_most_was_published(
        client: AdminClient, places: Iterable[Partition]
    ) -> dict[Partition, Origin]:
        asked.append(len(list(places)))
        found = ask(client, places)
        return found if len(asked) > 1 else {p: replace(o, end_offset=1) for p, o in found.items()}

    monkeypatch.setattr(kafka, "origins", asked_before_most_was_published)
    with running(settings) as consumer:
        publish(settings, signals(20, start=40))
        consumer.caught_up()
    assert sunk(settings) == {f"s{number}" for number in range(60)}
    # All, the one that seemed to be beyond its end, and all again.
    assert asked == [3, 1, 3]


def test_too_many_dead_letters_in_a_row_stop_it_and_the_batch_has_no_effect(
    settings: Settings,
) -> None:
    with running(limited(settings)) as consumer:
        publish(settings, signals(5))
        consumer.caught_up()
        before = positions(settings)
        wire.send(settings, [bad(settings, b"garbage")] * 30 + parcels(settings, signals(5, 5)))
        assert isinstance(consumer.ended(), HaltedError)
    assert "in a row" in str(consumer.error)
    at = positions(settings)
    letters = compare.fetch(settings, "SELECT count(*) FROM dead_letters")[0][0]
    assert letters < 20
    moved = sum(at[place] - before[place] for place in at)
    rows = len(sunk(settings)) - 5
    assert moved == letters + rows


def test_a_batch_that_halts_is_undone_even_while_acknowledgements_are_waiting(
    settings: Settings,
) -> None:
    """What the broker acknowledged is deleted from the outbox on the way out, and only that."""
    with running(limited(settings)) as consumer:
        publish(settings, signals(50, exits="barriers"))
        consumer.caught_up()
        topic = settings.topic("signal_emitted")
        wire.send(
            settings,
            [
                *parcels(settings, signals(20, 50, symbol="SYM0", exits="barriers")),
                *[bad(settings, b"garbage")] * 30,
            ],
        )
        assert isinstance(consumer.ended(), HaltedError)
    moved = sum(at for (name, _), at in positions(settings).items() if name == topic)
    letters = compare.fetch(settings, "SELECT count(*) FROM dead_letters")[0][0]
    assert moved == len(sunk(settings)) + letters


def test_a_handler_that_breaks_leaves_no_part_of_its_batch_behind(settings: Settings) -> None:
    handler = Sink()
    outbox = Outbox("sink", kafka.client_config(settings, "sink"))
    with running(settings, handler, outbox=outbox) as consumer:
        publish(settings, signals(30, exits="barriers"))
        consumer.caught_up()
        outbox.drain(5)

        def break_(_cursor: object) -> None:
            outbox.note_acknowledged(10**9)
            raise KeyError("a mistake in the handler")

        handler.after = break_
        publish(settings, signals(10, 30))
        assert isinstance(consumer.ended(), KeyError)
    assert sunk(settings) == {f"s{number}" for number in range(30)}
    assert sum(positions(settings).values()) == 30
