"""Whether the topics that are read are still the ones that were taken up.

A topic can be deleted and made anew under its name while a member reads it. The
client may notice nothing: the old position means other messages then, and some
would be skipped in silence. So the broker is asked for the topics' ids after a
batch was fetched and before it is committed. If they are unchanged then, every
message of the batch came from the topic that its position belongs to.

The question travels while the database works, which makes it nearly free.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection

from trackrecord.errors import TrackrecordError
from trackrecord.runtime import kafka
from trackrecord.runtime.decoding.batch import Partition
from trackrecord.runtime.errors import HaltedError, PassingError
from trackrecord.runtime.loop.offsets import made_anew
from trackrecord.runtime.settings import Settings

_SECONDS = 10.0


class Identity:
    """The ids of some topics, and questions whether they still hold."""

    def __init__(self, settings: Settings) -> None:
        """Know no topics yet, so that there is nothing to ask."""
        self._settings = settings
        self._client = kafka.admin(settings)
        self._ids: dict[str, str] = {}
        self._asked: dict[str, Future[Any]] = {}

    def origins(self, places: Iterable[Partition]) -> dict[Partition, kafka.Origin]:
        """What the broker says of partitions that are about to be taken up.

        Raises:
            PassingError: It does not say.
        """
        try:
            return kafka.origins(self._client, places)
        except PassingError:
            # A client that did not get through is not asked again: a new one has nothing
            # in flight and no back-off behind it.
            self._client = kafka.admin(self._settings)
            self.expect({})
            raise

    def expect(self, ids: Mapping[str, str]) -> None:
        """Say which id each topic had when it was taken up."""
        self._ids = {name: known for name, known in ids.items() if kafka.has_id(known)}
        self._asked = {}

    def ask(self) -> None:
        """Send the question; the answer is for :meth:`confirm`."""
        if self._ids:
            self._asked = self._client.describe_topics(
                TopicCollection(sorted(self._ids)), request_timeout=_SECONDS
            )

    def confirm(self) -> None:
        """Wait for the answer to the last question.

        Raises:
            HaltedError: A topic was made anew.
            PassingError: A topic is away, or the broker does not answer.
        """
        asked, self._asked = self._asked, {}
        for name, future in asked.items():
            try:
                found = str(future.result(_SECONDS).topic_id)
            except TimeoutError:
                raise PassingError("the broker does not say which topics it has") from None
            except KafkaException as error:
                raise _classify(name, error.args[0]) from None
            if found != self._ids[name]:
                raise HaltedError(made_anew(name, self._ids[name], found))

    def look(self) -> None:
        """Ask between batches, without waiting: the answer is for the next look.

        Raises:
            HaltedError: A topic was made anew.
        """
        if all(future.done() for future in self._asked.values()):
            # A broker that is away is no news here: the next batch will say so.
            with suppress(PassingError):
                self.confirm()
            self.ask()


def _classify(name: str, error: KafkaError) -> TrackrecordError:
    if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
        return PassingError(f"the topic {name} is away")
    return kafka.classify(error)
