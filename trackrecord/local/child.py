"""Start programs that end when this process ends, however it ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

from trackrecord.local.errors import LocalStackError

_LAUNCHER = Path(__file__).with_name("_launcher.py")
_LOGS_KEPT = 5

# How a program names `Program.folder`.
FOLDER_PATH = Path("/proc/self/fd/3")


@dataclass(frozen=True)
class User:
    """An account of this machine.

    Attributes:
        name: Its login name.
        uid: Its user id.
        gid: Its main group's id.
    """

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Program:
    """What to start.

    Attributes:
        name: For messages.
        argv: The executable and its arguments. Other users can read them: no secrets.
        log: File that takes stdout and stderr; older ones are kept as ``.1`` ... ``.5``.
        env: Added to this process's environment.
        cwd: Working directory; this process's own by default.
        stop_signal: What asks it to end in good order.
        user: Account to run as (needs root); this process's own by default.
        folder: Opened before the account changes, and known to the program as
            `FOLDER_PATH` even where its account cannot reach it by its path (Linux).
    """

    name: str
    argv: tuple[str, ...]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    user: User | None = None
    folder: Path | None = None


class Child:
    """A started program."""

    def __init__(
        self, program: Program, process: subprocess.Popen[bytes], pipe: int | None
    ) -> None:
        self.program = program
        self._process = process
        self._pipe = pipe
        self.created = created_at(process.pid)

    @property
    def pid(self) -> int:
        """The program's own process id (the launcher becomes the program)."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """Tell how it ended.

        Returns:
            None while it runs, its exit code, or the negative number of the signal
            that ended it.
        """
        code = self._process.poll()
        if code is not None and self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None
        return code

    def ask_to_stop(self) -> None:
        """Send it the signal that ends it in good order; does not wait."""
        if self.exit_code() is None:
            self._process.send_signal(self.program.stop_signal)
            # One that was paused (SIGSTOP) would never get to see the signal.
            self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it now, together with what it started in its own session."""
        if self.exit_code() is None:
            self._process.kill()
            self.kill_session()

    def kill_session(self) -> None:
        """End what it started in its own session and left behind."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def wait(self, seconds: float) -> int | None:
        """Wait for its end.

        Args:
            seconds: How long at most.

        Returns:
            As `exit_code`: None if it still runs.
        """
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self.exit_code()

    def stop(self, grace: float) -> int:
        """Ask it to stop, and end it by force when it has not within the grace.

        Args:
            grace: Seconds.

        Returns:
            Its exit code, as `exit_code`.
        """
        self.ask_to_stop()
        if self.wait(grace) is None:
            self.kill()
        code = self.wait(10)
        if code is None:
            raise LocalStackError(
                f"{self.program.name} (pid {self.pid}) outlives SIGKILL: it hangs in the kernel"
            )
        return code


def start(program: Program) -> Child:
    """Start a program that is sent its stop signal when this process ends.

    On Linux the kernel sends it (``PR_SET_PDEATHSIG``), elsewhere a small watcher
    process does. The program leads a session of its own, so a Ctrl-C at the terminal
    does not reach it.

    Args:
        program: What to start.

    Returns:
        The running child. A program that cannot be run ends with code 127 and says so
        in its log.

    Raises:
        LocalStackError: Called outside the main thread. (The kernel ties the child to
            the thread that started it, not to the process.)
    """
    if threading.current_thread() is not threading.main_thread():
        raise LocalStackError("child processes are started from the main thread only")
    by_kernel = sys.platform == "linux" and "TRACKRECORD_LOCAL_WATCHER" not in os.environ
    read_end, write_end = (None, None) if by_kernel else os.pipe()
    orders = {
        "parent": os.getpid(),
        "stop_signal": int(program.stop_signal),
        "uid": program.user.uid if program.user else None,
        "gid": program.user.gid if program.user else None,
        "pipe": read_end,
        "folder": str(program.folder) if program.folder else None,
    }
    rotate(program.log)
    with program.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", _LAUNCHER, json.dumps(orders), *program.argv],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **program.env},
            cwd=program.cwd,
            start_new_session=True,
            pass_fds=() if read_end is None else (read_end,),
        )
    if read_end is not None:
        os.close(read_end)
    return Child(program, process, write_end)


def run(
    argv: list[str],
    *,
    user: User | None = None,
    stdin: IO[bytes] | None = None,
    pass_fds: tuple[int, ...] = (),
    timeout: float = 60,
) -> subprocess.CompletedProcess[str]:
    """Run a short program to its end, if need be as another account.

    Args:
        argv: The executable and its arguments.
        user: Account to run as (needs root).
        stdin: Its standard input; none by default.
        pass_fds: Open files it inherits.
        timeout: Seconds.

    Returns:
        Its exit code and what it printed.

    Raises:
        OSError: It cannot be run.
        subprocess.TimeoutExpired: It took too long, and was ended.
    """
    return subprocess.run(
        argv,
        stdin=stdin or subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        cwd="/" if user else None,
        pass_fds=pass_fds,
        timeout=timeout,
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
    )


def rotate(log: Path) -> None:
    """Make room for a new log file, keeping the last five.

    Args:
        log: The file about to be written; its folder is made if need be.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    for number in range(_LOGS_KEPT - 1, -1, -1):
        older = log if number == 0 else log.with_name(f"{log.name}.{number}")
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{number + 1}"))


def tail(log: Path, lines: int = 15) -> str:
    """Read the end of a log file.

    Args:
        log: The file; it may be missing.
        lines: How many lines at most.

    Returns:
        The last lines, or an empty text.
    """
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
    except OSError:
        return ""


def created_at(pid: int) -> float | None:
    """Tell when a process began: with the pid, that names it even if the pid is reused.

    Args:
        pid: The process.

    Returns:
        On Linux seconds since boot, elsewhere since the epoch; None if there is no such
        process.
    """
    if sys.platform == "linux":
        # Not the time of day, which psutil derives from a boot time that the kernel
        # rounds anew each time it is asked: two askers can be a second apart.
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        # The second field is the program's name, which may hold anything but ends with ")".
        ticks = int(stat.rpartition(")")[2].split()[19])
        return ticks / os.sysconf("SC_CLK_TCK")
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def is_alive(pid: int | None, created: float | None) -> bool:
    """Tell whether that very process still runs (a zombie does not).

    Args:
        pid: The process id.
        created: What `created_at` said of it.

    Returns:
        True if it runs.
    """
    if pid is None or created is None or created_at(pid) != created:
        return False
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def stop_leftover(pid: int, created: float, stop_signal: signal.Signals, grace: float) -> bool:
    """End a process that some earlier supervisor started.

    Args:
        pid: The process id.
        created: What `created_at` said of it; another process with that pid is left alone.
        stop_signal: Sent first.
        grace: Seconds until SIGKILL.

    Returns:
        True if there was one to end.
    """
    if not is_alive(pid, created):
        return False
    deadline = time.monotonic() + grace
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, stop_signal)
        os.kill(pid, signal.SIGCONT)
        while is_alive(pid, created) and time.monotonic() < deadline:
            time.sleep(0.05)
        if is_alive(pid, created):
            os.kill(pid, signal.SIGKILL)
            while is_alive(pid, created):
                time.sleep(0.05)
    return True
