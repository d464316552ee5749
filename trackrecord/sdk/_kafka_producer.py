"""The Kafka producer as the SDK needs it: idempotent, in order, patient."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer

from trackrecord.kafka.config import KAFKA_PREFIX, variable_of
from trackrecord.kafka.producer import producer_config

log = logging.getLogger("trackrecord.sdk")

FIXED: Final[Mapping[str, str]] = {
    # Nothing may time out: a message that gave up while its successors went
    # through would come back out of order.
    **producer_config({}, gives_up_after_ms=0),
    "enable.gapless.guarantee": "true",
}
"""Settings that cannot be changed, since the promises of the SDK rest on them."""

DEFAULTS: Final[Mapping[str, str]] = {
    "linger.ms": "5",
    "compression.type": "lz4",
    "reconnect.backoff.ms": "100",
    "reconnect.backoff.max.ms": "2000",
    "retry.backoff.max.ms": "1000",
    # A topic that does not exist yet is waited for, with its events in order.
    "topic.metadata.propagation.max.ms": "3600000",
    # The publisher bounds memory itself, well below this.
    "queue.buffering.max.messages": "1000000",
    "queue.buffering.max.kbytes": "2097151",
    "log.connection.close": "false",
}
"""Settings that the environment may override."""

_OTHER_NAMES: Final = {
    "request.required.acks": "acks",
    "delivery.timeout.ms": "message.timeout.ms",
    "queue.buffering.max.ms": "linger.ms",
    "compression.codec": "compression.type",
}

REJECTED: Final = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.INVALID_MSG_SIZE,
        KafkaError.INVALID_RECORD,
        KafkaError.POLICY_VIOLATION,
        KafkaError.TOPIC_EXCEPTION,
    }
)
"""Errors that say something about the message, so that sending it again is of no use."""


def producer_settings(given: Mapping[str, str], client_id: str) -> dict[str, str]:
    """The settings of the producer: defaults, what was given, and what must be.

    Args:
        given: Settings of librdkafka, from the environment or the program.
        client_id: The name that brokers see, unless one was given.
    """
    settings = {**DEFAULTS, "client.id": client_id}
    for name, value in given.items():
        settings[_OTHER_NAMES.get(name, name)] = value
    for name, value in FIXED.items():
        if settings.get(name, value).lower() not in {value, "-1" if name == "acks" else value}:
            log.warning(
                "%s=%s is not used: the publisher's promises need %s=%s",
                variable_of(name),
                settings[name],
                name,
                value,
            )
    return {**settings, **FIXED}


def make_producer(settings: Mapping[str, str], on_error: Callable[[KafkaError], None]) -> Any:
    """Make a producer; no broker needs to be there.

    Args:
        settings: As :func:`producer_settings` gives them.
        on_error: Gets connection errors, on the thread that polls.

    Raises:
        ValueError: A setting is unknown or does not fit; its text names the setting.
    """
    config: dict[str, Any] = {**settings, "error_cb": on_error, "logger": _Quiet()}
    try:
        return Producer(config)
    except KafkaException as error:
        reason = error.args[0].str() if isinstance(error.args[0], KafkaError) else str(error)
        named = re.search(r'property:? "([^"]+)"', reason)
        where = variable_of(named[1]) if named else f"{KAFKA_PREFIX}*"
        raise ValueError(
            f"the Kafka client does not take its settings: {reason} "
            f"(from {where} in the environment, or from the program)"
        ) from None


class _Quiet:
    """Passes on what librdkafka logs, as details.

    It repeats itself at every attempt to connect, on the output of the user's
    program; the publisher says the same once, in its own words.
    """

    def log(self, _level: int, message: str, *args: object) -> None:
        logging.getLogger("trackrecord.sdk.kafka").debug(message, *args)
