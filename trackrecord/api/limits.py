"""What a request may take: its bytes, how many at once, and how its path is read."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trackrecord.api.problems import ProblemError, problem

SLASH: Final = "\ue02f"
"""Stands for a slash inside a name while the path is taken apart at its slashes."""

UNBOUNDED: Final = frozenset({"/api/v1/stream"})
"""Paths whose requests stay open; they have a limit of their own."""


class Limits:
    """Stands before the app."""

    def __init__(self, app: ASGIApp, *, most_bytes: int, most_at_once: int) -> None:
        """Guard an app.

        Args:
            app: What answers.
            most_bytes: Of a body.
            most_at_once: Requests that are worked on or wait.
        """
        self._app = app
        self._most_bytes = most_bytes
        self._most_at_once = most_at_once
        self._now = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or say why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = {**scope, "path": _path(scope)}
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > self._most_bytes:
            await problem(413, self._too_large())(scope, receive, send)
            return
        if scope["path"] in UNBOUNDED:
            await self._app(scope, receive, send)
            return
        if self._now >= self._most_at_once:
            words = f"{self._now} requests are being answered: ask again in a moment"
            await problem(503, words)(scope, receive, send)
            return
        self._now += 1
        try:
            await self._app(scope, self._counted(receive), send)
        finally:
            self._now -= 1

    def _counted(self, receive: Receive) -> Receive:
        """Bodies without a declared length are counted as they come."""
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._most_bytes:
                raise ProblemError(413, self._too_large())
            return message

        return counted

    def _too_large(self) -> str:
        return f"the body is larger than {self._most_bytes:,} bytes: send it in parts"


def _path(scope: Scope) -> str:
    """The path, whose names may hold slashes where the client has written them as %2F."""
    raw: bytes = scope.get("raw_path") or b""
    if b"%2f" not in raw.lower():
        return str(scope["path"])
    parts = raw.decode("latin-1").split("/")
    return "/".join(unquote(part).replace("/", SLASH) for part in parts)
