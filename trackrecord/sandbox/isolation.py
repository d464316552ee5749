"""What isolation there really is on this machine, found by a probe and not by its settings."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from trackrecord.errors import TrackrecordError
from trackrecord.sandbox.launch import (
    ATTEMPTS,
    LAYERS,
    Forbidden,
    Wrapper,
    bubblewrap,
    monty_binary,
)
from trackrecord.sandbox.limits import Limits

Level = Literal["process", "kernel", "namespaces"]
LEVELS: Final[tuple[Level, ...]] = ("process", "kernel", "namespaces")
"""From least to most: a machine of its own in a process of its own; the kernel besides refuses
files, network, processes and all else that the probe tries; in namespaces of their own besides."""

_PROBE_SECONDS: Final = 20
_NAMESPACES: Final = ("net", "pid", "mnt", "user", "ipc")


class SandboxError(TrackrecordError):
    """Strategies cannot be run here as they have to be; the message says what to do."""


@dataclass(frozen=True)
class Attempt:
    """One thing that the probe tried; ``how`` is the kernel's answer."""

    name: str
    what: str
    refused: bool
    how: str


@dataclass(frozen=True)
class Isolation:
    """What the probe found, and the wrapper under which it found it.

    Attributes:
        missing: Layers that this machine does not give, and why.
        process: What the probe found itself to be: descriptors, limits, user.
    """

    wrapper: Wrapper
    attempts: tuple[Attempt, ...]
    missing: dict[str, str]
    process: dict[str, Any]

    @property
    def open_ways(self) -> tuple[Attempt, ...]:
        """The attempts that worked."""
        return tuple(each for each in self.attempts if not each.refused)

    @property
    def level(self) -> Level:
        """The level that the attempts show."""
        if self.open_ways or not self.attempts:
            return "process"
        return "kernel" if self.wrapper.bubblewrap is None else "namespaces"


_found: dict[tuple[Limits, Forbidden, str | None], Isolation] = {}
_lock = threading.Lock()


def find_isolation(
    limits: Limits | None = None, forbidden: Forbidden = "refuse", *, namespaces: bool = True
) -> Isolation:
    """Probe this machine, once in a process, and say what there is.

    The strongest wrapper comes first; the next one is tried where the probe could not run under
    it, or got out of it. ``namespaces`` False leaves bubblewrap out, which stands between a
    worker and this process and hides by which signal it ended.

    Raises:
        SandboxError: The program that runs strategies is not installed, or nothing starts it.
    """
    limits = limits or Limits()
    outer = bubblewrap() if namespaces else None
    key = (limits, forbidden, outer)
    with _lock:
        if key not in _found:
            _found[key] = _probe_all(limits, forbidden, outer)
        return _found[key]


def _probe_all(limits: Limits, forbidden: Forbidden, outer: str | None) -> Isolation:
    try:
        binary = monty_binary()
    except (ImportError, FileNotFoundError):
        raise SandboxError(
            "the sandbox of strategies is not installed: pip install 'trackrecord[strategies]'"
        ) from None
    layers = LAYERS if sys.platform == "linux" else ()
    candidates = [Wrapper(layers, outer, "refuse", limits)] if outer else []
    candidates.append(Wrapper(layers, None, "refuse", limits))
    best: Isolation | None = None
    problem = ""
    for wrapper in candidates:
        found = probe(wrapper, binary)
        if isinstance(found, str):
            problem = found
            continue
        if best is None or len(found.open_ways) < len(best.open_ways):
            best = found
        if not found.open_ways:
            break
    if best is None:
        raise SandboxError(f"the sandbox does not start here: {problem}")
    # The probe tells refusals one by one; workers may be made to die of the first.
    kept = tuple(layer for layer in best.wrapper.layers if layer not in best.missing)
    return replace(best, wrapper=replace(best.wrapper, layers=kept, forbidden=forbidden))


