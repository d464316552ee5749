"""Single processes of the local stack: restart, stop, start, and what they say."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from trackrecord.cli.common import (
    DEFAULT_HOME,
    HomeOption,
    InputError,
    JsonOption,
    answer,
    screen,
)
from trackrecord.cli.ending import Terminated
from trackrecord.cli.text import printable

if TYPE_CHECKING:
    from trackrecord.local.state import ProcessState, StackState

_NAMED = "A stage (all its processes), one process such as extractor-1, or kafka or postgres."
_GLANCE_SECONDS = 0.2
_READ_AT_ONCE = 1 << 20
_OLDER = re.compile(r"(?P<label>.+)\.log")

StageArgument = Annotated[str, typer.Argument(metavar="STAGE", help=_NAMED)]
TimeoutOption = Annotated[
    float, typer.Option("--timeout", min=1, help="How many seconds each process may take.")
]


def restart(
    stage: StageArgument,
    timeout: TimeoutOption = 60.0,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Restart a stage of the local stack, one process after the other.

    Each process stops in good order, and the next one waits until it is healthy
    again. A process that is down or has halted is started. Settings are those
    with which the stack was started.
    """
    from trackrecord.local.stack import Stack

    done = []
    for one in _named(home, stage):
        began = time.monotonic()
        state = Stack.restart(home, one.stage, one.instance, timeout=timeout)
        done.append(_line(state, one, "restarted", began, as_json=as_json))
    if as_json:
        answer({"restarted": done})


def stop(
    stage: Annotated[
        str | None, typer.Argument(metavar="[STAGE]", help=f"{_NAMED} The whole stack if left out.")
    ] = None,
    timeout: TimeoutOption = 60.0,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Stop a stage of the local stack until `trackrecord start`, or the whole stack.

    Nothing is lost: what arrives meanwhile waits on its topics. Without STAGE
    it does what `trackrecord down` does.
    """
    from trackrecord.local.stack import Stack

    if stage is None:
        from trackrecord.cli.stack import down

        down(home, as_json)
        return
    done = []
    for one in _named(home, stage):
        began = time.monotonic()
        state = Stack.stop(home, one.stage, one.instance, timeout=timeout)
        done.append(_line(state, one, "stopped", began, as_json=as_json))
    if as_json:
        answer({"stopped": done})


def start(
    stage: StageArgument,
    timeout: TimeoutOption = 60.0,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Start a stage of the local stack that was stopped; processes that run are not touched."""
    from trackrecord.local.stack import Stack

    done = []
    for one in _named(home, stage):
        began = time.monotonic()
        word = "runs already" if one.healthy else "started"
        state = Stack.start(home, one.stage, one.instance, timeout=timeout)
        done.append(_line(state, one, word, began, as_json=as_json))
    if as_json:
        answer({"started": done})


def _named(home: Path, name: str) -> list[ProcessState]:
    from trackrecord.local.errors import StackFailed
    from trackrecord.local.stack import Stack

    state = Stack.read_state(home)
    if state is None:
        raise StackFailed(f"nothing runs under {home}: start it with `trackrecord up`")
    return state.named(name)


def _line(
    state: StackState, before: ProcessState, word: str, began: float, *, as_json: bool
) -> dict[str, object]:
    now = state.process(before.stage, before.instance)
    if not as_json:
        pid = "" if now.pid is None else f" (pid {now.pid})"
        screen.print(f"{now.label} {word}{pid} after {time.monotonic() - began:.1f} s")
    return {"stage": now.stage, "instance": now.instance, "pid": now.pid, "state": now.state}


def logs(
    stage: Annotated[
        str | None,
        typer.Argument(metavar="[STAGE]", help=f"{_NAMED} All of them if left out."),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on showing new lines until Ctrl-C.")
    ] = False,
    lines: Annotated[
        int,
        typer.Option("--lines", "-n", min=0, help="How many of the last lines to show of each."),
    ] = 50,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Show the logs of the local stack, also after it has stopped."""
    found = _logs(home, stage)
    opened = {label: _opened(file) for label, file in found.items()}
    for label, file in opened.items():
        # What is written from here on is for --follow: no line is left out or shown twice.
        end = os.fstat(file.fileno()).st_size
        for line in _last(file, lines, end):
            _write(label if len(found) > 1 else None, line)
        file.seek(end)
    sys.stdout.flush()
    if follow:
        try:
            _follow(home, stage, opened)
        except Terminated:
            raise
        except KeyboardInterrupt:
            return  # it has no other end


def _logs(home: Path, stage: str | None) -> dict[str, Path]:
    """The log files by the names of their processes."""
    there = {
        match["label"]: file
        for file in sorted((home / "logs").glob("*.log"))
        if (match := _OLDER.fullmatch(file.name))
    }
    if not there:
        raise InputError(f"there are no logs under {home}: start a stack with `trackrecord up`")
    if stage is None:
        return there
    name = stage.replace("/", "-")
    found = {
        label: file
        for label, file in there.items()
        if label == name or re.fullmatch(rf"{re.escape(name)}-[0-9]+", label)
    }
    if not found:
        stages = list(dict.fromkeys(re.sub(r"-[0-9]+$", "", label) for label in there))
        close = get_close_matches(name, [*stages, *there], 1)
        hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(stages)}"
        raise InputError(f"there is no log of {stage!r} under {home}; {hint}")
    return found


def _last(file: TextIO, count: int, end: int) -> list[str]:
    """The last lines before a place in a file, read backwards from there."""
    if not count:
        return []
    text = b""
    while end and text.count(b"\n") <= count:
        begin = max(0, end - _READ_AT_ONCE)
        text, end = os.pread(file.fileno(), end - begin, begin) + text, begin
    return text.decode(errors="backslashreplace").splitlines()[-count:]


def _follow(home: Path, stage: str | None, opened: dict[str, TextIO]) -> None:
    while True:
        for label, line in _new_lines(opened):
            _write(label if stage is None or len(opened) > 1 else None, line)
        sys.stdout.flush()
        time.sleep(_GLANCE_SECONDS)
        for label, path in _logs(home, stage).items():
            # A process that is started again writes a new file; the old one is read to its end.
            if label not in opened or _is_other(opened[label], path):
                for line in opened.get(label, ()):
                    _write(label, line)
                opened[label] = _opened(path)


def _opened(file: Path) -> TextIO:
    return file.open(encoding="utf-8", errors="backslashreplace")


def _is_other(opened: TextIO, path: Path) -> bool:
    try:
        return os.fstat(opened.fileno()).st_ino != path.stat().st_ino
    except FileNotFoundError:
        return False


def _new_lines(opened: dict[str, TextIO]) -> Iterator[tuple[str, str]]:
    for label, file in opened.items():
        while True:
            place = file.tell()
            line = file.readline()
            if not line.endswith("\n"):
                file.seek(place)  # the rest of it is still to come
                break
            yield label, line


def _write(label: str | None, line: str) -> None:
    text = printable(line.rstrip("\r\n"), lines=True)
    sys.stdout.write(f"{label} | {text}\n" if label else f"{text}\n")
