"""Strategies that are asked for over HTTP, with the stage that answers what the API does not."""

from __future__ import annotations

import pytest

from tests.integration.test_strategy_gen_providers import CODE, start
from tests.support import wire
from tests.support.asked_for import answer, log, states, told
from tests.support.compare import fetch
from tests.support.fake_models import Say, Status, models
from tests.support.made import CROSS, PATH, made
from tests.support.pipeline import Pipeline, until
from tests.support.serving import Served, served

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]


def ended(api: Served, location: str) -> dict[str, object]:
    """A request once it has ended."""

    def found() -> dict[str, object] | None:
        content: dict[str, object] = api.get(location).json()
        return content if content["status"] in {"done", "failed"} else None

    return until(found, f"{location} has ended", 120)  # type: ignore[no-any-return]


def ask(api: Served, request_id: str) -> str:
    """Where to look at what becomes of a request to a language model."""
    body = {"prompt": "Buy after three falling days", "provider": "openai",
            "request_id": request_id, "symbols": ["AAPL"]}  # fmt: skip
    asked = api.client.post(f"{PATH}/generate/", json=body)
    assert asked.status_code == 202, asked.text
    return asked.headers["location"]


def test_the_stage_asks_models_and_tells_of_what_the_api_has_made(pipeline: Pipeline) -> None:
    with served(pipeline.settings) as api, models(Say(CODE), Status(429)) as server:
        # What is made while the stage is away is told once it is there.
        new = made(api.client, "by rules", request_id="rules")
        location = ask(api, "model")
        assert api.get(location).json()["status"] == "waiting"
        start(pipeline, server)
        found = ended(api, location)
        assert (found["status"], found["provider"]) == ("done", "openai")
        shown = api.get(f"{PATH}/{found['strategy_id']}/").json()
        assert shown["strategy"]["symbols"] == ["AAPL"]
        assert shown["current"]["model"] == "gpt-5.4-mini"
        assert shown["current"]["reads_as"] == "buys after a fall of three days"
        again = api.client.post(
            f"{PATH}/generate/",
            json={"prompt": CROSS, "name": "by rules", "request_id": "rules"},
        )
        assert (again.status_code, again.json()["strategy"]) == (200, new["strategy"])
        failed = ended(api, ask(api, "refused"))
        assert (failed["status"], failed["strategy_id"]) == ("failed", None)
        assert failed["error"]

        assert answer(pipeline, "rules").strategy_id == new["strategy_id"]
        assert answer(pipeline, "model").strategy_id == found["strategy_id"]
        assert answer(pipeline, "refused").status == "refused"
        topic = pipeline.settings.topic("strategy_requested")
        # The stage reads its own requests back, which changes nothing.
        until(lambda: len(wire.read(pipeline.settings, topic)) == 3, "requests are events", 60)
        waits = "SELECT count(*) FROM outbox"
        until(lambda: fetch(pipeline.settings, waits) == [(0,)], "all is told", 60)
        assert states(pipeline) == {"rules": "done", "model": "done", "refused": "failed"}
        assert len(told(pipeline)) == 3
        assert fetch(pipeline.settings, "SELECT count(*) FROM strategies") == [(2,)]
        assert {status for status, _ in log(pipeline)} == {"success", "failure"}
        logs = api.get(f"{PATH}/generation-logs/?status=failure").json()["attempts"]
        assert [each["ending"] for each in logs] == ["rate_limited"]
        assert fetch(pipeline.settings, "SELECT count(*) FROM dead_letters") == [(0,)]
