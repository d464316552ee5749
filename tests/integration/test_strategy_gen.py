"""strategy_gen as a process: what is asked for is answered once, and nothing stops it."""

from __future__ import annotations

import json

import pytest

from tests.integration.pages import page
from tests.support import wire
from tests.support.asked_for import STAGE, answer, log, ready, states, told
from tests.support.compare import fetch, session
from tests.support.pipeline import Pipeline, until
from tests.support.strategies_kept import CROSS, DIP, HALF, fill_bars, requested
from tests.support.wire import Parcel
from trackrecord.events import StrategyRequested
from trackrecord.events.codec import encode

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]


def send(pipeline: Pipeline, *requests: StrategyRequested) -> list[wire.Place]:
    return pipeline.publish(requests)


def refused(pipeline: Pipeline) -> list[tuple[str, str]]:
    """Class and reason of each dead letter, in the order in which they were refused."""
    found = fetch(
        pipeline.settings, "SELECT error_class, reason FROM dead_letters ORDER BY first_seen"
    )
    return [(str(kind), str(reason)) for kind, reason in found]


def test_a_sentence_becomes_a_strategy_its_log_and_one_event(pipeline: Pipeline) -> None:
    process = ready(pipeline)
    asked = requested(symbols=["AAPL"], name="cross", request_id="r-1")
    send(pipeline, asked)
    event = answer(pipeline, "r-1")
    assert (event.status, event.name, event.version, event.provider) == (
        "validated", "cross", 1, "offline",
    )  # fmt: skip
    assert event.reads_as.startswith("Buy when the 20 day SMA crosses above the 50 day SMA.")
    assert "decided at a bar's close, done at the next bar's open" in event.assumptions
    [row] = fetch(
        pipeline.settings,
        "SELECT s.strategy_id::text, s.owner, s.status, s.symbols, v.code_digest, v.prompt"
        " FROM strategies AS s JOIN strategy_versions AS v USING (strategy_id, version)",
    )
    assert row == (event.strategy_id, "ada", "validated", ["AAPL"], event.code_digest, CROSS)
    assert log(pipeline, "request_id, provider, status, input_tokens") == [
        ("r-1", "offline", "success", 0)
    ]
    assert states(pipeline) == {"r-1": "done"}
    until(lambda: fetch(pipeline.settings, "SELECT count(*) FROM outbox") == [(0,)], "it is sent")
    metrics = page(process, "/metrics")
    counted = 'trackrecord_strategy_requests_total{outcome="validated",provider="offline"'
    assert counted in metrics
    assert process.stop() == 0


def test_what_cannot_be_made_is_answered_too_and_makes_no_strategy(pipeline: Pipeline) -> None:
    ready(pipeline)
    send(
        pipeline,
        requested("Make me rich with no risk", request_id="no"),
        requested(HALF, request_id="half"),
        requested(request_id="who", provider="chatgpt"),
        requested(request_id="no-key", provider="gemini"),
        requested(request_id="star", symbols=["*", "AAPL"]),
    )
    assert answer(pipeline, "no").status == "refused"
    half = answer(pipeline, "half")
    assert half.status == "draft"
    assert half.not_understood
    assert half.code_digest
    who = answer(pipeline, "who")
    assert who.status == "refused"
    assert "there is no provider 'chatgpt': choose from offline, gemini" in str(who.problems)
    assert "GEMINI_API_KEY" in str(answer(pipeline, "no-key").problems)
    assert "name no other beside it" in str(answer(pipeline, "star").problems)
    assert states(pipeline) == {
        "no": "done", "half": "done", "who": "failed", "no-key": "failed", "star": "done",
    }  # fmt: skip
    assert fetch(pipeline.settings, "SELECT status FROM strategies") == [("draft",)]


def test_the_same_request_twice_is_one_and_another_under_its_id_is_a_dead_letter(
    pipeline: Pipeline,
) -> None:
    ready(pipeline)
    asked = requested(request_id="r-1")
    send(pipeline, asked, asked)
    answer(pipeline, "r-1")
    send(pipeline, asked, requested(DIP, request_id="r-1"), requested(DIP, request_id="r-2"))
    answer(pipeline, "r-2")
    [(kind, reason)] = until(lambda: refused(pipeline), "the other one is refused")
    assert kind == "conflict"
    assert "there is a request 'r-1' already, which asks for something else" in reason
    assert len(told(pipeline)) == 2
    assert fetch(pipeline.settings, "SELECT count(*) FROM strategies") == [(2,)]


