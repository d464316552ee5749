"""A TCP proxy between a stage and Postgres or Kafka: it cuts, holds replies back, and loses them.

It runs in a thread of its own and listens on loopback. What it must know of the protocols is
little: where a COMMIT ends and its reply begins, whether a session is inside a transaction,
which request a reply of the broker answers, and where the broker says its own address (which
is replaced by the proxy's, or clients would go round it).
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

_COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
_READY = b"Z\x00\x00\x00\x05"
COMMIT = -1
"""The only kind of request to Postgres that matters here."""
PRODUCE, FETCH, LIST_OFFSETS = 0, 1, 2
"""Kinds of requests to Kafka, by its own numbers."""
_CHUNK = 65536
_SECONDS = 10.0
_TICK = 0.02
HOST = "127.0.0.1"

T = TypeVar("T")


class Link(ABC):
    """One connection through the proxy: the client's half, and the server's."""

    def __init__(self) -> None:
        self.streams: list[asyncio.StreamWriter] = []
        self.client_port = 0
        self.is_severed = False
        self.server_port = 0
        """The port from which the server thinks that it is talked to."""

    @property
    @abstractmethod
    def is_busy(self) -> bool:
        """Whether something is under way: a transaction, a request without a reply."""

    @abstractmethod
    def sent(self, data: bytes) -> None:
        """Look at what goes to the server."""

    def publishes(self, data: bytes) -> bool:
        """Whether something on its way to the server is a message that is published."""
        del data
        return False

    @abstractmethod
    async def request(self, reader: asyncio.StreamReader) -> bytes:
        """Read what goes to the server next; empty at the end."""

    @abstractmethod
    async def reply(self, reader: asyncio.StreamReader) -> tuple[bytes, int | None]:
        """Read what comes back next, and the kind of request that it answers, if it is known."""

    def abort(self) -> None:
        """Reset both halves; of a severed connection only the client's."""
        for stream in self.streams[:1] if self.is_severed else self.streams:
            with contextlib.suppress(Exception):
                stream.transport.abort()


class PostgresLink(Link):
    """A session of libpq with simple queries, which is what psycopg2 sends."""

    def __init__(self) -> None:
        super().__init__()
        self._state = b"I"
        self._commits = False

    @property
    def is_busy(self) -> bool:
        return self._state != b"I"

    def sent(self, data: bytes) -> None:
        self._state = b"?"
        self._commits = data.endswith(_COMMIT)

    async def request(self, reader: asyncio.StreamReader) -> bytes:
        return await reader.read(_CHUNK)

    async def reply(self, reader: asyncio.StreamReader) -> tuple[bytes, int | None]:
        data = await reader.read(_CHUNK)
        commits, self._commits = self._commits, False
        if data[-6:-1] == _READY:
            self._state = data[-1:]
        return data, COMMIT if commits else None


class PoolerLink(PostgresLink):
    """A session whose start-up options are dropped, as poolers do that cannot pass them on."""

    _PROTOCOL_3 = 3 << 16

    async def request(self, reader: asyncio.StreamReader) -> bytes:
        data = await super().request(reader)
        if int.from_bytes(data[4:8], "big") != self._PROTOCOL_3 or data[:1] != b"\0":
            return data
        names, values = data[8:-1].split(b"\0")[:-1:2], data[8:-1].split(b"\0")[1::2]
        kept = b"".join(
            name + b"\0" + value + b"\0"
            for name, value in zip(names, values, strict=False)
            if name != b"options"
        )
        return (len(kept) + 9).to_bytes(4, "big") + data[4:8] + kept + b"\0"


class KafkaLink(Link):
    """A connection of a Kafka client, frame by frame."""

    def __init__(self, theirs: int, ours: int) -> None:
        super().__init__()
        self._theirs, self._ours = (
            HOST.encode() + port.to_bytes(4, "big") for port in (theirs, ours)
        )
        self._asked: dict[int, int] = {}

    @property
    def is_busy(self) -> bool:
        # A fetch that waits for news is no work.
        return any(kind != FETCH for kind in self._asked.values())

    def sent(self, data: bytes) -> None:
        self._asked[int.from_bytes(data[8:12], "big")] = int.from_bytes(data[4:6], "big")

    def publishes(self, data: bytes) -> bool:
        return data[4:6] == PRODUCE.to_bytes(2, "big")

    async def request(self, reader: asyncio.StreamReader) -> bytes:
        return await self._frame(reader)

    async def reply(self, reader: asyncio.StreamReader) -> tuple[bytes, int | None]:
        data = await self._frame(reader)
        kind = self._asked.pop(int.from_bytes(data[4:8], "big"), None)
        return data.replace(self._theirs, self._ours), kind

    @staticmethod
    async def _frame(reader: asyncio.StreamReader) -> bytes:
        try:
            size = await reader.readexactly(4)
            return size + await reader.readexactly(int.from_bytes(size, "big"))
        except asyncio.IncompleteReadError:
            return b""


