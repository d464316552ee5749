"""What the API counts of itself, and what strategies came to, as metrics.

The number of series is bounded whatever names arrive: requests are counted by the route that
answered, and strategies are those that a setting names, or the few with the most signals.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trackrecord.api.pool import Pool
from trackrecord.api.reading import Reading
from trackrecord.clock import Clock
from trackrecord.errors import TrackrecordError
from trackrecord.performance.sums.sums import Sums
from trackrecord.runtime.metrics import READY, Counter, Gauge, Histogram, Metric, Metrics
from trackrecord.runtime.settings import Settings

MOST_STRATEGIES: Final = 50
"""How many strategies are told of where no setting names them."""

EVERY_SECONDS: Final = 15.0

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

_OWNER: Final = ("strategy", "currency")

STRATEGY_CLOSED: Final = Gauge(
    "trackrecord_strategy_closed",
    "Signals of a strategy that are closed in full.",
    "None for long while signals are emitted: its exits do not arrive.",
    _OWNER,
)
STRATEGY_WINS: Final = Gauge(
    "trackrecord_strategy_wins",
    "Closed signals of a strategy with a return above 0.",
    "Compare with the closed ones.",
    _OWNER,
)
STRATEGY_NET_PNL: Final = Gauge(
    "trackrecord_strategy_net_pnl",
    "Net PnL of a strategy's closed signals, in its currency; a double, the record is exact.",
    "Falling: look at the strategy's page.",
    _OWNER,
)
STRATEGY_OPEN_SIGNALS: Final = Gauge(
    "trackrecord_strategy_open_signals",
    "Signals of a strategy that are not closed in full.",
    "Growing without end: its exits do not arrive.",
    _OWNER,
)

STRATEGY_METRICS: Final[tuple[Gauge, ...]] = (
    STRATEGY_CLOSED,
    STRATEGY_WINS,
    STRATEGY_NET_PNL,
    STRATEGY_OPEN_SIGNALS,
)
OWN_METRICS: Final[tuple[Metric, ...]] = (READY, REQUESTS, REQUEST_SECONDS)
API_METRICS: Final[tuple[Metric, ...]] = (REQUESTS, REQUEST_SECONDS, *STRATEGY_METRICS)
"""What the API exports besides whether it is ready."""


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


class Results(Collector):
    """What strategies came to, read every so often in a thread of its own."""

    def __init__(
        self, settings: Settings, pool: Pool, reading: Reading, registry: CollectorRegistry
    ) -> None:
        """Know nothing yet."""
        named = [name.strip() for name in settings.api_metrics_strategies.split(",")]
        self._named = [name for name in named if name]
        self._pool = pool
        self._reading = reading
        self._totals: dict[str, dict[str, Sums]] = {}
        self._stop = threading.Event()
        registry.register(self)

    def start(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._run, name="results", daemon=True).start()

    def stop(self) -> None:
        """Read no more."""
        self._stop.set()

    def refresh(self) -> None:
        """Read once; what was read before stays where the database is away."""
        try:
            with self._pool.reading() as cursor:
                names: Sequence[str] = self._named or self._reading.most_active(
                    cursor, MOST_STRATEGIES
                )
                self._totals = self._reading.totals(cursor, names)
        except TrackrecordError:
            return

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """What Prometheus is told."""
        families = {
            metric.name: GaugeMetricFamily(metric.name, metric.meaning, labels=_OWNER)
            for metric in STRATEGY_METRICS
        }
        for strategy, currency, sums in self._each():
            for metric, value in (
                (STRATEGY_CLOSED, sums.closed),
                (STRATEGY_WINS, sums.wins),
                (STRATEGY_NET_PNL, float(sums.total_pnl)),
                (STRATEGY_OPEN_SIGNALS, sums.signals - sums.closed),
            ):
                families[metric.name].add_metric([strategy, currency], value)
        return families.values()

    def _each(self) -> Iterator[tuple[str, str, Sums]]:
        for strategy, found in self._totals.items():
            for currency, sums in found.items():
                yield strategy, currency, sums

    def _run(self) -> None:
        while not self._stop.is_set():
            self.refresh()
            self._stop.wait(EVERY_SECONDS)
