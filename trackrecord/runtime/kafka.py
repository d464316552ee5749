"""The Kafka clients as the services use them, and what is asked of the broker besides."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec  # type: ignore[attr-defined]

from trackrecord.clock import SYSTEM_CLOCK
from trackrecord.errors import TrackrecordError
from trackrecord.events.topics import all_topics
from trackrecord.kafka.config import KAFKA_PREFIX, variable_of
from trackrecord.redaction import hide_secrets
from trackrecord.runtime.decoding.batch import Partition
from trackrecord.runtime.errors import FatalError, PassingError
from trackrecord.runtime.logs import get_logger
from trackrecord.runtime.settings import Settings

_log = get_logger(__name__)

PARTITION_EOF = KafkaError._PARTITION_EOF  # noqa: SLF001 - it has no other name

_SAY_AGAIN_SECONDS = 10.0
"""An error of a client that goes on is logged this often."""

_EARLIEST: Any = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_LATEST: Any = OffsetSpec.latest()  # type: ignore[no-untyped-call]

_FATAL = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError._AUTHENTICATION,  # noqa: SLF001 - librdkafka's own codes have no other name
    KafkaError._FATAL,  # noqa: SLF001
    KafkaError.UNSUPPORTED_VERSION,
    KafkaError.INCONSISTENT_GROUP_PROTOCOL,
}

_NOT_LET_IN = {
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError._AUTHENTICATION,  # noqa: SLF001
    KafkaError._SSL,  # noqa: SLF001
}
_NO_ANSWER = {
    KafkaError._TRANSPORT,  # noqa: SLF001
    KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
    KafkaError._TIMED_OUT,  # noqa: SLF001
}
_REFUSED_SECONDS = 15.0
"""How long a refusal explains that no broker answers."""


def client_config(settings: Settings, client: str) -> dict[str, Any]:
    """The settings that every client of a process shares."""
    return {
        **settings.kafka,
        "bootstrap.servers": settings.kafka_bootstrap_servers,
        "client.id": client,
        "error_cb": _log_error,
        # Its own lines on stderr would say the same again, unstructured.
        "log_level": 0,
        # An answer that was lost with its connection is not waited for a whole minute.
        "socket.timeout.ms": 10_000,
        "reconnect.backoff.ms": 50,
        "reconnect.backoff.max.ms": 2000,
        "allow.auto.create.topics": False,
    }


def consumer_config(settings: Settings, group: str) -> dict[str, Any]:
    """The settings of a stage's consumer: whole batches, and positions that we keep ourselves."""
    return {
        **client_config(settings, group),
        "group.id": settings.topic(group),
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",
        "isolation.level": "read_committed",
        # Behind the last message there may be marks of transactions: this says that all is read.
        "enable.partition.eof": True,
        "partition.assignment.strategy": "range",
        "session.timeout.ms": settings.session_timeout_ms,
        "heartbeat.interval.ms": max(settings.session_timeout_ms // 4, 100),
        "max.poll.interval.ms": max(settings.max_poll_interval_ms, settings.session_timeout_ms),
        # The default back-off of a second between fetches starves a batch consumer.
        "fetch.queue.backoff.ms": 2,
        "fetch.wait.max.ms": 20,
        # At a steady pace, an answer for every few messages costs more than the messages do.
        "fetch.min.bytes": 32_768,
        "queued.min.messages": 10_000,
        "queued.max.messages.kbytes": 4_096,
    }


def classify(error: KafkaError) -> TrackrecordError:
    """Say what an error of the client means."""
    if error.fatal() or error.code() in _FATAL:
        return FatalError(f"the broker refuses: {hide_secrets(error.str())}")
    if error.code() in _NO_ANSWER and SYSTEM_CLOCK.monotonic() - _refused.at < _REFUSED_SECONDS:
        # Whoever is not let in is left without an answer, and only the client has heard why.
        return FatalError(f"the broker refuses: {hide_secrets(_refused.words)}")
    return PassingError(f"the broker: {hide_secrets(error.str())}")


def explain(error: Exception) -> str:
    """In words what the client says, naming the variable of a setting that it does not take."""
    said = error.args[0] if error.args else error
    if not isinstance(said, KafkaError):
        return f"the Kafka client: {error}"
    if said.code() != KafkaError._INVALID_ARG:  # noqa: SLF001
        return f"the broker: {said.str()}"
    named = re.search(r'property:? "([^"]+)"', said.str())
    where = variable_of(named[1]) if named else f"{KAFKA_PREFIX}*"
    return f"the Kafka client does not take its settings: {said.str()} (see {where})"


_last_said: dict[int, float] = {}


@dataclass
class Refused:
    """What a client last heard when a broker did not let it in, and when."""

    words: str = ""
    at: float = float("-inf")


_refused = Refused()


def _log_error(error: KafkaError) -> None:
    if error.code() in _NOT_LET_IN:
        _refused.words, _refused.at = error.str(), SYSTEM_CLOCK.monotonic()
    # While the broker is away a client tries again many times a second.
    now = SYSTEM_CLOCK.monotonic()
    if now - _last_said.get(error.code(), -_SAY_AGAIN_SECONDS) >= _SAY_AGAIN_SECONDS:
        _last_said[error.code()] = now
        _log.warning("kafka client", error=error.str(), fatal=error.fatal())


def admin(settings: Settings) -> AdminClient:
    """A client for questions about topics."""
    return AdminClient({**client_config(settings, "admin"), "socket.timeout.ms": 10_000})


@dataclass(frozen=True)
class Origin:
    """What the broker says of a partition that is about to be read.

    Attributes:
        topic_id: The topic's own id; a topic made anew under the same name has another.
        first_offset: The oldest offset that is still there.
        end_offset: The offset after the newest.
    """

    topic_id: str
    first_offset: int
    end_offset: int


def origins(client: AdminClient, places: Iterable[Partition]) -> dict[Partition, Origin]:
    """Ask the broker where partitions begin and end, and which topic they belong to.

    Raises:
        PassingError: It does not say.
    """
    wanted = sorted(places)
    try:
        ids = _topic_ids(client, sorted({topic for topic, _ in wanted}))
        first = _list_offsets(client, wanted, _EARLIEST)
        end = _list_offsets(client, wanted, _LATEST)
    except KafkaException as error:
        raise classify(error.args[0]) from None
    return {place: Origin(ids[place[0]], first[place], end[place]) for place in wanted}


def _topic_ids(client: AdminClient, names: list[str]) -> dict[str, str]:
    metadata = client.list_topics(timeout=10)
    if _is_mock(metadata.cluster_id):
        # It has no ids, nor can a topic be made anew in it: each is as old as the cluster.
        # A cluster's id is an address in its memory, so the next may have the same: the ports
        # tell them apart.
        ports = ",".join(str(broker.port) for broker in metadata.brokers.values())
        return dict.fromkeys(names, f"{metadata.cluster_id}:{ports}")
    described = client.describe_topics(TopicCollection(names), request_timeout=10)
    return {name: str(future.result().topic_id) for name, future in described.items()}


def has_id(topic_id: str) -> bool:
    """Whether it is a topic's own id, and not what stands in for one on a mock."""
    return not _is_mock(topic_id)


def _is_mock(cluster_id: str | None) -> bool:
    """Whether it is librdkafka's mock, which can neither create topics nor describe them."""
    return (cluster_id or "").startswith("mockCluster")


def end_offsets(client: AdminClient, places: Iterable[Partition]) -> dict[Partition, int]:
    """Ask the broker for the offset after the newest message of each partition.

    Raises:
        PassingError: It does not say.
    """
    try:
        return _list_offsets(client, sorted(places), _LATEST)
    except KafkaException as error:
        raise classify(error.args[0]) from None


def _list_offsets(
    client: AdminClient, places: list[Partition], spec: OffsetSpec
) -> dict[Partition, int]:
    asked = client.list_offsets(
        {TopicPartition(topic, partition): spec for topic, partition in places},
        request_timeout=10,
    )
    found = {(tp.topic, tp.partition): int(future.result().offset) for tp, future in asked.items()}
    for (topic, partition), offset in found.items():
        # When the connection breaks, the client gives this instead of an error.
        if offset < 0:
            raise PassingError(f"the broker does not say where {topic}/{partition} begins or ends")
    return found


def partitions_of(client: AdminClient, topics: Iterable[str]) -> list[Partition]:
    """All partitions of topics that exist.

    Raises:
        PassingError: The broker does not answer.
    """
    try:
        known = client.list_topics(timeout=10).topics
    except KafkaException as error:
        raise classify(error.args[0]) from None
    return [
        (topic, number)
        for topic in topics
        if topic in known and known[topic].error is None
        for number in sorted(known[topic].partitions)
    ]


def ensure_topics(settings: Settings) -> dict[str, str]:
    """Make the topics that are missing.

    librdkafka's mock broker makes them when asked for them, and chooses the number of
    partitions itself.

    Returns:
        By topic: ``made``, ``there``, or what is wrong with it.

    Raises:
        PassingError: The broker does not answer.
    """
    client = admin(settings)
    wanted = {settings.topic(spec.name): spec for spec in all_topics()}
    partitions = {
        name: spec.partitions if spec.is_dead_letter else settings.topic_partitions
        for name, spec in wanted.items()
    }
    try:
        metadata = client.list_topics(timeout=10)
        known = metadata.topics
        if _is_mock(metadata.cluster_id):
            _ask_for(settings, [name for name in wanted if name not in known])
            return {name: "there" if name in known else "made" for name in wanted}
    except KafkaException as error:
        client.poll(0)  # what the client has heard is told now
        raise classify(error.args[0]) from None
    outcome = {
        name: "there"
        if len(known[name].partitions) == count
        else f"has {len(known[name].partitions)} partitions, {count} were asked for"
        for name, count in partitions.items()
        if name in known
    }
    missing = [
        NewTopic(
            name,
            num_partitions=partitions[name],
            replication_factor=settings.topic_replication,
            config=spec.config(),
        )
        for name, spec in wanted.items()
        if name not in known
    ]
    if missing:
        for name, future in client.create_topics(missing, operation_timeout=20).items():
            try:
                future.result()
                outcome[name] = "made"
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise classify(error.args[0]) from None
                outcome[name] = "there"
    return outcome


def _ask_for(settings: Settings, names: list[str]) -> None:
    """Ask for topics by name, which makes a broker that creates topics by itself do so."""
    client = AdminClient({**client_config(settings, "admin"), "allow.auto.create.topics": True})
    for name in names:
        client.list_topics(name, timeout=10)


__all__ = [
    "Consumer",
    "Origin",
    "admin",
    "classify",
    "client_config",
    "consumer_config",
    "end_offsets",
    "ensure_topics",
    "has_id",
    "origins",
    "partitions_of",
]
