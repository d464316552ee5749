"""Transactions, over one connection for each thread: to connect takes longer than to commit."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg2

from services.strategy_gen.store import STAGE
from trackrecord.runtime.database import Connection, Cursor, classify, connect
from trackrecord.runtime.errors import BadContentError
from trackrecord.runtime.settings import Settings


class Sessions(threading.local):
    """The connection of each thread, made anew where it was lost."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is reached yet; called once in each thread."""
        self._settings = settings
        self._connection: Connection | None = None

    def connection(self) -> Connection:
        """This thread's connection, outside of a transaction.

        Raises:
            PassingError: The database does not answer.
            FatalError: It refuses.
        """
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._settings, application=STAGE)
        return self._connection

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """A transaction, committed unless something is raised.

        Raises:
            BadContentError: The database refuses a value.
            PassingError: It is away; the next transaction has a new connection.
            FatalError: It refuses otherwise.
        """
        connection = self.connection()
        try:
            with connection, connection.cursor() as cursor:
                yield cursor
        except psycopg2.Error as error:
            found = classify(error)
            if not isinstance(found, BadContentError):
                self.close()
            raise found from error

    def close(self) -> None:
        """Give this thread's connection up."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg2.Error):
                connection.close()
