"""Requests that pages of other sites have a browser send are refused.

Whoever can reach the API may do everything, which is why it listens on this machine only. A
browser on this machine also runs the pages of others: one may let its own name point here, or
post a form. Neither knows how to name this machine as the sender and the receiver of a request.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from trackrecord.api.problems import problem
from trackrecord.api.who import is_loopback

_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class SameMachine:
    """Stands before the app."""

    def __init__(self, app: ASGIApp) -> None:
        """Guard an app."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or say why not."""
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            host = headers.get(b"host", b"").decode("latin-1")
            if not is_loopback(_name("//" + host)):
                words = (
                    f"the request is for {host[:100]!r}; this API answers on this machine only, "
                    "as 127.0.0.1, [::1] or localhost"
                )
                await problem(403, words)(scope, receive, send)
                return
            origin = headers.get(b"origin", b"").decode("latin-1")
            if origin and scope["method"] not in _READING and not is_loopback(_name(origin)):
                words = f"a page of {origin[:100]!r} may change nothing here"
                await problem(403, words)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _name(url: str) -> str:
    """The host that a URL names, without its port; empty where there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
