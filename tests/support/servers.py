"""The broker and the database of a test run: named by the environment, Docker's, or our own."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from trackrecord.local.errors import PartsUnavailable
from trackrecord.local.parts import ensure_parts
from trackrecord.local.postgres_binaries import find_postgres, unprivileged_user
from trackrecord.local.stack import Stack

BROKER_VARIABLE = "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS"
DATABASE_VARIABLE = "DATABASE_URL"

HOW_TO_GET_IT = (
    f"name a Kafka and a Postgres with {BROKER_VARIABLE} and {DATABASE_VARIABLE}, start Docker, "
    "or fetch the parts of the local stack with `python -m trackrecord.local.parts`"
)

_KAFKA_IMAGE = "apache/kafka:4.1.0"
_POSTGRES_IMAGE = "postgres:17"
_DOCKER_SECONDS = 2


@dataclass(frozen=True)
class Services:
    """A broker and a database that answer.

    Attributes:
        bootstrap_servers: Kafka's, ``host:port``.
        database_url: With the password.
        home: The local stack's folder; None where others run them.
    """

    bootstrap_servers: str
    database_url: str
    home: Path | None


def named() -> Services | None:
    """What the environment names, if it names both."""
    broker, database = os.environ.get(BROKER_VARIABLE), os.environ.get(DATABASE_VARIABLE)
    return Services(broker, database, None) if broker and database else None


def docker_answers() -> bool:
    """Whether a Docker engine runs; the command alone does not do. Takes two seconds at most."""
    try:
        # It comes with testcontainers, which not everybody installs, and has no types.
        client = import_module("docker").from_env(timeout=_DOCKER_SECONDS)
        try:
            return bool(client.ping())
        finally:
            client.close()
    except Exception:  # noqa: BLE001 - however it fails, there is no engine to use
        return False


@cache
def lacking() -> str | None:
    """Why no real Kafka and Postgres can be had here, in one line; None if they can.

    Asked once per process: to find out may mean to try a download.
    """
    if named() or docker_answers():
        return None
    try:
        find_postgres(unprivileged_user())
        ensure_parts()
    except PartsUnavailable as error:
        return " ".join(error.reason.split())
    return None


@contextmanager
def servers() -> Iterator[Services]:
    """A broker and a database, for as long as the context lasts.

    Raises:
        PartsUnavailable: They cannot be had; see `lacking`.
    """
    with ExitStack() as stack:
        given = named()
        if given is None and docker_answers():
            given = _in_docker(stack)
        yield given or stack.enter_context(_local_stack())


def _in_docker(stack: ExitStack) -> Services | None:
    from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415

    with ExitStack() as started:
        try:
            broker = started.enter_context(_kafka_container())
            database = PostgresContainer(_POSTGRES_IMAGE, driver=None)
            database.ports = _on_loopback(database.port)
            started.enter_context(database)
            result = Services(
                broker.get_bootstrap_server(), database.get_connection_url(driver=None), None
            )
        except Exception as error:  # noqa: BLE001 - an image may be out of reach, a port taken ...
            warnings.warn(
                f"Docker answers but does not run the servers ({type(error).__name__}: {error}): "
                "using the local stack",
                stacklevel=1,
            )
            return None
        stack.push(started.pop_all())
    return result


def _kafka_container() -> Any:
    from testcontainers.community.kafka import KafkaContainer  # noqa: PLC0415

    class ApacheKafka(KafkaContainer):
        """KafkaContainer starts Confluent's image; Apache's has its start script elsewhere."""

        def tc_start(self) -> None:
            address = f"{self.get_container_host_ip()}:{self.get_exposed_port(self.port)}"
            script = (
                f"export KAFKA_ADVERTISED_LISTENERS="
                f"{self.listener_name}://{address},BROKER://localhost:9092\n"
                "exec /etc/kafka/docker/run\n"
            )
            self.create_file(script.encode(), self.TC_START_SCRIPT)

    container = ApacheKafka(_KAFKA_IMAGE)
    # Not with_kraft(), which compares the tag with the versions of Confluent's image.
    container.kraft_enabled = True
    container.ports = _on_loopback(container.port)
    # As the local stack's broker is set up.
    for name, value in {
        "AUTO_CREATE_TOPICS_ENABLE": "false",
        "GROUP_MIN_SESSION_TIMEOUT_MS": "1000",
        "LOG_MESSAGE_TIMESTAMP_TYPE": "LogAppendTime",
        "LOG_RETENTION_MS": "-1",
        "MESSAGE_MAX_BYTES": "2097152",
        "TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "TRANSACTION_STATE_LOG_NUM_PARTITIONS": "1",
        "TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
    }.items():
        container.with_env(f"KAFKA_{name}", value)
    return container


def _on_loopback(port: int) -> Any:
    """Publish a container's port at one that Docker chooses, on this machine only.

    testcontainers passes it on as it is; its own type leaves the address out.
    """
    return {f"{port}/tcp": ("127.0.0.1", None)}


@contextmanager
def _local_stack() -> Iterator[Services]:
    with tempfile.TemporaryDirectory(prefix="trackrecord-tests-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        state = Stack.up(home, [], [], end_with_caller=True)
        try:
            yield Services(state.kafka, state.database_url, home)
        finally:
            Stack.down(home)
