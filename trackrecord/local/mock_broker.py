"""A stand-in for Kafka where its jars cannot be had: librdkafka's mock cluster.

It speaks Kafka's protocol to any client on loopback, and keeps nothing: topics appear on
first use with four partitions, whatever was sent is gone with the process, and aborted
transactions stay visible. Run ``python -m trackrecord.local.mock_broker`` for one that
prints its ``bootstrap.servers`` and lives until its stdin closes.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from confluent_kafka import Producer

from trackrecord.local.child import Program
from trackrecord.local.errors import StackFailed
from trackrecord.local.kafka import KafkaCheck
from trackrecord.local.layout import Home, write_private

_ENDS_IT = {signal.SIGTERM, signal.SIGINT}


@dataclass(frozen=True)
class MockBroker:
    """A mock broker that is to run in a stack's home, in the place of `kafka.Kafka`.

    It chooses its port itself, and another one each time it starts.

    Attributes:
        home: The stack's folder.
    """

    home: Home

    @property
    def bootstrap_servers(self) -> str:
        """The address for clients, ``host:port``; empty until it has started."""
        try:
            return self._address.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def configure(self) -> None:
        """Forget the address of an earlier one."""
        self._address.unlink(missing_ok=True)

    def program(self) -> Program:
        """Say how to start it."""
        return Program(
            name="mock broker",
            argv=(sys.executable, "-m", __name__, "--address-file", str(self._address)),
            log=self.home.logs / "kafka.log",
            stop_signal=signal.SIGTERM,
        )

    def healthy(self) -> bool:
        """Ask it for its metadata; gives up after two seconds."""
        servers = self.bootstrap_servers
        return bool(servers) and _check(servers).healthy()

    @property
    def _address(self) -> Path:
        return self.home.path / "mock-broker.address"


@lru_cache(maxsize=1)
def _check(servers: str) -> KafkaCheck:
    return KafkaCheck(servers)


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


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve, and say where.

    On stdout until stdin closes, which it also does when whoever holds it is killed; or in
    a file until SIGTERM or SIGINT.

    Returns:
        The exit code: 0.
    """
    parser = argparse.ArgumentParser(prog="python -m trackrecord.local.mock_broker")
    parser.add_argument("--address-file", type=Path, metavar="FILE")
    file: Path | None = parser.parse_args(arguments).address_file
    if file is not None:
        # Before there are threads, which would otherwise take the signal.
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS_IT)
    # The cluster lives inside this client. The address is a placeholder that is never
    # asked: librdkafka puts the mock's own in its place, and metadata tells it.
    client = Producer(
        {"bootstrap.servers": "127.0.0.1:1", "test.mock.num.brokers": 1, "log_level": 3}
    )
    brokers = client.list_topics(timeout=10).brokers.values()
    servers = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
    if file is not None:
        write_private(file, servers)
        signal.sigwait(_ENDS_IT)
        return 0
    sys.stdout.write(servers + "\n")
    sys.stdout.flush()
    while sys.stdin.read(1):
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
