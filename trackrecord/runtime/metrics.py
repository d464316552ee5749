"""Metrics, each declared once: its type, its meaning, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        name: In Prometheus' form: base units, ``_total`` for counters.
        kind: What it is.
        meaning: What it counts or measures.
        action: What to do when it looks wrong.
        labels: Never an id.
        buckets: Upper bounds of a histogram, in the unit of the name.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    action: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


class Metrics:
    """Metrics of a process, by name; every one carries the stage as a label."""

    def __init__(self, registry: CollectorRegistry, stage: str, metrics: Iterable[Metric]) -> None:
        """Register the metrics."""
        self._stage = stage
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        for metric in metrics:
            labels = ("stage", *metric.labels)
            if metric.kind == "counter":
                self._counters[metric.name] = Counter(
                    metric.name, metric.meaning, labels, registry=registry
                )
            elif metric.kind == "gauge":
                self._gauges[metric.name] = Gauge(
                    metric.name, metric.meaning, labels, registry=registry
                )
            else:
                self._histograms[metric.name] = Histogram(
                    metric.name, metric.meaning, labels, buckets=metric.buckets, registry=registry
                )
            if not metric.labels:
                self._child(metric)

    def _child(self, metric: Metric) -> None:
        # A series that exists from the start can be alerted on before its first event.
        if metric.kind == "counter":
            self._counters[metric.name].labels(self._stage)
        elif metric.kind == "gauge":
            self._gauges[metric.name].labels(self._stage)
        else:
            self._histograms[metric.name].labels(self._stage)

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter."""
        self._counters[name].labels(stage=self._stage, **labels).inc(amount)

    def count_all(self, name: str, label: str, amounts: Mapping[str, float]) -> None:
        """Add to a counter, for each value of its one label."""
        for value, amount in amounts.items():
            self.count(name, amount, **{label: value})

    def set(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        self._gauges[name].labels(stage=self._stage, **labels).set(value)

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Add an observation to a histogram."""
        self._histograms[name].labels(stage=self._stage, **labels).observe(value)


_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

RUNTIME_METRICS = (
    Metric(
        "trackrecord_messages_total",
        "counter",
        "Messages whose effects are committed, dead letters among them, by topic.",
        "None for minutes while lag grows: the stage is stuck; read its log and /readyz.",
        ("topic",),
    ),
    Metric(
        "trackrecord_batches_total",
        "counter",
        "Transactions committed.",
        "Compare with messages: many small batches mean light load, which is fine.",
    ),
    Metric(
        "trackrecord_batch_seconds",
        "histogram",
        "From the end of a poll to its commit.",
        "Near the poll interval: lower TRACKRECORD_BATCH_SIZE or look for locks in the database.",
        buckets=_SECONDS,
    ),
    Metric(
        "trackrecord_dead_letters_total",
        "counter",
        "Messages refused, by topic and class of error.",
        "`trackrecord dlq list` says which and why; mend the publisher, then `dlq replay`.",
        ("topic", "error_class"),
    ),
    Metric(
        "trackrecord_retries_total",
        "counter",
        "Batches rolled back and read again after a passing error.",
        "A steady rate: broker or database are unwell, or transactions deadlock.",
    ),
    Metric(
        "trackrecord_fenced_total",
        "counter",
        "Times that this process found its partitions owned by another and left.",
        "More than a few an hour: polls take too long, or the process is starved or paused.",
    ),
    Metric(
        "trackrecord_rebalances_total",
        "counter",
        "Assignments taken.",
        "Many: consumers come and go; look for restarts.",
    ),
    Metric(
        "trackrecord_ready",
        "gauge",
        "1 while the process reads its partitions and reaches its database, else 0.",
        "0 for minutes: /readyz says why; the broker or the database is away or refuses.",
    ),
    Metric(
        "trackrecord_halted",
        "gauge",
        "1 once the process has halted on purpose, until it ends, else 0.",
        "1: it stays so for TRACKRECORD_HALT_LINGER_SECONDS; its last log line says why.",
    ),
    Metric(
        "trackrecord_assigned_partitions",
        "gauge",
        "Partitions that this process reads.",
        "0 on every process of a stage: nobody works; see /readyz.",
    ),
    Metric(
        "trackrecord_lag_messages",
        "gauge",
        "Messages on the broker that are not committed yet, over this process's partitions.",
        "Growing: add consumers (docker compose up --scale) or look for slow batches.",
    ),
    Metric(
        "trackrecord_last_commit_timestamp_seconds",
        "gauge",
        "When the last transaction was committed, in seconds since 1970; 0 before the first.",
        "Old while there is lag: the stage is stuck.",
    ),
    Metric(
        "trackrecord_outbox_pending_messages",
        "gauge",
        "Outgoing events that the broker has not acknowledged.",
        "Growing: the broker is away or slow; reading pauses at TRACKRECORD_OUTBOX_BACKLOG.",
    ),
)
"""What every stage of the data plane exports."""