def test_what_is_no_request_is_a_dead_letter_with_its_reason_and_stops_nothing(
    pipeline: Pipeline,
) -> None:
    process = ready(pipeline)
    topic = pipeline.settings.topic("strategy_requested")
    plain = json.loads(encode(requested(request_id="x")))
    without_owner = {name: value for name, value in plain.items() if name != "owner"}
    bad = [
        b"\xff\xfe",
        b"",
        None,
        b"{" * 5_000,
        json.dumps(without_owner).encode(),
        json.dumps({**plain, "prompt": "buy " * 25_000}).encode(),
        json.dumps({**plain, "prompt": "buy\0"}).encode(),
        json.dumps({**plain, "timeframe": "daily"}).encode(),
        json.dumps({**plain, "symbols": "AAPL"}).encode(),
    ]
    parcels = [Parcel(topic, b"ada", value, (), 0) for value in bad]
    parcels.append(Parcel(topic, b"ada", bad[4], (("ce_type", b"trackrecord.market_bar.v1"),), 0))
    places = wire.send(pipeline.settings, parcels)
    send(pipeline, requested(request_id="good"))
    assert answer(pipeline, "good").status == "validated"
    until(lambda: len(refused(pipeline)) == len(parcels), "all are refused")
    reasons = " | ".join(reason for _, reason in refused(pipeline))
    for words in (
        "not UTF-8 at byte 0", "the message has no value", "nested too deeply", "owner: is missing",
        "prompt: String should have at most 20000 characters", "holds a NUL character",
        "timeframe: String should match pattern", "the header ce_type says",
    ):  # fmt: skip
        assert words in reasons
    until(lambda: fetch(pipeline.settings, "SELECT count(*) FROM outbox") == [(0,)], "all is sent")
    pipeline.check_letters(
        STAGE, {place: each.value for place, each in zip(places, parcels, strict=True)}
    )
    assert 'error_class="invalid"' in page(process, "/metrics")
    assert process.is_ready


def test_what_is_asked_for_while_no_process_runs_is_answered_later(pipeline: Pipeline) -> None:
    first = ready(pipeline)
    send(pipeline, requested(request_id="before"))
    answer(pipeline, "before")
    assert first.stop() == 0
    ids = [f"while-{number}" for number in range(12)]
    send(pipeline, *(requested(request_id=each, owner=f"o-{each}") for each in ids))
    ready(pipeline)
    for each in ids:
        assert answer(pipeline, each).status == "validated"
    assert set(states(pipeline).values()) == {"done"}
    assert len(told(pipeline)) == 13


def test_two_processes_share_the_work_and_answer_each_request_once(pipeline: Pipeline) -> None:
    first, second = ready(pipeline), ready(pipeline)
    ids = [f"r-{number}" for number in range(30)]
    send(pipeline, *(requested(request_id=each, owner=each) for each in ids))
    until(lambda: len(told(pipeline)) >= 30, "all are answered", 60)
    assert sorted(each.request_id for each in told(pipeline)) == sorted(ids)
    assert fetch(pipeline.settings, "SELECT count(*) FROM strategies") == [(30,)]
    assert (first.stop(), second.stop()) == (0, 0)


def test_killed_in_the_middle_of_much_work_nothing_is_lost_or_made_twice(
    pipeline: Pipeline,
) -> None:
    process = ready(pipeline, TRACKRECORD_STRATEGY_STALE_SECONDS="2")
    ids = [f"r-{number}" for number in range(40)]
    send(pipeline, *(requested(request_id=each, owner=each) for each in ids))
    until(lambda: "done" in states(pipeline).values(), "it is at work")
    process.kill()
    ready(pipeline, TRACKRECORD_STRATEGY_STALE_SECONDS="2")
    until(lambda: len({each.request_id for each in told(pipeline)}) == 40, "all are answered", 90)
    assert set(states(pipeline)) == set(ids)
    assert set(states(pipeline).values()) == {"done"}
    assert fetch(pipeline.settings, "SELECT count(*) FROM strategies") == [(40,)]


def test_with_symbols_that_have_bars_it_is_judged_at_once_and_the_try_counts(
    pipeline: Pipeline,
) -> None:
    with session(pipeline.settings) as cursor:
        fill_bars(cursor)
    ready(pipeline)
    send(
        pipeline,
        requested(DIP, request_id="judged", symbols=["AAA", "BBB"]),
        requested(DIP, request_id="no-bars", symbols=["ZZZ"], owner="bob"),
    )
    judged = answer(pipeline, "judged")
    assert judged.verdict in {"too few to tell", "worse than holding", "no evidence"}
    assert judged.metrics["closed"] > 10
    [(backtest,)] = fetch(
        pipeline.settings,
        "SELECT backtest FROM strategy_versions WHERE backtest IS NOT NULL",
    )
    assert (backtest["verdict"], backtest["tries"]) == (judged.verdict, 1)
    assert fetch(pipeline.settings, "SELECT owner FROM strategy_tries") == [("ada",)]
    without = answer(pipeline, "no-bars")
    assert (without.status, without.verdict, without.metrics) == ("validated", None, {})


