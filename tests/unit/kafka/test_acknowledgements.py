"""Which acknowledgements can be true."""

from __future__ import annotations

from confluent_kafka import KafkaError, Message

from trackrecord.kafka.acknowledgements import Acknowledged


def message(partition: int, offset: int) -> Message:
    return Message(topic="t", partition=partition, offset=offset)


def test_offsets_that_grow_in_each_partition_are_believed() -> None:
    told = Acknowledged()
    assert all(told.is_true(message(*place)) for place in [(0, 0), (0, 1), (1, 0), (0, 7), (1, 3)])


def test_the_offset_of_an_earlier_message_is_not() -> None:
    told = Acknowledged()
    assert told.is_true(message(0, 5))
    assert not told.is_true(message(0, 5))
    assert not told.is_true(message(0, 2))
    assert told.is_true(message(0, 6))


def test_no_offset_is_no_acknowledgement() -> None:
    told = Acknowledged()
    assert not told.is_true(Message(topic="t", partition=0))
    assert not told.is_true(message(0, -1001))
    problem = told.problem(None, message(0, -1))
    assert problem is not None
    assert "earlier message" in problem.str()


def test_an_error_stays_what_it_is() -> None:
    error = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)
    assert Acknowledged().problem(error, message(0, 1)) is error
    assert Acknowledged().problem(None, message(0, 1)) is None
