"""What a stack is to consist of, what of it runs, and ending what a supervisor has left behind."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from trackrecord.local.child import is_alive, stop_leftover
from trackrecord.local.errors import StackFailed
from trackrecord.local.layout import Home, read_json, write_private

KAFKA = "kafka"
POSTGRES = "postgres"
API = "api"

# What runs as `kafka`: the real one (named so too), or librdkafka's mock.
MOCK = "mock"

# A process is one of these. `down` stays down (asked for, or restarting is off);
# `halted` ended itself on purpose, with exit code 3, and stays down too.
STARTING = "starting"
HEALTHY = "healthy"
UNHEALTHY = "unhealthy"
RESTARTING = "restarting"
DOWN = "down"
HALTED = "halted"

# A stack is one of these. `unready` runs, but not every stage got healthy in time.
READY = "ready"
UNREADY = "unready"
STOPPING = "stopping"
FAILED = "failed"

# Seconds from the request to end until SIGKILL.
STAGE_GRACE_S = 15.0
SERVER_GRACE_S = 30.0


@dataclass(frozen=True)
class StageSpec:
    """One stage to run.

    Each worker finds a port in the variable that :attr:`port_variable` names (it serves
    ``/healthz``, ``/readyz``, ``/metrics`` and ``/status`` there, on 127.0.0.1), ``DATABASE_URL``,
    ``TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS``, ``TRACKRECORD_HOME``, ``TRACKRECORD_STAGE``
    and ``TRACKRECORD_INSTANCE`` in its environment.

    Attributes:
        name: The stage's name.
        workers: How many processes.
        argv: The executable and its arguments. Other users can read them: no secrets.
        env: Added to the environment of ``up``'s caller.
        port_variable: The setting by which it learns its port.
    """

    name: str
    workers: int
    argv: list[str]
    env: Mapping[str, str] = field(default_factory=dict)
    port_variable: str = "TRACKRECORD_METRICS_PORT"


@dataclass(frozen=True)
class Orders:
    """What a supervisor is to bring up.

    Attributes:
        home: The stack's folder.
        stages: Stages, started last and all at once.
        prepare: Commands run side by side between the servers and the stages.
        restart: Whether what dies is started again.
        ports: Ports asked for ``kafka`` and ``postgres``.
        topic_prefix: Passed on as ``TRACKRECORD_TOPIC_PREFIX``.
        timeout: Seconds for the servers, for each command, and for the stages to get ready.
        broker: ``kafka`` or ``mock``.
        owner: Process id and creation time of a process with which the stack is to end.
    """

    home: str
    stages: list[StageSpec] = field(default_factory=list)
    prepare: list[list[str]] = field(default_factory=list)
    restart: bool = True
    ports: dict[str, int | None] = field(default_factory=dict)
    topic_prefix: str = ""
    timeout: float = 60.0
    broker: str = KAFKA
    owner: tuple[int, float] | None = None

    @classmethod
    def from_json(cls, text: str) -> Orders:
        """Read orders as `stack.up` writes them."""
        value: dict[str, Any] = json.loads(text)
        value["stages"] = [StageSpec(**stage) for stage in value["stages"]]
        if value["owner"] is not None:
            value["owner"] = tuple(value["owner"])
        return cls(**value)


@dataclass(frozen=True)
class ProcessState:
    """One process of the stack.

    Attributes:
        stage: A stage's name, or ``kafka`` or ``postgres``.
        instance: Its number among the stage's workers, from 0.
        pid: Its process id while it runs.
        created: When that process began (see `child.created_at`).
        state: ``starting``, ``healthy``, ``unhealthy``, ``restarting``, ``down`` or ``halted``.
        restarts: How often it was started again after it had ended by itself.
        exit_code: How it last ended; the negative number if by a signal.
        metrics_url: A stage's metrics.
        log: Its log file.
        why: Why it is not healthy, in words, where its supervisor knows.
    """

    stage: str
    instance: int
    pid: int | None
    created: float | None
    state: str
    restarts: int
    exit_code: int | None
    metrics_url: str | None
    log: str
    why: str | None = None

    @property
    def healthy(self) -> bool:
        """Whether it runs and says that it is ready."""
        return self.state == HEALTHY

    @property
    def label(self) -> str:
        """Name and number, as in its log file's name."""
        return label(self.stage, self.instance)


