"""One port per process: /metrics, /healthz, /readyz and /status."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from trackrecord.clock import SYSTEM_CLOCK, Clock
from trackrecord.redaction import hide_secrets
from trackrecord.runtime.metrics import (
    DEAD_LETTERS,
    FENCED,
    LAST_COMMIT_TIMESTAMP_SECONDS,
    RETRIES,
    Metric,
)
from trackrecord.runtime.page_server import Answer, Page, PageServer

_ALIVE_SECONDS = 60.0


@dataclass
class Health:
    """What a process knows of itself; the loop writes it, the server reads it.

    Attributes:
        stage: The stage's name.
        ready: Whether it reads its partitions and reaches its database.
        reason: Why it is not ready.
        last_turn: When the loop last came round, by the monotonic clock.
        status: What /status shows besides.
        clock: What tells the time.
    """

    stage: str
    ready: bool = False
    reason: str = "starting"
    last_turn: float = field(init=False)
    status: dict[str, Any] = field(default_factory=dict)
    clock: Clock = SYSTEM_CLOCK

    def __post_init__(self) -> None:
        """Begin as if the loop had just come round."""
        self.turned()

    def turned(self) -> None:
        """Note that the loop has come round."""
        self.last_turn = self.clock.monotonic()

    @property
    def alive(self) -> bool:
        """Whether the loop still turns."""
        return self.clock.monotonic() - self.last_turn < _ALIVE_SECONDS

    @property
    def why_not(self) -> str | None:
        """Why it is not ready, fit to be shown; None if it is."""
        if not self.alive:
            return "its loop does not come round"
        return None if self.ready else hide_secrets(self.reason)

    def report(self, registry: CollectorRegistry) -> dict[str, Any]:
        """What /status answers.

        Args:
            registry: Of the process: what its metrics count is told here, too, for
                people and programs that scrape nothing.
        """
        return {
            "stage": self.stage,
            "healthy": self.alive,
            "ready": self.ready and self.alive,
            "reason": self.why_not,
            **self._counted(registry),
            **self.status,
        }

    def _counted(self, registry: CollectorRegistry) -> dict[str, Any]:
        """Since the process started: seconds since the last commit, retries, fences, refusals."""

        def value(metric: Metric) -> float:
            return registry.get_sample_value(metric.name, {"stage": self.stage}) or 0

        committed = value(LAST_COMMIT_TIMESTAMP_SECONDS)
        refused: dict[str, int] = {}
        for family in registry.restricted_registry([DEAD_LETTERS.name]).collect():
            for sample in family.samples:
                if sample.name == DEAD_LETTERS.name:
                    name = sample.labels["error_class"]
                    refused[name] = refused.get(name, 0) + int(sample.value)
        age = max(self.clock.now().timestamp() - committed, 0)
        return {
            "last_commit_age": round(age, 1) if committed else None,
            "retries": int(value(RETRIES)),
            "fenced": int(value(FENCED)),
            "dead_letters": refused,
        }


def serve(host: str, port: int, health: Health, registry: CollectorRegistry) -> int:
    """Serve in a thread of its own until the process ends.

    Returns:
        The port.

    Raises:
        OSError: The port is taken.
    """

    def metrics() -> Answer:
        return 200, CONTENT_TYPE_LATEST, generate_latest(registry)

    def healthz() -> Answer:
        return (200 if health.alive else 503), "application/json", _body(alive=health.alive)

    def readyz() -> Answer:
        ready = health.ready and health.alive
        return (
            (200 if ready else 503),
            "application/json",
            _body(ready=ready, reason=None if ready else health.why_not),
        )

    def status() -> Answer:
        return 200, "application/json", _body(**health.report(registry))

    pages: Mapping[str, Page] = {
        "/metrics": metrics,
        "/healthz": healthz,
        "/readyz": readyz,
        "/status": status,
    }

    server = PageServer(host, port, pages)
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return int(server.server_address[1])


def _body(**fields: object) -> bytes:
    return json.dumps(fields, default=str).encode() + b"\n"
