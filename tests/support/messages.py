"""Events as a consumer would be given them."""

from confluent_kafka import Message

from trackrecord.events import Event


def as_message(event: Event, offset: int, partition: int = 0) -> Message:
    """An event as a message of its own topic."""
    return Message(
        topic=event.event_type,
        partition=partition,
        offset=offset,
        key=event.key.encode(),
        value=event.to_json(),
        timestamp=(2, 1_770_000_000_000),
    )
