"""What can go wrong with a process, its session, or its connections."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

import psycopg2

from tests.support.proxy import COMMIT, PRODUCE, Proxy
from tests.torture.forget import forget
from tests.torture.plan import FAILPOINTS, RUNNER, SCORER, SESSION_MS, Order
from tests.torture.scene import Record, Scene
from trackrecord.runtime import database
from trackrecord.runtime.errors import PassingError

Fault = Callable[[Scene, Order, Record], None]

_MOST_MEMBERS = 4
_HOUR = 3600
_FENCED = "fenced: leaving the group and joining again"
_ENDED_PREDECESSOR = "ended the session of a frozen predecessor"
_NOBODY = "nobody of the stage was there"
_LOCKS = (
    "LOCK TABLE signals IN EXCLUSIVE MODE",
    "SELECT FROM consumer_offsets FOR UPDATE",
    "SELECT FROM strategy_days FOR UPDATE",
    "LOCK TABLE dead_letters, outbox IN EXCLUSIVE MODE",
)
_LOCKS_OF_SCORERS = (
    "LOCK TABLE outcomes IN EXCLUSIVE MODE",
    "SELECT FROM watched_symbols FOR UPDATE",
    "LOCK TABLE sessions, closings IN EXCLUSIVE MODE",
    *_LOCKS[3:],
)
_LOCKS_OF_RUNNERS = (
    "LOCK TABLE strategy_positions IN EXCLUSIVE MODE",
    "SELECT FROM strategy_symbols FOR UPDATE",
    "LOCK TABLE strategy_decisions, strategy_bars IN EXCLUSIVE MODE",
    *_LOCKS[3:],
)


def kill(scene: Scene, order: Order, record: Record) -> None:
    """SIGKILL, and a successor a moment later."""
    member = scene.crew.pick(order.stage, order.victim, aimed=order.aimed)
    if member is None:
        record.note = _NOBODY
        return
    # Stopped first, so that what the database says of it is still true when it dies.
    member.process.freeze()
    record.hit = scene.crew.is_in_transaction(member)
    member.process.kill()
    scene.later(order.replaced_after, lambda: _start(scene, order.stage))


def _start(scene: Scene, stage: str) -> None:
    scene.crew.start(stage)


def freeze(scene: Scene, order: Order, record: Record) -> None:
    """SIGSTOP for longer than a member may be silent, and SIGCONT."""
    member = scene.crew.pick(order.stage, order.victim, aimed=order.aimed)
    if member is None:
        record.note = _NOBODY
        return
    member.process.freeze()
    member.frozen = True
    record.hit = scene.crew.is_in_transaction(member)
    record.evidence.append(lambda: bool(member.process.lines(_FENCED)))
    scene.later(order.seconds, lambda: scene.crew.thaw(member))


def stop(scene: Scene, order: Order, record: Record) -> None:
    """SIGTERM, and a successor a moment later."""
    member = scene.crew.pick(order.stage, order.victim, aimed=order.aimed)
    if member is None:
        record.note = _NOBODY
        return
    record.hit = scene.crew.is_in_transaction(member)
    scene.crew.leave(member)
    scene.later(order.replaced_after, lambda: _start(scene, order.stage))


def join(scene: Scene, order: Order, record: Record) -> None:
    """One more member, or, where there are many, one less."""
    there = scene.crew.well(order.stage)
    if len(there) >= _MOST_MEMBERS:
        scene.crew.leave(there[0])
    member = scene.crew.start(order.stage)
    if member is not None:
        record.evidence.append(lambda: bool(member.process.lines("assigned")))


def shift_clock(scene: Scene, order: Order, record: Record) -> None:
    """A member whose clock is an hour off, one way or the other."""
    member = scene.crew.start(order.stage, shift=_HOUR if order.number % 2 else -_HOUR)
    if member is None:
        record.note = "nobody may join"
        return
    record.evidence.append(lambda: bool(member.process.lines("assigned")))


def fail_at_a_point(scene: Scene, order: Order, record: Record) -> None:
    """A member that ends, freezes or dawdles at a chosen point of its code."""
    name, _ = FAILPOINTS[order.kind]
    dawdles = name == "dawdle"
    number = 2 if dawdles else order.number
    more = {"TRACKRECORD_MAX_POLL_INTERVAL_MS": "1500"} if dawdles else {}
    member = scene.crew.start(order.stage, name, number, more=more)
    if member is None:
        record.note = "nobody may join"
        return
    scene.watch(member, order)
    killed = -signal.SIGKILL
    record.evidence += [
        lambda: member.process.exit_code == killed,
        lambda: member.thaws or member.froze_itself,
        lambda: dawdles and len(member.process.lines("assigned")) > 1,
    ]


def forget_offsets(scene: Scene, order: Order, record: Record) -> None:
    """Stop a whole stage, delete its consumer group, and start it again."""
    crew, stage = scene.crew, order.stage
    if stage in crew.shut:
        record.note = "the stage was stopped already"
        return
    well = crew.well(stage)
    crew.shut[stage] = len(well)
    for member in well:
        if member.is_whole:
            crew.leave(member)
        else:
            member.process.kill()
    settings = scene.pipeline.settings

    def delete(tries: int = 5) -> None:
        record.hit = forget(settings.kafka_bootstrap_servers, settings.topic(stage))
        if not record.hit:
            # Whoever was frozen or killed counts as a member for a while; a broker may be away.
            if tries:
                scene.later(SESSION_MS / 3000, lambda: delete(tries - 1))
                return
            record.note = "the group was never empty, or the broker away"
        crew.open(stage)

    scene.later(0.2, delete)


def end_session(scene: Scene, order: Order, record: Record) -> None:
    """End the database session of a member."""
    member = scene.crew.pick(order.stage, order.victim, aimed=order.aimed)
    ended = scene.crew.ask(
        "SELECT xact_start IS NOT NULL, pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid = ANY(%s)",
        (list(scene.crew.sessions(member)) if member else [],),
    )
    record.hit = any(inside for inside, _ in ended)
    record.note = "" if ended else "there was no session"


def freeze_session(scene: Scene, order: Order, record: Record) -> None:
    """SIGSTOP the backend that serves a member, and SIGCONT."""
    if scene.place.home is None:
        record.note = "the database is not ours to freeze"
        return
    member = scene.crew.pick(order.stage, order.victim, aimed=order.aimed)
    sessions = scene.crew.sessions(member) if member else {}
    if not sessions:
        record.note = "there was no session"
        return

    def go_on() -> None:
        for pid in sessions:
            _signal(pid, signal.SIGCONT)

    for pid in sessions:
        _signal(pid, signal.SIGSTOP)
    # By a thread of its own: it may hold a lock that every other session needs, ours too.
    timer = threading.Timer(order.seconds, go_on)
    timer.start()
    scene.mended.append(timer.join)
    now = scene.crew.ask(
        "SELECT xact_start IS NOT NULL FROM pg_stat_activity WHERE pid = ANY(%s)",
        (list(sessions),),
    )
    record.hit = any(inside for (inside,) in now)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def hold_lock(scene: Scene, order: Order, record: Record) -> None:
    """Lock what the stages need, in a session of somebody else's."""
    locks = {SCORER: _LOCKS_OF_SCORERS, RUNNER: _LOCKS_OF_RUNNERS}.get(order.stage, _LOCKS)
    statement = locks[order.number % len(locks)]
    try:
        connection = database.connect(scene.pipeline.settings, application="torture")
    except PassingError as error:
        record.note = str(error)
        return
    with connection.cursor() as cursor:
        try:
            cursor.execute("SET lock_timeout = '400ms'")
            cursor.execute(statement)
        except psycopg2.Error as error:
            connection.close()
            record.note = str(error).splitlines()[0]
            return
    pid = connection.info.backend_pid

    def look() -> None:
        waiting = scene.crew.ask(
            "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))", (pid,)
        )
        record.hit = record.hit or bool(waiting and waiting[0][0])

    def release() -> None:
        look()
        connection.close()

    scene.later(order.seconds / 2, look)
    scene.later(order.seconds, release)


