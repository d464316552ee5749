"""The one database session of a consumer: opened when it is needed, given up when it is broken."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import psycopg2

from trackrecord.runtime.database import Connection, classify, is_read_only

T = TypeVar("T")


class Session:
    """A connection that outlives its failures."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        """Open nothing yet.

        Args:
            connect: Opens a connection; called anew after each that broke.
        """
        self._connect = connect
        self._connection: Connection | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is a connection; whether it still works shows when it is used."""
        return self._connection is not None

    def connection(self) -> Connection:
        """The connection, opened where there is none.

        Raises:
            PassingError: The database does not answer.
            FatalError: It refuses.
        """
        if self._connection is None or self._connection.closed:
            self._connection = self._connect()
        return self._connection

    def run(self, work: Callable[[Connection], T]) -> T:
        """Do something with the connection.

        Raises:
            TrackrecordError: What an error of the driver means.
        """
        try:
            return work(self.connection())
        except psycopg2.Error as error:
            raise classify(error) from error

    def rollback(self) -> None:
        """Undo; a connection that does not even do that, or may not write, is given up."""
        if self._connection is None:
            return
        try:
            self._connection.rollback()
            is_lost = is_read_only(self._connection)
        except psycopg2.Error:
            is_lost = True
        if is_lost:
            self.close()

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            with suppress(psycopg2.Error):
                self._connection.close()
            self._connection = None
