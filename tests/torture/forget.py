"""Delete a consumer group: ``python -m tests.torture.forget BROKER GROUP``; exit code 1 if not.

A process of its own, because the client aborts the whole process by an assertion when the broker
is killed while a group's coordinator is looked for.
"""

from __future__ import annotations

import logging
import subprocess
import sys

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

_SECONDS = 5.0


def forget(broker: str, group: str) -> bool:
    """Delete a group; false where it has members, or the broker is away."""
    command = [sys.executable, "-m", __name__, broker, group]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=4 * _SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def main(broker: str, group: str) -> int:
    """In the process of its own."""
    silent = logging.getLogger("silent")
    silent.addHandler(logging.NullHandler())
    silent.propagate = False
    client = AdminClient({"bootstrap.servers": broker}, logger=silent)
    try:
        client.delete_consumer_groups([group], request_timeout=_SECONDS)[group].result(_SECONDS)
    except (KafkaException, TimeoutError):
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