# -- connections --------------------------------------------------------------------------------


def _lost(proxy: Proxy, kind: int, record: Record, scene: Scene) -> None:
    before = proxy.lost
    proxy.lose(1, kind)
    record.evidence.append(lambda: proxy.lost > before)
    scene.mended.append(lambda: proxy.lose(0))


def _held(proxy: Proxy, record: Record, scene: Scene, seconds: float) -> None:
    before = proxy.held
    proxy.hold(seconds)
    record.evidence.append(lambda: proxy.held > before)
    scene.mended.append(lambda: proxy.hold(0))


def lose_commit_reply(scene: Scene, _order: Order, record: Record) -> None:
    """Let a commit through, and break the connection instead of bringing the reply."""
    _lost(scene.crew.proxies["postgres"], COMMIT, record, scene)


def cut_database(scene: Scene, _order: Order, record: Record) -> None:
    """Reset every connection of the stages to the database."""
    record.hit = scene.crew.proxies["postgres"].cut() > 0


def sever_database(scene: Scene, _order: Order, record: Record) -> None:
    """Break every connection to the database without the database noticing, ever."""
    record.hit = scene.crew.proxies["postgres"].sever() > 0


def hold_database(scene: Scene, order: Order, record: Record) -> None:
    """Keep the database's replies back."""
    _held(scene.crew.proxies["postgres"], record, scene, order.seconds)


