"""Which acknowledgements of a client can be true.

An acknowledgement names the offset at which a message lies, and those of one client grow in
each partition. One that does not grow is of an earlier message: the broker has taken this one for
a repeat of it, as it does where a client lost count of what it had sent
(github.com/confluentinc/librdkafka/issues/3712).
"""

from __future__ import annotations

from confluent_kafka import KafkaError, Message


class Acknowledged:
    """The offsets that one client was told of."""

    def __init__(self) -> None:
        """Know none yet."""
        self._last: dict[tuple[str | None, int | None], int] = {}

    def is_true(self, message: Message) -> bool:
        """Whether a message lies behind those that were acknowledged before it."""
        place, offset = (message.topic(), message.partition()), message.offset()
        if offset is None or offset <= self._last.get(place, -1):
            return False
        self._last[place] = offset
        return True

    def problem(self, error: KafkaError | None, message: Message) -> KafkaError | None:
        """Why a message is not on its topic, as far as is known; None if it is."""
        if error is None and not self.is_true(message):
            return KafkaError(
                KafkaError._INCONSISTENT,  # noqa: SLF001 - its name
                "an acknowledgement was of an earlier message",
            )
        return error
