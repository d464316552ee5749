"""Events of the trainer, until they are acknowledged."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from services.trainer.store import STAGE
from trackrecord.events import ModelTrained
from trackrecord.events.codec import encode, headers
from trackrecord.runtime.database import Cursor, rows
from trackrecord.runtime.decoding.batch import Partition
from trackrecord.runtime.outbox import Row, insert
from trackrecord.runtime.settings import Settings

SOURCE: Final[Partition] = ("training_jobs", 0)
"""What its outbox rows come from: no partition of a topic, as other stages' do."""

_TURN: Final = "hashtextextended(current_schema || ' outbox ' || %s, 0)"


def write(cursor: Cursor, settings: Settings, event: ModelTrained, time: datetime) -> None:
    """Put an event into the outbox; it is sent once this transaction is committed."""
    insert(
        cursor,
        STAGE,
        [
            Row(
                settings.topic(event.event_type),
                event.key.encode(),
                encode(event),
                headers(event, source=f"/{STAGE}", time=time),
                SOURCE,
            )
        ],
    )


def pending(cursor: Cursor) -> int:
    """How many events are not acknowledged yet."""
    [(left,)] = rows(cursor, "SELECT count(*) FROM outbox WHERE stage = %s", (STAGE,))
    return int(left)


def take_turn(cursor: Cursor) -> bool:
    """Become the one process that sends, for the session; False where another one is."""
    [(ours,)] = rows(cursor, f"SELECT pg_try_advisory_lock({_TURN})", (STAGE,))
    return bool(ours)


def end_turn(cursor: Cursor) -> None:
    """Let another process send."""
    cursor.execute(f"SELECT pg_advisory_unlock({_TURN})", (STAGE,))
