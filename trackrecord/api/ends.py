"""Where the topics end, asked for in the background: no request waits for the broker."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from confluent_kafka import KafkaException

from trackrecord.api.pool import Pool
from trackrecord.clock import Clock
from trackrecord.errors import TrackrecordError
from trackrecord.redaction import hide_secrets
from trackrecord.runtime import kafka
from trackrecord.runtime.database import rows
from trackrecord.runtime.decoding.batch import Partition
from trackrecord.runtime.settings import Settings

EVERY_SECONDS: Final = 2.0


@dataclass(frozen=True)
class Known:
    """What the broker last said.

    Attributes:
        ends: The offset after the newest message of each partition that a stage reads.
        at: When it said so; None: not yet.
        problem: Why it does not answer now; None: it does.
    """

    ends: dict[Partition, int] = field(default_factory=dict)
    at: datetime | None = None
    problem: str | None = "not asked yet"


class Ends:
    """Asks every two seconds, in a thread of its own."""

    def __init__(self, settings: Settings, pool: Pool, clock: Clock) -> None:
        """Ask nothing yet."""
        self._settings = settings
        self._pool = pool
        self._clock = clock
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.known = Known()

    def start(self) -> None:
        """Begin to ask."""
        self._thread = threading.Thread(target=self._run, name="ends", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask no more."""
        self._stop.set()

    def _run(self) -> None:
        client = kafka.admin(self._settings)
        while not self._stop.is_set():
            try:
                with self._pool.reading() as cursor:
                    places = rows(cursor, "SELECT DISTINCT topic, partition FROM consumer_offsets")
                # Asked also where nothing was read yet: is it there?
                client.list_topics(timeout=EVERY_SECONDS)
                ends = kafka.end_offsets(client, [(t, p) for t, p in places]) if places else {}
            except (TrackrecordError, KafkaException) as error:
                words = hide_secrets(str(error))
                self.known = Known(self.known.ends, self.known.at, words)
            else:
                self.known = Known(ends, self._clock.now(), None)
            self._stop.wait(EVERY_SECONDS)