class Proxy:
    """Listens on a free port of loopback, and passes everything on until told otherwise.

    Attributes:
        port: Where it listens.
        held: How often a reply was found to have to wait, up to fifty times a second.
        lost: Replies that were lost.
    """

    def __init__(self, kind: str, port: int) -> None:
        """Start it.

        Args:
            kind: ``postgres``, ``pooler`` (Postgres, less the start-up options) or ``kafka``.
            port: The server's, on loopback.
        """
        self.held = 0
        self.lost = 0
        self._kind = kind
        self._target = port
        self._links: set[Link] = set()
        self._hold_until = 0.0
        self._to_lose, self._kind_to_lose = 0, COMMIT
        self._unmuted = asyncio.Event()
        self._unmuted.set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._call(self._listen)
        self.port = int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Reset every connection, and listen no more."""

        async def end() -> None:
            self._server.close()
            for link in self._links:
                link.is_severed = False
                link.abort()
            # Let the pumps notice.
            await asyncio.sleep(0.01)

        self._call(end)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_SECONDS)

    def cut(self) -> int:
        """Reset every connection; returns how many of them were busy."""

        async def cut() -> int:
            there = [link for link in self._links if not link.is_severed]
            for link in there:
                link.abort()
            return sum(link.is_busy for link in there)

        return self._call(cut)

    def sever(self) -> int:
        """Reset the clients' halves; the server hears nothing of it, as in a broken network.

        Returns:
            How many of the connections were busy.
        """

        async def sever() -> int:
            there = [link for link in self._links if not link.is_severed]
            for link in there:
                link.is_severed = True
                link.abort()
            return sum(link.is_busy for link in there)

        return self._call(sever)

    def hold(self, seconds: float) -> None:
        """Keep every reply back until so many seconds from now; 0 lets them go."""

        async def hold() -> None:
            self._hold_until = self._loop.time() + seconds

        self._call(hold)

    def lose(self, count: int = 1, kind: int = COMMIT) -> None:
        """Lose the replies to the next requests of a kind, and the connections too."""
        self._to_lose, self._kind_to_lose = count, kind

    def mute(self, *, is_muted: bool) -> None:
        """Let nothing that is published through; what waited is gone when this ends."""

        async def mute() -> None:
            if is_muted:
                self._unmuted.clear()
            else:
                self._unmuted.set()

        self._call(mute)

    def server_ports(self, client_ports: set[int]) -> set[int]:
        """As which ports the server knows the connections from some client's ports."""
        return {each.server_port for each in set(self._links) if each.client_port in client_ports}

    def _call(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        return asyncio.run_coroutine_threadsafe(work(), self._loop).result(_SECONDS)

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, HOST, 0)

    def _new_link(self) -> Link:
        if self._kind == "kafka":
            return KafkaLink(self._target, self.port)
        return PoolerLink() if self._kind == "pooler" else PostgresLink()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = self._new_link()
        link.streams.append(writer)
        link.client_port = writer.get_extra_info("peername")[1]
        self._links.add(link)
        try:
            theirs, to_server = await asyncio.open_connection(HOST, self._target)
            link.streams.append(to_server)
            link.server_port = to_server.get_extra_info("sockname")[1]
            await asyncio.gather(
                self._requests(link, reader, to_server), self._replies(link, theirs, writer)
            )
        except OSError:
            pass  # either side has gone, or the server does not listen: so does the other half
        finally:
            link.abort()
            if not link.is_severed:
                self._links.discard(link)

    async def _requests(
        self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while data := await link.request(reader):
            if link.publishes(data) and not self._unmuted.is_set():
                await self._unmuted.wait()
                break
            link.sent(data)
            writer.write(data)
            await writer.drain()
        link.abort()

    async def _replies(
        self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            data, kind = await link.reply(reader)
            if not data:
                break
            if self._to_lose and kind == self._kind_to_lose:
                self._to_lose -= 1
                self.lost += 1
                break
            while (left := self._hold_until - self._loop.time()) > 0:
                self.held += 1
                await asyncio.sleep(min(left, _TICK))
            writer.write(data)
            await writer.drain()
        link.abort()