def test_a_request_of_a_users_name_is_that_users(pipeline: Pipeline) -> None:
    with session(pipeline.settings) as cursor:
        cursor.execute("INSERT INTO users (name, role) VALUES ('ada', 'trader')")
    ready(pipeline)
    send(pipeline, requested(request_id="hers"), requested(request_id="his", owner="bob"))
    answer(pipeline, "hers")
    answer(pipeline, "his")
    found = fetch(
        pipeline.settings,
        "SELECT owner, u.name FROM strategies LEFT JOIN users AS u USING (user_id) ORDER BY owner",
    )
    assert found == [("ada", "ada"), ("bob", None)]
    logged = fetch(
        pipeline.settings,
        "SELECT count(*) FROM generation_log WHERE user_id IS NOT NULL",
    )
    assert logged == [(1,)]


def test_a_name_that_its_owner_has_given_already_is_refused(pipeline: Pipeline) -> None:
    ready(pipeline)
    send(pipeline, requested(request_id="one", name="mine"))
    answer(pipeline, "one")
    send(
        pipeline,
        requested(DIP, request_id="two", name="mine"),
        requested(DIP, request_id="three", name="mine", owner="bob"),
    )
    second = answer(pipeline, "two")
    assert second.status == "refused"
    assert "ada has a strategy 'mine' already: choose another name" in str(second.problems)
    assert answer(pipeline, "three").status == "validated"


def test_the_command_asks_waits_and_shows_the_answer(pipeline: Pipeline) -> None:
    # Nobody is there to answer, and nothing is lost by that.
    early = pipeline.command("strategy", "request", DIP, "--id", "early", "--wait", "1", "--json")
    assert early.returncode == 2
    assert json.loads(early.stdout)["state"] == "waiting"
    ready(pipeline)
    assert answer(pipeline, "early").status == "validated"
    done = pipeline.command("strategy", "request", CROSS, "--name", "cross", "--symbols", "AAPL",
                            "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["state"], found["status"], found["name"]) == ("done", "validated", "cross")
    half = pipeline.command("strategy", "request", HALF)
    assert half.returncode == 1
    assert "not understood:" in half.stdout
    again = pipeline.command("strategy", "request", DIP, "--id", "early", "--json")
    assert json.loads(again.stdout)["strategy_id"] == answer(pipeline, "early").strategy_id
    other = pipeline.command("strategy", "request", CROSS, "--id", "early")
    assert other.returncode == 2
    assert "there is a request early already, which asks for something else" in other.stderr
    wrong = pipeline.command("strategy", "request", "", "--owner", "")
    assert wrong.returncode == 2
    assert "owner" in wrong.stderr
    listed = pipeline.command("strategy", "list", "--json")
    assert {each["name"] for each in json.loads(listed.stdout)} >= {"cross"}


def test_what_matters_to_the_model_that_serves_is_proposed_once_where_that_is_wanted(
    pipeline: Pipeline,
) -> None:
    with session(pipeline.settings) as cursor:
        report = {"feature_importances": {"rsi_14": 0.5, "confidence": 0.3, "gap_1": 0.2}}
        cursor.execute(
            "INSERT INTO models (version, model, training_id, created_at, learnt_until, manifest,"
            " metrics, report) VALUES ('v1', 'default', 't', now(), now(), '{}', '{}', %s)",
            (json.dumps(report),),
        )
        cursor.execute(
            "INSERT INTO champions (model, live_from, version, reason) VALUES"
            " ('default', now(), 'v1', 'better')"
        )
    silent = ready(pipeline)
    send(pipeline, requested(request_id="r-1"))
    answer(pipeline, "r-1")
    assert silent.stop() == 0
    assert fetch(pipeline.settings, "SELECT count(*) FROM strategies") == [(1,)]
    ready(pipeline, TRACKRECORD_STRATEGY_PROPOSALS="true", TRACKRECORD_STRATEGY_LOOK_SECONDS="1")
    until(lambda: len(told(pipeline)) == 3, "two are proposed", 60)
    found = fetch(
        pipeline.settings,
        "SELECT name, status FROM strategies WHERE owner = 'strategy_gen' ORDER BY name",
    )
    assert found == [("gap_1-v1", "validated"), ("rsi_14-v1", "validated")]
    assert {each.model_version for each in told(pipeline) if each.owner == STAGE} == {"v1"}
