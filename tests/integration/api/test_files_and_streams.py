"""Whole lists as files, changes as they happen, and messages that had no effect."""

from __future__ import annotations

import csv
import io
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import httpx
import polars as pl
import pytest

from services.signal_tracker.service import STAGE as TRACKER
from tests.integration.api.conftest import settings_of
from tests.support import wire
from tests.support.pipeline import until
from tests.support.servers import Services
from tests.support.serving import FORMULA, Served, fill, move, served
from trackrecord.api.pool import Pool
from trackrecord.runtime import database, kafka
from trackrecord.runtime.settings import Settings
from trackrecord.testing import StageRun, scratch_schema

pytestmark = pytest.mark.kafka


def pool_of(api: Served, name: str) -> Pool:
    pool: Pool = getattr(api.server.config.app.state.parts, name)  # type: ignore[union-attr]
    return pool


def read_back(api: Served, path: str) -> dict[str, list[dict[str, Any]]]:
    """An export in each of its forms, as the same rows."""
    joint = "&" if "?" in path else "?"
    text = api.get(f"{path}{joint}format=csv")
    assert text.headers["content-type"] == "text/csv; charset=utf-8"
    assert text.headers["content-disposition"].endswith('.csv"')
    lines = api.get(f"{path}{joint}format=jsonl").text.splitlines()
    parquet = pl.read_parquet(io.BytesIO(api.get(f"{path}{joint}format=parquet").content))
    return {
        "csv": list(csv.DictReader(io.StringIO(text.text))),
        "jsonl": [json.loads(line) for line in lines],
        "parquet": parquet.to_dicts(),
    }


def test_an_export_holds_what_the_pages_tell(api: Served) -> None:
    for query in ("strategy=momentum", "strategy=momentum&outcome=win", "symbol=SYM1&side=BUY"):
        pages = api.get(f"/api/v1/signals?limit=500&{query}").json()["signals"]
        told = {row["signal_id"]: row for row in pages}
        assert told
        for form, rows in read_back(api, f"/api/v1/signals/export?{query}").items():
            assert {row["signal_id"] for row in rows} == set(told), (form, query)
            for row in rows:
                known = told[row["signal_id"]]
                names = ("price", "realised_pnl", "fees", "side", "currency", "quantity")
                assert [row[name] for name in names] == [known[name] for name in names]
                assert (row["outcome"] or None) == known["outcome"]
                assert row["backdated"] in {known["backdated"], str(known["backdated"]).lower()}
                assert str(row["emitted_at"])[:10] == known["emitted_at"][:10]
    days = api.get("/api/v1/strategies/momentum/days").json()["days"]
    for rows in read_back(api, "/api/v1/strategies/momentum/days/export?from=2026-01-09").values():
        assert [(str(row["day"]), row["total_pnl"], int(row["wins"])) for row in rows] == [
            (day["day"], day["total_pnl"], day["wins"])
            for day in days
            if day["day"] >= "2026-01-09"
        ]


def test_a_name_that_a_spreadsheet_would_run_is_told_to_be_text(api: Served) -> None:
    found = read_back(api, "/api/v1/signals/export")
    assert {row["strategy"] for row in found["jsonl"]} >= {FORMULA}
    names = {row["strategy"] for row in found["csv"]}
    assert f"'{FORMULA}" in names
    assert not any(name.startswith(("=", "+", "-", "@")) for name in names)
    # A number below zero is a number.
    assert any(row["realised_pnl"].startswith("-") for row in found["csv"])


def test_an_export_that_nobody_reads_any_more_gives_its_session_back(api: Served) -> None:
    exports = pool_of(api, "exports")
    for _ in range(3 * exports.size):
        with httpx.stream("GET", f"{api.url}/api/v1/signals/export") as answer:
            assert answer.status_code == 200
    until(lambda: exports.in_use == 0, "the sessions of exports are free")
    with ExitStack() as held:
        for _ in range(exports.size):
            held.enter_context(exports.reading())
        api.problem(api.client.get("/api/v1/signals/export"), 503)
        api.problem(api.client.get("/api/v1/signals/export?format=parquet"), 503)
        api.get("/api/v1/signals")


