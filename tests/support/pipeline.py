"""Stages as processes of their own, which a test may kill, freeze and start again."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from tests.support import compare, oracle, wire
from trackrecord.events import Event, derived_id
from trackrecord.runtime import kafka
from trackrecord.runtime.errors import PassingError
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.stage import Stage

ROOT = Path(__file__).parents[2]
RUN = ("trackrecord.cli.main", "run")

Letters = dict[wire.Place, bytes | None]
"""Where refused messages lie, and their bytes."""


def environ(settings: Settings, **more: str) -> dict[str, str]:
    """The environment in which a process has these settings, and no others of this machine."""
    own = {
        str(field.validation_alias): str(getattr(settings, name))
        for name, field in Settings.model_fields.items()
        if name != "kafka" and getattr(settings, name) != field.default
    }
    base = {name: value for name, value in os.environ.items() if not name.startswith("TRACKRECORD")}
    return {**base, **own, "TRACKRECORD_LOG_FORMAT": "json", **more}


def stage_named(name: str) -> Stage:
    """The stage of ``services``."""
    stage: Stage = import_module(f"services.{name}.service").STAGE
    return stage


def until(condition: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """Wait until a condition holds; returns what it gave.

    Raises:
        AssertionError: It never held.
    """
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.03)
    return result


class Spawned(Protocol):
    """What is needed of a process that was started; `subprocess.Popen` has it."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def kill(self) -> None: ...

    def terminate(self) -> None: ...


class Spawn(Protocol):
    """Starts a module with arguments, its standard error in a file, in an environment."""

    def __call__(
        self,
        module: Sequence[str],
        log: Path,
        environment: Mapping[str, str],
        output: Path = ...,
        /,
    ) -> Spawned: ...


def popen(
    module: Sequence[str],
    log: Path,
    environment: Mapping[str, str],
    output: Path = Path(os.devnull),
) -> Spawned:
    """Start an interpreter of its own."""
    with log.open("wb") as errors, output.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=errors,
        )


class StageProcess:
    """One process of a stage."""

    def __init__(
        self,
        module: Sequence[str],
        log: Path,
        environment: Mapping[str, str],
        spawn: Spawn = popen,
    ) -> None:
        self.log = log
        self.wanted_to_end = False
        self._process = spawn(module, log, environment)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """End it with SIGKILL, wherever it is."""
        self.wanted_to_end = True
        self._process.kill()
        self._process.wait()

    def stop(self, seconds: float = 20) -> int:
        """Ask it to end in good order; returns its exit code."""
        self.wanted_to_end = True
        self._process.terminate()
        return self._process.wait(seconds)

    def ask_to_stop(self) -> None:
        """Ask it to end in good order, and do not wait."""
        self.wanted_to_end = True
        self._process.terminate()

    def ended(self, seconds: float = 30) -> int:
        """Wait until it ends by itself; returns its exit code."""
        self.wanted_to_end = True
        return self._process.wait(seconds)

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    @property
    def is_frozen(self) -> bool:
        """Whether it is stopped by a signal."""
        try:
            status = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return False  # it has just ended
        return status == "T"

    def said(self) -> str:
        """All that it logged so far; nothing if it is only about to begin."""
        try:
            return self.log.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def lines(self, event: str | None = None) -> list[dict[str, Any]]:
        """What it logged so far; all, or the lines of one event."""
        found = []
        for line in self.said().splitlines():
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
        return [each for each in found if event is None or each.get("event") == event]

    def status(self) -> dict[str, Any] | None:
        """What /status answers; None if it does not."""
        started = self.lines("started")
        if not started:
            return None
        connection = http.client.HTTPConnection("127.0.0.1", started[0]["metrics_port"], timeout=2)
        try:
            connection.request("GET", "/status")
            return dict(json.loads(connection.getresponse().read()))
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    @property
    def is_ready(self) -> bool:
        """Whether it has its partitions and reads them."""
        return bool((self.status() or {}).get("ready"))

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]


