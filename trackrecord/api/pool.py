"""Sessions of the database: so many at most, each used by one request at a time."""

from __future__ import annotations

import select
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import psycopg2

from trackrecord.api.problems import ExhaustedError
from trackrecord.runtime.database import Connection, Cursor, classify, connect
from trackrecord.runtime.settings import Settings

WAIT_SECONDS: Final = 1.0
"""How long a request waits for a session."""


class Pool:
    """A number of sessions; those that only read do so in one snapshot a request."""

    def __init__(
        self,
        settings: Settings,
        size: int,
        *,
        application: str,
        statement_seconds: float,
        wait_seconds: float = WAIT_SECONDS,
        writes: bool = False,
    ) -> None:
        """Open nothing yet.

        Args:
            settings: Where the database is.
            size: The most sessions at a time.
            application: What they call themselves there.
            statement_seconds: After how long the database ends a query; 0: never.
            wait_seconds: How long to wait for a session that is in use.
            writes: Whether its sessions may write; else each reads in one snapshot.
        """
        self.size = size
        self._settings = settings
        self._application = application
        self._statement_ms = int(statement_seconds * 1000)
        self._wait_seconds = wait_seconds
        self._writes = writes
        self._free = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()
        self._idle: deque[Connection] = deque()
        self._in_use = 0
        self._closed = False

    @property
    def in_use(self) -> int:
        """How many sessions requests hold at this moment."""
        return self._in_use

    @property
    def opened(self) -> int:
        """How many sessions are open."""
        with self._lock:
            return self._in_use + len(self._idle)

    @contextmanager
    def reading(self) -> Iterator[Cursor]:
        """A session for one transaction that reads, as of one moment.

        Raises:
            ExhaustedError: All are in use.
            PassingError: The database does not answer, or took too long.
            FatalError: It refuses.
        """
        with self.connection() as connection, connection.cursor() as cursor:
            yield cursor

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """The same, for what needs the connection itself.

        Raises:
            PassingError: As :meth:`reading`.
        """
        if not self._free.acquire(timeout=self._wait_seconds):
            raise ExhaustedError(
                f"all {self.size} sessions of the database are in use: ask again in a moment"
            )
        try:
            with self._lock:
                self._in_use += 1
            connection = self._taken()
            healthy = False
            try:
                yield connection
                # What is to stay was committed by then: this ends the snapshot.
                connection.rollback()
                healthy = True
            except psycopg2.Error as error:
                raise classify(error) from error
            finally:
                self._give_back(connection, healthy=healthy)
        finally:
            with self._lock:
                self._in_use -= 1
            self._free.release()

    @contextmanager
    def writing(self) -> Iterator[Cursor]:
        """A session for one transaction that writes, committed unless something is raised.

        Raises:
            ExhaustedError: All are in use.
            PassingError: The database does not answer, or took too long.
            FatalError: It refuses.
        """
        with self.connection() as connection, connection, connection.cursor() as cursor:
            yield cursor

    def _taken(self) -> Connection:
        """One that is idle, unless the server has ended it meanwhile, else a new one."""
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._opened()
            # Nothing is said to an idle session but that it has ended.
            if not select.select([connection.fileno()], [], [], 0)[0]:
                return connection
            _end(connection)

    def _opened(self) -> Connection:
        connection = connect(self._settings, application=self._application)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute("SET statement_timeout = %s", (self._statement_ms,))
            if not self._writes:
                connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        except psycopg2.Error as error:
            _end(connection)
            raise classify(error) from error
        return connection

    def _give_back(self, connection: Connection, *, healthy: bool) -> None:
        if not healthy and not connection.closed:
            with suppress(psycopg2.Error):
                connection.rollback()
                healthy = True
        with self._lock:
            if healthy and not self._closed and not connection.closed:
                self._idle.append(connection)
                return
        _end(connection)

    def close(self) -> None:
        """End what is idle, and what is in use as soon as it is given back."""
        with self._lock:
            self._closed = True
            idle, self._idle = list(self._idle), deque()
        for connection in idle:
            _end(connection)


def _end(connection: Connection) -> None:
    with suppress(psycopg2.Error):
        connection.close()