def probe(wrapper: Wrapper, binary: str) -> Isolation | str:
    """Let a process try everything under a wrapper.

    Returns:
        What came of it, or why it could not run.
    """
    with _targets() as target:
        specification = {
            **wrapper.specification(binary),
            "probe": str(ATTEMPTS),
            "target": target.given,
        }
        try:
            ran = subprocess.run(
                wrapper.command(specification),
                env={},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_PROBE_SECONDS,
                check=False,
            )
            told = json.loads(ran.stdout)
        except subprocess.TimeoutExpired:
            return f"the probe did not end within {_PROBE_SECONDS} seconds"
        except OSError as error:
            return f"the probe did not start: {error.strerror}"
        except ValueError:
            words = ran.stderr.decode(errors="replace").strip().splitlines()
            return f"the probe ended with {ran.returncode}: {words[-1] if words else 'no word'}"
        attempts = [
            Attempt(each["attempt"], each["what"], each["refused"], each["how"])
            for each in told["attempts"]
        ]
        # What happened counts, not what the probe believes of it.
        attempts.extend(
            Attempt(name, what, refused=False, how="it was seen outside")
            for name, what in target.seen()
        )
    return Isolation(wrapper, tuple(attempts), told["missing"], told["process"])


@dataclass(frozen=True)
class _Targets:
    """What the probe tries on: files, a server, and this process."""

    given: dict[str, Any]
    server: socket.socket
    datagrams: socket.socket

    def seen(self) -> list[tuple[str, str]]:
        """What this side noticed, whatever the probe says."""
        found = []
        with contextlib.suppress(OSError):
            self.server.accept()[0].close()
            found.append(("connection", "a connection arrived"))
        with contextlib.suppress(OSError):
            self.datagrams.recv(16)
            found.append(("datagram", "a datagram arrived"))
        if Path(self.given["new_file"]).exists():
            found.append(("file", "a file was made"))
        if not Path(self.given["victim"]).exists():
            found.append(("removed", "a file was removed"))
        return found


@contextlib.contextmanager
def _targets() -> Iterator[_Targets]:
    with (
        tempfile.TemporaryDirectory(prefix="trackrecord-probe-") as folder,
        socket.socket() as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
    ):
        for each in (server, datagrams):
            each.bind(("127.0.0.1", 0))
            each.settimeout(0)
        server.listen(1)
        for name in ("secret", "victim"):
            Path(folder, name).write_text("probe")
        yield _Targets(
            {
                "file": str(Path(folder, "secret")),
                "new_file": str(Path(folder, "new")),
                "victim": str(Path(folder, "victim")),
                "port": server.getsockname()[1],
                "udp_port": datagrams.getsockname()[1],
                "host": os.getpid(),
            },
            server,
            datagrams,
        )


def require(found: Isolation, least: Level) -> None:
    """Refuse less isolation than was asked for.

    Raises:
        SandboxError: There is less; names what the probe could do.
    """
    if LEVELS.index(found.level) >= LEVELS.index(least):
        return
    ways = ", ".join(each.name for each in found.open_ways)
    why = f"; the probe got through with: {ways}" if ways else "; bwrap is not here or does not run"
    raise SandboxError(
        f"TRACKRECORD_SANDBOX_LEAST={least}, but there is only {found.level!r} isolation here"
        f"{why} (see `trackrecord strategy sandbox`)"
    )


def worker_facts(pid: int) -> dict[str, Any]:
    """What the kernel says of a worker that runs: its filter, rights, descriptors, namespaces.

    Empty where there is no ``/proc``, or the worker has gone.
    """
    try:
        last = pid
        # bwrap stands before the worker; the worker is the last of the line.
        while children := Path(f"/proc/{last}/task/{last}/children").read_text().split():
            last = int(children[0])
        status = dict(
            line.split(":\t", 1)
            for line in Path(f"/proc/{last}/status").read_text().splitlines()
            if ":\t" in line
        )
        spaces = [
            name
            for name in _NAMESPACES
            if os.readlink(f"/proc/{last}/ns/{name}")  # noqa: PTH115 - no path is meant
            != os.readlink(f"/proc/self/ns/{name}")  # noqa: PTH115
        ]
        return {
            "program": Path(os.readlink(f"/proc/{last}/exe")).name,  # noqa: PTH115
            "seccomp": {"0": "off", "1": "strict", "2": "filter"}.get(status["Seccomp"], "?"),
            "no_new_privs": status["NoNewPrivs"] == "1",
            "capabilities": int(status["CapEff"], 16) | int(status["CapPrm"], 16),
            "descriptors": sorted(int(each) for each in os.listdir(f"/proc/{last}/fd")),  # noqa: PTH208
            "environment_bytes": len(Path(f"/proc/{last}/environ").read_bytes()),
            "own_namespaces": spaces,
        }
    except (OSError, KeyError, ValueError):
        return {}
