"""How a request ends, whoever has answered it: strategy, answer and event in one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from trackrecord.access.store.audit import Actor
from trackrecord.catalogue.answers import Ended, answer_of, event_of, strategy_id_of
from trackrecord.catalogue.life import StrategyRefusedError
from trackrecord.catalogue.making import Refused
from trackrecord.catalogue.store import requests, strategies
from trackrecord.catalogue.store.requests import Request
from trackrecord.catalogue.store.rows import Made
from trackrecord.runtime.database import Cursor
from trackrecord.runtime.job_outbox import JobOutbox
from trackrecord.runtime.settings import Settings

STAGE: Final = "strategy_gen"
"""Sends the events of requests."""

OUTBOX: Final = JobOutbox(STAGE, ("strategy_requests", 0))
"""Where they wait for it."""


def finish(
    cursor: Cursor,
    actor: Actor,
    settings: Settings,
    request: Request,
    ended: Ended,
    now: datetime,
) -> Ended:
    """Write all that came of a request, and the event that tells of it, in one transaction, once.

    Args:
        cursor: Inside a transaction.
        actor: Who adds the strategy.
        settings: Of the process.
        request: As it was taken up.
        ended: What came of it.
        now: The time.

    Returns:
        What is written: where the strategy cannot be kept under its name or with its symbols, that.

    Raises:
        SupersededRequestError: The request is in other hands; nothing may be committed.
    """
    asked = request.asked
    strategy = None
    if isinstance(ended.made, Made):
        try:
            strategy = strategies.add(
                cursor,
                actor,
                ended.made,
                owner=request.owner,
                user_id=request.user_id,
                now=now,
                symbols=asked.symbols,
                timeframe=asked.timeframe,
                strategy_id=strategy_id_of(request.request_id),
            )
        except StrategyRefusedError as error:
            problem = {"line": None, "code": "strategy", "message": str(error)}
            ended = Ended(Refused(ended.provider, [problem], ended.made.model), ended.provider)
    event = event_of(
        asked,
        ended,
        name=None if strategy is None else strategy.name,
        version=None if strategy is None else strategy.version,
    )
    requests.end(
        cursor,
        request.request_id,
        request.epoch,
        now=now,
        answer=answer_of(event),
        strategy_id=None if strategy is None else strategy.strategy_id,
        error=ended.made.why if isinstance(ended.made, Refused) and ended.made.failed else None,
    )
    OUTBOX.write(cursor, settings, event, now)
    return ended
