"""What the API counts of itself: requests, by the route that answered, whatever paths are asked."""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trackrecord.clock import Clock
from trackrecord.runtime.metrics import READY, Counter, Histogram, Metric, Metrics

REQUESTS: Final = Counter(
    "trackrecord_api_requests_total",
    "Requests answered, by route and status.",
    "Many 503: the database or the broker is away or busy; many 5xx else: read the log.",
    ("route", "status"),
)

REQUEST_SECONDS: Final = Histogram(
    "trackrecord_api_request_seconds",
    "Seconds from a request to the end of its answer, by route; streams are left out.",
    "Growing: look for slow queries, or raise TRACKRECORD_API_POOL.",
    ("route",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)

OWN_METRICS: Final[tuple[Metric, ...]] = (READY, REQUESTS, REQUEST_SECONDS)


class Measured:
    """Counts and times the requests of an app."""

    def __init__(self, app: ASGIApp, metrics: Metrics, clock: Clock) -> None:
        """Stand before an app."""
        self._app = app
        self._metrics = metrics
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        began = self._clock.monotonic()

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self._metrics.count(REQUESTS, route=route, status=str(status))
            if not route.endswith("/stream"):
                took = self._clock.monotonic() - began
                self._metrics.observe(REQUEST_SECONDS, took, route=route)
