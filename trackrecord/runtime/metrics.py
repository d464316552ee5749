"""Metrics, each declared once: its type, its meaning, and what to do about it.

A metric is counted, set or observed by its declaration, never by its name: a name that is not
declared, or a gauge that is counted, is found by the type checker.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

import prometheus_client as prometheus
from prometheus_client import CollectorRegistry


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        name: In Prometheus' form: base units, ``_total`` for counters.
        meaning: What it counts or measures.
        action: What to do when it looks wrong.
        labels: Never an id.
    """

    name: str
    meaning: str
    action: str
    labels: tuple[str, ...] = ()

    kind: ClassVar[Literal["counter", "gauge", "histogram"]]
    """Its type, as Prometheus calls it."""


@dataclass(frozen=True)
class Counter(Metric):
    """A number that only grows, since the process started."""

    kind = "counter"


@dataclass(frozen=True)
class Gauge(Metric):
    """A number that goes up and down."""

    kind = "gauge"


@dataclass(frozen=True)
class Histogram(Metric):
    """How often a measurement was how large.

    Attributes:
        buckets: Upper bounds, in the unit of the name.
    """

    buckets: tuple[float, ...] = ()

    kind = "histogram"


class Metrics:
    """Metrics of a process; every one carries the stage as a label."""

    def __init__(self, registry: CollectorRegistry, stage: str, metrics: Iterable[Metric]) -> None:
        """Register the metrics."""
        self._stage = stage
        self._counters: dict[str, prometheus.Counter] = {}
        self._gauges: dict[str, prometheus.Gauge] = {}
        self._histograms: dict[str, prometheus.Histogram] = {}
        for metric in metrics:
            self._register(registry, metric)

    def _register(self, registry: CollectorRegistry, metric: Metric) -> None:
        labels = ("stage", *metric.labels)
        made: prometheus.Counter | prometheus.Gauge | prometheus.Histogram
        if isinstance(metric, Counter):
            made = prometheus.Counter(metric.name, metric.meaning, labels, registry=registry)
            self._counters[metric.name] = made
        elif isinstance(metric, Histogram):
            made = prometheus.Histogram(
                metric.name, metric.meaning, labels, buckets=metric.buckets, registry=registry
            )
            self._histograms[metric.name] = made
        else:
            made = prometheus.Gauge(metric.name, metric.meaning, labels, registry=registry)
            self._gauges[metric.name] = made
        if not metric.labels:
            # A series that exists from the start can be alerted on before its first event.
            made.labels(self._stage)

    def count(self, metric: Counter, amount: float = 1, **labels: str) -> None:
        """Add to a counter."""
        self._counters[metric.name].labels(stage=self._stage, **labels).inc(amount)

    def count_all(self, metric: Counter, label: str, amounts: Mapping[str, float]) -> None:
        """Add to a counter, for each value of its one label."""
        for value, amount in amounts.items():
            self.count(metric, amount, **{label: value})

    def set(self, metric: Gauge, value: float, **labels: str) -> None:
        """Set a gauge."""
        self._gauges[metric.name].labels(stage=self._stage, **labels).set(value)

    def observe(self, metric: Histogram, value: float, **labels: str) -> None:
        """Add an observation to a histogram."""
        self._histograms[metric.name].labels(stage=self._stage, **labels).observe(value)


_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

MESSAGES: Final = Counter(
    "trackrecord_messages_total",
    "Messages whose effects are committed, dead letters included, by topic.",
    "None for minutes while lag grows: the stage is stuck; read its log and /readyz.",
    ("topic",),
)

BATCHES: Final = Counter(
    "trackrecord_batches_total",
    "Batches committed, one transaction each.",
    "Compare with messages: many small batches mean light load, which is fine.",
)

BATCH_SECONDS: Final = Histogram(
    "trackrecord_batch_seconds",
    "Seconds from the end of a poll to the commit of its batch.",
    "Near the poll interval: lower TRACKRECORD_BATCH_SIZE or look for locks in the database.",
    buckets=_SECONDS,
)

DEAD_LETTERS: Final = Counter(
    "trackrecord_dead_letters_total",
    "Messages refused, by topic and class of error.",
    "`trackrecord dlq list` says which and why; mend the publisher, then `dlq replay`.",
    ("topic", "error_class"),
)

RETRIES: Final = Counter(
    "trackrecord_retries_total",
    "Batches rolled back and read again after a passing error.",
    "A steady rate: broker or database are unwell, or transactions deadlock.",
)

FENCED: Final = Counter(
    "trackrecord_fenced_total",
    "How often this process found that another owns its partitions, and left the group.",
    "More than a few an hour: polls take too long, or the process gets no CPU or is paused.",
)

REBALANCES: Final = Counter(
    "trackrecord_rebalances_total",
    "How often the process was given partitions.",
    "Many: processes of the stage start and stop; look for restarts.",
)

READY: Final = Gauge(
    "trackrecord_ready",
    "1 while the process reads its partitions and reaches its database, else 0.",
    "0 for minutes: /readyz says why; the broker or the database is away or refuses.",
)

HALTED: Final = Gauge(
    "trackrecord_halted",
    "1 once the process has halted on purpose, until it ends, else 0.",
    "1: it stays so for TRACKRECORD_HALT_LINGER_SECONDS; its last log line says why.",
)

ASSIGNED_PARTITIONS: Final = Gauge(
    "trackrecord_assigned_partitions",
    "Partitions that this process reads.",
    "0 on every process of a stage: nobody works; see /readyz.",
)

LAG_MESSAGES: Final = Gauge(
    "trackrecord_lag_messages",
    "Messages in this process's partitions that are not committed yet.",
    "Growing: add processes (docker compose up --scale) or look for slow batches.",
)

LAST_COMMIT_TIMESTAMP_SECONDS: Final = Gauge(
    "trackrecord_last_commit_timestamp_seconds",
    "When the last transaction was committed, in seconds since 1970; 0 before the first.",
    "Old while there is lag: the stage is stuck.",
)

OUTBOX_PENDING_MESSAGES: Final = Gauge(
    "trackrecord_outbox_pending_messages",
    "Outgoing events that the broker has not acknowledged.",
    "Growing: the broker is away or slow; reading pauses at TRACKRECORD_OUTBOX_BACKLOG.",
)

RUNTIME_METRICS: Final[tuple[Metric, ...]] = (
    MESSAGES,
    BATCHES,
    BATCH_SECONDS,
    DEAD_LETTERS,
    RETRIES,
    FENCED,
    REBALANCES,
    READY,
    HALTED,
    ASSIGNED_PARTITIONS,
    LAG_MESSAGES,
    LAST_COMMIT_TIMESTAMP_SECONDS,
    OUTBOX_PENDING_MESSAGES,
)
"""What every stage of the data plane exports."""
