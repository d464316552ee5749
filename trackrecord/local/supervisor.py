"""The supervisor: one process per stack that starts everything and looks after it.

Started by `trackrecord.local.stack.up` as ``python -m trackrecord.local.supervisor``, with
its orders as JSON on stdin. It detaches itself, holds the home's lock for as long as it
lives, writes ``state.json`` and obeys SIGTERM and what is put into ``control/``. What it
started ends with it, even if it is killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from trackrecord.local import child
from trackrecord.local.errors import LocalStackError, StackFailed
from trackrecord.local.kafka import Kafka, KafkaCheck
from trackrecord.local.layout import Home, cannot_keep, choose_ports, read_json
from trackrecord.local.managed import Managed, stage_ready
from trackrecord.local.mock_broker import MockBroker
from trackrecord.local.parts import ensure_parts
from trackrecord.local.postgres import Postgres
from trackrecord.local.postgres_binaries import find_postgres, unprivileged_user
from trackrecord.local.prepare import run_side_by_side
from trackrecord.local.state import (
    DOWN,
    FAILED,
    HALTED,
    KAFKA,
    MOCK,
    POSTGRES,
    READY,
    SERVER_GRACE_S,
    STAGE_GRACE_S,
    STARTING,
    STOPPING,
    UNREADY,
    Orders,
    StackState,
    StageSpec,
    end_leftovers,
    label,
    last_state,
    write_state,
)

_TICK_S = 0.05


# A server's name, the server, and how to tell that it is healthy.
_Step = tuple[str, Postgres | Kafka | MockBroker, Callable[[], bool]]


class _Asked(Exception):  # noqa: N818 - no error: somebody asked the stack to stop
    """Leave whatever is being waited for, and stop."""


class Supervisor:
    """Brings a stack up, keeps it up, takes it down."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._home = Home.at(orders.home)
        self._managed: list[Managed] = []
        self._stop = False
        pid = os.getpid()
        self._state = StackState(
            home=str(self._home.path),
            phase=STARTING,
            supervisor_pid=pid,
            supervisor_created=child.created_at(pid) or 0.0,
            broker=orders.broker,
            restart=orders.restart,
            topic_prefix=orders.topic_prefix,
        )
        self._environment: dict[str, str] = {}
        self._written: StackState | None = None
        self._leftovers = last_state(self._home)

    def announce(self) -> None:
        """Take orders from now on, and let others see that the home has a supervisor."""
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)
        write_state(self._home, self._state)

    def run(self) -> None:
        """Do everything, from start to stop."""
        try:
            if self._leftovers is not None and end_leftovers(self._leftovers):
                self._say("ended what an earlier supervisor had left running")
            for request in self._home.control.iterdir():
                request.unlink()
            self._bring_up()
            while True:
                self._tick()
        except _Asked:
            self._take_down(error=None)
        except LocalStackError as error:
            self._take_down(error=str(error))
        except OSError as error:
            self._take_down(error=_words_of(error))
            raise
        except Exception as error:
            self._take_down(error=f"the supervisor failed: {type(error).__name__}: {error}")
            raise

    def _on_signal(self, _number: int, _frame: object) -> None:
        self._stop = True

    # -- up ------------------------------------------------------------------

    def _bring_up(self) -> None:
        began = time.monotonic()
        names = [POSTGRES, KAFKA, "kafka_controller"]
        workers = [
            (stage, number) for stage in self._orders.stages for number in range(stage.workers)
        ]
        names += [label(stage.name, number) for stage, number in workers]
        ports = choose_ports(self._home, names, self._orders.ports)
        postgres, broker = self._start_servers(ports)
        servers = broker.bootstrap_servers
        self._state = replace(self._state, kafka=servers, database_url=postgres.url)
        self._say(f"{self._broker_name} and Postgres are up ({time.monotonic() - began:.1f} s)")
        environment = {
            "DATABASE_URL": postgres.url,
            "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS": servers,
            "TRACKRECORD_HOME": str(self._home.path),
        }
        if self._orders.topic_prefix:
            environment["TRACKRECORD_TOPIC_PREFIX"] = self._orders.topic_prefix
        self._environment = environment
        run_side_by_side(
            self._orders.prepare,
            self._home,
            environment,
            timeout=self._orders.timeout,
            say=self._say,
            tick=self._tick,
        )
        for stage, number in workers:
            self._manage_stage(stage, number, ports[label(stage.name, number)])
        self._await_stages()

    @property
    def _broker_name(self) -> str:
        return "the mock broker" if self._orders.broker == MOCK else "Kafka"

    def _broker(self, ports: dict[str, int]) -> tuple[Kafka | MockBroker, Callable[[], bool]]:
        if self._orders.broker == MOCK:
            mock = MockBroker(self._home)
            return mock, mock.healthy
        parts = ensure_parts(self._say)
        kafka = Kafka(self._home, parts, ports[KAFKA], ports["kafka_controller"])
        return kafka, KafkaCheck(kafka.bootstrap_servers).healthy

    def _start_servers(self, ports: dict[str, int]) -> tuple[Postgres, Kafka | MockBroker]:
        """Start both, each as soon as its files are there, and wait until both answer."""
        user = unprivileged_user()
        postgres = Postgres(self._home, find_postgres(user), ports[POSTGRES], user)
        broker, broker_healthy = self._broker(ports)
        steps: list[_Step] = [
            (POSTGRES, postgres, postgres.healthy),
            (KAFKA, broker, broker_healthy),
        ]
        self._say(f"starting {self._broker_name} and Postgres")
        with ThreadPoolExecutor(len(steps)) as pool:
            # Files are made in threads, processes are started in this one (see `child.start`).
            configured = [(step, pool.submit(step[1].configure)) for step in steps]
            for (name, server, check), future in _as_done(configured, self._tick):
                future.result()
                managed = Managed(
                    name,
                    0,
                    server.program(),
                    check,
                    # A mock that is started again is another one: empty, at another address.
                    restart=self._orders.restart and not isinstance(server, MockBroker),
                    grace=SERVER_GRACE_S,
                )
                self._managed.append(managed)
                managed.start()
        self._managed.sort(key=lambda one: one.stage, reverse=True)  # Postgres first
        deadline = time.monotonic() + self._orders.timeout
        while not all(one.state.healthy for one in self._managed):
            self._tick()
            for one in self._managed:
                self._fail_if_dead_or_late(one, deadline)
        postgres.create_database()
        return postgres, broker

    def _fail_if_dead_or_late(self, one: Managed, deadline: float) -> None:
        dead = one.state.state == DOWN
        if dead or (time.monotonic() > deadline and not one.state.healthy):
            happened = (
                f"ended with exit code {one.state.exit_code}"
                if dead
                else f"did not answer within {self._orders.timeout:.0f} s"
            )
            log = one.program.log
            raise StackFailed(f"{one.stage} {happened}; the end of {log}:\n{child.tail(log)}")

    def _manage_stage(self, stage: StageSpec, number: int, port: int) -> None:
        program = child.Program(
            name=label(stage.name, number),
            argv=tuple(stage.argv),
            log=self._home.logs / f"{label(stage.name, number)}.log",
            env={
                **self._environment,
                **stage.env,
                "TRACKRECORD_STAGE": stage.name,
                "TRACKRECORD_INSTANCE": str(number),
                stage.port_variable: str(port),
            },
        )
        managed = Managed(
            stage.name,
            number,
            program,
            partial(stage_ready, port),
            restart=self._state.restart,
            grace=STAGE_GRACE_S,
            metrics_port=port,
        )
        self._managed.append(managed)
        managed.start()

    def _await_stages(self) -> None:
        """Wait until all are ready; if that takes too long, say so and carry on."""
        stages = [one for one in self._managed if one.stage not in {KAFKA, POSTGRES}]
        deadline = time.monotonic() + self._orders.timeout
        while missing := [one for one in stages if not one.state.healthy]:
            self._tick()
            hopeless = [one for one in missing if one.state.state in {HALTED, DOWN}]
            if hopeless or time.monotonic() > deadline:
                self._state = replace(
                    self._state, phase=UNREADY, error=_not_ready(hopeless or missing)
                )
                self._publish()
                return
        self._state = replace(self._state, phase=READY)
        self._say("everything is up")

    # -- while up ------------------------------------------------------------

    def _tick(self) -> None:
        """Look after everything once, and rest a little.

        Raises:
            _Asked: The stack is to stop.
        """
        owner = self._orders.owner
        if self._stop or (owner is not None and not child.is_alive(*owner)):
            raise _Asked
        for one in self._managed:
            one.tick()
        self._managed = [one for one in self._managed if not one.gone]
        self._obey()
        self._publish()
        time.sleep(_TICK_S)

    def _obey(self) -> None:
        for request in sorted(self._home.control.glob("*.json")):
            order = read_json(request) or {}
            request.unlink()
            try:
                self._do(order)
            except (KeyError, TypeError) as error:
                self._say(f"an order is none: {type(error).__name__}: {error}")

    def _do(self, order: dict[str, Any]) -> None:
        """Obey one order."""
        do = order.get("do")
        if do == "workers":
            self._set_workers(StageSpec(**order["spec"]))
        elif do == "restart what dies":
            self._restart_what_dies(wanted=bool(order["wanted"]))
        for one in self._managed:
            if (one.stage, one.instance) == (order.get("stage"), order.get("instance")):
                if do == "restart":
                    one.request_restart()
                elif do == "stop":
                    one.request_stop()
                elif do == "start":
                    one.request_start()

    def _set_workers(self, spec: StageSpec) -> None:
        """Start processes of a stage, or end those with the highest numbers."""
        now = [one for one in self._managed if one.stage == spec.name]
        self._say(f"{spec.name}: from {len(now)} to {spec.workers} process(es)")
        for one in now[spec.workers :]:
            one.retire()
        for number in range(len(now), spec.workers):
            name = label(spec.name, number)
            self._manage_stage(spec, number, choose_ports(self._home, [name], {})[name])
        places = {one.stage: place for place, one in reversed(list(enumerate(self._managed)))}
        self._managed.sort(key=lambda one: (places[one.stage], one.instance))

    def _restart_what_dies(self, *, wanted: bool) -> None:
        self._state = replace(self._state, restart=wanted)
        for one in self._managed:
            if one.stage != KAFKA or self._orders.broker != MOCK:
                one.restart = wanted

    def _publish(self) -> None:
        processes = tuple(one.state for one in self._managed)
        self._state = replace(self._state, processes=processes)
        if self._state.phase == UNREADY and all(one.healthy for one in processes):
            self._state = replace(self._state, phase=READY, error=None)
        if self._state != self._written:
            # A disk that is full for a while must not end what runs: it is tried again.
            with contextlib.suppress(OSError):
                write_state(self._home, self._state)
                self._written = self._state

    def _say(self, line: str) -> None:
        self._state = replace(self._state, progress=(*self._state.progress, line))
        with contextlib.suppress(OSError):
            sys.stderr.write(f"{datetime.now(UTC).isoformat(timespec='milliseconds')} {line}\n")
            sys.stderr.flush()
        self._publish()

    # -- down ----------------------------------------------------------------

    def _take_down(self, error: str | None) -> None:
        """Stop the stages, then Kafka, then Postgres."""
        self._state = replace(self._state, phase=STOPPING)
        self._say(f"stopping: {error or 'asked to'}")
        for group in (None, KAFKA, POSTGRES):
            # None stands for all stages, which stop side by side.
            ending = [
                one
                for one in self._managed
                if (one.stage == group if group else one.stage not in {KAFKA, POSTGRES})
            ]
            for one in ending:
                one.request_stop()
            while any(one.running for one in ending):
                for one in self._managed:
                    if one in ending:
                        one.tick()
                time.sleep(_TICK_S)
            for one in ending:
                one.tick()
        if error is None:
            self._home.state.unlink(missing_ok=True)
        else:
            self._state = replace(self._state, phase=FAILED, error=error)
            self._publish()


