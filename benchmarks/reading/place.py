"""The API that is asked: a process of its own, and who asks it."""

from __future__ import annotations

import http.client
import json
import secrets
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from benchmarks.pipeline.common import Process, environment
from trackrecord.access import passwords
from trackrecord.access.roles import SCOPES
from trackrecord.access.store import claims, database_role, keys, users
from trackrecord.access.store.audit import COMMAND_LINE
from trackrecord.clock import SYSTEM_CLOCK
from trackrecord.runtime import database
from trackrecord.runtime.settings import Settings

HIDDEN: Final = 100
"""Strategies that another user keeps to herself, where users log in."""


@dataclass(frozen=True)
class Place:
    """The API that is asked.

    Attributes:
        settings: Of all processes.
        address: ``host:port``.
        process: Its own.
        headers: Of every request: a key, where users log in.
    """

    settings: Settings
    address: str
    process: Process
    headers: Mapping[str, str] = field(default_factory=dict)

    def get(self, path: str) -> Any:
        """What it answers to a request, read.

        Raises:
            RuntimeError: It has no answer.
        """
        connection = http.client.HTTPConnection(self.address, timeout=60)
        try:
            connection.request("GET", path, headers=dict(self.headers))
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status != 200:  # noqa: PLR2004 - done
            raise RuntimeError(f"{path}: {answer.status} {body[:500]!r}")
        return json.loads(body)

    def wait_for(self, path: str, seconds: float = 120.0) -> None:
        """Wait until it has an answer.

        Raises:
            RuntimeError: It never has.
        """
        ends = time.monotonic() + seconds
        while True:
            try:
                self.get(path)
            except RuntimeError:
                if time.monotonic() > ends:
                    raise
            else:
                return


@contextmanager
def serving(settings: Settings, *, guarded: bool = False) -> Iterator[Place]:
    """The API as a process of its own.

    Args:
        settings: Where the tables are.
        guarded: Whether users log in: then every request brings a key, and some strategies are
            another user's alone.

    Raises:
        RuntimeError: It does not start.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {**environment(settings), "TRACKRECORD_API_PORT": str(port)}
    headers = {}
    if guarded:
        environ["TRACKRECORD_JWT_SECRET"] = secrets.token_urlsafe(40)
        environ["TRACKRECORD_API_DATABASE_URL"] = _role(settings)
        headers = {"x-api-key": _key(settings)}
    with Process(["-m", "trackrecord.cli.main", "run", "api"], environ) as process:
        place = Place(settings, f"127.0.0.1:{port}", process, headers)
        ends = time.monotonic() + 60
        while True:
            try:
                place.get("/healthz")
                break
            except (OSError, RuntimeError):
                if time.monotonic() > ends or not process.running:
                    raise RuntimeError(f"the API does not start:\n{process.said()}") from None
                time.sleep(0.1)
        yield place


def _role(settings: Settings) -> str:
    """Make the role that the API connects as, in the throw-away server; gives its URL."""
    name, password = "benchmark_api", secrets.token_urlsafe(12)
    with database.session(settings, application="benchmark") as cursor:
        database_role.make(cursor, name, password)
        database_role.grant(cursor, name)
    parts = urlsplit(settings.database_url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{name}:{password}@{host}"))


def _key(settings: Settings) -> str:
    """Add two users, one with private strategies, and give the key of the other."""
    now = SYSTEM_CLOCK.now()
    with database.session(settings, application="benchmark") as cursor:
        kept = passwords.kept(passwords.new_password())
        other = users.add(cursor, COMMAND_LINE, "other", "trader", kept, now)
        cursor.execute("SELECT DISTINCT strategy FROM strategy_totals ORDER BY 1")
        names = [name for (name,) in cursor.fetchall()]
        for name in names[len(names) // 2 :][:HIDDEN]:
            claims.give(cursor, COMMAND_LINE, name, other.user_id, now)
        asking = users.add(cursor, COMMAND_LINE, "asking", "operator", kept, now)
        _, new = keys.make(cursor, COMMAND_LINE, asking.user_id, "benchmark", SCOPES, now)
    return new.text