class Pipeline:
    """Topics, tables and processes of one test."""

    def __init__(self, settings: Settings, folder: Path, spawn: Spawn = popen) -> None:
        kafka.ensure_topics(settings)
        self.settings = settings
        self._spawn = spawn
        self._commands = 0
        self._folder = folder
        self._processes: list[StageProcess] = []
        self._admin = kafka.admin(settings)

    def start(self, stage: str, *fault: object, **more: str) -> StageProcess:
        """Start a process of a stage, with a fault of tests/faults/faulty_stage.py or none."""
        module = ("tests.faults.faulty_stage",) if fault else RUN
        return self.spawn(stage, (*module, stage, *map(str, fault)), more)

    def spawn(self, stage: str, module: Sequence[str], more: Mapping[str, str]) -> StageProcess:
        """Start a process of a stage by another module."""
        process = StageProcess(
            module,
            self._folder / f"{len(self._processes)}-{stage}.log",
            environ(self.settings, **more),
            self._spawn,
        )
        self._processes.append(process)
        return process

    def start_ready(self, stage: str, *fault: object, **more: str) -> StageProcess:
        """The same, and wait until it has its partitions."""
        process = self.start(stage, *fault, **more)
        until(lambda: process.is_ready, f"{stage} is ready")
        return process

    def close(self) -> None:
        """End every process that is left."""
        for process in self._processes:
            if process.exit_code is None:
                process.kill()

    def publish(
        self, events: Iterable[Event], partition: Callable[[Event], int] | None = None
    ) -> list[wire.Place]:
        """Publish events as the SDK does; returns where each landed."""
        return wire.send(
            self.settings,
            (
                wire.parcel(self.settings, event, partition(event) if partition else None)
                for event in events
            ),
        )

    def command(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run the ``trackrecord`` command to its end, with other settings too."""
        self._commands += 1
        output, log = (self._folder / f"command-{self._commands}.{end}" for end in ("out", "log"))
        process = self._spawn(
            ("trackrecord.cli.main", *arguments), log, environ(self.settings, **more), output
        )
        try:
            code = process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return subprocess.CompletedProcess(
            arguments, code, output.read_text(), log.read_text(errors="replace")
        )

    # -- waiting ------------------------------------------------------------------------------

    def positions(self, stage: str) -> dict[tuple[str, int], int]:
        """The next offset of each partition, as the stage has recorded it."""
        return {
            (topic, number): offset
            for topic, number, offset in compare.fetch(
                self.settings,
                "SELECT topic, partition, next_offset FROM consumer_offsets WHERE stage = %s",
                (stage,),
            )
        }

    def ends(self, stage: str) -> dict[tuple[str, int], int]:
        """The end of each partition that the stage reads."""
        topics = [self.settings.topic(model.event_type) for model in stage_named(stage).consumes]

        def ask() -> dict[tuple[str, int], int]:
            # A broker that has just come back may not know yet what it leads.
            with contextlib.suppress(PassingError):
                return kafka.end_offsets(self._admin, kafka.partitions_of(self._admin, topics))
            return {}

        found: dict[tuple[str, int], int] = until(ask, "the broker answers")
        return found

    def read_so_far(self, stage: str) -> int:
        """How many messages a stage has committed."""
        return sum(self.positions(stage).values())

    def until_more_is_read(self, stage: str, than: int) -> None:
        """Wait until a stage has committed more than so many messages."""
        until(lambda: self.read_so_far(stage) > than, f"{stage} goes on")

    def done(self, stage: str, seconds: float = 60) -> None:
        """Wait until a stage has read everything and its outbox is empty."""

        def is_done() -> bool:
            for process in self._processes:
                if process.exit_code is not None and not process.wanted_to_end:
                    raise AssertionError(
                        f"a stage ended with exit code {process.exit_code}:\n{process.tail()}"
                    )
            try:
                at = self.positions(stage)
                left = compare.fetch(
                    self.settings, "SELECT count(*) FROM outbox WHERE stage = %s", (stage,)
                )
            except PassingError:
                return False
            return left == [(0,)] and all(at.get(place, 0) >= end for place, end in ends.items())

        ends = self.ends(stage)
        try:
            until(is_done, f"{stage} has read everything", seconds)
        except AssertionError as error:
            at = self.positions(stage)
            lags = {place: end - at.get(place, 0) for place, end in ends.items()}
            tails = "\n--\n".join(each.tail() for each in self._processes[-2:])
            raise AssertionError(f"{error}; lags {lags}\n{tails}") from None

    # -- comparing ----------------------------------------------------------------------------

    def check_tracker(
        self,
        events: Sequence[Event],
        places: Sequence[wire.Place],
        letters: Letters | None = None,
    ) -> None:
        """Tables as the oracle says; dead letters: its conflicts and ``letters``, no others."""
        expected = oracle.expect(events)
        compare.check(self.settings, expected)
        refused: Letters = {places[i]: events[i].to_json() for i in expected.conflicts}
        self.check_letters("signal_tracker", refused | (letters or {}))
        self.check_replay()

    def check_letters(self, stage: str, expected: Letters) -> None:
        """Exactly these were refused by a stage: in the table and on the topics, bytes unchanged.

        On the topics each may stand more than once, byte for byte the same.
        """
        rows = compare.fetch(
            self.settings,
            "SELECT id, topic, partition, log_offset, value, reason FROM dead_letters"
            " WHERE stage = %s",
            (stage,),
        )
        in_table = {
            (topic, number, offset): None if value is None else bytes(value)
            for _, topic, number, offset, value, _ in rows
        }
        reasons = {tuple(row[1:4]): row[5] for row in rows}
        extra = {place: reasons[place] for place in in_table.keys() - expected.keys()}
        assert not extra, f"refused without need: {list(extra.items())[:3]}"
        assert not (expected.keys() - in_table.keys()), "not refused"
        assert in_table == expected
        assert all(reasons.values())
        assert all(row[0] == derived_id("dead_letter", stage, *row[1:4]) for row in rows)
        on_wire: Letters = {}
        for topic in {self.settings.topic(m.event_type) for m in stage_named(stage).consumes}:
            for each in wire.read(self.settings, f"{topic}.dlq"):
                if each.header("dlq_stage") != stage:
                    continue
                place = (
                    each.header("dlq_topic") or "",
                    int(each.header("dlq_partition") or -1),
                    int(each.header("dlq_offset") or -1),
                )
                assert on_wire.setdefault(place, each.value) == each.value
        assert on_wire == expected

    def check_replay(self) -> None:
        """The topics come to what the tables say."""
        done = self.command("replay", "--verify", "--json")
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        assert json.loads(done.stdout)["identical"]