class Listener:
    """A stream, read in a thread."""

    def __init__(self, url: str, last: str | None = None) -> None:
        self.events: list[dict[str, str]] = []
        self.ended = threading.Event()
        headers = {"last-event-id": last} if last else {}
        self._thread = threading.Thread(target=self._run, args=(url, headers), daemon=True)
        self._thread.start()

    def _run(self, url: str, headers: dict[str, str]) -> None:
        try:
            with httpx.stream("GET", f"{url}/api/v1/stream", headers=headers, timeout=60) as answer:
                self.status = answer.status_code
                event: dict[str, str] = {}
                for line in answer.iter_lines():
                    name, _, value = line.partition(": ")
                    if name in {"event", "data", "id"}:
                        event[name] = value
                    elif not line and event:
                        self.events.append({**event, "at": str(time.monotonic())})
                        event = {}
        finally:
            self.ended.set()

    def await_event(self, count: int) -> dict[str, Any]:
        until(lambda: len(self.events) >= count, f"event {count} came", 20)
        found = self.events[count - 1]
        return {**found, "data": json.loads(found["data"])}


def test_open_streams_tell_of_changes_within_a_second_and_hold_no_session(
    services: Services,
) -> None:
    settings = settings_of(services, TRACKRECORD_API_POOL="2")
    with scratch_schema(settings):
        kafka.ensure_topics(settings)
        fill(settings)
        with served(settings) as api:
            pool = pool_of(api, "pool")
            streams = [Listener(api.url) for _ in range(25)]
            here = [stream.await_event(1) for stream in streams]
            assert {each["event"] for each in here} == {"here"}
            busy = 0
            for _ in range(40):
                busy += pool.in_use > 1
                time.sleep(0.02)
            assert pool.opened <= 2
            assert busy < 20, "sessions are held while nothing is asked"
            with ThreadPoolExecutor(4) as threads:
                answers = list(threads.map(lambda _: api.get("/api/v1/signals"), range(12)))
            assert len(answers) == 12
            began = time.monotonic()
            with database.session(settings, application="test") as cursor:
                move(cursor, settings, "signal_tracker", 11)
            changes = [stream.await_event(2) for stream in streams]
            assert {each["event"] for each in changes} == {"change"}
            assert all(each["data"]["changed"] == ["signals"] for each in changes)
            assert max(float(each["at"]) for each in changes) - began < 1
            # Who comes back is told what it has missed, and nothing where it has not.
            late = Listener(api.url, here[0]["id"])
            missed = late.await_event(1)
            assert (missed["event"], missed["data"]["changed"]) == ("change", ["signals"])
            known = Listener(api.url, missed["id"])
            strange = Listener(api.url, "of-another-server")
            assert strange.await_event(1)["event"] == "here"
            time.sleep(0.6)
            assert known.events == []
        # The server has ended, and with it the streams.
        for stream in (*streams, late, known, strange):
            assert stream.ended.wait(10)


def test_a_message_without_effect_is_listed_shown_and_sent_again(
    api: Served, record: Settings
) -> None:
    bad = [{"type": "signal_emitted", "data": {"signal_id": f"bad-{n}"}} for n in range(3)]
    refused = StageRun(TRACKER, record, emptied=False).of(bad).refused
    assert len(refused) == 3
    topic = record.topic("signal_emitted")
    with database.session(record, application="test") as cursor:
        # As a message of this record's own topic; the stage was given it without a broker.
        cursor.execute("UPDATE dead_letters SET topic = %s", (topic,))
        cursor.execute("UPDATE dead_letters SET value = %s WHERE log_offset = 1", (b"\xff\x00",))
    found: list[dict[str, Any]] = []
    cursor_text = ""
    while True:
        page = api.get(f"/api/v1/dead-letters?limit=2{cursor_text}").json()
        found += page["letters"]
        if page["next"] is None:
            break
        cursor_text = f"&cursor={page['next']}"
    assert len({each["id"] for each in found}) == 3
    first, second = sorted(found, key=lambda each: int(each["offset"]))[:2]
    shown = api.get(f"/api/v1/dead-letters/{first['id']}").json()["letter"]
    assert json.loads(shown["value"]["text"]) == {"signal_id": "bad-0"}
    raw = api.get(f"/api/v1/dead-letters/{second['id']}").json()["letter"]
    assert raw["value"] == {"base64": "/wA="}
    until(lambda: api.get("/api/v1/status").json()["broker"]["reachable"], "the broker answers")
    before = len(wire.read(record, topic))
    answer = api.client.post(f"/api/v1/dead-letters/{second['id']}/requeue")
    assert (answer.status_code, answer.json()["messages"]) == (200, 1)
    sent = wire.read(record, topic)
    assert len(sent) == before + 1
    assert sent[-1].value == b"\xff\x00" or any(each.value == b"\xff\x00" for each in sent)
    left = api.get("/api/v1/dead-letters").json()["letters"]
    assert second["id"] not in {each["id"] for each in left}
    assert len(api.get("/api/v1/dead-letters?all=true").json()["letters"]) == 3
    api.problem(api.client.post("/api/v1/dead-letters/none/requeue"), 404)
