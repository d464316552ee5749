"""The record of everything that was ever backtested here, which only grows.

A line of JSON for each backtest, in ``strategies/tries.jsonl`` under the home folder: who, which
code and which sets of parameters, as identities that nothing can be read from. Deleting a strategy
takes nothing away; a file that is damaged is not passed over, for then nobody knows how often was
tried.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from trackrecord.cli.common import InputError
from trackrecord.strategies.tries import Run, tries_of

FILE: Final = Path("strategies") / "tries.jsonl"


def note_and_count(home: Path, run: Run) -> int:
    """Write down what was tried, and say how many tries stand behind the strategy.

    Both under a lock, so that two backtests at once count each other.

    Args:
        home: The home folder; the file is made where there is none.
        run: What was tried now.

    Raises:
        InputError: The record cannot be read or written: then there is no verdict.
    """
    path = home / FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise InputError(
            f"cannot keep the record of tries {path}: {error.strerror}; name another folder with "
            "--home"
        ) from None
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        runs = _read(path, file.read())
        known = {
            (each.owner, each.code, each.copied_from, p) for each in runs for p in each.parameters
        }
        fresh = [
            p for p in run.parameters if (run.owner, run.code, run.copied_from, p) not in known
        ]
        if fresh:
            runs.append(Run(run.owner, run.code, tuple(fresh), run.copied_from))
            line = {
                "at": datetime.now(UTC).isoformat(timespec="seconds"),
                "owner": run.owner,
                "code": run.code,
                "parameters": fresh,
                "copied_from": list(run.copied_from),
            }
            try:
                file.write((json.dumps(line) + "\n").encode())
                os.fsync(file.fileno())
            except OSError as error:
                raise InputError(f"cannot write {path}: {error.strerror}") from None
    return tries_of(run.owner, run.code, runs, run.copied_from)


def _read(path: Path, content: bytes) -> list[Run]:
    runs = []
    lines = content.split(b"\n")
    if lines[-1]:
        raise InputError(
            f"{path} ends in the middle of a line: how often was tried is not known; mend its last "
            "line"
        )
    for number, line in enumerate(lines[:-1], start=1):
        try:
            found = json.loads(line)
            runs.append(
                Run(
                    str(found["owner"]),
                    str(found["code"]),
                    _texts(found["parameters"]),
                    _texts(found.get("copied_from", [])),
                )
            )
        except (ValueError, KeyError, TypeError):
            raise InputError(
                f"{path}, line {number} cannot be read: how often was tried is not known; mend or "
                "restore the file"
            ) from None
    return runs


def _texts(values: Sequence[object]) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise TypeError("a list of identities")
    return tuple(str(each) for each in values)
