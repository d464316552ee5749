"""The settings without which no producer keeps what trackrecord promises.

The SDK, the outbox and the commands publish to the same topics: all put a key on the same
partition, in order, and none makes duplicates of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

PROMISED: Final[Mapping[str, str]] = MappingProxyType(
    {
        # Ordered, without duplicates, and acknowledged by every replica that is in sync.
        "enable.idempotence": "true",
        "acks": "all",
        # Other languages' clients put a key on the same partition by this.
        "partitioner": "murmur2_random",
    }
)
"""Settings of librdkafka that every producer has, whatever the environment says."""


def producer_config(
    client: Mapping[str, Any], *, gives_up_after_ms: int = 0, **further: Any
) -> dict[str, Any]:
    """The configuration of a producer.

    Args:
        client: What it shares with other clients: brokers, credentials, call-backs.
        gives_up_after_ms: Milliseconds after which a message that was not acknowledged has
            failed; 0: never. In a stream where one message may give up while the next arrives,
            order has a gap.
        **further: Further settings, dots written as underscores; they go before ``client``.

    Returns:
        Settings by librdkafka's names, for :class:`confluent_kafka.Producer`.
    """
    return {
        **client,
        **{name.replace("_", "."): value for name, value in further.items()},
        **PROMISED,
        "message.timeout.ms": str(gives_up_after_ms),
    }
