"""How a worker is started under the wrapper: the program, what it may read, and the command."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

from trackrecord.sandbox.limits import Limits

_HERE: Final = Path(__file__).parent
CONFINE: Final = _HERE / "confine.py"
ATTEMPTS: Final = _HERE / "attempts.py"
LAYERS: Final = ("landlock", "seccomp")
_MEGABYTE: Final = 1 << 20
# The program itself and what its type checker needs, beside the memory of a strategy.
_ADDRESS_SPACE_MB: Final = 768
_CPU_SECONDS: Final = 24 * 3600
_LARGEST_FILE: Final = 64 * 1024

Forbidden = Literal["refuse", "kill"]


@dataclass(frozen=True)
class Wrapper:
    """What is put around a worker.

    Attributes:
        layers: Of ``landlock`` and ``seccomp``, those that are there.
        bubblewrap: The program of that name, where it is put around all else.
        forbidden: What seccomp does about a forbidden call; ``kill`` makes an attempt visible.
    """

    layers: tuple[str, ...] = ()
    bubblewrap: str | None = None
    forbidden: Forbidden = "refuse"
    limits: Limits = field(default_factory=Limits)

    def specification(self, binary: str) -> dict[str, Any]:
        """What ``confine.py`` is told."""
        memory = (2 * self.limits.memory_mb + _ADDRESS_SPACE_MB) * _MEGABYTE
        return {
            "program": binary,
            "readable": list(linked_files(binary)),
            "layers": list(self.layers),
            "forbidden": self.forbidden,
            "limits": {"AS": memory, "FSIZE": _LARGEST_FILE, "CORE": 0, "CPU": _CPU_SECONDS},
        }

    def command(self, specification: dict[str, Any]) -> list[str]:
        """The command that starts the wrapper; arguments of the worker follow."""
        confine = [_python(), "-I", "-S", str(CONFINE), json.dumps(specification)]
        if self.bubblewrap is None:
            return confine
        return [self.bubblewrap, *_namespaces(specification), "--", *confine]


def _python() -> str:
    """The interpreter without its virtual environment, whose settings it would look for."""
    return os.path.realpath(sys.executable)


def _namespaces(specification: dict[str, Any]) -> list[str]:
    """Namespaces of its own, and a root that holds libraries, Python and the program."""
    arguments = [
        "--unshare-all",
        "--die-with-parent",
        "--new-session",
        "--clearenv",
        "--cap-drop",
        "ALL",
        "--chdir",
        "/",
    ]
    needed = [
        "/usr/lib",
        "/usr/lib64",
        "/lib",
        "/lib64",
        "/etc/ld.so.cache",
        os.path.realpath(sys.base_prefix),
        str(_HERE),
        specification["program"],
        *specification["readable"],
    ]
    for path in dict.fromkeys(needed):
        if Path(path).is_symlink():
            arguments += ["--symlink", str(Path(path).readlink()), path]
        elif Path(path).exists():
            arguments += ["--ro-bind", path, path]
    return arguments


def monty_binary() -> str:
    """The program that runs strategies, as its own package finds it.

    Raises:
        FileNotFoundError: It is not installed.
    """
    from pydantic_monty._binary import find_monty_binary  # noqa: PLC0415 - an extra

    return os.path.realpath(find_monty_binary())


@lru_cache(maxsize=8)
def linked_files(binary: str) -> tuple[str, ...]:
    """The libraries that a program is linked with, its loader included, as the loader tells.

    Where it cannot be asked, the folders that hold libraries.
    """
    if sys.platform != "linux":
        return ()
    found = {"/etc/ld.so.cache"}
    try:
        # What ldd does; the loader prints the list instead of starting the program.
        told = subprocess.run(
            [binary],
            env={"LD_TRACE_LOADED_OBJECTS": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        told = ""
    for line in told.splitlines():
        path = line.partition("=>")[2] or line
        path = path.partition("(")[0].strip()
        if path.startswith("/"):
            found.add(os.path.realpath(path))
    if len(found) == 1:
        found.update(each for each in ("/lib", "/lib64", "/usr/lib") if Path(each).exists())
    return tuple(sorted(found))


def bubblewrap() -> str | None:
    """Where ``bwrap`` is, if it is here."""
    return shutil.which("bwrap") if sys.platform == "linux" else None


class Launcher:
    """The file that a pool starts its workers by, and the one that catches what they complain of.

    On Linux both are files in memory, which are gone with this process whatever ends it;
    elsewhere they lie in a folder of their own until :meth:`close`.
    """

    def __init__(self, wrapper: Wrapper, binary: str) -> None:
        self._folder: str | None = None
        self._descriptors: list[int] = []
        self._complaints = self._file("complaints", b"")
        command = wrapper.command(wrapper.specification(binary))
        script = f'#!/bin/sh\nexec {shlex.join(command)} "$@" 2>>{shlex.quote(self._complaints)}\n'
        self.path = self._file("launcher", script.encode())

    def _file(self, name: str, content: bytes) -> str:
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                descriptor = os.memfd_create(f"trackrecord-{name}", os.MFD_CLOEXEC)
                self._descriptors.append(descriptor)
                os.write(descriptor, content)
                os.fchmod(descriptor, 0o700)
                return f"/proc/{os.getpid()}/fd/{descriptor}"
        if self._folder is None:
            self._folder = tempfile.mkdtemp(prefix="trackrecord-sandbox-")
        path = Path(self._folder, name)
        path.write_bytes(content)
        path.chmod(0o700)
        return str(path)

    def complaints(self) -> str:
        """What workers wrote to standard error so far."""
        with contextlib.suppress(OSError):
            return Path(self._complaints).read_bytes()[-2_000:].decode(errors="replace").strip()
        return ""

    def close(self) -> None:
        """Remove both files."""
        while self._descriptors:
            os.close(self._descriptors.pop())
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
