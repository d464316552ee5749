"""The API as an app: its routes, put together with what they work with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from trackrecord.access.tokens import AccessTokens, WeakSecretError
from trackrecord.api import problems
from trackrecord.api.changes import Changes
from trackrecord.api.cursors import Cursors
from trackrecord.api.ends import Ends
from trackrecord.api.guard import Access, Guard
from trackrecord.api.ingest import Ingest
from trackrecord.api.judged import JudgedNumbers
from trackrecord.api.limits import Limits
from trackrecord.api.metrics import OWN_METRICS, Measured
from trackrecord.api.parts import Parts
from trackrecord.api.pool import Pool
from trackrecord.api.reading import Reading
from trackrecord.api.released import released
from trackrecord.api.result_metrics import Results
from trackrecord.api.routes import (
    auth,
    claims,
    events,
    fixed,
    generated,
    me,
    models,
    operations,
    pages,
    scripts,
    signals,
    strategies,
    stream,
    users,
)
from trackrecord.api.routes import exports as files
from trackrecord.api.routes.asking import VERSION_ONE
from trackrecord.api.same_machine import SameMachine
from trackrecord.api.workshop import Workshop
from trackrecord.clock import Clock
from trackrecord.errors import TrackrecordError
from trackrecord.runtime.database import rows
from trackrecord.runtime.errors import ConfigurationError
from trackrecord.runtime.health import Health
from trackrecord.runtime.metrics import READY, Metrics
from trackrecord.runtime.settings import Settings

_EXPORTS: Final = 2
_EXPORT_SECONDS: Final = 1800.0
_SPARE_THREADS: Final = 4
"""More threads than sessions: some requests need none, and who finds none free is told so."""
_WRITES: Final = 3
"""Sessions that log in, and change users, keys, claims and strategies."""
_WAITING: Final = 8
"""For each session, as many requests may wait or be answered as this."""
_TURN_SECONDS: Final = 1.0

_ABOUT: Final = """The track record of strategies and scripts, and a way in for events.

Amounts are decimals as texts. Times are UTC. Every answer says up to when it is known (`as_of`).
Lists are read page by page: hand `next` back as `cursor`, and change nothing else."""


class Api:
    """An app and what runs beside it."""

    def __init__(
        self,
        settings: Settings,
        *,
        pool: Pool,
        exports: Pool,
        ingest: Ingest,
        clock: Clock,
        access: Access | None,
    ) -> None:
        """Put it together; nothing runs yet."""
        self.judged = JudgedNumbers(settings)
        reading = Reading(settings, self.judged)

        def look() -> dict[str, int]:
            with pool.reading() as cursor:
                return reading.versions(cursor)

        self.parts = Parts(
            settings=settings,
            clock=clock,
            pool=pool,
            writes=writes_of(settings) if access is None else access.writes,
            exports=exports,
            reading=reading,
            ingest=ingest,
            changes=Changes(look, clock),
            ends=Ends(settings, pool, clock),
            cursors=Cursors(f"{place_of(settings)}/{settings.jwt_secret}"),
            workshop=Workshop(settings, pool),
            access=access,
        )
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry, "api", OWN_METRICS)
        self.health = Health("api", clock=clock)
        self.beside = (
            self.judged,
            Results(settings, pool, reading, self.registry).repeating(),
        )

    @asynccontextmanager
    async def running(self, _app: FastAPI) -> AsyncIterator[None]:
        """Everything that runs beside the requests, for as long as they are answered."""
        parts = self.parts
        current_default_thread_limiter().total_tokens = parts.pool.size + _SPARE_THREADS
        parts.ends.start()
        for each in self.beside:
            each.start()
        turning = asyncio.create_task(self._turn())
        try:
            yield
        finally:
            turning.cancel()
            parts.changes.close()
            parts.ends.stop()
            for each in self.beside:
                each.stop()
            parts.ingest.close()
            parts.pool.close()
            parts.exports.close()
            parts.writes.close()
            parts.workshop.close()

    async def _turn(self) -> None:
        while True:
            self.health.turned()
            reason = await asyncio.to_thread(self._why_not)
            self.health.ready, self.health.reason = reason is None, reason or ""
            self.metrics.set(READY, reason is None)
            await asyncio.sleep(_TURN_SECONDS)

    def _why_not(self) -> str | None:
        try:
            with self.parts.pool.reading() as cursor:
                rows(cursor, "SELECT 1")
                if self.parts.access is not None:
                    self.parts.access.require_safe(cursor)
        except problems.ExhaustedError:
            return None  # busy, which is no reason to be given no requests at all
        except TrackrecordError as error:
            return str(error)
        return None


def pools(settings: Settings) -> tuple[Pool, Pool]:
    """What routes read with, and what exports read with."""
    return (
        Pool(
            settings,
            settings.api_pool,
            application="trackrecord api",
            statement_seconds=settings.api_statement_seconds,
        ),
        Pool(
            settings,
            _EXPORTS,
            application="trackrecord api export",
            statement_seconds=_EXPORT_SECONDS,
        ),
    )


def writes_of(settings: Settings) -> Pool:
    """What routes write with: users, keys and claims, and strategies."""
    return Pool(
        settings,
        _WRITES,
        application="trackrecord api access",
        statement_seconds=settings.api_statement_seconds,
        writes=True,
    )


def place_of(settings: Settings) -> str:
    """What tells one installation from another that has the same secret."""
    return f"{settings.database_schema}/{settings.topic_prefix}"


def access_of(settings: Settings, pool: Pool, clock: Clock) -> Access | None:
    """How it is known who asks; None: nobody needs to say.

    Raises:
        ConfigurationError: The secret is too short to sign with.
    """
    if not settings.jwt_secret:
        return None
    try:
        tokens = AccessTokens(settings.jwt_secret, place_of(settings))
    except WeakSecretError as error:
        raise ConfigurationError(f"TRACKRECORD_JWT_SECRET: {error}") from None
    return Access(tokens, pool, writes_of(settings), clock)


def create_app(
    settings: Settings,
    *,
    pool: Pool,
    exports: Pool,
    ingest: Ingest,
    clock: Clock,
    access: Access | None = None,
) -> FastAPI:
    """The app of the API.

    Args:
        settings: Of the process.
        pool: Sessions that routes read with.
        exports: Sessions that exports read with.
        ingest: The way in for events.
        clock: What tells the time.
        access: How it is known who asks; None: everybody may do everything.
    """
    api = Api(settings, pool=pool, exports=exports, ingest=ingest, clock=clock, access=access)
    app = FastAPI(
        title="trackrecord",
        version=released(),
        description=_ABOUT,
        openapi_url=f"{VERSION_ONE}/openapi.json",
        # Their pages load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=api.running,
    )
    app.state.parts, app.state.health, app.state.registry = api.parts, api.health, api.registry
    # What is fixed stands before what takes any name.
    routes = (
        files, stream, events, strategies, signals, scripts, models, operations, fixed, pages,
        auth, me, claims, users, generated,
    )  # fmt: skip
    for each in routes:
        app.include_router(each.router)
    problems.answer_problems(app)
    app.add_middleware(Guard, access=access)
    app.add_middleware(Measured, metrics=api.metrics, clock=clock)
    app.add_middleware(
        Limits,
        most_bytes=settings.api_body_bytes,
        most_at_once=pool.size * _WAITING,
    )
    if access is None:
        app.add_middleware(SameMachine)
    _documented(app)
    return app


def _documented(app: FastAPI) -> None:
    """Have the document name the problems of each operation."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            problems.document(plain())
        return plain()

    app.openapi = openapi  # type: ignore[method-assign]
