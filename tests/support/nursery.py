"""Stage processes that start at once: forked from a process that has imported everything.

To import what a stage needs takes a second of a core, and most tests start several. A forked
process runs the very same code from the same point on: what ``python -m`` runs. It is a process
of its own, with its own environment, log and exit code.
"""

from __future__ import annotations

import ctypes
import faulthandler
import json
import os
import random
import runpy
import selectors
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from services import STAGES, lacking
from tests.support.pipeline import ROOT, Spawned, popen, stage_named

_PR_SET_PDEATHSIG = 1

_MODULES = ("trackrecord.cli.services", "trackrecord.runtime.jobs", "tests.faults.faulty_stage")
"""What is run of the modules here, besides the stages."""


class Forked:
    """A forked process, with what `subprocess.Popen` would offer."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._ended = threading.Event()
        self._code = 0

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._code if self._ended.is_set() else None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            subprocess.TimeoutExpired: It still runs.
        """
        if not self._ended.wait(timeout):
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return self._code

    def kill(self) -> None:
        """End it at once."""
        self._send(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self._send(signal.SIGTERM)

    def _send(self, number: int) -> None:
        # Its parent reaps it only after it has told us, and a pid is not given anew so soon.
        if self.poll() is None:
            os.kill(self.pid, number)

    def note_end(self, code: int) -> None:
        """What its parent tells of it."""
        self._code = code
        self._ended.set()


class Nursery:
    """The process that forks, seen from the one that asks it to."""

    def __init__(self) -> None:
        """Start it; the first process takes half a second longer."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.nursery"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._children: dict[int, Forked] = {}
        self._started: Forked | None = None
        self._answered = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()

    def spawn(
        self,
        module: Sequence[str],
        log: Path,
        environment: Mapping[str, str],
        output: Path = Path(os.devnull),
    ) -> Spawned:
        """Start a module of this name with these arguments, as ``python -m`` would.

        Where modules are looked for in other places, it has an interpreter of its own.

        Args:
            module: Its name and its arguments.
            log: Where its standard error goes.
            environment: All of it.
            output: Where its standard output goes.

        Raises:
            RuntimeError: The nursery has ended.
        """
        if environment.get("PYTHONPATH") != os.environ.get("PYTHONPATH"):
            return popen(module, log, environment, output)
        assert self._process.stdin
        order = {
            "arguments": list(module),
            "log": str(log),
            "output": str(output),
            "environment": dict(environment),
        }
        with self._answered:
            self._started = None
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            if not self._answered.wait_for(lambda: self._started is not None, 30):
                raise RuntimeError("the nursery does not answer")
            assert self._started
            return self._started

    def close(self) -> None:
        """End it, and with it whatever it has forked."""
        self._process.kill()
        self._process.wait()

    def _listen(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            told = json.loads(line)
            with self._answered:
                if "code" in told:
                    self._children.pop(told["pid"]).note_end(told["code"])
                else:
                    self._started = self._children[told["pid"]] = Forked(told["pid"])
                    self._answered.notify_all()


def _tell(**what: int) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def end_with_parent() -> None:
    """Have this process killed when the one that started it ends, however that ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _fork(order: dict[str, Any]) -> None:
    pid = os.fork()
    if pid:
        _tell(pid=pid)
        return
    code = 70
    try:
        end_with_parent()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for name, number in (("output", 1), ("log", 2)):
            os.dup2(os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), number)
        os.environ.clear()
        os.environ.update(order["environment"])
        # A process that hangs tells where: kill -USR1.
        faulthandler.register(signal.SIGUSR1)
        random.seed()
        sys.argv[1:] = order["arguments"][1:]
        runpy.run_module(order["arguments"][0], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - there is nobody above to tell
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def _reap() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        _tell(pid=pid, code=os.waitstatus_to_exitcode(status))


def main() -> None:
    """Fork on demand, and tell of every end, until nobody asks any more."""
    end_with_parent()
    # Ctrl-C is for the campaign, which then ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in STAGES:
        if not lacking(name):
            stage_named(name)
    for module in _MODULES:
        import_module(module)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    os.set_blocking(reading, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writing)
    watched = selectors.DefaultSelector()
    watched.register(sys.stdin.fileno(), selectors.EVENT_READ)
    watched.register(reading, selectors.EVENT_READ)
    rest = b""
    while True:
        for key, _ in watched.select():
            if key.fd == reading:
                os.read(reading, 4096)
                _reap()
                continue
            asked = os.read(key.fd, 65536)
            if not asked:
                return
            *lines, rest = (rest + asked).split(b"\n")
            for line in lines:
                _fork(json.loads(line))


if __name__ == "__main__":
    main()
