"""Members that come and go, and topics that are not what they were."""

from __future__ import annotations

import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.faults.conftest import ROUNDS
from tests.support import compare, histories, oracle
from tests.support.pipeline import Pipeline, until
from trackrecord.runtime import kafka

pytestmark = pytest.mark.kafka

SESSION = {"TRACKRECORD_SESSION_TIMEOUT_MS": "1000", "TRACKRECORD_BATCH_SIZE": "100"}


@pytest.fixture
def admin(pipeline: Pipeline) -> AdminClient:
    return kafka.admin(pipeline.settings)


def remake(pipeline: Pipeline, admin: AdminClient, topic: str) -> None:
    """Delete a topic and make it anew under the same name."""
    admin.delete_topics([topic])[topic].result(10)
    until(lambda: topic not in admin.list_topics(timeout=10).topics, "the topic is gone")
    until(lambda: kafka.ensure_topics(pipeline.settings)[topic] == "made", "it is made anew")


def test_a_storm_of_members_that_come_and_go(
    pipeline: Pipeline, seed: str, rng: random.Random
) -> None:
    events = histories.make(seed, 3_000)
    with ThreadPoolExecutor(1) as pool:
        published = pool.submit(pipeline.publish, events)
        members = [pipeline.start("signal_tracker", **SESSION)]
        for _ in range(7 * ROUNDS):
            time.sleep(1)
            if len(members) > 1 and rng.random() < 0.5:
                victim = members.pop(rng.randrange(len(members)))
                if rng.random() < 0.5:
                    victim.kill()
                else:
                    # One that has only just been started has no handler for the signal yet.
                    assert victim.stop() in {0, -signal.SIGTERM}
            elif len(members) < 4:
                members.append(pipeline.start("signal_tracker", **SESSION))
        places = published.result()
    pipeline.done("signal_tracker")
    pipeline.check_tracker(events, places)
    assert {each.stop() for each in members} <= {0, -signal.SIGTERM}


def test_a_group_that_says_nothing_is_asked_again(pipeline: Pipeline, seed: str) -> None:
    events = histories.make(seed, 50)
    places = pipeline.publish(events)
    # Whoever joins waits for this member, which does not say that it has heard of it.
    silent = Consumer(
        kafka.consumer_config(pipeline.settings, "signal_tracker")
        | {"session.timeout.ms": 60_000, "max.poll.interval.ms": 120_000}
    )
    silent.subscribe([pipeline.settings.topic("signal_emitted")])
    until(lambda: silent.consume(1, 0.1) or silent.assignment(), "it has partitions")
    stage = pipeline.start("signal_tracker", **SESSION)
    until(lambda: stage.lines("no partitions yet: joining again"), "it joins again", 40)
    silent.close()
    pipeline.done("signal_tracker")
    pipeline.check_tracker(events, places)
    assert stage.stop() == 0


def test_offsets_that_kafka_forgets_change_nothing(
    pipeline: Pipeline, admin: AdminClient, seed: str
) -> None:
    events = histories.make(seed, 100)
    places = pipeline.publish(events)
    stage = pipeline.start("signal_tracker")
    pipeline.done("signal_tracker")
    assert stage.stop() == 0
    group = pipeline.settings.topic("signal_tracker")
    admin.delete_consumer_groups([group])[group].result(10)
    more = histories.make(f"{seed}-more", 100)
    places += pipeline.publish(more)
    pipeline.start("signal_tracker")
    pipeline.done("signal_tracker")
    pipeline.check_tracker([*events, *more], places)


@pytest.mark.parametrize("running", [False, True])
def test_a_topic_made_anew_stops_the_stage_until_somebody_accepts_it(
    pipeline: Pipeline, admin: AdminClient, seed: str, *, running: bool
) -> None:
    # What comes after is more than what came before, so that the old position means something.
    old, new = histories.make(seed, 50), histories.make(f"{seed}-new", 200)
    pipeline.publish(old)
    stage = pipeline.start("signal_tracker")
    pipeline.done("signal_tracker")
    if not running:
        assert stage.stop() == 0
    before = pipeline.positions("signal_tracker")
    for name in ("signal_emitted", "signal_closed"):
        remake(pipeline, admin, pipeline.settings.topic(name))
    pipeline.publish(new)
    if not running:
        stage = pipeline.start("signal_tracker")
    assert stage.ended() == 3
    (halted,) = stage.lines("halted")
    assert "made anew" in halted["reason"]
    assert pipeline.positions("signal_tracker") == before
    compare.check(pipeline.settings, oracle.expect(old))

    accepted = pipeline.command("topics", "--accept-new", "--json")
    assert accepted.returncode == 0, accepted.stderr
    pipeline.start("signal_tracker")
    pipeline.done("signal_tracker")
    compare.check(pipeline.settings, oracle.expect([*old, *new]))


def test_messages_deleted_before_they_were_read_stop_the_stage(
    pipeline: Pipeline, admin: AdminClient, seed: str
) -> None:
    pipeline.publish(histories.make(seed, 50))
    stage = pipeline.start("signal_tracker")
    pipeline.done("signal_tracker")
    assert stage.stop() == 0
    before = pipeline.positions("signal_tracker")
    places = pipeline.publish(histories.make(f"{seed}-more", 50))
    topic, partition, offset = places[-1]
    lost = TopicPartition(topic, partition, offset + 1)
    for future in admin.delete_records([lost]).values():
        future.result(10)
    stage = pipeline.start("signal_tracker")
    assert stage.ended() == 3
    (halted,) = stage.lines("halted")
    assert "deleted before it was read" in halted["reason"]
    assert pipeline.positions("signal_tracker") == before
