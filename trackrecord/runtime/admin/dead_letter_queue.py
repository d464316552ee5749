"""Reading dead letters, and giving them another try."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from trackrecord.clock import SYSTEM_CLOCK
from trackrecord.kafka.acknowledgements import Acknowledged
from trackrecord.kafka.producer import producer_config
from trackrecord.runtime import kafka
from trackrecord.runtime.database import rows, session
from trackrecord.runtime.dead_letters import ATTEMPT
from trackrecord.runtime.errors import UnreachableError
from trackrecord.runtime.settings import Settings

_COLUMNS = (
    "id", "topic", "partition", "log_offset", "stage", "error_class", "reason", "first_seen",
    "attempt", "replayed_at",
)  # fmt: skip
_SECONDS = 30.0


def read_letters(
    settings: Settings, *, limit: int | None = None, replayed: bool = False
) -> list[dict[str, Any]]:
    """Dead letters, oldest first; those already replayed only where asked for."""
    with session(settings, application="trackrecord dlq") as cursor:
        found = rows(
            cursor,
            f"SELECT {', '.join(_COLUMNS)} FROM dead_letters"
            + ("" if replayed else " WHERE replayed_at IS NULL")
            + " ORDER BY first_seen, topic, partition, log_offset LIMIT %s",
            (limit,),
        )
    return [_named(row) for row in found]


def _named(row: tuple[Any, ...]) -> dict[str, Any]:
    named = dict(zip(_COLUMNS, row, strict=True))
    named["offset"] = named.pop("log_offset")
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in named.items()
    }


def read_letter(settings: Settings, letter_id: str) -> dict[str, Any] | None:
    """One dead letter with its bytes; None if there is none of that id."""
    with session(settings, application="trackrecord dlq") as cursor:
        found = rows(
            cursor,
            f"SELECT {', '.join(_COLUMNS)}, key, value, headers FROM dead_letters WHERE id = %s",
            (letter_id,),
        )
    if not found:
        return None
    *told, key, value, headers = found[0]
    return {
        **_named(tuple(told)),
        "key": None if key is None else bytes(key),
        "value": None if value is None else bytes(value),
        "headers": [
            (name, None if text is None else bytes.fromhex(text)) for name, text in headers
        ],
    }


def replay_letters(settings: Settings, ids: Sequence[str]) -> tuple[int, list[str]]:
    """Publish dead letters again to the topics they came from, bytes and event id unchanged.

    Args:
        settings: Where to.
        ids: Which; all that were not replayed yet if empty.

    Returns:
        How many were published, and the ids that do not exist.

    Raises:
        UnreachableError: The broker did not acknowledge; what it did is marked as replayed.
    """
    wanted = list(ids) or [letter["id"] for letter in read_letters(settings)]
    producer = Producer(
        producer_config(
            kafka.client_config(settings, "dlq"), gives_up_after_ms=int(_SECONDS * 1000)
        )
    )
    told = Acknowledged()
    done: list[str] = []
    failed: list[KafkaError] = []
    missing: list[str] = []
    for letter_id in wanted:
        letter = read_letter(settings, letter_id)
        if letter is None:
            missing.append(letter_id)
            continue

        def delivered(
            error: KafkaError | None, message: Message, letter_id: str = letter_id
        ) -> None:
            problem = told.problem(error, message)
            if problem is None:
                done.append(letter_id)
            else:
                failed.append(problem)

        own = [(n, v) for n, v in letter["headers"] if n != ATTEMPT]
        producer.produce(
            letter["topic"],
            letter["value"],
            letter["key"],
            headers=[*own, (ATTEMPT, str(letter["attempt"] + 1).encode())],
            on_delivery=delivered,
        )
        producer.poll(0)
    producer.flush(_SECONDS + 5)
    _mark(settings, done)
    if failed:
        raise UnreachableError(
            f"the broker acknowledged {len(done)} of {len(wanted)}: {failed[0].str()}"
        )
    return len(done), missing


def _mark(settings: Settings, ids: Sequence[str]) -> None:
    with session(settings, application="trackrecord dlq") as cursor:
        cursor.execute(
            "UPDATE dead_letters SET replayed_at = %s WHERE id = ANY(%s)",
            (SYSTEM_CLOCK.now(), list(ids)),
        )
