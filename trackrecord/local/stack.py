"""Bring a local stack up and down: Kafka, Postgres and the stages, as processes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trackrecord.local import child
from trackrecord.local.environment import for_the_stack
from trackrecord.local.errors import StackFailed
from trackrecord.local.layout import Home, write_private
from trackrecord.local.parts import ensure_parts
from trackrecord.local.postgres_binaries import find_postgres, unprivileged_user
from trackrecord.local.state import (
    DOWN,
    FAILED,
    HALTED,
    KAFKA,
    MOCK,
    READY,
    SERVER_GRACE_S,
    STAGE_GRACE_S,
    UNREADY,
    Orders,
    StackState,
    StageSpec,
    end_leftovers,
    last_state,
)

__all__ = ["Stack", "StackState", "StageSpec"]

_POLL_S = 0.05


class Stack:
    """What can be done with the stack in a folder, from any process."""

    @staticmethod
    def up(
        home: Path | str,
        stages: list[StageSpec],
        prepare: list[list[str]],
        *,
        restart: bool = True,
        kafka_port: int | None = None,
        postgres_port: int | None = None,
        topic_prefix: str = "",
        timeout: float = 60.0,
        end_with_caller: bool = False,
        broker: str = KAFKA,
        on_progress: Callable[[str], None] | None = None,
    ) -> StackState:
        """Start a stack, and return when all of it is healthy.

        A stack that already runs in this home is left as it is, and its state returned.

        Args:
            home: Folder for its data, logs and state; made if need be.
            stages: What to run besides Kafka and Postgres; may be empty.
            prepare: Commands to run side by side once Kafka and Postgres are up, and to their
                end before the stages start. They get the stages' environment.
            restart: Start again what dies, with exponential back-off.
            kafka_port: Kafka's port; a free one (kept for the next time) by default.
            postgres_port: Postgres's port; likewise.
            topic_prefix: Passed on to commands and stages.
            timeout: Seconds for Kafka and Postgres, for each command, and for the stages.
            end_with_caller: Stop the stack when this process ends, however it ends.
            broker: ``kafka``, or ``mock`` for librdkafka's mock broker: it needs no Java and
                no jars, keeps nothing, chooses its own port and cannot be restarted.
            on_progress: Called with one line per step.

        Returns:
            The state, healthy.

        Raises:
            PartsUnavailable: Java, Kafka's jars or PostgreSQL cannot be had.
            ValueError: There is no such broker.
            StackFailed: Something did not start. If it was a stage, the rest still runs
                (look at it, then call `down`); otherwise all was stopped again.
        """
        if broker not in {KAFKA, MOCK}:
            raise ValueError(f"broker must be {KAFKA!r} or {MOCK!r}, not {broker!r}")
        place = Home.at(home)
        place.make()
        say = on_progress or (lambda _line: None)
        # Here and not only in the supervisor: a download takes its time, reports its
        # progress, and fails as what it is.
        find_postgres(unprivileged_user())
        if broker == KAFKA:
            ensure_parts(say)
        pid = os.getpid()
        orders = Orders(
            home=str(place.path),
            stages=stages,
            prepare=prepare,
            restart=restart,
            ports={"kafka": kafka_port, "postgres": postgres_port},
            topic_prefix=topic_prefix,
            timeout=timeout,
            broker=broker,
            owner=(pid, child.created_at(pid) or 0.0) if end_with_caller else None,
        )
        running = Stack.read_state(place.path)
        if running is not None and not running.ending:
            # What was done before is nothing that happens now.
            return _await_up(place, say, said=len(running.progress))
        _spawn_supervisor(orders)
        try:
            return _await_up(place, say)
        except KeyboardInterrupt:
            Stack.down(place.path)
            raise

    @staticmethod
    def down(home: Path | str) -> bool:
        """Stop a stack: stages first, then Kafka, then Postgres.

        Also ends what a crashed supervisor may have left.

        Args:
            home: Its folder.

        Returns:
            True if anything was running.

        Raises:
            StackFailed: The supervisor did not end in time.
        """
        place = Home.at(home)
        state = last_state(place)
        if state is None:
            return False
        supervised = state.supervised
        if supervised:
            with contextlib.suppress(ProcessLookupError):
                os.kill(state.supervisor_pid, signal.SIGTERM)
            deadline = time.monotonic() + STAGE_GRACE_S + 2 * SERVER_GRACE_S + 10
            while state.supervised:
                if time.monotonic() > deadline:
                    raise StackFailed(
                        f"the supervisor (pid {state.supervisor_pid}) does not end; "
                        f"see {place.logs / 'supervisor.log'}, and kill it if need be: "
                        "what it started ends with it"
                    )
                time.sleep(_POLL_S)
            state = last_state(place) or state
        left = end_leftovers(state)
        place.state.unlink(missing_ok=True)
        return supervised or left

    @staticmethod
    def read_state(home: Path | str) -> StackState | None:
        """Tell what runs.

        Args:
            home: The stack's folder.

        Returns:
            Its state, or None if no stack runs there.
        """
        state = last_state(Home.at(home))
        return state if state is not None and state.supervised else None

    @staticmethod
    def restart(
        home: Path | str, stage: str, instance: int = 0, *, timeout: float = 60.0
    ) -> StackState:
        """Start one process again in its place: same data, same ports.

        If it runs, it is stopped in good order first.

        Args:
            home: The stack's folder.
            stage: A stage's name, or ``kafka`` or ``postgres``.
            instance: Its number, from 0.
            timeout: Seconds until it has to be healthy.

        Returns:
            The state, with that process healthy.

        Raises:
            StackFailed: No such stack or process, it did not get healthy in time, or it is
                the mock broker.
        """
        before = _request(home, "restart", stage, instance)

        def is_new(state: StackState) -> bool:
            now = state.process(stage, instance)
            return now.healthy and (now.pid, now.created) != before

        return _await(home, is_new, f"{stage} did not get healthy", timeout)

    @staticmethod
    def stop(
        home: Path | str, stage: str, instance: int = 0, *, timeout: float = 60.0
    ) -> StackState:
        """Stop one process in good order; it stays down until `restart`.

        Args:
            home: The stack's folder.
            stage: A stage's name, or ``kafka`` or ``postgres``.
            instance: Its number, from 0.
            timeout: Seconds until it has to be down.

        Returns:
            The state, with that process down.

        Raises:
            StackFailed: No such stack or process, or it did not end in time.
        """
        _request(home, "stop", stage, instance)
        return _await(
            home,
            lambda state: state.process(stage, instance).state == DOWN,
            f"{stage} did not end",
            timeout,
        )

    @staticmethod
    def start(
        home: Path | str, stage: str, instance: int = 0, *, timeout: float = 60.0
    ) -> StackState:
        """Start one process that is down; one that runs is left as it is.

        Args:
            home: The stack's folder.
            stage: A stage's name, or ``kafka`` or ``postgres``.
            instance: Its number, from 0.
            timeout: Seconds until it has to be healthy.

        Returns:
            The state, with that process healthy.

        Raises:
            StackFailed: No such stack or process, or it did not get healthy in time.
        """
        _request(home, "start", stage, instance)
        return _await(
            home,
            lambda state: state.process(stage, instance).healthy,
            f"{stage} did not get healthy",
            timeout,
        )

    @staticmethod
    def set_workers(home: Path | str, spec: StageSpec, *, timeout: float = 60.0) -> StackState:
        """Start or end processes of a stage, until it has as many as asked for.

        Args:
            home: The stack's folder.
            spec: The stage; ``workers`` is how many processes it is to have, 0 for none.
            timeout: Seconds until they have to be healthy, or gone.

        Returns:
            The state, with so many of them.

        Raises:
            StackFailed: No stack runs there, or it took too long.
        """
        place = Home.at(home)
        _running(place)
        _order(place, {"do": "workers", "spec": asdict(spec)})

        def reached(state: StackState) -> bool:
            found = [one for one in state.processes if one.stage == spec.name]
            return len(found) == spec.workers and all(one.healthy for one in found)

        return _await(home, reached, f"{spec.name} has not {spec.workers} processes", timeout)

    @staticmethod
    def restart_what_dies(home: Path | str, *, wanted: bool, timeout: float = 10.0) -> StackState:
        """Change whether what dies is started again.

        Args:
            home: The stack's folder.
            wanted: Whether it is.
            timeout: Seconds until the supervisor has to have taken notice.

        Raises:
            StackFailed: No stack runs there, or it took too long.
        """
        place = Home.at(home)
        _running(place)
        _order(place, {"do": "restart what dies", "wanted": wanted})
        return _await(
            home, lambda state: state.restart == wanted, "the supervisor did not answer", timeout
        )

    @staticmethod
    def await_healthy(home: Path | str, *, timeout: float = 60.0) -> StackState:
        """Wait until everything is healthy.

        Raises:
            StackFailed: No stack runs there, or something is not healthy in time, or never will
                be; it is named, with the reason.
        """
        _running(Home.at(home))
        deadline = time.monotonic() + timeout
        while True:
            state = Stack.read_state(home)
            if state is None:
                raise StackFailed("the supervisor ended meanwhile")
            if state.healthy:
                return state
            ill = [one for one in state.processes if not one.healthy]
            hopeless = [one for one in ill if one.state == HALTED]
            if hopeless or time.monotonic() > deadline:
                named = "; ".join(
                    f"{one.label} is {one.state}{f' ({one.why})' if one.why else ''}"
                    for one in hopeless or ill
                )
                raise StackFailed(f"{named or 'the stack is starting'}: see `trackrecord logs`")
            time.sleep(_POLL_S)


def _spawn_supervisor(orders: Orders) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "trackrecord.local.supervisor"],
        env=for_the_stack(),
        input=json.dumps(asdict(orders)),
        capture_output=True,
        text=True,
        check=False,
    )
    # The parent of the one that stays may have ended well before that one failed.
    if run.returncode != 0 or run.stderr.strip():
        raise StackFailed(run.stderr.strip()[-1500:] or "the supervisor could not be started")


def _await_up(home: Home, say: Callable[[str], None], said: int = 0) -> StackState:
    while True:
        state = last_state(home)
        if state is None:
            raise StackFailed(
                "the stack was stopped while it was starting; the end of its log:\n"
                + child.tail(home.logs / "supervisor.log")
            )
        for line in state.progress[said:]:
            say(line)
        said = len(state.progress)
        if state.phase == READY and state.supervised:
            return state
        if state.phase == UNREADY or (state.phase == FAILED and not state.supervised):
            raise StackFailed(state.error or f"the stack is {state.phase}")
        if not state.supervised and state == last_state(home):
            raise StackFailed(
                "the supervisor died while the stack was starting; the end of its log:\n"
                + child.tail(home.logs / "supervisor.log")
            )
        time.sleep(_POLL_S)


def _running(place: Home) -> StackState:
    state = Stack.read_state(place.path)
    if state is None:
        raise StackFailed(f"no stack runs in {place.path}; start one with `trackrecord up`")
    return state


def _request(
    home: Path | str, do: str, stage: str, instance: int
) -> tuple[int | None, float | None]:
    place = Home.at(home)
    state = _running(place)
    process = state.process(stage, instance)
    if do == "restart" and stage == KAFKA and state.broker == MOCK:
        raise StackFailed(
            "the mock broker keeps nothing, so it is not started again; "
            f"`trackrecord down --home {place.path}` ends the stack"
        )
    _order(place, {"do": do, "stage": stage, "instance": instance})
    return process.pid, process.created


def _order(place: Home, order: dict[str, Any]) -> None:
    """Leave an order for the supervisor, which takes the oldest first."""
    name = f"{time.time_ns():020d}-{uuid.uuid4().hex}.json"
    write_private(place.control / name, json.dumps(order))


def _await(
    home: Path | str, reached: Callable[[StackState], bool], problem: str, timeout: float
) -> StackState:
    deadline = time.monotonic() + timeout
    while True:
        state = Stack.read_state(home)
        if state is None:
            raise StackFailed("the supervisor ended meanwhile")
        if reached(state):
            return state
        if time.monotonic() > deadline:
            raise StackFailed(f"{problem} within {timeout:.0f} s; see {Home.at(home).logs}")
        time.sleep(_POLL_S)
