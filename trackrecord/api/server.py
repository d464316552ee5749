"""The API as a process: ``trackrecord run api``."""

from __future__ import annotations

import ctypes
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import uvicorn

from trackrecord.api.app import access_of, create_app, pools
from trackrecord.api.changes import Changes
from trackrecord.api.ingest import Ingest
from trackrecord.api.who import require_loopback
from trackrecord.clock import SYSTEM_CLOCK, Clock
from trackrecord.runtime import logs
from trackrecord.runtime.errors import EXIT_COULD_NOT
from trackrecord.runtime.logs import get_logger
from trackrecord.runtime.process.memory_and_threads import collect_rarely, take_turns
from trackrecord.runtime.process.run import on_signals
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.settings.misspelt import unknown_variables

_log = get_logger(__name__)

_GRACE_SECONDS: Final = 10
"""How long requests that are being answered may still take once the process is to end."""

_BACKLOG: Final = 512

_ARENA_MAX: Final = -8
"""The parameter of mallopt(3) that says how many pools of memory there are."""
_TURN_SECONDS: Final = 0.0005
"""How long a thread computes while another waits: most requests wait for the database, and one
that was answered goes on at once."""

_ARENAS: Final = 2
"""Else each thread that answers requests has one, and keeps what its largest answer took."""


class ApiServer(uvicorn.Server):
    """Ends in good order when asked to, streams included, and then with exit code 0."""

    def __init__(self, config: uvicorn.Config, changes: Changes) -> None:
        """Serve an app.

        Args:
            config: With the app.
            changes: The streams, which would never end by themselves.
        """
        super().__init__(config)
        self._changes = changes

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals that ask for an end."""

        def stop(_name: str) -> None:
            self.should_exit = True

        on_signals(stop)
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams first: all others are waited for."""
        self._changes.close()
        await super().shutdown(sockets)


def run(settings: Settings, clock: Clock = SYSTEM_CLOCK) -> int:
    """Run the API in the foreground until SIGTERM or SIGINT.

    Args:
        settings: Of the process.
        clock: What tells the time.

    Returns:
        The exit code: 0 ended in good order, 2 could not listen.

    Raises:
        ConfigurationError: It would listen where anybody could ask, or its secret is too short.
    """
    _share_memory()
    if not settings.jwt_secret:
        require_loopback(settings.api_host)
    logs.configure("api", level=settings.log_level, style=settings.log_format)
    try:
        listener = listening(settings.api_host, settings.api_port)
    except OSError as error:
        sys.stderr.write(
            f"cannot listen on {settings.api_host}:{settings.api_port}: {error.strerror}; "
            "choose another with TRACKRECORD_API_PORT\n"
        )
        return EXIT_COULD_NOT
    for unknown in unknown_variables(os.environ):
        _log.warning("unknown setting", variable=unknown.variable, nearest=unknown.nearest)
    server = serving(settings, clock)
    collect_rarely()
    take_turns(_TURN_SECONDS)
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    _log.info("started", address=f"http://{shown}:{port}", broker=settings.kafka_bootstrap_servers)
    with listener:
        server.run(sockets=[listener])
    return 0


def _share_memory() -> None:
    # Where the C library has no such call, it has no such pools.
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, _ARENAS)


def serving(settings: Settings, clock: Clock = SYSTEM_CLOCK) -> ApiServer:
    """A server of the whole API, to be run on a socket that listens.

    Raises:
        ConfigurationError: Its secret is too short.
    """
    if settings.api_database_url:
        settings = settings.model_copy(update={"database_url": settings.api_database_url})
    pool, exports = pools(settings)
    app = create_app(
        settings,
        pool=pool,
        exports=exports,
        ingest=Ingest(settings, clock),
        clock=clock,
        access=access_of(settings, pool, clock),
    )
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    return ApiServer(config, app.state.parts.changes)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Args:
        host: A name or an address, of IPv6 too, with or without brackets.
        port: 0 for a free one.

    Raises:
        OSError: There is no such host, or the port is taken.
    """
    place = socket.getaddrinfo(
        host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    # With the protocol named: only then is an answer sent without waiting for more of it.
    listener = socket.socket(*place[:3])
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(place[4][:2])
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
