"""Does the table of topics hold together?"""

from __future__ import annotations

import pytest

from trackrecord.events import EVENTS
from trackrecord.events.codec import MAX_EVENT_BYTES
from trackrecord.events.topics import (
    PARTICIPANTS,
    TOPICS,
    all_topics,
    dead_letter_topic,
)
from trackrecord.stages import STAGES


def test_every_event_type_has_one_topic_keyed_by_one_of_its_fields() -> None:
    assert TOPICS.keys() == EVENTS.keys()
    assert all(spec.key == EVENTS[name].key_field for name, spec in TOPICS.items())


def test_every_topic_of_a_stage_has_a_producer_a_consumer_and_an_owner_that_we_know() -> None:
    for spec in TOPICS.values():
        assert spec.owner is not None
        assert spec.producers
        # What was made is in the database: the event is for whoever has asked, and listens.
        assert spec.consumers or spec.name == "strategy_generated"
        assert {spec.owner, *spec.producers, *spec.consumers} <= PARTICIPANTS.keys()
    assert PARTICIPANTS.keys() >= STAGES.keys()


def test_a_participant_is_somebody_who_publishes_reads_or_answers_for_a_topic() -> None:
    named = {
        name
        for spec in all_topics()
        for name in (spec.owner, *spec.producers, *spec.consumers)
        if name is not None
    }
    assert named == PARTICIPANTS.keys()


def test_a_stage_stands_on_the_topics_that_its_entry_names() -> None:
    for name, stage in STAGES.items():
        assert {each.name for each in TOPICS.values() if name in each.consumers} == {*stage.reads}
        assert {each.name for each in TOPICS.values() if name in each.producers} == {
            *stage.publishes
        }


def test_topics_keyed_alike_are_co_partitioned() -> None:
    assert len({spec.partitions for spec in TOPICS.values()}) == 1


def test_everything_is_kept_for_ever_with_the_time_of_the_broker() -> None:
    for spec in all_topics():
        config = spec.config()
        assert config["retention.ms"] == config["retention.bytes"] == "-1"
        assert config["cleanup.policy"] == "delete"
        assert config["message.timestamp.type"] == "LogAppendTime"


def test_the_largest_event_fits_its_topic_and_any_message_fits_the_dead_letters() -> None:
    for spec in TOPICS.values():
        assert MAX_EVENT_BYTES < spec.max_message_bytes < spec.dead_letter().max_message_bytes


def test_a_dead_letter_topic_is_written_by_stages_and_has_none_of_its_own() -> None:
    dead = TOPICS["signal_emitted"].dead_letter()
    assert dead.name == dead_letter_topic("signal_emitted") == "signal_emitted.dlq"
    assert dead.producers[:2] == ("signal_tracker", "outcome_scorer")
    readers = TOPICS["signal_emitted"].consumers
    assert dead.producers == tuple(name for name in readers if name in STAGES)
    assert dead.consumers == ("cli",)
    assert dead.is_dead_letter
    with pytest.raises(ValueError, match="none of its own"):
        dead.dead_letter()
    with pytest.raises(ValueError, match="none of its own"):
        dead_letter_topic(dead.name)


def test_all_topics_are_the_event_topics_and_their_dead_letters() -> None:
    names = [spec.name for spec in all_topics()]
    assert len(names) == len(set(names)) == 2 * len(TOPICS)
