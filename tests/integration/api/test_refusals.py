"""What the API refuses, in one form and in plain words, and never by a fault of its own."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import httpx
import pytest

from tests.integration.api.conftest import settings_of
from tests.support.servers import Services
from tests.support.serving import Served, served
from trackrecord.api.pool import Pool
from trackrecord.api.server import listening, run
from trackrecord.runtime import database
from trackrecord.runtime.errors import ConfigurationError
from trackrecord.runtime.settings import Settings
from trackrecord.testing import scratch_schema

pytestmark = pytest.mark.kafka

EVENTS = "/api/v1/events/signal_emitted"
JSON = {"content-type": "application/json"}


def test_every_kind_of_mistake_is_a_problem_that_says_what_is_wrong(api: Served) -> None:
    client = api.client
    for path, field in {
        "/api/v1/signals?limit=0": "limit",
        "/api/v1/signals?limit=501": "limit",
        "/api/v1/signals?limit=1.0": "limit",
        "/api/v1/signals?limit=true": "limit",
        "/api/v1/signals?limit=99999999999999999999": "limit",
        "/api/v1/signals?side=HOLD": "side",
        "/api/v1/signals?from=yesterday": "from",
        "/api/v1/signals?from=1767600000": "from",
        "/api/v1/signals?from=2026-01-05T09:30:00": "from",
        "/api/v1/signals?strateyg=momentum": "strateyg",
        "/api/v1/signals?symbol=%00": "symbol",
        "/api/v1/strategies?sort=luck": "sort",
        "/api/v1/strategies/momentum/days?from=2026-02-30": "from",
        "/api/v1/strategies/momentum/days?from=20260101": "from",
        "/api/v1/compare": "s",
        "/api/v1/compare?" + "&".join(f"s={n}" for n in range(9)): "s",
        "/api/v1/signals/export?format=xlsx": "format",
        "/api/v1/strategies/" + "x" * 129: "name",
        "/api/v1/scripts/%00": "name",
        "/api/v1/status?x=1": "x",
    }.items():
        found = api.problem(client.get(path), 422)
        assert field in json.dumps(found["errors"]), (path, found)
    for path, words in {
        "/api/v1/strategies/nobody": "no strategy 'nobody'",
        "/api/v1/strategies/nobody/days": "no strategy",
        "/api/v1/strategies/nobody/days/export": "no strategy",
        "/api/v1/signals/none": "no signal",
        "/api/v1/scripts/none": "no script",
        "/api/v1/models/none/calibration": "no version",
        "/api/v1/compare?s=momentum&s=nobody": "'nobody'",
        "/api/v1/dead-letters/none": "no dead letter",
        "/api/investor/script_analytics/none": "no script",
        "/api/v2/signals": "no such path",
        "/api/v1/signals/": "no such path",
    }.items():
        assert words in str(api.problem(client.get(path), 404)["detail"]), path
    assert "signal_emitted" in str(api.problem(client.post("/api/v1/events/trade"), 404)["detail"])
    answer = client.delete("/api/v1/signals")
    assert "GET" in str(api.problem(answer, 405)["detail"])
    assert answer.headers["allow"] == "GET"
    api.problem(client.get(EVENTS), 405)


def test_a_cursor_serves_only_the_list_and_the_filter_that_it_was_made_for(api: Served) -> None:
    mine = api.get("/api/v1/signals?limit=1&strategy=momentum").json()["next"]
    at = len(mine) // 2
    changed = mine[:at] + ("A" if mine[at] != "A" else "B") + mine[at + 1 :]
    forged = base64.urlsafe_b64encode(b"x" * 12 + b'["2026-01-05T00:00:00Z","a"]').decode()
    for path in (
        f"/api/v1/signals?limit=1&cursor={mine}",
        f"/api/v1/signals?limit=1&strategy=trend&cursor={mine}",
        f"/api/v1/models?cursor={mine}",
        f"/api/v1/strategies?cursor={mine}",
        f"/api/v1/signals?strategy=momentum&cursor={changed}",
        f"/api/v1/signals?cursor={forged.rstrip('=')}",
        "/api/v1/signals?cursor=%F0%9F%98%80",
        "/api/v1/signals?cursor=A",
        f"/api/v1/signals?cursor={'A' * 1999}",
    ):
        assert "begin without a cursor" in str(api.problem(api.client.get(path), 400)["detail"])
    api.get(f"/api/v1/signals?limit=9&strategy=momentum&cursor={mine}")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"x" * 1_000_000, 400),
        (b"\xff" * 1_000_000, 400),
        (b"[" * 1_000_000, 400),
        (b'{"a":' * 300_000, 400),
        (b'{"signal_id": "a", "metadata": ' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001, 400),
        (b'{"signal_id": NaN}', 400),
        (b'{"signal_id": "\\ud800"}', 400),
        (b'{"price": 1e999999}', 422),
        (b'{"price": ' + b"9" * 100_000 + b"}", 422),
        (b'{"price": -Infinity}', 400),
        (b"", 400),
        (b"null", 422),
        (b"[]", 422),
        (b"[[]]", 422),
        (b"{}", 422),
        (b"\x00", 400),
        (b"x" * 2_000_001, 413),
    ],
    ids=lambda value: str(value[:12]) if isinstance(value, bytes) else "",
)
def test_a_body_that_is_no_event_is_refused_at_once(api: Served, body: bytes, status: int) -> None:
    began = time.monotonic()
    api.problem(api.client.post(EVENTS, content=body, headers=JSON), status)
    lines = api.client.post(EVENTS, content=body, headers={"content-type": "application/x-ndjson"})
    assert api.problem(lines, lines.status_code)["status"] in {400, 413, 422}
    assert time.monotonic() - began < 10


def test_a_body_of_another_kind_is_refused_before_it_is_read(api: Served) -> None:
    for kind in ("", "text/plain", "application/x-www-form-urlencoded", "application/xml"):
        answer = api.client.post(EVENTS, content=b"{}", headers={"content-type": kind})
        assert "application/json" in str(api.problem(answer, 415)["detail"])
    packed = {**JSON, "content-encoding": "gzip"}
    api.problem(api.client.post(EVENTS, content=b"{}", headers=packed), 415)

    def endless() -> Iterator[bytes]:
        for _ in range(40):
            yield b"[" * 65_536

    # Without a declared length, it is counted as it comes.
    api.problem(api.client.post(EVENTS, content=endless(), headers=JSON), 413)
    host, port = api.url.removeprefix("http://").split(":")
    with closing(http.client.HTTPConnection(host, int(port), timeout=10)) as connection:
        connection.putrequest("POST", EVENTS)
        connection.putheader("content-length", "9" * 15)
        connection.endheaders()
        assert connection.getresponse().status == 413


def test_what_another_site_has_a_browser_send_is_refused(api: Served) -> None:
    port = api.url.rpartition(":")[2]
    for host in ("evil.example", f"evil.example:{port}", "", "127.0.0.1.evil.example", "[::1"):
        answer = api.client.get("/api/v1/strategies", headers={"host": host})
        assert "this machine only" in str(api.problem(answer, 403)["detail"]), host
    for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}", "localhost"):
        api.get("/api/v1/strategies", host=host)
    # What needs no content type is what a form of any page may post.
    path = "/api/v1/dead-letters/none/requeue"
    for origin in ("https://evil.example", "null", "http://127.0.0.1.evil.example"):
        answer = api.client.post(path, headers={"origin": origin})
        assert "may change nothing" in str(api.problem(answer, 403)["detail"]), origin
    api.problem(api.client.post(path, headers={"origin": api.url}), 404)
    api.problem(api.client.post(path), 404)


@contextmanager
def held(pool: Pool, count: int) -> Iterator[None]:
    """All sessions of a pool in use."""
    with pool.reading():
        if count > 1:
            with held(pool, count - 1):
                yield
        else:
            yield


def test_a_pool_without_a_free_session_is_said_and_waited_for(api: Served) -> None:
    pool: Pool = api.server.config.app.state.parts.pool  # type: ignore[union-attr]
    with held(pool, pool.size):
        began = time.monotonic()
        found = api.problem(api.client.get("/api/v1/signals"), 503)
        assert 0.9 < time.monotonic() - began < 5
        assert "in use" in str(found["detail"])
        assert api.get("/healthz")
    api.get("/api/v1/signals")
    # More than there are sessions, but each for a moment: all are answered.
    with ThreadPoolExecutor(24) as many:
        answers = list(many.map(lambda _: httpx.get(f"{api.url}/api/v1/signals"), range(48)))
    assert {answer.status_code for answer in answers} == {200}
    assert pool.opened <= pool.size


def test_a_session_that_the_server_has_ended_is_replaced(api: Served, record: Settings) -> None:
    api.get("/api/v1/signals")
    with database.session(record, application="test") as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE application_name = 'trackrecord api'"
        )
        assert cursor.rowcount > 0
    for _ in range(5):
        api.get("/api/v1/signals")


def test_a_query_that_takes_too_long_is_ended_by_the_database(record: Settings) -> None:
    pool = Pool(record, 1, application="test", statement_seconds=0.2)
    with closing(pool):
        with pytest.raises(Exception, match="statement timeout"), pool.reading() as cursor:
            cursor.execute("SELECT pg_sleep(5)")
        with pytest.raises(Exception, match="read-only"), pool.reading() as cursor:
            cursor.execute("CREATE TABLE anything (a integer)")
        with pool.reading() as cursor:
            cursor.execute("SHOW transaction_isolation")
            assert cursor.fetchone() == ("repeatable read",)


def test_without_database_and_broker_all_says_so_and_nothing_is_acknowledged(
    services: Services,
) -> None:
    settings = settings_of(
        services,
        DATABASE_URL="postgresql://127.0.0.1:1/none",
        TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1",
    )
    with served(settings) as api:
        for path in ("/api/v1/signals", "/api/v1/status", "/api/ml-performance"):
            assert "no database" in str(api.problem(api.client.get(path), 503)["detail"])
        assert api.get("/readyz", 503).json()["ready"] is False
        assert api.get("/healthz").json() == {"alive": True}
        event = {
            "signal_id": "a", "strategy": "m", "symbol": "S", "side": "BUY", "price": "1",
            "emitted_at": "2026-01-05T09:30:00Z",
        }  # fmt: skip
        answer = api.client.post(EVENTS, json=event)
        assert "nothing was sent" in str(api.problem(answer, 503)["detail"])


def test_a_broker_that_goes_away_is_no_acknowledgement(services: Services) -> None:
    settings = settings_of(services)
    with scratch_schema(settings), served(settings) as api:
        # The topics are not there: nothing can be on them.
        answer = api.client.post(EVENTS, json={
            "signal_id": "a", "strategy": "m", "symbol": "S", "side": "BUY", "price": "1",
            "emitted_at": "2026-01-05T09:30:00Z",
        })  # fmt: skip
        assert "trackrecord topics" in str(api.problem(answer, 503)["detail"])


def test_an_answer_does_not_wait_for_more_of_it() -> None:
    # Without the protocol, the loop leaves the delay of small packets on: 40 ms an answer.
    with listening("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])  # noqa: S104
def test_nobody_beyond_this_machine_is_listened_to(services: Services, host: str) -> None:
    settings = settings_of(services).model_copy(update={"api_host": host})
    with pytest.raises(ConfigurationError, match="TRACKRECORD_API_HOST"):
        run(settings)
