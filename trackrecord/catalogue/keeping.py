"""What came of a request, written in one transaction: strategy, answer, and the event that tells."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from trackrecord.access.store.audit import Actor
from trackrecord.catalogue.making import Refused
from trackrecord.catalogue.store import requests, strategies
from trackrecord.catalogue.store.requests import Request
from trackrecord.catalogue.store.rows import Made
from trackrecord.events import Event, StrategyGenerated
from trackrecord.events.codec import encode, headers
from trackrecord.runtime.database import Cursor
from trackrecord.runtime.decoding.batch import Partition
from trackrecord.runtime.outbox import Row, insert
from trackrecord.runtime.settings import Settings

STAGE: Final = "strategy_gen"
"""Sends the events of requests, whoever answers them."""

SOURCE: Final[Partition] = ("strategy_requests", 0)
"""What their outbox rows come from: no partition of a topic, as other stages' do."""

_NAMESPACE: Final = UUID("6c5c7c39-6f0c-5d0e-9d46-0a6b7f5a3b11")


def strategy_id_of(request_id: str) -> UUID:
    """The id of what a request makes: the same however often it is worked upon."""
    return uuid5(_NAMESPACE, request_id)


def keep(
    cursor: Cursor,
    actor: Actor,
    request: Request,
    made: Made | Refused,
    settings: Settings,
    now: datetime,
) -> None:
    """Keep what was made, end the request with it, and have it told.

    Args:
        cursor: Inside a transaction, which is to be committed at once.
        actor: Who adds the strategy.
        request: As it was taken up.
        made: What was made, or why nothing was.
        settings: What the topics are called.
        now: The time.

    Raises:
        StrategyRefusedError: It cannot be kept: its owner has one of that name, for example.
        SupersededRequestError: Another worker has taken the request up; nothing may be committed.
    """
    asked = request.asked
    strategy_id = strategy_id_of(request.request_id)
    found = None
    if isinstance(made, Made):
        found = strategies.add(
            cursor,
            actor,
            made,
            owner=request.owner,
            user_id=request.user_id,
            now=now,
            symbols=asked.symbols,
            timeframe=asked.timeframe,
            strategy_id=strategy_id,
        )
    answer = answer_of(made, None if found is None else found.name)
    requests.end(
        cursor,
        request.request_id,
        request.epoch,
        now=now,
        answer=answer,
        strategy_id=None if found is None else strategy_id,
        error=made.why if isinstance(made, Refused) and made.failed else None,
    )
    event = StrategyGenerated(
        request_id=request.request_id,
        owner=request.owner,
        prompt=asked.prompt,
        model_version=asked.model_version,
        strategy_id=str(strategy_id),
        **{name: value for name, value in answer.items() if name != "model"},
    )
    announce(cursor, settings, event, now)


def answer_of(made: Made | Refused, name: str | None) -> dict[str, Any]:
    """What is told of what was made, but for the ids.

    Args:
        made: What was made, or why nothing was.
        name: What the strategy is called; None: there is none.
    """
    shared: Mapping[str, Any] = {
        "provider": made.provider,
        "model": made.model,
        "assumptions": list(made.assumptions),
        "not_understood": list(made.not_understood),
        "problems": [dict(each) for each in made.problems],
    }
    if isinstance(made, Refused):
        return {"status": "refused", **shared}
    return {
        "status": "validated" if made.is_valid else "draft",
        **shared,
        "name": name,
        "version": 1,
        "code_digest": made.code_digest,
        "reads_as": made.reads_as,
    }


def announce(cursor: Cursor, settings: Settings, event: Event, now: datetime) -> None:
    """Have an event sent once the transaction is committed."""
    row = Row(
        settings.topic(event.event_type),
        event.key.encode(),
        encode(event),
        headers(event, source=f"/{STAGE}", time=now),
        SOURCE,
    )
    insert(cursor, STAGE, [row])
