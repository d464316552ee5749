"""A small HTTP server for a process's own pages, which no client can hold up.

A connection ends after some seconds, whatever its client does or leaves undone, and as many are
open at most as may be: the oldest makes room for the newest.
"""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final

from trackrecord.clock import SYSTEM_CLOCK
from trackrecord.runtime.logs import get_logger

_log = get_logger(__name__)

Answer = tuple[int, str, bytes]
"""Status, content type and body."""

Page = Callable[[], Answer]

MOST_SECONDS: Final = 10.0
"""How long a connection may last; a scrape takes a few milliseconds."""

MOST_OPEN: Final = 16
"""Connections at a time, each with a thread."""


class PageServer(socketserver.ThreadingMixIn, HTTPServer):
    """Answers GET requests for a few pages."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 32

    def __init__(self, host: str, port: int, pages: Mapping[str, Page]) -> None:
        """Begin to listen.

        Args:
            host: A name or an address, of IPv6 too, with or without brackets.
            port: 0 for a free one.
            pages: By path.

        Raises:
            OSError: There is no such host, or the port is taken.
        """
        place = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        self.address_family = place[0]
        self.pages = pages
        self._open: dict[socket.socket, float] = {}
        self._lock = threading.Lock()
        super().__init__(place[4][:2], _Handler)  # type: ignore[arg-type]

    def server_bind(self) -> None:
        """Bind without asking for the host's name, which takes seconds where nobody knows it."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread; what has been open for longest gives way."""
        with self._lock:
            self._open[request] = SYSTEM_CLOCK.monotonic()
            oldest = list(self._open)[: max(len(self._open) - MOST_OPEN, 0)]
        for each in oldest:
            self._end(each)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection and close it."""
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """End what has been open for too long; called twice a second."""
        with self._lock:
            since = SYSTEM_CLOCK.monotonic() - MOST_SECONDS
            late = [each for each, opened in self._open.items() if opened < since]
        for each in late:
            self._end(each)

    def _end(self, request: socket.socket) -> None:
        """Have the thread of a connection find that it has ended."""
        with self._lock:
            self._open.pop(request, None)
        with suppress(OSError):
            request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is none of our errors; any other is a line of the log."""
        del request, client_address
        try:
            raise  # noqa: PLE0704 - called while an exception is handled
        except OSError:
            pass
        except Exception as error:  # noqa: BLE001 - whatever a page raises
            _log.error("a page was not answered", reason=f"{type(error).__name__}: {error}")


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    timeout = MOST_SECONDS

    def do_GET(self) -> None:
        page = self.server.pages.get(self.path.split("?", 1)[0])
        names = " ".join(self.server.pages)
        code, kind, body = page() if page else (404, "text/plain", f"see {names}\n".encode())
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Requests are not logged: there is one every few seconds."""