def _as_done(
    pending: list[tuple[_Step, Future[None]]], meanwhile: Callable[[], None]
) -> Iterator[tuple[_Step, Future[None]]]:
    while pending:
        for item in [item for item in pending if item[1].done()]:
            pending.remove(item)
            yield item
        meanwhile()


def _words_of(error: OSError) -> str:
    """What the system refused, and for which file."""
    return f"{error.strerror or error}" + (f": {error.filename}" if error.filename else "")


def _not_ready(missing: list[Managed]) -> str:
    lines = [
        f"{one.program.name} is {one.state.state}; the end of {one.program.log}:\n"
        f"{child.tail(one.program.log, 5)}"
        for one in missing
    ]
    return "not every stage is ready:\n" + "\n".join(lines)


def _hold_lock(home: Home) -> TextIO | None:
    """Take the lock, or find that another supervisor has announced itself.

    Raises:
        StackFailed: Somebody holds it and does not say what runs.
    """
    file = home.lock.open("a")
    deadline = time.monotonic() + STAGE_GRACE_S + 2 * SERVER_GRACE_S + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        # Whoever holds it is about to announce itself, or about to end.
        state = last_state(home)
        if state is not None and state.supervised and not state.ending:
            file.close()
            return None
        time.sleep(_TICK_S)
    raise StackFailed(
        f"a process holds {home.lock} but no stack is known to run in {home.path}; find it with "
        f"`fuser {home.lock}` and end it (SIGTERM), or use another --home"
    )


def main() -> int:
    """Supervise, detached from the caller, unless somebody else already does.

    Stdout and stderr close once this or another supervisor has announced itself.

    Returns:
        The exit code: 0, or 1 with the reason on stderr.
    """
    orders = Orders.from_json(sys.stdin.read())
    home = Home.at(orders.home)
    try:
        home.make()
        lock = _hold_lock(home)
    except StackFailed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{cannot_keep(home.path, error)}\n")
        return 1
    # The lock goes with the open file, so the child holds it when the parent has ended.
    if lock is None or os.fork() != 0:
        return 0
    os.setsid()
    log = home.logs / "supervisor.log"
    try:
        child.rotate(log)
        supervisor = Supervisor(orders)
        supervisor.announce()
    except OSError as error:
        sys.stderr.write(f"{cannot_keep(home.path, error)}\n")
        return 1
    with log.open("ab") as file, Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        supervisor.run()
    except Exception:  # noqa: BLE001 - the log is all there is to tell it to
        traceback.print_exc()
    # Held until here; a kill releases it as well.
    lock.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
