"""A stand-in for Kafka where its jars cannot be had: librdkafka's mock cluster.

It speaks Kafka's protocol to any client on loopback, and keeps nothing: topics appear on
first use with four partitions, whatever was sent is gone with the process, and aborted
transactions stay visible. Run ``python -m trackrecord.local.mock_broker`` for one that
prints its ``bootstrap.servers`` and lives until its stdin closes.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import Producer

from trackrecord.local.errors import StackFailed


@contextmanager
def mock_broker() -> Iterator[str]:
    """Run a mock broker in a process of its own.

    It ends with the context, and also when this process is killed.

    Yields:
        Its ``bootstrap.servers``, ``host:port``.

    Raises:
        StackFailed: It did not start.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "trackrecord.local.mock_broker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            line = process.stdout.readline().strip() if process.stdout else ""
            if not line:
                raise StackFailed("the mock broker did not start; its reason is on stderr")
            yield line
        finally:
            if process.stdin:
                process.stdin.close()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()


def main() -> int:
    """Serve until stdin closes, which it also does when whoever holds it is killed.

    Returns:
        The exit code: 0.
    """
    # The cluster lives inside this client. The address is a placeholder that is never
    # asked: librdkafka puts the mock's own in its place, and metadata tells it.
    client = Producer(
        {"bootstrap.servers": "127.0.0.1:1", "test.mock.num.brokers": 1, "log_level": 3}
    )
    brokers = client.list_topics(timeout=10).brokers.values()
    sys.stdout.write(",".join(f"{broker.host}:{broker.port}" for broker in brokers) + "\n")
    sys.stdout.flush()
    while sys.stdin.read(1):
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
