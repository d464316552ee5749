"""One stage as a process: from its settings to its exit code."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

from trackrecord.runtime import clock
from trackrecord.runtime.errors import EXIT_COULD_NOT, EXIT_HALTED, FatalError, HaltedError
from trackrecord.runtime.logs import get_logger
from trackrecord.runtime.loop.consumer import Consumer
from trackrecord.runtime.metrics import RUNTIME_METRICS
from trackrecord.runtime.process.memory_and_threads import collect_rarely, take_turns
from trackrecord.runtime.process.startup import start
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.stage import Context, Stage

_log = get_logger(__name__)


def on_signals(stop: Callable[[str], None]) -> None:
    """Call ``stop`` with the name of the signal when the process is asked to end.

    It must not log: the signal may come while the main thread writes a line, and holds the lock
    that a second line would wait for, for ever.
    """

    def handle(number: int, _frame: FrameType | None) -> None:
        stop(signal.Signals(number).name)

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)


def run(stage: Stage, settings: Settings) -> int:
    """Run a stage in the foreground until SIGTERM or SIGINT.

    Returns:
        The exit code: 0 stopped in good order, 2 could not go on, 3 halted
        (a restart would only halt again).
    """
    started = start(stage.name, RUNTIME_METRICS, settings)
    if started is None:
        return EXIT_COULD_NOT
    registry, metrics, health, port = started
    handler = stage.handler(Context(settings, registry))
    consumer = Consumer(stage, handler, settings, metrics, health)

    told_to_stop = threading.Event()

    def stop(name: str) -> None:
        consumer.stop(name)
        told_to_stop.set()

    on_signals(stop)
    collect_rarely()
    take_turns(handler.turn_seconds)
    _log.info("started", metrics_port=port, broker=settings.kafka_bootstrap_servers)
    try:
        consumer.run()
    except HaltedError as error:
        _log.error("halted", reason=str(error))
        health.ready, health.reason = False, f"halted: {error}"
        metrics.set("trackrecord_halted", 1)
        # A process that ends at once is gone before anybody has read that.
        until = clock.monotonic() + settings.halt_linger_seconds
        while clock.monotonic() < until and not told_to_stop.is_set():
            time.sleep(0.1)
        return EXIT_HALTED
    except FatalError as error:
        _log.error("cannot go on", reason=str(error))
        return EXIT_COULD_NOT
    return 0
