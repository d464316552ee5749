"""The way in: what is acknowledged is on its topic, and counts once however often it is sent."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from services.signal_tracker.service import STAGE as TRACKER
from tests.integration.api.conftest import settings_of
from tests.integration.test_false_acknowledgements import make_anew
from tests.support import wire
from tests.support.proxy import Proxy
from tests.support.servers import Services
from tests.support.serving import Served, served
from trackrecord.events import EVENTS
from trackrecord.runtime.settings import Settings
from trackrecord.testing import StageRun, scratch_database, scratch_schema

pytestmark = pytest.mark.kafka

PATH = "/api/v1/events/signal_emitted"
LINES = {"content-type": "application/x-ndjson"}


def event(number: int, **more: Any) -> dict[str, Any]:
    return {
        "signal_id": f"posted-{number}",
        "strategy": "posted",
        "symbol": "AAPL",
        "side": "BUY",
        "price": "150.25",
        "emitted_at": "2026-01-05T09:30:00Z",
    } | more


def on_topic(settings: Settings, but: set[wire.Place] | None = None) -> list[wire.Parcel]:
    """What lies on the topic, but for what is known."""
    found = wire.read(settings, settings.topic("signal_emitted"))
    return [each for each in found if each.place not in (but or set())]


def test_what_is_acknowledged_is_on_its_topic_and_counts_once(
    api: Served, record: Settings, services: Services
) -> None:
    before = {each.place for each in on_topic(record)}
    one = api.client.post(PATH, json=event(0))
    assert (one.status_code, one.json()["published"]) == (202, 1)
    again = api.client.post(PATH, json=event(0))
    assert again.json()["id"] == one.json()["id"]
    named = api.client.post(PATH, json=event(1, id="mine"))
    assert named.json()["id"] == "mine"
    headed = api.client.post(PATH, json=event(2), headers={"ce-id": "theirs"})
    assert headed.json()["id"] == "theirs"
    batch = api.client.post(PATH, json=[event(n, id=f"b{n}") for n in range(3, 1503)])
    assert (batch.status_code, batch.json()["published"]) == (202, 1500)
    lines = "\n".join(json.dumps(event(n, side="short", price=150.5)) for n in range(1503, 1510))
    assert api.client.post(PATH, content=lines, headers=LINES).json()["published"] == 7
    found = on_topic(record, before)
    assert len(found) == 2 + 2 + 1500 + 7
    ids = [each.header("ce_id") for each in found]
    assert {"mine", "theirs", *(f"b{n}" for n in range(3, 1503))} <= set(ids)
    assert all(each.header("ce_source") == "/api" for each in found)
    values = [json.loads(each.value or b"") for each in found]
    assert all("id" not in value for value in values)
    shorts = [value for value in values if value["side"] == "SELL"]
    assert {value["price"] for value in shorts} == {"150.5"}
    with scratch_database(services.database_url) as own:
        applied = StageRun(TRACKER, own).of(
            {"type": "signal_emitted", "data": value} for value in values
        )
        assert applied.refused == []
        assert len(applied.rows("signals")) == 1510


def test_nothing_is_sent_where_one_of_many_is_wrong(api: Served, record: Settings) -> None:
    before = len(on_topic(record))
    for wrong, field in (
        ({"symbol": "{{ticker}}"}, "symbol"),
        ({"strategy": "{name}"}, "strategy"),
        ({"strategy": "my \\u007bname\\u007d"}, "strategy"),
        ({"signal_id": "{{ strategy.order.id }}"}, "signal_id"),
        ({"source": "${SOURCE}"}, "source"),
        ({"price": "NaN"}, "price"),
        ({"price": True}, "price"),
        ({"quantity": 0}, "quantity"),
        ({"emitted_at": 1767600000}, "emitted_at"),
        ({"confidence": "0.5"}, "confidence"),
        ({"id": 7}, "id"),
        ({"id": ""}, "id"),
        ({"id": "x" * 129}, "id"),
        ({"metadata": {"a": "x" * 300_000}}, None),
    ):
        text = json.dumps([event(0), event(1, **wrong)]).replace("\\\\u00", "\\u00")
        answer = api.client.post(PATH, content=text, headers={"content-type": "application/json"})
        found = api.problem(answer, 422)
        [error] = found["errors"]  # type: ignore[misc]
        assert (error["event"], error.get("field")) == (2, field), found  # type: ignore[index]
    # A brace in what is free text, and is no name, is nobody's placeholder.
    fine = event(0, metadata={"note": "{{ticker}}"})
    assert api.client.post(PATH, json=fine).status_code == 202
    future = api.client.post(PATH, json=event(0, emitted_at="2126-01-05T09:30:00Z", extra=1))
    assert len(future.json()["warnings"]) == 2
    many = api.client.post(PATH, json=[event(0)], headers={"ce-id": "one"})
    assert "ce-id" in str(api.problem(many, 422)["errors"])
    assert len(on_topic(record)) == before + 2


def test_every_type_of_event_has_a_way_in(api: Served) -> None:
    document = api.get("/api/v1/openapi.json").json()
    for name in EVENTS:
        api.problem(api.client.post(f"/api/v1/events/{name}", json={}), 422)
        body = document["paths"][f"/api/v1/events/{name}"]["post"]["requestBody"]
        assert body["content"]["application/json"]["schema"]["anyOf"][0]["required"]


def test_what_the_broker_has_not_acknowledged_is_not_claimed(services: Services) -> None:
    proxy = Proxy("kafka", int(services.bootstrap_servers.rpartition(":")[2]))
    settings = settings_of(services, TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{proxy.port}")
    direct = settings.model_copy(update={"kafka_bootstrap_servers": services.bootstrap_servers})
    try:
        with scratch_schema(settings):
            from trackrecord.runtime import kafka  # noqa: PLC0415

            kafka.ensure_topics(direct)
            with served(settings) as api:
                assert api.client.post(PATH, json=event(0)).status_code == 202
                proxy.mute(is_muted=True)
                with ThreadPoolExecutor() as threads:
                    waiting = threads.submit(api.client.post, PATH, json=event(1))
                    # Meanwhile who only reads is not held up.
                    assert api.get("/api/v1/signals")
                    problem = api.problem(waiting.result(), 503)
                assert "Send all of them again" in str(problem["detail"])
                proxy.mute(is_muted=False)
                proxy.cut()
                assert api.client.post(PATH, json=event(1)).status_code == 202
                ids = {json.loads(each.value or b"")["signal_id"] for each in on_topic(direct)}
                assert ids == {"posted-0", "posted-1"}
                make_anew(direct)
                # The broker names an offset that it has named before: for all that is known
                # here, it took the event for another one.
                again = api.client.post(PATH, json=event(2))
                if again.status_code != 202:
                    assert "earlier message" in str(api.problem(again, 503)["detail"])
                    assert api.client.post(PATH, json=event(2)).status_code == 202
                ids = {json.loads(each.value or b"")["signal_id"] for each in on_topic(direct)}
                assert "posted-2" in ids
    finally:
        proxy.close()