def lose_acknowledgement(scene: Scene, _order: Order, record: Record) -> None:
    """Let messages through, and break the connection instead of acknowledging them."""
    _lost(scene.crew.proxies["kafka"], PRODUCE, record, scene)


def cut_broker(scene: Scene, _order: Order, record: Record) -> None:
    """Reset every connection of the stages to the broker."""
    record.hit = scene.crew.proxies["kafka"].cut() > 0


def hold_broker(scene: Scene, order: Order, record: Record) -> None:
    """Keep the broker's replies back."""
    _held(scene.crew.proxies["kafka"], record, scene, order.seconds)


def kill_unacknowledged(scene: Scene, order: Order, record: Record) -> None:
    """Cut a stage off from the broker, and kill it while it waits for acknowledgements."""
    proxy = scene.crew.proxies["kafka"]
    proxy.mute(is_muted=True)
    scene.mended.append(lambda: proxy.mute(is_muted=False))

    def strike() -> None:
        member = scene.crew.pick(order.stage, order.victim)
        waiting = scene.crew.ask("SELECT count(*) FROM outbox WHERE stage = %s", (order.stage,))
        if member is None:
            record.note = _NOBODY
        else:
            member.process.kill()
            record.hit = bool(waiting and waiting[0][0])
            scene.later(order.replaced_after, lambda: _start(scene, order.stage))
        proxy.mute(is_muted=False)

    scene.later(min(order.seconds, 0.5), strike)


def poison(_scene: Scene, _order: Order, record: Record) -> None:
    """Bad messages: the publisher sends them at this moment, and the check looks for each."""
    record.hit = True


FAULTS: dict[str, Fault] = {
    "kill": kill,
    "freeze": freeze,
    "stop": stop,
    "join": join,
    "shift_clock": shift_clock,
    "forget_offsets": forget_offsets,
    "end_session": end_session,
    "freeze_session": freeze_session,
    "hold_lock": hold_lock,
    "lose_commit_reply": lose_commit_reply,
    "cut_database": cut_database,
    "sever_database": sever_database,
    "hold_database": hold_database,
    "lose_acknowledgement": lose_acknowledgement,
    "cut_broker": cut_broker,
    "hold_broker": hold_broker,
    "kill_unacknowledged": kill_unacknowledged,
    "poison": poison,
    **dict.fromkeys(FAILPOINTS, fail_at_a_point),
}
"""By kind; what happens to the servers themselves is in `servers`."""
