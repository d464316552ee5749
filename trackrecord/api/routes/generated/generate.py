"""A strategy from words: made within the request by rules, or asked of a model beside it."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Annotated, Any, Final
from urllib.parse import quote
from uuid import uuid4

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request, Response

from trackrecord.api.answers import answer
from trackrecord.api.parts import Parts, parts_of
from trackrecord.api.problems import ProblemError, invalid
from trackrecord.api.routes.asking import Asked
from trackrecord.api.routes.generated.asking import New
from trackrecord.api.routes.generated.common import (
    PATH,
    reading,
    refusals_told,
    require_key_for,
    route,
    writing,
)
from trackrecord.api.routes.generated.logs import request_shown
from trackrecord.api.routes.generated.shown import whole
from trackrecord.api.strategy_shapes import Made
from trackrecord.api.who import Publisher, Reader
from trackrecord.catalogue import life
from trackrecord.catalogue.answers import Ended
from trackrecord.catalogue.life import NoStrategyError, StrategyRefusedError
from trackrecord.catalogue.making import Tools, make
from trackrecord.catalogue.store import endings, requests, strategies
from trackrecord.catalogue.store.attempts import AttemptTable
from trackrecord.catalogue.store.requests import ConflictingRequestError, SupersededRequestError
from trackrecord.errors import TrackrecordError
from trackrecord.events import StrategyRequested
from trackrecord.providers.choice import NAMES, OFFLINE
from trackrecord.runtime.database import Cursor

router = APIRouter(prefix=PATH, tags=["made strategies"])

MOST_OPEN: Final = 10
"""Requests of a user that language models have not answered: each may cost money."""


@route(
    router, "POST", "/generate/", operation_id="generate_strategy", answers=Made, status=201,
    others={
        200: {
            "model": Made,
            "description": "Nothing was made of it, or the request had been answered before.",
        },
        202: {
            "model": Made,
            "description": "A language model is asked: look at `Location` until it is done.",
        },
    },
)  # fmt: skip
async def generate_strategy(
    request: Request, who: Publisher, asked: Annotated[Asked, Query()], body: New
) -> Response:
    """Make a strategy from a sentence.

    The provider `offline` answers within the request: 201 with the strategy, which is a draft
    where words were not understood, or 200 where nothing tradable was said. All others are asked
    beside it (202). A request with an id that came before is answered as that was.
    """
    del asked
    parts = parts_of(request)
    require_key_for(who, body.name)
    provider = body.provider or parts.settings.strategy_provider
    if provider not in NAMES:
        raise invalid(
            "provider", f"there is no provider {provider!r}: choose from {', '.join(NAMES)}"
        )
    wanted = StrategyRequested(
        request_id=body.request_id or str(uuid4()),
        owner=who.owner,
        prompt=body.prompt,
        provider=body.provider,
        model_version=body.model_version,
        name=body.name,
        symbols=body.symbols,
        timeframe=body.timeframe,
    )
    if provider == OFFLINE:
        is_new = await parts.workshop.making.work(who.whose, partial(_made, parts, who, wanted))
    else:
        is_new = await run_sync(_submitted, parts, who, wanted)
    return await run_sync(_told, parts, who, wanted.request_id, is_new)


def _submitted(parts: Parts, who: Reader, wanted: StrategyRequested) -> bool:
    """Keep a request for whoever asks language models; whether it is new."""
    with writing(parts, who) as cursor:
        is_new = _kept(cursor, parts, who, wanted)
        if is_new and requests.open_of(cursor, who.user_id) > MOST_OPEN:
            raise ProblemError(
                429, f"{MOST_OPEN} requests of yours are under way: wait until one has ended"
            )
        return is_new


def _made(parts: Parts, who: Reader, wanted: StrategyRequested) -> bool:
    """Make what is asked for by the rules at hand; whether the request is new.

    Where this process ends in the middle, the stage strategy_gen takes it up.
    """
    with writing(parts, who) as cursor:
        if not _kept(cursor, parts, who, wanted):
            return False
        claimed = requests.claim(
            cursor,
            "api",
            stale_seconds=parts.settings.strategy_stale_seconds,
            now=parts.clock.now(),
            request_id=wanted.request_id,
        )
        assert claimed is not None  # noqa: S101 - nobody else can see it yet
    log = AttemptTable(
        lambda: writing(parts, who), request_id=wanted.request_id, user_id=who.user_id
    )
    tools = Tools(parts.settings, log, parts.workshop.laboratory, parts.clock)
    try:
        with refusals_told():
            made = make(wanted, tools)
        with writing(parts, who) as cursor:
            ended = Ended(made, OFFLINE)
            now = parts.clock.now()
            endings.finish(cursor, who.actor, parts.settings, claimed, ended, now)
    except SupersededRequestError:
        # It took so long that the stage has answered it, or does now.
        return True
    except Exception as error:
        _fail(parts, who, claimed, error)
        raise
    return True


def _fail(parts: Parts, who: Reader, claimed: requests.Request, error: Exception) -> None:
    """Say of a request why nothing came of it, where that can be said."""
    words = str(error) if isinstance(error, TrackrecordError) else "a fault of ours"
    with suppress(TrackrecordError), writing(parts, who) as cursor:
        requests.end(
            cursor,
            claimed.request_id,
            claimed.epoch,
            now=parts.clock.now(),
            answer={},
            error=words,
        )


def _kept(cursor: Cursor, parts: Parts, who: Reader, wanted: StrategyRequested) -> bool:
    """Keep a request; whether it is new."""
    try:
        is_new = requests.submit(cursor, wanted, user_id=who.user_id, now=parts.clock.now())
    except ConflictingRequestError as error:
        raise ProblemError(409, str(error)) from None
    if is_new:
        # What will not be kept in the end need not be made.
        life.require_symbols(wanted.symbols)
        if wanted.name is not None:
            life.require_name(wanted.name)
            _require_free(cursor, wanted.owner, wanted.name)
        endings.OUTBOX.write(cursor, parts.settings, wanted, parts.clock.now())
    return is_new


def _require_free(cursor: Cursor, owner: str, name: str) -> None:
    try:
        strategies.find_named(cursor, owner, name)
    except NoStrategyError:
        return
    raise StrategyRefusedError(f"you have a strategy {name!r} already: choose another name")


def _told(parts: Parts, who: Reader, request_id: str, is_new: bool) -> Response:
    """What has become of a request by now."""
    with reading(parts, who) as cursor:
        now = parts.clock.now()
        found = requests.of(cursor, request_id)
        assert found is not None  # noqa: S101 - it was kept just now
        content: dict[str, Any] = {
            **request_shown(found, parts.settings.strategy_provider),
            "strategy": None,
            "current": None,
        }
        if found.strategy_id is not None:
            try:
                made = strategies.find(cursor, found.strategy_id)
            except NoStrategyError:
                pass  # it was deleted since
            else:
                current = strategies.version(cursor, made.strategy_id, made.version)
                content |= whole(made, current, who)
    if found.status in {"waiting", "working"}:
        response = answer(content, as_of=now, status=202)
        response.headers["Location"] = f"{PATH}/requests/{quote(request_id, safe='')}/"
        return response
    if content["strategy"] is None:
        return answer(content, as_of=now)
    response = answer(content, as_of=now, status=201 if is_new else 200)
    response.headers["Location"] = f"{PATH}/{found.strategy_id}/"
    return response
