"""Strategies where nobody needs to say who they are, and what judging them comes to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.made import CROSS, HOLDS, PATH, at, made
from tests.support.scorer import Scorer, bar
from tests.support.serving import Served, served
from trackrecord.api.backtests import Backtests, Job
from trackrecord.api.problems import ProblemError
from trackrecord.runtime import database
from trackrecord.runtime.database import rows
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka


def test_the_only_user_of_a_machine_makes_and_changes_strategies(
    api: Served, record: Settings
) -> None:
    client = api.client
    new = made(client, "alone", symbols=["SYM0"])
    assert (new["strategy"]["owner"], new["strategy"]["yours"]) == ("local", True)
    assert client.put(at(new), json={"public": True}).json()["strategy"]["public"]
    assert client.post(at(new, "activate")).json()["strategy"]["record_name"] == "alone"
    copied = client.post(at(new, "copy"), json={}).json()
    assert copied["strategy"]["name"] == "alone-2"
    listed = client.get(f"{PATH}/?search=alone").json()["strategies"]
    assert [each["name"] for each in listed] == ["alone-2", "alone"]
    attempts = client.get(f"{PATH}/generation-logs/?owner=local").json()["attempts"]
    assert attempts[0]["prompt"] == CROSS
    ids = [new["strategy_id"]]
    assert client.post(f"{PATH}/archive/", json={"ids": ids}).json()["archived"] == ids
    assert client.delete(at(copied)).status_code == 204
    with database.session(record, application="test") as cursor:
        [(actor, user_id)] = rows(
            cursor,
            "SELECT actor, user_id FROM audit_log WHERE action = 'strategy deleted'",
        )
        assert (actor, user_id) == ("local", None)
        # What was asked for and made is told as events, by the stage that answers requests.
        told = rows(
            cursor,
            "SELECT topic FROM outbox WHERE stage = 'strategy_gen' ORDER BY id",
        )
    assert [topic.removeprefix(record.topic_prefix) for (topic,) in told[:2]] == [
        "strategy_requested", "strategy_generated",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def with_bars(record: Settings) -> dict[str, Any]:
    """Two years of bars of one symbol that goes up and down."""
    days = range(-500, 200)
    prices = {day: 100 + (day % 40 if day % 80 < 40 else 40 - day % 40) for day in days}
    Scorer(record).apply(
        [bar("WAVE", day, (price, price + 1, price - 1, price)) for day, price in prices.items()]
    )
    return {"symbol": "WAVE", "bars": len(prices)}


def test_a_strategy_is_judged_on_the_bars_that_are_kept_and_the_verdict_stays(
    api: Served, with_bars: dict[str, Any]
) -> None:
    client = api.client
    new = made(client, "judged", "Buy when the close is above the 10 day average, exit when the "
               "close is below the 10 day average")  # fmt: skip
    found = api.problem(client.post(at(new, "backtest"), json={}), 409)
    assert "has no symbols" in str(found["detail"])
    for symbols in (["NOBARS"], ["NOBARS", "NORTHESE"]):
        answer = client.post(at(new, "backtest"), json={"symbols": symbols})
        assert "no bars of NOBARS" in str(api.problem(answer, 409)["detail"])
    client.put(at(new), json={"symbols": [with_bars["symbol"]]})
    answer = client.post(at(new, "backtest"), json={"whole": True})
    assert answer.status_code == 200, answer.text
    whole = answer.json()["backtest"]
    assert whole["bars"]["bars"] == with_bars["bars"]
    assert whole["verdict"]
    assert whole["trades"]
    assert whole["tries"] == 1
    kept = client.get(at(new)).json()["current"]["backtest"]
    assert (kept["verdict"], kept["metrics"]) == (whole["verdict"], whole["metrics"])
    assert "trades" not in kept
    # The same once more is no further try; other code of the same user is.
    assert client.post(at(new, "backtest"), json={}).json()["backtest"]["tries"] == 1
    client.post(at(new, "versions"), json={"code": HOLDS})
    second = client.post(at(new, "backtest"), json={})
    assert second.status_code == 200, second.text
    assert (second.json()["version"], second.json()["backtest"]["tries"]) == (2, 2)
    assert second.json()["backtest"]["verdict"] == "too few to tell"
    hourly = client.put(at(new), json={"timeframe": "1h"})
    assert hourly.status_code == 200
    answer = client.post(at(new, "backtest"), json={})
    assert "(1h)" in str(api.problem(answer, 409)["detail"])


def test_a_backtest_that_takes_too_long_is_ended(api: Served, record: Settings) -> None:
    new = made(api.client, "too long", symbols=["SYM0"])
    found = api.get(at(new)).json()["strategy"]
    backtests = Backtests(record, most_seconds=0.05)
    with pytest.raises(ProblemError, match="longer than 0 seconds") as raised:
        backtests.report_of(Job(found["strategy_id"], 1, None))
    assert raised.value.status == 409
    backtests.close()
    with pytest.raises(ProblemError, match="about to end"):
        backtests.report_of(Job(found["strategy_id"], 1, None))


def test_where_there_is_less_isolation_than_asked_for_nothing_runs(record: Settings) -> None:
    strict = record.model_copy(update={"sandbox_seconds": 1.0, "sandbox_least": "namespaces"})
    with served(strict) as api:
        body = {"prompt": CROSS, "name": "unsafe", "request_id": "unsafe"}
        answer = api.client.post(f"{PATH}/generate/", json=body)
        if answer.status_code == 201:
            pytest.skip("this machine has namespaces")
        assert "no strategy can be run here" in str(api.problem(answer, 503)["detail"])
        found = api.get(f"{PATH}/requests/unsafe/").json()
        assert (found["status"], found["strategy_id"]) == ("failed", None)
        assert found["error"]
