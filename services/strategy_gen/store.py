"""What strategy_gen writes: requests as they come, and all that came of one in one transaction.

The tables themselves are known to :mod:`trackrecord.catalogue.store`, for the HTTP API and the
command line change them too.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from services.strategy_gen.rows import Ended, answer_of, event_of, strategy_id_of
from trackrecord.access.store.audit import Actor
from trackrecord.catalogue.life import StrategyRefusedError
from trackrecord.catalogue.making import Refused
from trackrecord.catalogue.proposals import proposals
from trackrecord.catalogue.store import attempts, requests, strategies
from trackrecord.catalogue.store.requests import ConflictingRequestError, Request
from trackrecord.catalogue.store.rows import Made
from trackrecord.events import StrategyRequested
from trackrecord.runtime.champion import champion
from trackrecord.runtime.database import Cursor, rows
from trackrecord.runtime.job_outbox import JobOutbox
from trackrecord.runtime.settings import Settings

STAGE: Final = "strategy_gen"
OUTBOX: Final = JobOutbox(STAGE, ("strategy_requests", 0))
ACTOR: Final = Actor(STAGE)


def keep(cursor: Cursor, event: StrategyRequested, now: datetime) -> str | None:
    """Keep a request that came over Kafka; why it contradicts another one, or None.

    Its owner is the user of that name, where there is one: over HTTP nobody can ask in the name of
    another.
    """
    try:
        requests.submit(cursor, event, user_id=_user(cursor, event.owner), now=now)
    except ConflictingRequestError as error:
        return str(error)
    return None


def _user(cursor: Cursor, name: str) -> UUID | None:
    found = rows(
        cursor, "SELECT user_id FROM users WHERE name = %s AND disabled_at IS NULL", (name,)
    )
    return UUID(str(found[0][0])) if found else None


def finish(
    cursor: Cursor, settings: Settings, request: Request, ended: Ended, now: datetime
) -> Ended:
    """Write all that came of a request, and the event that tells of it, in one transaction, once.

    Args:
        cursor: Inside a transaction.
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
                ACTOR,
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


def tokens(cursor: Cursor, request_id: str) -> int:
    """Tokens of all attempts at a request, as far as their provider told them."""
    [(found,)] = rows(
        cursor,
        "SELECT coalesce(sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0)), 0)"
        " FROM generation_log WHERE request_id = %s",
        (request_id,),
    )
    return int(found)


def was_asked(cursor: Cursor, request: Request, now: datetime) -> bool:
    """Whether a worker that is gone has asked a language model; what it left open is ended."""
    return attempts.interrupt(cursor, request.request_id, now)


def propose(cursor: Cursor, model: str, now: datetime) -> int:
    """Ask for strategies about what matters to the model that serves; how many are new."""
    version = champion(cursor, model)
    if version is None:
        return 0
    found = rows(
        cursor, "SELECT report->'feature_importances' FROM models WHERE version = %s", (version,)
    )
    importances = (found[0][0] if found else None) or {}
    return sum(
        requests.submit(cursor, each, user_id=None, now=now)
        for each in proposals(version, importances)
    )
