"""The guard: no request goes on before it is known who has sent it.

It stands before the routes, so that a path that nobody has thought of is guarded too. A request
brings one of: ``Authorization: Bearer`` with an access token or a key, ``X-API-Key``, or the cookie
of a browser's session. What a browser sends by itself counts for a change only if one of our own
pages has had it sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final

from anyio.to_thread import run_sync
from starlette.types import ASGIApp, Receive, Scope, Send

from trackrecord.access.keys import BEGINS, should_note
from trackrecord.access.passwords import Comparisons
from trackrecord.access.store import database_role, identities, keys
from trackrecord.access.store.identities import Identity
from trackrecord.access.store.session import act_for
from trackrecord.access.tokens import AccessTokens, TokenRefusedError
from trackrecord.api.pool import Pool
from trackrecord.api.problems import ProblemError, problem_of
from trackrecord.api.who import ANYBODY, Reader
from trackrecord.clock import Clock
from trackrecord.runtime.database import Cursor
from trackrecord.runtime.errors import FatalError

COOKIE: Final = "trackrecord_session"

OPEN: Final = frozenset(
    {
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("HEAD", "/healthz"),
        ("HEAD", "/readyz"),
        ("POST", "/api/v1/auth/token"),
        ("POST", "/api/v1/auth/session"),
    }
)
"""What is answered to anybody: whether it lives, and where one says who one is."""

_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Access:
    """What it takes to know who asks.

    Attributes:
        tokens: Reads and writes access tokens.
        pool: Sessions that look.
        writes: Sessions that log in, and change users, keys and claims.
        comparisons: Compares passwords.
        clock: What tells the time.
    """

    def __init__(self, tokens: AccessTokens, pool: Pool, writes: Pool, clock: Clock) -> None:
        """Know nobody yet."""
        self.tokens = tokens
        self.pool = pool
        self.writes = writes
        self.comparisons = Comparisons()
        self.clock = clock
        self._is_safe = False

    def reader(self, headers: Mapping[str, str], method: str, address: str | None) -> Reader:
        """Who has sent a request, what they may, and what they must not see.

        Raises:
            ProblemError: Nobody says who they are (401), or a page of another site does (403).
            PassingError: The database does not answer.
        """
        now = self.clock.now()
        with self.pool.reading() as cursor:
            self.require_safe(cursor)
            found = self._identity(cursor, headers, method)
            view = identities.view_of(cursor, found)
        key = found.key
        if key is not None and should_note(key.last_used_at, now):
            with self.writes.writing() as cursor:
                act_for(cursor, found.user_id)
                keys.note_use(cursor, key.key_id, now)
        return Reader(found, found.permissions, view.hidden, view.version, address)

    def _identity(self, cursor: Cursor, headers: Mapping[str, str], method: str) -> Identity:
        now = self.clock.now()
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        given, bearer = headers.get("x-api-key", "").strip(), bearer.strip()
        found: Identity | None = None
        if scheme:
            if scheme.lower() != "bearer":
                raise _refused("authorization is by Bearer, with an access token or a key")
            if bearer.startswith(BEGINS):
                found = identities.of_api_key(cursor, bearer, now)
            else:
                try:
                    named = self.tokens.read(bearer, now)
                except TokenRefusedError as error:
                    raise _refused(str(error)) from None
                found = identities.of_login(cursor, named, now)
        elif given:
            found = identities.of_api_key(cursor, given, now)
        elif cookie := _cookie(headers.get("cookie", "")):
            found = identities.of_session(cursor, cookie, now)
            if found is not None and method not in _READING:
                require_own_page(headers)
        else:
            raise _refused("log in: POST /api/v1/auth/token, or send a key")
        if found is None:
            raise _refused("the login has ended, or there is no such key")
        return found

    def require_safe(self, cursor: Cursor) -> None:
        """See, once, that row-level security holds for us at all.

        Raises:
            FatalError: It does not.
        """
        if self._is_safe:
            return
        if (why := database_role.why_it_could_bypass(cursor)) is not None:
            raise FatalError(
                f"the role of the API in the database could see what is not a user's: {why}. Give "
                "it one of its own in TRACKRECORD_API_DATABASE_URL (docs/access.md)"
            )
        self._is_safe = True


class Guard:
    """Stands before the routes."""

    def __init__(self, app: ASGIApp, *, access: Access | None) -> None:
        """Guard an app; without `access`, everybody may do everything."""
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on with who has sent it, or say why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state: dict[str, Any] = scope.setdefault("state", {})
        if self._access is None:
            state["reader"] = ANYBODY
        elif (scope["method"], scope["path"]) in OPEN:
            state["reader"] = Reader(None, frozenset(), address=_address(scope))
        else:
            try:
                state["reader"] = await run_sync(
                    self._access.reader, _headers(scope), scope["method"], _address(scope)
                )
            except Exception as error:  # noqa: BLE001 - whatever it is, the request goes no further
                await problem_of(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def require_own_page(headers: Mapping[str, str]) -> None:
    """See that what a browser has sent was asked for by a page from here.

    Raises:
        ProblemError: Another page did, or it does not say (403).
    """
    origin, host = headers.get("origin", ""), headers.get("host", "")
    if not host or origin.partition("://")[2] != host:
        raise ProblemError(
            403, f"a page of {origin[:100] or 'an unknown origin'!r} may change nothing here"
        )


def _cookie(header: str) -> str | None:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return None
    return None if found is None else found.value


def _headers(scope: Scope) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        # Of two, the first counts for everything that looks at it.
        found.setdefault(name.decode("latin-1"), value.decode("latin-1"))
    return found


def _address(scope: Scope) -> str | None:
    client = scope.get("client")
    return None if client is None else str(client[0])


def _refused(words: str) -> ProblemError:
    return ProblemError(401, words, headers={"WWW-Authenticate": 'Bearer realm="trackrecord"'})
