"""The outbox of a stage of the job plane: its events, until they are acknowledged.

Its rows come from no partition of a topic, as those of the data plane do, so one process at a time
sends what all have written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from trackrecord.events import Event
from trackrecord.events.codec import encode, headers
from trackrecord.runtime.database import Connection, Cursor, rows
from trackrecord.runtime.decoding.batch import Partition
from trackrecord.runtime.outbox import Outbox, Row, insert
from trackrecord.runtime.settings import Settings

_TURN: Final = "hashtextextended(current_schema || ' outbox ' || %s, 0)"
_ACKNOWLEDGED_WITHIN: Final = 10.0


@dataclass(frozen=True)
class JobOutbox:
    """Where a stage's events wait.

    Attributes:
        stage: Whose they are.
        source: What its rows say that they come from: a table of the stage, and 0.
    """

    stage: str
    source: Partition

    def write(self, cursor: Cursor, settings: Settings, event: Event, time: datetime) -> None:
        """Put an event into the outbox; it is sent once this transaction is committed."""
        self.insert(
            cursor,
            [
                Row(
                    settings.topic(event.event_type),
                    event.key.encode(),
                    encode(event),
                    headers(event, source=f"/{self.stage}", time=time),
                    self.source,
                )
            ],
        )

    def insert(self, cursor: Cursor, messages: Iterable[Row]) -> None:
        """Put messages into the outbox, as they are."""
        insert(cursor, self.stage, list(messages))

    def pending(self, cursor: Cursor) -> int:
        """How many messages are not acknowledged yet."""
        [(left,)] = rows(cursor, "SELECT count(*) FROM outbox WHERE stage = %s", (self.stage,))
        return int(left)

    def publish(
        self, sender: Outbox, connection: Connection, within: float = _ACKNOWLEDGED_WITHIN
    ) -> bool:
        """Send what is in the outbox; one process at a time, so that nothing is sent by two.

        Args:
            sender: The outbox of this process.
            connection: Outside of a transaction.
            within: Seconds to wait for acknowledgements; what has none stays for later.

        Returns:
            Whether nothing is left of what this process sent.
        """
        if not self._take_turn(connection):
            return False
        try:
            sender.resend(connection, [self.source])
            left = sender.drain(within)
            sender.serve()
            sender.tidy(connection)
            return not left
        finally:
            with connection, connection.cursor() as cursor:
                cursor.execute(f"SELECT pg_advisory_unlock({_TURN})", (self.stage,))

    def _take_turn(self, connection: Connection) -> bool:
        """Become the one process that sends, for the session; False where another one is."""
        with connection, connection.cursor() as cursor:
            [(ours,)] = rows(cursor, f"SELECT pg_try_advisory_lock({_TURN})", (self.stage,))
        return bool(ours)
