"""Running a user's script as a process, and keeping what it printed."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from trackrecord.clock import SYSTEM_CLOCK
from trackrecord.events import ScriptExecuted
from trackrecord.events.codec import MAX_EVENT_BYTES, validate
from trackrecord.kafka.config import EXECUTION_VARIABLE
from trackrecord.publishing.processes import StopRequests, end_all, end_with_parent
from trackrecord.publishing.script_output import ScriptOutput
from trackrecord.runtime.errors import ConfigurationError
from trackrecord.sdk.uuid7 import new_id

_GRACE_SECONDS: Final = 2.0
_GLANCE_MILLISECONDS: Final = 50
_READ_BYTES: Final = 1 << 16
_LAST_READS: Final = 256


@dataclass(frozen=True)
class Execution:
    """A run of a script.

    Attributes:
        event: What goes on record.
        bytes_cut: How much of what it printed does not.
        ended_early: Why the script was ended before it ended itself; None: it was not.
    """

    event: ScriptExecuted
    bytes_cut: int
    ended_early: str | None


def need_script(path: Path) -> None:
    """Return if there is such a script.

    Raises:
        ConfigurationError: There is none.
    """
    if not path.is_file():
        raise ConfigurationError(f"there is no script {path}")


def execute(
    path: Path,
    arguments: Sequence[str],
    *,
    name: str | None = None,
    symbol: str | None = None,
    timeout: float,
    output_limit: int,
    environ: Mapping[str, str] | None = None,
    stop: StopRequests | None = None,
) -> Execution:
    """Run a script to its end, its time limit or a request to stop.

    A ``.py`` file runs under this Python, anything else must be executable. Standard output and
    error are one pipe, so that their order is kept; it is read all the time, so that neither
    blocks, and kept in memory within a bound. Past the limit, or when this process is asked to
    stop, the script is ended with all that it has started, and what it had printed counts.

    Args:
        path: The script.
        arguments: Handed to it.
        name: Its name in its record; the file's name if left out.
        symbol: The symbol that the script is asked about.
        timeout: Seconds.
        output_limit: Bytes of output that are kept; fewer where the event would grow too large.
        environ: Its environment; ours if left out.
        stop: Tells whether this process was asked to stop.

    Raises:
        ConfigurationError: It cannot be started.
        InvalidEventError: Its name, symbol or arguments are none that an event can hold.
    """
    need_script(path)
    command = [sys.executable, str(path)] if path.suffix == ".py" else [str(path.resolve())]
    started_at = SYSTEM_CLOCK.now()
    execution_id = new_id(started_at)
    facts: dict[str, Any] = {
        "execution_id": execution_id,
        "script": path.name if name is None else name,
        "program": " ".join([str(path), *arguments])[:1024],
        "symbol": symbol,
        "started_at": started_at,
    }
    # Before it runs: what is wrong with its name should not cost its output.
    validate(ScriptExecuted, {**facts, "finished_at": started_at, "exit_code": 0, "output": ""})
    try:
        process = subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # Only for who runs nothing beside it: in a process of many threads this may hang.
            preexec_fn=end_with_parent() if stop else None,  # noqa: PLW1509
            env={
                **(os.environ if environ is None else environ),
                "PYTHONUNBUFFERED": "1",
                "PYTHONIOENCODING": "utf-8",
                EXECUTION_VARIABLE: execution_id,
            },
        )
    except OSError as error:
        raise ConfigurationError(f"cannot start {path}: {error.strerror}") from None
    output = ScriptOutput(output_limit)
    mark = f"{EXECUTION_VARIABLE}={execution_id}"
    ended_early = _await_end(process, output, mark, timeout, stop)
    exit_code = process.wait()
    if ended_early and exit_code == 0:
        exit_code = -signal.SIGTERM  # it heeded the request: it did not end by itself
    facts |= {"finished_at": SYSTEM_CLOCK.now(), "exit_code": exit_code}
    note = f"\n[ended {ended_early}]\n" if ended_early else ""
    while True:
        event = validate(ScriptExecuted, {**facts, "output": output.text(output_limit) + note})
        # A byte that is no text takes three in UTF-8, a control character six in JSON.
        if len(event.to_json()) <= MAX_EVENT_BYTES:
            return Execution(event, output.cut(output_limit), ended_early)
        output_limit //= 2


def how_it_ended(exit_code: int) -> str:
    """An exit code in words: ``exit code 3``, or the signal that ended a process."""
    if exit_code >= 0:
        return f"exit code {exit_code}"
    try:
        return f"ended by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"ended by signal {-exit_code}"


def _await_end(
    process: subprocess.Popen[bytes],
    output: ScriptOutput,
    mark: str,
    timeout: float,
    stop: StopRequests | None,
) -> str | None:
    """Read what a script prints until it has ended, or end it; returns why it was ended."""
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    pipe = process.stdout
    os.set_blocking(pipe.fileno(), False)
    readable = select.poll()
    readable.register(pipe, select.POLLIN)
    deadline = time.monotonic() + timeout
    reason = None
    with pipe:
        while process.poll() is None:
            if time.monotonic() >= deadline:
                reason = f"after {timeout:g} seconds: the time limit"
            elif stop is not None and stop.first is not None:
                reason = f"by {stop.first.name}: run-script was asked to stop"
            if reason is not None:
                end_all(process.pid, mark, _GRACE_SECONDS)
                process.wait()
                break
            events = readable.poll(_GLANCE_MILLISECONDS)
            if events and not _read(pipe, output):
                time.sleep(_GLANCE_MILLISECONDS / 1000)  # it has closed its output and goes on
        # What it started may go on and print for ever: the script's last words came before.
        for _ in range(_LAST_READS):
            if not _read(pipe, output):
                break
    return reason


def _read(pipe: IO[bytes], output: ScriptOutput) -> bool:
    """Read some of what is there; returns whether there was any."""
    try:
        data = os.read(pipe.fileno(), _READ_BYTES)
    except BlockingIOError:
        return False
    output.add(data)
    return bool(data)
