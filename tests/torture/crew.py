"""The processes of an episode, and what the database knows of their sessions."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psutil
import psycopg2

from tests.support.pipeline import Pipeline, StageProcess
from tests.support.proxy import Proxy
from trackrecord.runtime import database
from trackrecord.runtime.errors import PassingError

_MODULE = "tests.torture.member"
_AIM_SECONDS = 0.3
_NOTHING: Mapping[str, str] = {}
_KILLED = -signal.SIGKILL


@dataclass
class Member:
    """One process.

    Attributes:
        process: The process.
        stage: Its stage.
        is_whole: Whether it has no failpoint.
        leaving: Whether it was asked to stop.
        frozen: Whether it was frozen from outside.
        thaws: Whether it is going to be thawed after it froze by itself.
    """

    process: StageProcess
    stage: str
    is_whole: bool
    leaving: bool = False
    frozen: bool = False
    thaws: bool = False

    @property
    def is_well(self) -> bool:
        """Whether it runs, and is meant to."""
        return not (self.leaving or self.frozen) and self.process.exit_code is None

    def may_end_with(self, code: int) -> bool:
        """Whether that is no sign of trouble, though it is not 0."""
        if code == -signal.SIGTERM:
            # It was asked to stop before it could listen.
            return not self.process.lines("started")
        return code == _KILLED and not self.is_whole

    @property
    def froze_itself(self) -> bool:
        """Whether a failpoint has frozen it."""
        return (
            not (self.is_whole or self.frozen)
            and self.process.exit_code is None
            and self.process.is_frozen
        )


@dataclass
class Crew:
    """The members of all stages of an episode.

    Attributes:
        pipeline: Theirs.
        environment: What all of them are told.
        mutant: How they are broken, if they are.
        proxies: By kind, what they reach the servers through.
        members: All that were started.
        shut: Stages that nobody may join for now; how many are to start afterwards.
    """

    pipeline: Pipeline
    environment: Mapping[str, str]
    mutant: str | None = None
    proxies: Mapping[str, Proxy] = field(default_factory=dict)
    members: list[Member] = field(default_factory=list)
    shut: dict[str, int] = field(default_factory=dict)
    _watch: database.Connection | None = None

    # -- starting and ending ------------------------------------------------------------------

    def start(
        self, stage: str, *fault: object, shift: int = 0, more: Mapping[str, str] = _NOTHING
    ) -> Member | None:
        """Start a member.

        Args:
            stage: Of which stage.
            *fault: A failpoint and its number, or nothing.
            shift: Seconds by which its clock is off.
            more: Settings of its own.

        Returns:
            The member; None if the stage is shut, and it will start when it is opened.
        """
        if stage in self.shut:
            self.shut[stage] += 1
            return None
        arguments = [stage]
        if self.mutant:
            arguments += ["--mutant", self.mutant]
        if fault:
            arguments += ["--fault", *map(str, fault)]
        if shift:
            arguments += ["--shift", str(shift)]
        process = self.pipeline.spawn(stage, (_MODULE, *arguments), {**self.environment, **more})
        process.wanted_to_end = bool(fault)
        self.members.append(Member(process, stage, is_whole=not fault))
        return self.members[-1]

    def open(self, stage: str) -> None:
        """Let members join again, and start those that waited."""
        for _ in range(self.shut.pop(stage, 0)):
            self.start(stage)

    def well(self, stage: str) -> list[Member]:
        """The members of a stage that run as they should."""
        return [each for each in self.members if each.stage == stage and each.is_well]

    def pick(self, stage: str, choice: float, *, aimed: bool = False) -> Member | None:
        """Choose a healthy member, rather one that works already, and, if it is to be aimed at
        and that is soon to be had, inside a transaction."""
        there = [each for each in self.well(stage) if each.is_whole]
        there = [each for each in there if each.process.lines("assigned")] or there
        if not there:
            return None
        victim = there[int(choice * len(there))]
        if aimed:
            until = time.monotonic() + _AIM_SECONDS
            while not self.is_in_transaction(victim) and time.monotonic() < until:
                pass
        return victim

    def thaw(self, member: Member) -> None:
        """Let a frozen member go on."""
        member.frozen = False
        if member.process.exit_code is None:
            member.process.thaw()

    def leave(self, member: Member) -> None:
        """Ask a member to stop in good order."""
        member.leaving = True
        member.process.ask_to_stop()

    def stop_all(self, stage: str, seconds: float = 20) -> list[str]:
        """Stop whoever is left of a stage in good order; returns what went wrong with it."""
        ours = [each for each in self.members if each.stage == stage]
        left = [each for each in ours if each.process.exit_code is None]
        for member in left:
            member.thaws = member.thaws or member.froze_itself
            self.thaw(member)
            self.leave(member)
        until = time.monotonic() + seconds
        while any(each.process.exit_code is None for each in left):
            for member in left:
                if member.froze_itself:
                    member.thaws = True
                    member.process.thaw()
            if time.monotonic() > until:
                break
            time.sleep(0.02)
        problems = []
        for member in ours:
            code = member.process.exit_code
            if code is None:
                problems.append(f"{member.process.log.name} does not stop")
            elif member.leaving and code != 0 and not member.may_end_with(code):
                problems.append(f"{member.process.log.name} ended with exit code {code}")
        return problems

    def told(self, *events: str) -> bool:
        """Whether any member has logged one of some events."""
        return any(each.process.lines(event) for each in self.members for event in events)

    def text(self) -> str:
        """All that was logged."""
        return "".join(each.process.said() for each in self.members)

    # -- what the database knows --------------------------------------------------------------

    def ask(self, query: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        """Ask the database in a session of our own; nothing if it does not answer."""
        try:
            if self._watch is None or self._watch.closed:
                self._watch = database.connect(self.pipeline.settings, application="torture")
                self._watch.autocommit = True
            with self._watch.cursor() as cursor:
                return database.rows(cursor, query, parameters)
        except (psycopg2.Error, PassingError):
            if self._watch is not None:
                self._watch.close()
            return []

    def sessions(self, member: Member) -> dict[int, bool]:
        """The backends that serve a member, and whether each is inside a transaction."""
        ports: set[int] = set()
        with contextlib.suppress(psutil.Error):
            ports = {
                each.laddr.port for each in psutil.Process(member.process.pid).net_connections()
            }
        if proxy := self.proxies.get("postgres"):
            ports = proxy.server_ports(ports)
        rows = self.ask(
            "SELECT pid, xact_start IS NOT NULL FROM pg_stat_activity WHERE client_port = ANY(%s)",
            (list(ports),),
        )
        return dict(rows)

    def is_in_transaction(self, member: Member) -> bool:
        """Whether the database has a transaction of a member open."""
        return any(self.sessions(member).values())

    def close(self) -> None:
        """Let go of what this has opened; processes are the pipeline's to end."""
        if self._watch is not None:
            self._watch.close()