@dataclass(frozen=True)
class StackState:
    """A running stack.

    Attributes:
        home: Its folder.
        phase: ``starting``, ``ready``, ``unready``, ``stopping`` or ``failed``.
        supervisor_pid: The process that looks after the others.
        supervisor_created: When it began (see `child.created_at`).
        kafka: Bootstrap servers, ``host:port``; empty until known.
        database_url: Address of the database, password included; empty until known.
        processes: Postgres, Kafka and every stage's workers.
        progress: What was done so far, one line per step.
        broker: What runs as the process ``kafka``: ``kafka`` itself, or ``mock``, librdkafka's
            mock broker, which keeps nothing.
        topic_prefix: What the names of its topics begin with.
        error: Why the phase is ``failed`` or ``unready``.
        restart: Whether what dies is started again.
    """

    home: str
    phase: str
    supervisor_pid: int
    supervisor_created: float
    kafka: str = ""
    database_url: str = ""
    processes: tuple[ProcessState, ...] = ()
    progress: tuple[str, ...] = ()
    broker: str = KAFKA
    topic_prefix: str = ""
    error: str | None = None
    restart: bool = True

    @property
    def healthy(self) -> bool:
        """Whether everything runs and is ready."""
        return self.phase == READY and all(process.healthy for process in self.processes)

    @property
    def stages(self) -> tuple[ProcessState, ...]:
        """The processes without Kafka and Postgres."""
        return tuple(one for one in self.processes if one.stage not in {KAFKA, POSTGRES})

    @property
    def api(self) -> str | None:
        """Where the HTTP API answers; None where there is none."""
        urls = [one.metrics_url for one in self.processes if one.stage == API and one.metrics_url]
        return urls[0].rsplit("/", 1)[0] if urls else None

    @property
    def supervised(self) -> bool:
        """Whether the supervisor that wrote this is still there."""
        return is_alive(self.supervisor_pid, self.supervisor_created)

    @property
    def ending(self) -> bool:
        """Whether the supervisor is on its way out."""
        return self.phase in {STOPPING, FAILED}

    def workers(self, stage: str) -> int:
        """How many processes a stage has, running or not; 0 for one that is left out."""
        return sum(one.stage == stage for one in self.processes)

    def named(self, name: str) -> list[ProcessState]:
        """Look up what a person calls by name.

        Args:
            name: ``extractor`` for all workers of a stage, ``extractor-1`` or ``extractor/1`` for
                one of them, ``kafka`` or ``postgres``.

        Raises:
            StackFailed: There is no such process in this stack.
        """
        found = [
            one
            for one in self.processes
            if name in {one.stage, one.label, f"{one.stage}/{one.instance}"}
        ]
        if not found:
            names = ", ".join(dict.fromkeys(one.stage for one in self.processes)) or "none"
            close = get_close_matches(name, [one.stage for one in self.processes], 1)
            hint = f"did you mean {close[0]}?" if close else f"there are: {names}"
            raise StackFailed(f"nothing called {name!r} runs in this stack; {hint}")
        return found

    def process(self, stage: str, instance: int = 0) -> ProcessState:
        """Look up one process.

        Args:
            stage: A stage's name, or ``kafka`` or ``postgres``.
            instance: Its number, from 0.

        Returns:
            Its state.

        Raises:
            StackFailed: There is no such process in this stack.
        """
        for one in self.processes:
            if (one.stage, one.instance) == (stage, instance):
                return one
        names = ", ".join(one.label for one in self.processes) or "none"
        raise StackFailed(f"no process {label(stage, instance)} in this stack (there are: {names})")


def label(stage: str, instance: int) -> str:
    """Name one process.

    Args:
        stage: A stage's name, or ``kafka`` or ``postgres``.
        instance: Its number, from 0.
    """
    return stage if stage in {KAFKA, POSTGRES} else f"{stage}-{instance}"


def write_state(home: Home, state: StackState) -> None:
    """Write the state down for others to read, in one step.

    Args:
        home: The stack's folder.
        state: What to write.
    """
    write_private(home.state, json.dumps(asdict(state), indent=1))


def last_state(home: Home) -> StackState | None:
    """Read what was last written, by whichever supervisor.

    Args:
        home: The stack's folder.

    Returns:
        The state, or None if there is none or another version wrote it.
    """
    value = read_json(Path(home.state))
    if value is None:
        return None
    try:
        processes = tuple(ProcessState(**one) for one in value.pop("processes"))
        progress = tuple(value.pop("progress"))
        return StackState(**value, processes=processes, progress=progress)
    except (KeyError, TypeError):
        return None


def end_leftovers(state: StackState) -> bool:
    """End what a supervisor that is gone had started: stages, then Kafka, then Postgres.

    Args:
        state: The last state it wrote.

    Returns:
        True if anything was still running.
    """

    def order(process: ProcessState) -> int:
        return {KAFKA: 1, POSTGRES: 2}.get(process.stage, 0)

    found = False
    for process in sorted(state.processes, key=order):
        if process.pid is not None and process.created is not None:
            stop_signal = signal.SIGINT if process.stage == POSTGRES else signal.SIGTERM
            grace = STAGE_GRACE_S if order(process) == 0 else SERVER_GRACE_S
            found |= stop_leftover(process.pid, process.created, stop_signal, grace)
    return found
