"""Code of strategies: looked at, and kept as another version of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Annotated, Any
from uuid import UUID, uuid4

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request, Response

from trackrecord.api.answers import answer
from trackrecord.api.parts import Parts, parts_of
from trackrecord.api.problems import ProblemError, invalid
from trackrecord.api.routes.asking import Asked
from trackrecord.api.routes.generated.asking import (
    Brought,
    Changed,
    Checked,
    NewVersion,
)
from trackrecord.api.routes.generated.changes import (
    changed,
    changes_of,
    require_nothing_of_others,
)
from trackrecord.api.routes.generated.common import (
    PATH,
    StrategyId,
    found_own,
    reading,
    refusals_told,
    require_key_for,
    route,
    writing,
)
from trackrecord.api.strategy_shapes import ChangedStrategy, Validated
from trackrecord.api.who import Publisher, Reader
from trackrecord.catalogue.life import StrategyRefusedError
from trackrecord.catalogue.making import Refused, Tools, make, version_of
from trackrecord.catalogue.store import strategies
from trackrecord.catalogue.store.attempts import AttemptTable
from trackrecord.catalogue.store.strategies import Made
from trackrecord.events import StrategyRequested
from trackrecord.providers.choice import OFFLINE
from trackrecord.strategies.validation import QUICK, THOROUGH, Validation, validate

fixed = APIRouter(prefix=PATH, tags=["made strategies"])
router = APIRouter(prefix=PATH, tags=["made strategies"])

_NAMED = 50
"""Problems of a code that are told one by one."""


@route(fixed, "POST", "/validate/", operation_id="validate_strategy", answers=Validated)
async def validate_strategy(
    request: Request, who: Publisher, asked: Annotated[Asked, Query()], body: Checked
) -> Response:
    """Say whether code may be run as a strategy, and if not, what to change; nothing is kept.

    It is read, its types are checked, and then it runs in the sandbox on bars: whether it fails,
    keeps something between bars, knows the future, decides otherwise when run again, or is slow.
    """
    del asked
    parts = parts_of(request)

    def look() -> Validation:
        laboratory = parts.workshop.laboratory
        effort = QUICK if body.quick else THOROUGH
        with refusals_told():
            return validate(
                body.code,
                laboratory.executor,
                laboratory.bars,
                parameters=body.parameters,
                effort=effort,
            )

    found = await parts.workshop.making.work(who.whose, look)
    content = {
        "valid": found.valid,
        "problems": [each._asdict() for each in found.problems],
        "notes": [each._asdict() for each in found.notes],
        "decisions": found.decisions,
        "microseconds_per_decision": round(found.seconds * 1e6, 1),
        "actions": dict(found.actions),
    }
    return answer(content, as_of=parts.clock.now())


@route(fixed, "POST", "/", operation_id="add_strategy", answers=ChangedStrategy, status=201)
async def add_strategy(
    request: Request, who: Publisher, asked: Annotated[Asked, Query()], body: Brought
) -> Response:
    """Keep code of yours as a strategy; where it is not valid, as a draft that says why."""
    del asked
    parts = parts_of(request)
    require_key_for(who, body.name)
    made = await parts.workshop.making.work(who.whose, partial(_looked_at, parts, body.code))
    kept = replace(made, name=body.name, description=body.description)

    def keep() -> Response:
        with writing(parts, who) as cursor:
            found = strategies.add(
                cursor,
                who.actor,
                kept,
                owner=who.owner,
                user_id=who.user_id,
                now=parts.clock.now(),
                symbols=body.symbols,
                timeframe=body.timeframe,
            )
            return changed(cursor, parts, found, who, status=201)

    return await run_sync(keep)


@route(
    router, "PUT", "/{strategy_id:uuid}/", operation_id="change_strategy",
    answers=ChangedStrategy,
)  # fmt: skip
async def change_strategy(
    request: Request,
    who: Publisher,
    strategy_id: StrategyId,
    asked: Annotated[Asked, Query()],
    body: Changed,
) -> Response:
    """Change what a strategy is called, what it does, with which values, and who may read it.

    What is left out stays. While it is active, its parameters, timeframe, source and currency
    stay, too, unless they come with another code, which is another version.
    """
    del asked
    parts = parts_of(request)
    code = await run_sync(_another, parts, who, strategy_id, body)
    made = None
    if code is not None:
        made = await parts.workshop.making.work(who.whose, partial(_looked_at, parts, code))
    return await run_sync(_written, parts, who, strategy_id, body, made)


@route(
    router, "POST", "/{strategy_id:uuid}/versions/", operation_id="add_version",
    answers=ChangedStrategy, status=201,
)  # fmt: skip
async def add_version(
    request: Request,
    who: Publisher,
    strategy_id: StrategyId,
    asked: Annotated[Asked, Query()],
    body: NewVersion,
) -> Response:
    """Make something else of a strategy, from code or from words; what it was stays to be read.

    An active strategy decides by the new version from the next bar on, and takes none that is not
    valid.
    """
    del asked
    if (body.code is None) == (body.prompt is None):
        raise invalid("code", "give it or `prompt`, one of both")
    parts = parts_of(request)
    await run_sync(_seen, parts, who, strategy_id)
    if body.code is not None:
        task = partial(_looked_at, parts, body.code)
    else:
        task = partial(_made, parts, who, str(body.prompt))
    made = await parts.workshop.making.work(who.whose, task)

    def keep() -> Response:
        with writing(parts, who) as cursor, _with_problems(made):
            found_own(cursor, strategy_id, who)
            found = strategies.add_version(
                cursor, who.actor, strategy_id, made, parts.clock.now(), parameters={}
            )
            return changed(cursor, parts, found, who, status=201)

    return await run_sync(keep)


def _seen(parts: Parts, who: Reader, strategy_id: UUID) -> None:
    """See, before anything is worked out, that a strategy is there and theirs."""
    with reading(parts, who) as cursor:
        found_own(cursor, strategy_id, who)


def _another(parts: Parts, who: Reader, strategy_id: UUID, body: Changed) -> str | None:
    """The code that is to be another; None where it is not."""
    with reading(parts, who) as cursor:
        found = found_own(cursor, strategy_id, who, admins=True)
        require_nothing_of_others(found, who, body)
        if body.name is not None:
            require_key_for(who, body.name)
        if body.code is None:
            return None
        current = strategies.version(cursor, strategy_id, found.version)
        return None if current.code == body.code else body.code


def _looked_at(parts: Parts, code: str) -> Made:
    """Code by hand as a version."""
    with refusals_told():
        return version_of(code, parts.workshop.laboratory)


def _made(parts: Parts, who: Reader, prompt: str) -> Made:
    """What the rules at hand make of words, as a version."""
    wanted = StrategyRequested(
        request_id=str(uuid4()), owner=who.owner, prompt=prompt, provider=OFFLINE
    )
    log = AttemptTable(
        lambda: writing(parts, who), request_id=wanted.request_id, user_id=who.user_id
    )
    with refusals_told():
        made = make(wanted, Tools(parts.settings, log, parts.workshop.laboratory, parts.clock))
    if isinstance(made, Refused):
        raise invalid("prompt", made.why)
    return made


@contextmanager
def _with_problems(made: Made) -> Iterator[None]:
    """What is refused because a code is not valid, with what is wrong with it."""
    try:
        yield
    except StrategyRefusedError as error:
        errors = [{"field": "code", "reason": _in_line(each)} for each in made.problems[:_NAMED]]
        raise ProblemError(409, str(error), errors=errors) from None


def _in_line(problem: Mapping[str, Any]) -> str:
    at = f"line {problem['line']}: " if problem["line"] else ""
    return f"{at}{problem['message']}"


def _written(
    parts: Parts, who: Reader, strategy_id: UUID, body: Changed, made: Made | None
) -> Response:
    now = parts.clock.now()
    changes = changes_of(body)
    with writing(parts, who) as cursor:
        found_own(cursor, strategy_id, who, admins=True)
        # Values of parameters are those of the new code, where there is one.
        parameters: Any = changes.pop("parameters", {}) if made is not None else None
        found = strategies.change(cursor, who.actor, strategy_id, changes, now)
        if made is not None:
            with _with_problems(made):
                found = strategies.add_version(
                    cursor, who.actor, strategy_id, made, now, parameters=parameters
                )
        return changed(cursor, parts, found, who)
