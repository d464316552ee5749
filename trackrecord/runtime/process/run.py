"""One stage as a process: from its settings to its exit code."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType

from trackrecord.clock import SYSTEM_CLOCK, Clock
from trackrecord.runtime.database import connect
from trackrecord.runtime.decoding.batch import Reader
from trackrecord.runtime.errors import EXIT_COULD_NOT, EXIT_HALTED, FatalError, HaltedError
from trackrecord.runtime.health import Health
from trackrecord.runtime.kafka import client_config
from trackrecord.runtime.logs import get_logger
from trackrecord.runtime.loop.consumer import Consumer
from trackrecord.runtime.loop.live_commit import LiveCommits
from trackrecord.runtime.loop.membership import Membership
from trackrecord.runtime.loop.prefetch import Prefetch
from trackrecord.runtime.loop.session import Session
from trackrecord.runtime.loop.topic_identity import Identity
from trackrecord.runtime.loop.transaction import Transactions
from trackrecord.runtime.loop.turn import BetweenBatches
from trackrecord.runtime.loop.unread_messages import Unread
from trackrecord.runtime.metrics import HALTED, RUNTIME_METRICS, Metrics
from trackrecord.runtime.outbox import Outbox
from trackrecord.runtime.process.memory_and_threads import collect_rarely, take_turns
from trackrecord.runtime.process.startup import start
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.stage import Context, Handler, Stage

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


def assemble(
    stage: Stage,
    handler: Handler,
    settings: Settings,
    metrics: Metrics,
    health: Health,
    clock: Clock = SYSTEM_CLOCK,
    *,
    membership: type[Membership] = Membership,
    outbox: Outbox | None = None,
) -> Consumer:
    """Put a consumer together: the one place that knows who works with whom.

    Args:
        stage: What it does.
        handler: The stage's.
        settings: Of the process.
        metrics: The runtime's, of the process.
        health: What the process says of itself.
        clock: What tells all of them the time.
        membership: The class of its membership of the group.
        outbox: What publishes; left out: one of its own.

    Returns:
        A consumer that has reached nothing yet.
    """
    reader = Reader(stage.consumes, settings.topic_prefix, handler.prepare)
    turn = BetweenBatches()
    member = membership(stage.name, reader.topics, settings, Identity(settings), turn, clock)
    if outbox is None:
        outbox = Outbox(stage.name, client_config(settings, stage.name), clock)
    session = Session(
        lambda: connect(
            settings, application=f"trackrecord {stage.name}", batches=handler.temporary
        )
    )
    commits = LiveCommits(
        settings, member, outbox, Unread(stage.name, settings, clock), metrics, clock
    )
    return Consumer(
        settings=settings,
        handler=handler,
        member=member,
        prefetch=Prefetch(reader, member, turn, settings),
        transactions=Transactions(stage.name, handler, reader, session, commits.begin, clock),
        session=session,
        outbox=outbox,
        metrics=metrics,
        health=health,
        clock=clock,
    )


def run(stage: Stage, settings: Settings, clock: Clock = SYSTEM_CLOCK) -> int:
    """Run a stage in the foreground until SIGTERM or SIGINT.

    Args:
        stage: Which.
        settings: Of the process.
        clock: What tells it the time.

    Returns:
        The exit code: 0 stopped in good order, 2 could not go on, 3 halted
        (a restart would only halt again).
    """
    started = start(stage.name, RUNTIME_METRICS, settings, clock)
    if started is None:
        return EXIT_COULD_NOT
    registry, metrics, health, port = started
    handler = stage.handler(Context(settings, registry, clock))
    consumer = assemble(stage, handler, settings, metrics, health, clock)

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
        metrics.set(HALTED, 1)
        # A process that ends at once is gone before anybody has read that.
        until = clock.monotonic() + settings.halt_linger_seconds
        while clock.monotonic() < until and not told_to_stop.is_set():
            health.turned()
            clock.sleep(0.1)
        return EXIT_HALTED
    except FatalError as error:
        _log.error("cannot go on", reason=str(error))
        return EXIT_COULD_NOT
    return 0
