"""What all routes of strategies that are made here have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse

from trackrecord.access.store.session import act_for
from trackrecord.api.answers import answer, as_json, unchanged, version_of
from trackrecord.api.parts import Parts
from trackrecord.api.problems import ProblemError, not_found
from trackrecord.api.routes.generated.shown import is_own
from trackrecord.api.who import Reader
from trackrecord.catalogue.life import NoStrategyError, StrategyRefusedError
from trackrecord.catalogue.store import strategies
from trackrecord.catalogue.store.strategies import Strategy
from trackrecord.runtime.database import Cursor
from trackrecord.sandbox.isolation import SandboxError

PATH: Final = "/api/strategies"
"""What the paths begin with."""

StrategyId = Annotated[UUID, Path(description="Of the strategy.")]

_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])


def route(
    router: APIRouter,
    method: str,
    path: str,
    *,
    operation_id: str,
    answers: type[Any] | None,
    status: int = 200,
    others: Mapping[int | str, dict[str, Any]] | None = None,
) -> Callable[[_Endpoint], _Endpoint]:
    """Have a function answer a path with and without the last slash; the first is documented.

    Args:
        router: Of which it becomes a route.
        method: Of HTTP.
        path: After :data:`PATH`, with its last slash.
        operation_id: In the document.
        answers: What its answer looks like; None: it has no body.
        status: Of its answer.
        others: Further answers, by status.
    """

    def added(endpoint: _Endpoint) -> _Endpoint:
        for spelt in (path, path.rstrip("/")):
            router.add_api_route(
                spelt,
                endpoint,
                methods=[method],
                status_code=status,
                response_model=answers,
                response_class=Response if answers is None else JSONResponse,
                responses=dict(others or {}),
                operation_id=operation_id,
                include_in_schema=spelt == path,
            )
        return endpoint

    return added


@contextmanager
def reading(parts: Parts, who: Reader) -> Iterator[Cursor]:
    """A transaction that reads what somebody may see, with plain answers to what is refused."""
    with parts.pool.reading() as cursor, refusals_told():
        act_for(cursor, who.user_id)
        yield cursor


@contextmanager
def writing(parts: Parts, who: Reader) -> Iterator[Cursor]:
    """A transaction that writes for somebody, undone where something is refused."""
    with parts.writes.writing() as cursor, refusals_told():
        act_for(cursor, who.user_id)
        yield cursor


@contextmanager
def refusals_told() -> Iterator[None]:
    """What is refused, as the problem that it is for who asked."""
    try:
        yield
    except NoStrategyError as error:
        raise not_found(str(error)) from None
    except StrategyRefusedError as error:
        raise ProblemError(409, str(error)) from None
    except SandboxError as error:
        raise ProblemError(503, f"no strategy can be run here: {error}") from None
    except OSError as error:
        raise ProblemError(503, f"the attempt could not be logged: {error}") from None


def told(request: Request, content: Mapping[str, Any], as_of: datetime) -> Response:
    """An answer with a version, or that it is the one that the client has."""
    version = version_of(as_json(content).decode())
    return unchanged(request, version) or answer(content, as_of=as_of, version=version)


def found_own(cursor: Cursor, strategy_id: UUID, who: Reader, *, admins: bool = False) -> Strategy:
    """A strategy of whoever asks.

    Args:
        cursor: Inside a transaction for them.
        strategy_id: Which.
        who: Who asks.
        admins: Whether admins may do it to everybody's.

    Raises:
        NoStrategyError: There is none that they may see.
        ProblemError: It is somebody else's, and public (403), or the key is for others (403).
    """
    found = strategies.find(cursor, strategy_id)
    if admins and "administer" in who.permissions:
        return found
    if not is_own(found, who):
        raise ProblemError(403, f"{found.name!r} is somebody else's: copy it")
    require_key_for(who, found.record_name or found.name)
    return found


def require_key_for(who: Reader, name: str | None) -> None:
    """See that a key that is limited to names is for a strategy of this one.

    Raises:
        ProblemError: It is for others (403).
    """
    key = None if who.identity is None else who.identity.key
    if key is None or key.names is None or name in key.names:
        return
    if name is None:
        raise ProblemError(403, "this key is limited to names: say which of them it is for")
    raise ProblemError(403, f"this key is not for {name!r}")


def require_may_filter(who: Reader, owner: str | None) -> None:
    """See that whoever looks for what somebody has asked for may know who there is.

    Raises:
        ProblemError: They may not (403).
    """
    if owner is not None and owner != who.owner and "administer" not in who.permissions:
        raise ProblemError(403, "owner: who else has strategies is for admins to know")
