"""The API as an app: its routes, put together with what they work with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from trackrecord.api import problems
from trackrecord.api.changes import Changes
from trackrecord.api.cursors import Cursors
from trackrecord.api.ends import Ends
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
    events,
    fixed,
    models,
    operations,
    pages,
    scripts,
    signals,
    strategies,
    stream,
)
from trackrecord.api.routes import exports as files
from trackrecord.api.routes.asking import VERSION_ONE
from trackrecord.api.same_machine import SameMachine
from trackrecord.clock import Clock
from trackrecord.errors import TrackrecordError
from trackrecord.runtime.database import rows
from trackrecord.runtime.health import Health
from trackrecord.runtime.metrics import READY, Metrics
from trackrecord.runtime.settings import Settings

_EXPORTS: Final = 2
_EXPORT_SECONDS: Final = 1800.0
_SPARE_THREADS: Final = 4
"""More threads than sessions: some requests need none, and who finds none free is told so."""
_WAITING: Final = 8
"""For each session, as many requests may wait or be answered as this."""
_TURN_SECONDS: Final = 1.0

_ABOUT: Final = """The track record of strategies and scripts, and a way in for events.

Amounts are decimals as texts. Times are UTC. Every answer says up to when it is known (`as_of`).
Lists are read page by page: hand `next` back as `cursor`, and change nothing else."""


class Api:
    """An app and what runs beside it."""

    def __init__(
        self, settings: Settings, *, pool: Pool, exports: Pool, ingest: Ingest, clock: Clock
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
            exports=exports,
            reading=reading,
            ingest=ingest,
            changes=Changes(look, clock),
            ends=Ends(settings, pool, clock),
            cursors=Cursors(f"{settings.database_schema}/{settings.topic_prefix}"),
        )
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry, "api", OWN_METRICS)
        self.health = Health("api", clock=clock)
        self.beside = (
            self.judged,
            Results(settings, pool, reading, self.registry).repeating(clock),
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


def create_app(
    settings: Settings, *, pool: Pool, exports: Pool, ingest: Ingest, clock: Clock
) -> FastAPI:
    """The app of the API.

    Args:
        settings: Of the process.
        pool: Sessions that routes read with.
        exports: Sessions that exports read with.
        ingest: The way in for events.
        clock: What tells the time.
    """
    api = Api(settings, pool=pool, exports=exports, ingest=ingest, clock=clock)
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
    routes = (files, stream, events, strategies, signals, scripts, models, operations, fixed, pages)
    for each in routes:
        app.include_router(each.router)
    problems.answer_problems(app)
    app.add_middleware(Measured, metrics=api.metrics, clock=clock)
    app.add_middleware(
        Limits,
        most_bytes=settings.api_body_bytes,
        most_at_once=pool.size * _WAITING,
    )
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
