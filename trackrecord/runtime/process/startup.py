"""What every stage does first, whichever plane it is of."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import NamedTuple

from prometheus_client import CollectorRegistry

from trackrecord.clock import Clock
from trackrecord.runtime import health as health_server
from trackrecord.runtime import logs
from trackrecord.runtime.health import Health
from trackrecord.runtime.logs import get_logger
from trackrecord.runtime.metrics import Metric, Metrics
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.settings.misspelt import unknown_variables

_log = get_logger(__name__)


class Started(NamedTuple):
    """What a stage says of itself, and where."""

    registry: CollectorRegistry
    metrics: Metrics
    health: Health
    port: int


def start(name: str, metrics: Iterable[Metric], settings: Settings, clock: Clock) -> Started | None:
    """Set up logs, metrics and health of a stage's process.

    Args:
        name: The stage.
        metrics: Those that the runtime keeps for it.
        settings: Of the process.
        clock: What tells it the time.

    Returns:
        None where the port is taken, which was said on standard error.
    """
    logs.configure(name, level=settings.log_level, style=settings.log_format)
    registry = CollectorRegistry()
    kept = Metrics(registry, name, metrics)
    health = Health(name, clock=clock)
    try:
        port = health_server.serve(settings.metrics_host, settings.metrics_port, health, registry)
    except OSError as error:
        sys.stderr.write(
            f"cannot listen on {settings.metrics_host}:{settings.metrics_port}: {error.strerror}; "
            "choose another with TRACKRECORD_METRICS_PORT\n"
        )
        return None
    for unknown in unknown_variables(os.environ):
        _log.warning("unknown setting", variable=unknown.variable, nearest=unknown.nearest)
    return Started(registry, kept, health, port)
