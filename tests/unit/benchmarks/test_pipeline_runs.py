"""The pipeline's benchmark in miniature, on a real broker and a real database."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import strategy_requests
from benchmarks.harness import show
from benchmarks.pipeline import events, history, latency, throughput, verify
from benchmarks.pipeline.common import Options, Process, Servers, easy_space, make_topics
from benchmarks.pipeline.measure import EASY, watch
from tests.support import compare, oracle
from tests.support.servers import Services
from trackrecord.events import SignalClosed, SignalEmitted
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka


@pytest.fixture
def at(services: Services) -> Servers:
    return Servers(services.bootstrap_servers, services.database_url)


def test_ways_are_measured_beside_each_other_and_drawn(at: Servers, tmp_path: Path) -> None:
    only = (throughput.OURS, throughput.PLAIN, throughput.BARE)
    outcome = throughput.run(Options(rounds=1, quick=True, only=only), at)
    assert set(outcome["median"]) == set(only)
    assert set(outcome["ratios"]) == set(only) - {throughput.OURS}
    assert all(each["events_per_second"] > 0 for each in outcome["median"].values())
    assert {"against limit: own sql", "peak_mb"} == set(outcome["targets"])
    show("pipeline", outcome, tmp_path)
    assert json.loads((tmp_path / "pipeline.json").read_text())["ratios"] == outcome["ratios"]
    throughput.draw(outcome, tmp_path)
    assert "<svg" in (tmp_path / "pipeline.svg").read_text()


def test_a_wrong_sum_stops_the_benchmark(at: Servers) -> None:
    topic = f"{make_topics(at)}easy"
    made = list(events.signals(300))
    events.publish_easy(at.broker, topic, iter(made))
    with easy_space(at, topic, events.PARTITIONS) as work:
        with Process(
            ["-m", "benchmarks.pipeline.peers.plain_batches"], work.environment()
        ) as process:
            watch(work.database_url, work.schema, [process], EASY, len(made))
        verify.peer(work.database_url, work.schema, events.expected(made))
        made[7] = replace(made[7], exit=made[7].exit + 1)
        with pytest.raises(verify.WrongError, match="1 sum"):
            verify.peer(work.database_url, work.schema, events.expected(made))


def test_a_consumer_that_ends_is_reported_with_what_it_said(at: Servers) -> None:
    with (
        easy_space(at, "none", events.PARTITIONS) as work,
        Process(["-c", "raise SystemExit('no luck')"], {}) as process,
        pytest.raises(RuntimeError, match="no luck"),
    ):
        watch(work.database_url, work.schema, [process], EASY, 1)


def test_latency_is_measured_from_the_senders_clock(at: Servers) -> None:
    outcome = latency.run(Options(rounds=1, quick=True), at)
    (numbers,) = outcome["median"].values()
    assert 0 < numbers["p50_ms"] <= numbers["p99_ms"] <= numbers["max_ms"]
    assert numbers["measured"] >= 300
    assert 0 <= numbers["stolen_percent"] <= 100
    assert outcome["robbed"] == []  # in miniature nothing is measured again


def test_requests_for_strategies_are_measured_to_their_answers(at: Servers) -> None:
    outcome = strategy_requests.run(Options(rounds=1, quick=True), at)
    assert set(outcome["median"]) == {
        strategy_requests.ALONE, strategy_requests.JUDGED, strategy_requests.PACED,
    }  # fmt: skip
    for numbers in outcome["median"].values():
        assert 0 < numbers["p50_ms"] <= numbers["p95_ms"] <= numbers["max_ms"]
    assert len(outcome["targets"]) == 3


@pytest.mark.parametrize("random_ids", [True, False])
def test_a_loaded_history_is_one_that_the_tracker_would_have_written(
    settings: Settings, random_ids: bool
) -> None:
    url, schema = settings.database_url, settings.database_schema
    history.load(url, schema, 400, random_ids=random_ids)
    entries = compare.fetch(
        settings,
        "SELECT to_jsonb(e) FROM (SELECT signal_id, strategy, symbol, side, price::text,"
        " quantity::text, currency, emitted_at, timeframe, fee::text FROM signals) AS e",
    )
    exits = compare.fetch(
        settings,
        "SELECT to_jsonb(e) FROM (SELECT signal_id, exit_id, symbol, strategy, price::text,"
        " quantity::text, closed_at, fee::text, reason FROM exits) AS e",
    )
    sent: list[SignalEmitted | SignalClosed] = [
        SignalEmitted.model_validate(value) for (value,) in entries
    ]
    sent += [SignalClosed.model_validate(value) for (value,) in exits]
    assert len(sent) == 800
    compare.check(settings, oracle.expect(sent))
