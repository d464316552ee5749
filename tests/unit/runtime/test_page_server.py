"""Clients that hang up, stay idle or come in crowds: the pages of a process go on."""

from __future__ import annotations

import io
import json
import socket
import struct
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator

import pytest
import structlog

from trackrecord.runtime import logs, page_server
from trackrecord.runtime.page_server import MOST_OPEN, Answer, PageServer

LARGE = b"x" * 5_000_000


def answer() -> Answer:
    return 200, "text/plain", b"well\n"


def large() -> Answer:
    return 200, "text/plain", LARGE


def broken() -> Answer:
    raise KeyError("no such thing")


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What is said as a stage says it, until the end of the test."""
    out = io.StringIO()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", out)
        logs.configure("test", style="json")
    monkeypatch.setattr(page_server, "_log", logs.get_logger("test-pages"))
    yield out
    structlog.reset_defaults()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> PageServer:
    monkeypatch.setattr(page_server, "MOST_SECONDS", 1.0)
    return started("127.0.0.1")


def started(host: str) -> PageServer:
    server = PageServer(host, 0, {"/": answer, "/large": large, "/broken": broken})
    threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    ).start()
    return server


def connection(server: PageServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.server_port), timeout=5)


def get(server: PageServer, host: str = "127.0.0.1") -> bytes:
    with urllib.request.urlopen(f"http://{host}:{server.server_port}/", timeout=5) as reply:
        return bytes(reply.read())


def test_a_scraper_that_hangs_up_leaves_nothing_that_is_no_line_of_the_log(
    server: PageServer, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_server, "MOST_SECONDS", 60.0)
    for _ in range(5):
        with connection(server) as gone:
            gone.sendall(b"GET /large HTTP/1.1\r\n\r\n")
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with connection(server) as wrong:
        wrong.settimeout(30)
        wrong.sendall(b"GET /broken HTTP/1.1\r\n\r\n")
        assert wrong.recv(10) == b""
    assert get(server) == b"well\n"
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert [line["reason"] for line in lines] == ["KeyError: 'no such thing'"]


def test_an_idle_connection_ends_and_so_does_its_thread(server: PageServer) -> None:
    before = threading.active_count()
    with connection(server) as idle, connection(server) as slow:
        idle.settimeout(10)
        slow.sendall(b"GET / HT")
        assert idle.recv(1) == b""
        assert slow.recv(1) == b""
    for _ in range(100):
        if threading.active_count() <= before:
            break
        time.sleep(0.05)
    assert threading.active_count() <= before


def test_a_crowd_of_idle_connections_leaves_room_for_a_scrape(
    server: PageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_server, "MOST_SECONDS", 60.0)
    before = threading.active_count()
    crowd = [connection(server) for _ in range(5 * MOST_OPEN)]
    try:
        assert get(server) == b"well\n"
        assert threading.active_count() <= before + MOST_OPEN + 5
    finally:
        for each in crowd:
            each.close()


@pytest.mark.parametrize("host", ["::1", "[::1]", "::"])
def test_it_listens_on_an_address_of_ipv6(host: str) -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError as error:
        pytest.skip(f"this machine has no IPv6: {error}")
    assert get(started(host), "[::1]") == b"well\n"
