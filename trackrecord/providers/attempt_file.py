"""The log of attempts as a file under the home folder, for where there is no database.

A line ``asking`` before the provider is asked, ``ended`` once the answer is there and again once
it is validated, each a JSON object. Several processes append to it under a lock; a line that a
crash has cut off spoils no other. It holds sentences and answers, so only its owner reads it.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import NoneType
from typing import Any, Final, TypeVar

from trackrecord.clock import SYSTEM_CLOCK, Clock
from trackrecord.providers.attempts import INTERRUPTED, Attempt, Question, Result

FILE: Final = Path("strategies") / "attempts.jsonl"
"""Where the log is, in the home folder."""

_SLACK: Final = timedelta(seconds=60)
"""How long after its budget a question may still be without an end: validation takes its time."""

_KINDS: Final[dict[str, tuple[type, ...]]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "str | None": (str, NoneType),
    "int | None": (int, NoneType),
    "float | None": (int, float, NoneType),
    "Status": (str,),
    "Sequence[Mapping[str, Any]]": (list,),
}
"""What a field of a row may hold, by how it is declared; times are read apart."""

_Row = TypeVar("_Row", Question, Result)


@dataclass(frozen=True)
class _Asker:
    """The process that has asked: whether it lives says whether an end is still to come."""

    host: str
    pid: int
    started: str

    @classmethod
    def this(cls) -> _Asker:
        return cls(socket.gethostname(), os.getpid(), _started(os.getpid()))

    def may_live(self) -> bool:
        """Whether it may still write its end; of another machine nobody knows."""
        if self.host != socket.gethostname():
            return True
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except OSError:  # of another user, who has it
            return True
        return self.started == _started(self.pid)


class AttemptFile:
    """An :class:`~trackrecord.providers.attempts.AttemptLog` in one file.

    Attributes:
        path: Where it is; made with the first attempt.
        damaged: Lines that could not be read when it was last read.
    """

    def __init__(self, home: Path, clock: Clock = SYSTEM_CLOCK) -> None:
        """``home`` is the folder of the local stack."""
        self.path = home / FILE
        self.damaged = 0
        self._clock = clock

    def asking(self, question: Question) -> None:
        """Keep a question on the disk.

        Raises:
            OSError: It cannot be kept.
        """
        asker = _Asker.this()
        self._append({"row": "asking", **_written(question), "asker": vars(asker)})

    def ended(self, attempt_id: str, result: Result) -> None:
        """Keep what came of it; of several results the last counts.

        Raises:
            OSError: It cannot be kept.
        """
        self._append({"row": "ended", "attempt_id": attempt_id, **_written(result)})

    def attempts(self, limit: int | None = None) -> list[Attempt]:
        """The attempts, the latest first; at most ``limit`` of them.

        Raises:
            OSError: The file is there and cannot be read.
        """
        asked: dict[str, tuple[Question, _Asker | None]] = {}
        ended: dict[str, Result] = {}
        self.damaged = 0
        for row in self._rows():
            try:
                if row["row"] == "asking":
                    question = _read(Question, row)
                    asked[question.attempt_id] = question, _asker(row.get("asker"))
                elif row["row"] == "ended":
                    ended[str(row["attempt_id"])] = _read(Result, row)
            except (KeyError, TypeError, ValueError):
                self.damaged += 1
        latest = list(asked.values())[::-1][: None if limit is None else max(0, limit)]
        return [
            Attempt(question, ended.get(question.attempt_id) or self._without_end(question, asker))
            for question, asker in latest
        ]

    def _without_end(self, question: Question, asker: _Asker | None) -> Result:
        due = question.asked_at + timedelta(seconds=question.most_seconds) + _SLACK
        if self._clock.now() <= due and asker is not None and asker.may_live():
            return Result("asking")
        return Result("failure", error=INTERRUPTED)

    def _rows(self) -> Iterator[dict[str, Any]]:
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        with file:
            for line in file:
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                except (ValueError, RecursionError):
                    row = None
                if isinstance(row, dict):
                    yield row
                else:
                    self.damaged += 1

    def _append(self, row: Mapping[str, Any]) -> None:
        # ASCII: a lone surrogate in an answer is kept as what it was.
        line = json.dumps(row, ensure_ascii=True, allow_nan=False).encode() + b"\n"
        with self._locked() as file:
            end = os.lseek(file, 0, os.SEEK_END)
            if end and os.pread(file, 1, end - 1) != b"\n":
                line = b"\n" + line  # after a line that a crash has cut off
            try:
                _write(file, line)
                os.fsync(file)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(file, end)
                raise

    @contextmanager
    def _locked(self) -> Iterator[int]:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        file = os.open(self.path, flags, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file).st_mode & 0o077:
                os.fchmod(file, 0o600)
            yield file
        finally:
            os.close(file)


def _write(file: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(file, left) :]


def _written(row: Question | Result) -> dict[str, Any]:
    found = dict(vars(row))
    for name, value in found.items():
        if isinstance(value, datetime):
            found[name] = value.astimezone(UTC).isoformat()
    if isinstance(row, Result):
        found["problems"] = [dict(each) for each in row.problems]
    return found


def _read(kind: type[_Row], row: Mapping[str, Any]) -> _Row:
    """A row as it was written; fields that it lacks have their defaults, others are ignored.

    Raises:
        TypeError: A field that it needs is not there, or one holds something else.
        ValueError: A time cannot be read.
    """
    given = {field.name: row[field.name] for field in fields(kind) if field.name in row}
    for field in fields(kind):
        allowed = _KINDS.get(str(field.type))
        if allowed and field.name in given and not isinstance(given[field.name], allowed):
            raise TypeError(f"{field.name} is no {field.type}")
    for name in ("asked_at", "ended_at"):
        if given.get(name) is not None:
            given[name] = datetime.fromisoformat(given[name])
            if given[name].tzinfo is None:
                raise ValueError(f"{name} has no time zone")
    return kind(**given)


def _asker(found: object) -> _Asker | None:
    if not isinstance(found, dict):
        return None
    try:
        return _Asker(str(found["host"]), int(found["pid"]), str(found["started"]))
    except (KeyError, TypeError, ValueError):
        return None


def _started(pid: int) -> str:
    """When a process began, as far as the system tells: a number may belong to another by now."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
    except OSError:
        return ""
    return after_name.split()[19]
