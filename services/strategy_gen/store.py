"""What strategy_gen writes: requests as they come, and all that came of one in one transaction.

The tables themselves are known to :mod:`trackrecord.catalogue.store`, for the HTTP API and the
command line change them too.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from services.strategy_gen.rows import Ended
from trackrecord.access.store.audit import Actor
from trackrecord.catalogue.proposals import proposals
from trackrecord.catalogue.store import attempts, endings, requests
from trackrecord.catalogue.store.endings import OUTBOX, STAGE
from trackrecord.catalogue.store.requests import ConflictingRequestError, Request
from trackrecord.events import StrategyRequested
from trackrecord.runtime.champion import champion
from trackrecord.runtime.database import Cursor, rows
from trackrecord.runtime.settings import Settings

__all__ = [
    "ACTOR", "OUTBOX", "STAGE", "finish", "keep", "propose", "tokens", "was_asked",
]  # fmt: skip

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
    """As :func:`trackrecord.catalogue.store.endings.finish`, by the stage itself."""
    return endings.finish(cursor, ACTOR, settings, request, ended, now)


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
