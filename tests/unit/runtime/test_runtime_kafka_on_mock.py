"""Topics and origins on librdkafka's mock broker, which can neither create nor describe topics."""

from __future__ import annotations

from trackrecord.events.topics import all_topics
from trackrecord.local.mock_broker import mock_broker
from trackrecord.runtime import kafka
from trackrecord.runtime.kafka import Origin
from trackrecord.runtime.settings import Settings, load_settings

TOPICS = {f"mine.{spec.name}" for spec in all_topics()}


def settings_for(servers: str) -> Settings:
    return load_settings(
        {
            "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS": servers,
            "DATABASE_URL": "postgresql://nobody@127.0.0.1/nothing",
            "TRACKRECORD_TOPIC_PREFIX": "mine.",
        }
    )


def test_topics_are_made_by_asking_for_them_once() -> None:
    with mock_broker() as servers:
        settings = settings_for(servers)
        assert kafka.ensure_topics(settings) == dict.fromkeys(TOPICS, "made")
        assert kafka.ensure_topics(settings) == dict.fromkeys(TOPICS, "there")
        places = kafka.partitions_of(kafka.admin(settings), TOPICS)
        assert {topic for topic, _ in places} == TOPICS


def test_a_topic_of_one_mock_is_not_taken_for_that_of_the_next() -> None:
    ids = []
    for _ in range(2):
        with mock_broker() as servers:
            settings = settings_for(servers)
            kafka.ensure_topics(settings)
            client = kafka.admin(settings)
            place = ("mine.market_bar", 0)
            (first,) = kafka.origins(client, [place]).values()
            (again,) = kafka.origins(client, [place]).values()
            assert first == again == Origin(first.topic_id, 0, 0)
            ids.append(first.topic_id)
    assert ids[0] != ids[1]
