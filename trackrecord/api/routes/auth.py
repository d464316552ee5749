"""Logging in and out: tokens for programs, sessions for browsers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from anyio.to_thread import run_sync
from fastapi import APIRouter, Form, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from trackrecord.access.attempts import TooManyAttemptsError
from trackrecord.access.store import logins
from trackrecord.access.store.logins import Candidate, LoginRefusedError
from trackrecord.access.store.session import act_for
from trackrecord.access.tokens import ACCESS_FOR, SESSION_FOR, Bearer
from trackrecord.api.access_shapes import Session, Tokens
from trackrecord.api.answers import answer
from trackrecord.api.guard import COOKIE, Access, require_own_page
from trackrecord.api.parts import parts_of
from trackrecord.api.problems import ProblemError
from trackrecord.api.routes.asking import VERSION_ONE, Asked
from trackrecord.api.who import Anyone, Reader

router = APIRouter(prefix=f"{VERSION_ONE}/auth", tags=["access"])

Secret = Annotated[str, Field(min_length=1, max_length=256)]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class _TokenForm(_Asked):
    """The form of OAuth2."""

    grant_type: Literal["password", "refresh_token"] = "password"
    username: Secret | None = None
    """With `password`."""
    password: Secret | None = None
    """With `password`."""
    refresh_token: Secret | None = None
    """With `refresh_token`."""
    scope: Annotated[str, Field(max_length=256)] | None = None
    """Passed over, as are the next two: clients send them, and a user's role says what they may."""
    client_id: Annotated[str, Field(max_length=256)] | None = None
    client_secret: Annotated[str, Field(max_length=256)] | None = None


class _SessionForm(_Asked):
    username: Secret
    password: Secret


class _RevokeForm(_Asked):
    token: Annotated[str, Field(max_length=256)] | None = None
    """A refresh token of yours; left out or empty: the login that asks."""
    token_type_hint: Annotated[str, Field(max_length=64)] | None = None
    """Passed over."""


def access_of(request: Request) -> Access:
    """How it is known who asks.

    Raises:
        ProblemError: Nobody needs to say here (403).
    """
    access = parts_of(request).access
    if access is None:
        raise ProblemError(
            403, "everybody may do everything here: there are no users (docs/access.md)"
        )
    return access


@router.post("/token", response_model=Tokens, operation_id="token")
async def token(
    request: Request,
    who: Anyone,
    asked: Annotated[Asked, Query()],
    form: Annotated[_TokenForm, Form()],
) -> Response:
    """Log in with a name and password, or go on with a refresh token, which is good once.

    A second use of a refresh token ends the login that it is of.
    """
    del asked
    access = access_of(request)
    if form.grant_type == "refresh_token":
        if form.refresh_token is None:
            raise _missing("refresh_token")
        found = await run_sync(_refresh, access, form.refresh_token)
        if found is None:
            raise ProblemError(401, "the refresh token is not good, or not any more: log in again")
        bearer, refresh = found
    else:
        if form.username is None or form.password is None:
            raise _missing("username" if form.username is None else "password")
        candidate, tried_at = await proven(access, who, form.username, form.password)

        def begin() -> tuple[Bearer, str]:
            with access.writes.writing() as cursor:
                return logins.begin_tokens(
                    cursor, candidate, who.address or "", tried_at, access.clock.now()
                )

        try:
            bearer, refresh = await run_sync(begin)
        except LoginRefusedError:
            raise _does_not_fit() from None
    now = access.clock.now()
    content = {
        "access_token": access.tokens.written(bearer, now),
        "token_type": "bearer",
        "expires_in": int(ACCESS_FOR.total_seconds()),
        "refresh_token": refresh,
    }
    return answer(content, as_of=now)


@router.post(
    "/revoke",
    status_code=204,
    response_class=Response,
    operation_id="revoke",
    openapi_extra={"requestBody": {"required": False}},
)
def revoke(
    request: Request,
    who: Anyone,
    asked: Annotated[Asked, Query()],
    form: Annotated[_RevokeForm, Form()],
) -> Response:
    """End a login with all of its tokens: the one that asks, or that of a refresh token."""
    del asked
    access, user = access_of(request), who.known
    with access.writes.writing() as cursor:
        act_for(cursor, user.user_id)
        if form.token is not None:
            bearer = logins.owner_of_refresh(cursor, form.token)
        else:
            bearer = None if user.login_id is None else Bearer(user.user_id, user.login_id)
        # A token of somebody else is none, and one that is good no more has nothing to end.
        if bearer is not None and bearer.user_id == user.user_id:
            logins.end(cursor, bearer, "logout", access.clock.now())
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


@router.post("/session", response_model=Session, operation_id="begin_session")
async def begin_session(
    request: Request,
    who: Anyone,
    asked: Annotated[Asked, Query()],
    form: Annotated[_SessionForm, Form()],
) -> Response:
    """Log in a browser: the answer sets a cookie that no script reads, good for seven days."""
    del asked
    access = access_of(request)
    if "origin" in request.headers:
        # Else a page of others could have somebody work under a name that is not theirs.
        require_own_page(request.headers)
    candidate, tried_at = await proven(access, who, form.username, form.password)

    def begin() -> str:
        with access.writes.writing() as cursor:
            return logins.begin_session(
                cursor, candidate, who.address or "", tried_at, access.clock.now()
            )

    try:
        cookie = await run_sync(begin)
    except LoginRefusedError:
        raise _does_not_fit() from None
    response = answer({"name": candidate.name}, as_of=access.clock.now())
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=int(SESSION_FOR.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


@router.delete("/session", status_code=204, response_class=Response, operation_id="end_session")
def end_session(request: Request, who: Anyone, asked: Annotated[Asked, Query()]) -> Response:
    """Log a browser out, or end the login of the token that asks."""
    del asked
    access, user = access_of(request), who.known
    if user.login_id is not None:
        with access.writes.writing() as cursor:
            act_for(cursor, user.user_id)
            bearer = Bearer(user.user_id, user.login_id)
            logins.end(cursor, bearer, "logout", access.clock.now())
    response = Response(status_code=204, headers={"Cache-Control": "no-store"})
    response.delete_cookie(COOKIE, httponly=True, samesite="lax")
    return response


async def proven(
    access: Access, who: Reader, name: str, password: str
) -> tuple[Candidate, datetime]:
    """See that a password is a user's; each attempt is counted first.

    Returns:
        The user, and the time under which the attempt was counted.

    Raises:
        ProblemError: It is not (401), or too many were not lately (429).
    """
    address, tried_at = who.address or "", access.clock.now()

    def attempt() -> Candidate:
        with access.writes.writing() as cursor:
            return logins.attempt(cursor, name, address, tried_at)

    def failed(candidate: Candidate) -> None:
        with access.writes.writing() as cursor:
            logins.failed(cursor, candidate, address)

    try:
        candidate = await run_sync(attempt)
    except TooManyAttemptsError as error:
        raise ProblemError(429, str(error), headers={"Retry-After": str(error.seconds)}) from None
    if not await access.comparisons.fits(password, candidate.password_hash):
        await run_sync(failed, candidate)
        raise _does_not_fit()
    return candidate, tried_at


def _refresh(access: Access, token: str) -> tuple[Bearer, str] | None:
    with access.writes.writing() as cursor:
        return logins.refreshed(cursor, token, access.clock.now())


def _does_not_fit() -> ProblemError:
    return ProblemError(401, "no user has this name and this password")


def _missing(field: str) -> ProblemError:
    return ProblemError(
        400, f"{field}: is missing", errors=[{"field": field, "reason": "is missing"}]
    )
