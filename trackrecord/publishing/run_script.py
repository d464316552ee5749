"""Running a user's script as a process, and keeping what it printed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from trackrecord.clock import SYSTEM_CLOCK
from trackrecord.events import ScriptExecuted
from trackrecord.events.codec import MAX_EVENT_BYTES, validate
from trackrecord.runtime.errors import ConfigurationError
from trackrecord.sdk.uuid7 import new_id

_GRACE_SECONDS = 2.0


def execute(
    path: Path,
    arguments: Sequence[str],
    *,
    name: str | None = None,
    symbol: str | None = None,
    timeout: float,
    output_limit: int,
) -> ScriptExecuted:
    """Run a script to its end or its time limit.

    A ``.py`` file runs under this Python, anything else must be executable.
    Standard output and error go to one file, so that neither can block it and
    their order is kept. Past the limit its whole process group is ended.

    Args:
        path: The script.
        arguments: Handed to it.
        name: Its name in its record; the file's name if left out.
        symbol: The instrument that it is asked about.
        timeout: Seconds.
        output_limit: Bytes of output that are kept; fewer where the event would grow too large.

    Raises:
        ConfigurationError: It cannot be started.
        InvalidEventError: Its name, symbol or arguments are none that an event can hold.
    """
    if not path.is_file():
        raise ConfigurationError(f"there is no script {path}")
    command = [sys.executable, str(path)] if path.suffix == ".py" else [str(path.resolve())]
    started_at = SYSTEM_CLOCK.now()
    said: dict[str, Any] = {
        "execution_id": new_id(started_at),
        "script": path.name if name is None else name,
        "program": " ".join([str(path), *arguments])[:1024],
        "symbol": symbol,
        "started_at": started_at,
    }
    # Before it runs: what is wrong with its name should not cost its output.
    validate(ScriptExecuted, {**said, "finished_at": started_at, "exit_code": 0, "output": ""})
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                [*command, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"},
            )
        except OSError as error:
            raise ConfigurationError(f"cannot start {path}: {error.strerror}") from None
        note = ""
        try:
            exit_code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            exit_code = _end(process)
            note = f"\n[ended after {timeout:g} seconds: the time limit]\n"
        said |= {"finished_at": SYSTEM_CLOCK.now(), "exit_code": exit_code}
        while True:
            text = read_output(output.fileno(), output_limit) + note
            event = validate(ScriptExecuted, {**said, "output": text})
            # A byte that is no text takes three in UTF-8, a control character six in JSON.
            if len(event.to_json()) <= MAX_EVENT_BYTES:
                return event
            output_limit //= 2


def read_output(descriptor: int, limit: int) -> str:
    """The output as text: NUL and broken bytes replaced, the middle cut out beyond the limit.

    The beginning and the end stay, since a script's decision is usually at one of them.
    """
    size = os.fstat(descriptor).st_size
    if size <= limit:
        return _text(os.pread(descriptor, size, 0))
    half = limit // 2
    head, tail = os.pread(descriptor, half, 0), os.pread(descriptor, half, size - half)
    return f"{_text(head)}\n[… {size - 2 * half:,} bytes cut …]\n{_text(tail)}"


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace").replace("\x00", "\ufffd")


def _end(process: subprocess.Popen[bytes]) -> int:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        break
    # What it started may have heeded nothing.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()
