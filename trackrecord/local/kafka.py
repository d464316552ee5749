"""One Apache Kafka broker (KRaft, combined mode) for the local stack."""

from __future__ import annotations

import base64
import contextlib
import logging
import os
import shutil
import signal
import subprocess
import uuid
from dataclasses import dataclass

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from trackrecord.local.child import Program
from trackrecord.local.errors import StackFailed
from trackrecord.local.layout import HOST, Home
from trackrecord.local.parts import Parts

# A broker of its own for one machine: every topic it keeps for itself has one partition
# and one replica, groups form at once, and a dead consumer is noticed within seconds. So
# is a dead broker: until its session has run out, its successor is not let in.
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=BROKER://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=BROKER://{host}:{port}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
log.dirs={log_dirs}
auto.create.topics.enable=false
log.message.timestamp.type=LogAppendTime
log.retention.ms=-1
message.max.bytes=2097152
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
group.consumer.heartbeat.interval.ms=500
group.consumer.min.heartbeat.interval.ms=100
group.consumer.session.timeout.ms=6000
group.consumer.min.session.timeout.ms=1000
default.replication.factor=1
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""

_LOGGING = """\
<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="ERROR" shutdownHook="disable">
  <Appenders>
    <Console name="stdout" target="SYSTEM_OUT">
      <PatternLayout pattern="%d{ISO8601} %-5p %c{1} %m%n"/>
    </Console>
  </Appenders>
  <Loggers>
    <Root level="INFO"><AppenderRef ref="stdout"/></Root>
  </Loggers>
</Configuration>
"""

# A home's name may hold a comma, a blank or an umlaut. Kafka takes a comma as the end of a
# path, so paths are relative to the home; Java takes names of files to be in the locale's
# encoding, so that is one that has umlauts.
_ENVIRONMENT = {"LC_ALL": "C.UTF-8"}

# librdkafka tells stderr about every refused connection; here that is the expected
# answer until the broker is up.
_silent = logging.getLogger(f"{__name__}.librdkafka")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False


@dataclass(frozen=True)
class Kafka:
    """A broker that is to run from a stack's home.

    Attributes:
        home: The stack's folder.
        parts: Java and the jars.
        port: Where clients connect.
        controller_port: Where the broker finds the controller, which is itself.
    """

    home: Home
    parts: Parts
    port: int
    controller_port: int

    @property
    def bootstrap_servers(self) -> str:
        """The address for clients, ``host:port``."""
        return f"{HOST}:{self.port}"

    def configure(self) -> None:
        """Write the configuration, and format the storage if it is new (about a second).

        Raises:
            StackFailed: The storage could not be formatted.
        """
        folder = self.home.path / "kafka"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "log4j2.xml").write_text(_LOGGING, encoding="utf-8")
        (folder / "server.properties").write_text(self._properties("data/kafka"), encoding="utf-8")
        storage = self.home.data / "kafka"
        if storage.exists():
            return
        # Formatted beside its place and then renamed: a storage that is there is whole.
        new = storage.with_name("kafka.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        configuration = folder / "format.properties"
        configuration.write_text(self._properties("data/kafka.new"), encoding="utf-8")
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        run = subprocess.run(
            [
                *self._java("-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"),
                "kafka.tools.StorageTool",
                "format",
                f"--cluster-id={cluster}",
                "--config",
                "kafka/format.properties",
            ],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            cwd=self.home.path,
            env={**os.environ, **_ENVIRONMENT},
        )
        if run.returncode != 0:
            said = (run.stderr or run.stdout).strip()[-1500:]
            raise StackFailed(f"Kafka's storage could not be formatted in {new}:\n{said}")
        new.rename(storage)
        configuration.unlink()

    def program(self) -> Program:
        """Say how to start it, once configured."""
        return Program(
            name="kafka",
            argv=(
                *self._java("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC"),
                "kafka.Kafka",
                "kafka/server.properties",
            ),
            log=self.home.logs / "kafka.log",
            env=_ENVIRONMENT,
            cwd=self.home.path,
            stop_signal=signal.SIGTERM,
        )

    def _java(self, *options: str) -> list[str]:
        # Compression libraries are native code; later Javas ask that this be said.
        native = ["--enable-native-access=ALL-UNNAMED"] if self.parts.java_version >= 24 else []  # noqa: PLR2004
        return [
            str(self.parts.java),
            *options,
            *native,
            "-Djava.awt.headless=true",
            "-Dlog4j2.configurationFile=kafka/log4j2.xml",
            "-cp",
            self.parts.class_path,
        ]

    def _properties(self, log_dirs: str) -> str:
        return _PROPERTIES.format(
            host=HOST,
            port=self.port,
            controller_port=self.controller_port,
            log_dirs=log_dirs,
        )


class KafkaCheck:
    """Asks a broker for its metadata, as any client would."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._client = AdminClient(
            {
                "bootstrap.servers": bootstrap_servers,
                "reconnect.backoff.ms": 50,
                "reconnect.backoff.max.ms": 250,
                "socket.connection.setup.timeout.ms": 2000,
            },
            logger=_silent,
        )

    def healthy(self, seconds: float = 2.0) -> bool:
        """Ask it.

        Args:
            seconds: How long to wait for the answer.

        Returns:
            True if the broker answered and is part of its cluster.
        """
        with contextlib.suppress(KafkaException):
            return len(self._client.list_topics(timeout=seconds).brokers) > 0
        return False
