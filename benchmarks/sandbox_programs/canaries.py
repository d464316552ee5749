"""What a program would have to touch if it got out: files, servers, an environment, processes."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Final, Self

VARIABLE: Final = "TRACKRECORD_CANARY"


class Canaries:
    """Set up while programs run; :meth:`touched` says what was touched."""

    def __init__(self) -> None:
        self.secret = f"canary-{secrets.token_hex(16)}"
        self._made = contextlib.ExitStack()
        self.folder = Path()
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Self:
        made = self._made
        self.folder = Path(
            made.enter_context(tempfile.TemporaryDirectory(prefix="trackrecord-canary-"))
        )
        self.file = self.folder / "canary"
        self.file.write_text(self.secret)
        os.environ[VARIABLE] = self.secret
        for kind, address in (
            (socket.SOCK_STREAM, ("127.0.0.1", 0)),
            (socket.SOCK_DGRAM, ("127.0.0.1", 0)),
        ):
            server = made.enter_context(socket.socket(socket.AF_INET, kind))
            server.bind(address)
            server.setblocking(False)
            self._sockets.append(server)
        local = made.enter_context(socket.socket(socket.AF_UNIX))
        local.bind(str(self.folder / "socket"))
        local.setblocking(False)
        self._sockets.append(local)
        for server in (self._sockets[0], local):
            server.listen()
        self.port = self._sockets[0].getsockname()[1]
        self._before = self._listing()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        os.environ.pop(VARIABLE, None)
        self._made.close()

    def names(self) -> str:
        """Source that tells a program where they are."""
        return f"CANARY = {str(self.file)!r}\nFOLDER = {str(self.folder)!r}\nPORT = {self.port}\n"

    def leaked(self, text: str) -> bool:
        """Whether a text holds what only the file and the environment hold."""
        return self.secret in text

    def touched(self) -> list[str]:
        """What happened to them since the last look."""
        found = []
        for server, what in zip(
            self._sockets, ("a connection", "a datagram", "a local connection"), strict=True
        ):
            with contextlib.suppress(OSError):
                if what == "a datagram":
                    server.recv(64)
                else:
                    server.accept()[0].close()
                found.append(what)
        if self._listing() != self._before:
            found.append("the folder changed")
        if not self.file.exists() or self.file.read_text() != self.secret:
            found.append("the file changed")
        return found

    def _listing(self) -> list[str]:
        return sorted(str(each) for each in self.folder.rglob("*"))


def descendants(pid: int | None = None) -> list[int]:
    """All processes that come from this one, by ``/proc``."""
    waiting = [os.getpid() if pid is None else pid]
    found = []
    while waiting:
        parent = waiting.pop()
        for tasks in Path(f"/proc/{parent}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                children = [int(each) for each in tasks.read_text().split()]
                found.extend(children)
                waiting.extend(children)
    return found
