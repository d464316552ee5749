"""Shared by the measurements: a stack, schemas and topics in it, and processes that end with it."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psycopg2
from confluent_kafka import Producer
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from benchmarks.pipeline.peers import job
from trackrecord.local.stack import Stack
from trackrecord.runtime import kafka
from trackrecord.runtime.admin.migrate import migrate
from trackrecord.runtime.settings import Settings, load_settings

REPOSITORY = Path(__file__).resolve().parents[2]
APPLICATION = "bench"
"""The name under which the measurement itself connects, so that it is left out of what it sees."""

_GRACE_SECONDS = 10.0
_SETTLE_SECONDS = 60.0


@dataclass(frozen=True)
class Options:
    """How much to measure.

    Attributes:
        rounds: How often each way is run, in turn with the others.
        seed: Of the events.
        quick: A run in miniature that shows that all works, and whose numbers mean nothing.
        full: The largest sizes too.
        only: Ways to run; all of them if empty.
    """

    rounds: int = 3
    seed: int = 7
    quick: bool = False
    full: bool = False
    only: tuple[str, ...] = ()


@dataclass(frozen=True)
class Servers:
    """A broker and a database.

    Attributes:
        broker: ``host:port``.
        database_url: With the password.
        home: The stack's folder; None where others run them.
    """

    broker: str
    database_url: str
    home: Path | None = None


@contextmanager
def servers() -> Iterator[Servers]:
    """A Kafka and a durable Postgres that nobody else uses, in a folder that goes with them."""
    if threading.current_thread() is threading.main_thread():
        # So that SIGTERM, too, leaves by way of the clean-up.
        signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="trackrecord-bench-") as folder:
        state = Stack.up(folder, [], [], end_with_caller=True)
        try:
            yield Servers(state.kafka, state.database_url, Path(folder))
        finally:
            Stack.down(folder)


def say(line: str) -> None:
    """Tell whoever waits how far it is."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stderr.flush()


# -- places -------------------------------------------------------------------------------------


def connect(url: str, schema: str = "public") -> Connection:
    """Open a connection of the measurement's own; it commits each statement."""
    connection = psycopg2.connect(
        url, application_name=APPLICATION, options=f"-c search_path={schema} -c timezone=UTC"
    )
    connection.autocommit = True
    return connection


def tracker_settings(at: Servers, prefix: str, **more: str) -> Settings:
    """Settings of a signal_tracker with topics under ``prefix`` and a schema of its own."""
    return load_settings(
        {
            "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS": at.broker,
            "DATABASE_URL": at.database_url,
            "TRACKRECORD_TOPIC_PREFIX": prefix,
            "TRACKRECORD_DATABASE_SCHEMA": f"bench_{secrets.token_hex(4)}",
            **more,
        }
    )


def environment(settings: Settings) -> dict[str, str]:
    """The settings of :func:`tracker_settings` as a stage's process reads them."""
    return {
        "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "DATABASE_URL": settings.database_url,
        "TRACKRECORD_TOPIC_PREFIX": settings.topic_prefix,
        "TRACKRECORD_DATABASE_SCHEMA": settings.database_schema,
        "TRACKRECORD_BATCH_SIZE": str(settings.batch_size),
        "TRACKRECORD_SESSION_TIMEOUT_MS": str(settings.session_timeout_ms),
    }


def packing_producer(at: Servers) -> Producer:
    """A producer that packs events well, for what is to pile up before the clock starts."""
    return Producer(
        {
            "bootstrap.servers": at.broker,
            "partitioner": "murmur2_random",
            "compression.type": "lz4",
            "linger.ms": 20,
            "queue.buffering.max.messages": 1_000_000,
        }
    )


def make_topics(at: Servers) -> str:
    """Make the pipeline's topics under a prefix that nobody has used.

    Returns:
        The prefix.
    """
    prefix = f"bench{secrets.token_hex(4)}."
    kafka.ensure_topics(tracker_settings(at, prefix))
    return prefix


@contextmanager
def tracker_space(at: Servers, prefix: str, **more: str) -> Iterator[Settings]:
    """A schema with the tracker's tables, as the migrations make them; dropped afterwards."""
    settings = tracker_settings(at, prefix, **more)
    migrate(settings)
    with _dropped(settings.database_url, settings.database_schema):
        yield settings


@contextmanager
def easy_space(at: Servers, topic: str, partitions: int) -> Iterator[job.Work]:
    """A schema with the peers' tables, a group and a folder; all gone afterwards."""
    name = f"bench_{secrets.token_hex(4)}"
    connection = connect(at.database_url)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {name}; SET search_path = {name}; {job.TABLES}")
    connection.close()
    with (
        _dropped(at.database_url, name),
        tempfile.TemporaryDirectory(prefix="trackrecord-peer-") as state,
    ):
        yield job.Work(at.broker, at.database_url, name, topic, partitions, name, state)


@contextmanager
def _dropped(url: str, schema: str) -> Iterator[None]:
    settle(url)
    try:
        yield
    finally:
        with _cursor(url) as cursor:
            cursor.execute(f'DROP SCHEMA "{schema}" CASCADE')


def settle(url: str) -> None:
    """What runs before have left to write or to vacuum must not weigh on the next."""
    ends = time.monotonic() + _SETTLE_SECONDS
    with _cursor(url) as cursor:
        cursor.execute("CHECKPOINT")
        while time.monotonic() < ends:
            cursor.execute("SELECT FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'")
            if not cursor.rowcount:
                return
            time.sleep(0.2)


@contextmanager
def _cursor(url: str) -> Iterator[psycopg2.extensions.cursor]:
    connection = connect(url)
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


# -- processes ----------------------------------------------------------------------------------


class Process:
    """A Python module run as a process, with its output in a file."""

    def __init__(
        self, arguments: list[str], environ: Mapping[str, str], python: str | None = None
    ) -> None:
        """Start it.

        Args:
            arguments: Of the interpreter, such as ``["-m", "package.module"]``.
            environ: Added to this process's own.
            python: Another interpreter than this one.
        """
        self.output = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop()
        self.name = " ".join(arguments)
        self.started = time.monotonic()
        self._process = subprocess.Popen(
            [python or sys.executable, *arguments],
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environ},
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            cwd=REPOSITORY,
        )
        self.pid = self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def wait(self, seconds: float) -> str:
        """Wait for its end, and return what it printed.

        Raises:
            RuntimeError: It failed, or takes longer than that.
        """
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"{self.name} takes longer than {seconds:.0f} s") from None
        if code:
            raise RuntimeError(f"{self.name} ended with code {code}:\n{self.said()}")
        return self.said()

    def said(self, most: int = 4000) -> str:
        """The end of what it printed."""
        size = self.output.seek(0, os.SEEK_END)
        self.output.seek(max(0, size - most))
        return self.output.read().decode(errors="replace").strip()

    def freeze(self) -> None:
        """Stop it where it is, until :meth:`thaw`."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it in good order, or else at once."""
        if self.running:
            self._process.terminate()
            try:
                self._process.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        self.output.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def tracker(settings: Settings) -> Process:
    """The signal_tracker as it ships, as a process."""
    return Process(["-m", "trackrecord.cli.main", "run", "signal_tracker"], environment(settings))
