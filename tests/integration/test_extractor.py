"""The extractor as a process: runs of scripts in, records and signals out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.integration.pages import page
from tests.support import compare, histories, wire
from tests.support.pipeline import Pipeline
from trackrecord.events import ScriptExecuted, SignalClosed, SignalEmitted, derived_id
from trackrecord.events.codec import decode, headers
from trackrecord.reports.scripts import read_scripts
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka

BUY = "Symbol: AAPL\nRecommendation: BUY\nEntry price: 150.25\nTarget: 160\nStop loss: 145\n"
SELL = "Symbol: AAPL\nRecommendation: SELL\nEntry price: 155.50\n"


def run(number: int, output: str, **fields: Any) -> ScriptExecuted:
    at = histories.START + timedelta(hours=number)
    values: dict[str, Any] = {
        "execution_id": f"run-{number}", "script": "btst.py", "started_at": at,
        "finished_at": at + timedelta(seconds=5), "exit_code": 0, "output": output,
    }  # fmt: skip
    return ScriptExecuted(**(values | fields))


def sent(settings: Settings, model: type[Any]) -> list[Any]:
    parcels = wire.read(settings, settings.topic(model.event_type))
    return [decode(model, each.value) for each in parcels]


def test_a_recommendation_becomes_a_signal_whose_id_follows_from_the_run(
    pipeline: Pipeline,
) -> None:
    settings = pipeline.settings
    pipeline.start_ready("extractor")
    event = run(1, BUY)
    trace = headers(event, source="/tests", time=histories.START, traceparent="00-abc-def-01")
    topic = settings.topic("script_executed")
    wire.send(settings, [wire.Parcel(topic, b"btst.py", event.to_json(), trace)])
    pipeline.done("extractor")
    [parcel] = wire.read(settings, settings.topic("signal_emitted"))
    signal = decode(SignalEmitted, parcel.value)
    assert signal.signal_id == derived_id("signal", "run-1", 0)
    assert (signal.strategy, signal.symbol, signal.side) == ("btst.py", "AAPL", "BUY")
    assert str(signal.price) == "150.25"
    assert (str(signal.target_price), str(signal.stop_loss)) == ("160", "145")
    assert signal.emitted_at == event.finished_at
    assert (signal.exits, signal.source, signal.execution_id) == ("barriers", "extractor", "run-1")
    assert parcel.key == b"AAPL"
    assert parcel.header("ce_id") == signal.event_id
    assert parcel.header("traceparent") == "00-abc-def-01"
    assert compare.fetch(
        settings,
        "SELECT execution_id, number, action, symbol, trim_scale(entry_price)::text, signal_id,"
        " no_signal FROM recommendations",
    ) == [("run-1", 0, "BUY", "AAPL", "150.25", signal.signal_id, None)]


def test_a_signal_bears_the_currency_printed_with_its_prices(pipeline: Pipeline) -> None:
    settings = pipeline.settings
    pipeline.start_ready("extractor", TRACKRECORD_SCRIPT_CURRENCY="CHF")
    pipeline.publish(
        [
            run(1, "Symbol: TCS\nRecommendation: BUY\nEntry: ₹3,512.40\nTarget: ₹3,700\n"),
            run(2, "Symbol: SAP.DE\nRecommendation: BUY\nEntry price: 1.234,50 €\n"),
            run(3, "Signal: BUY BTCUSDT @ 61250 USDT, SL 60000 USDT\n"),
            run(4, "Symbol: CL=F\nRecommendation: SELL\nEntry: -12.40\nTarget: -30.00\n"),
        ]
    )
    pipeline.done("extractor")
    signals = {each.execution_id: each for each in sent(settings, SignalEmitted)}
    assert [
        (signals[f"run-{number}"].currency, str(signals[f"run-{number}"].price))
        for number in (1, 2, 3, 4)
    ] == [("INR", "3512.4"), ("EUR", "1234.5"), ("USDT", "61250"), ("CHF", "-12.4")]


def test_what_is_no_signal_is_on_record_with_the_reason(pipeline: Pipeline) -> None:
    settings = pipeline.settings
    process = pipeline.start_ready("extractor")
    pipeline.publish(
        [
            run(1, "Recommendation: HOLD\nSymbol: AAPL\nEntry price: 10\n"),
            run(2, "Recommendation: BUY\nEntry price: 10\n"),
            run(3, "Recommendation: BUY\nEntry price: 10\n", symbol="MSFT"),
            run(4, "Recommendation: BUY\nSymbol: AAPL\n"),
            run(5, "all quiet, nothing decided\n", exit_code=1),
        ]
    )
    pipeline.done("extractor")
    rows = compare.fetch(
        settings, "SELECT execution_id, action, no_signal FROM recommendations ORDER BY 1"
    )
    assert rows == [
        ("run-1", "HOLD", "not_actionable"), ("run-2", "BUY", "no_symbol"),
        ("run-3", "BUY", None), ("run-4", "BUY", "no_price"),
    ]  # fmt: skip
    assert [each.symbol for each in sent(settings, SignalEmitted)] == ["MSFT"]
    record = read_scripts(settings)["btst.py"]
    assert (record["runs"], record["failures"]) == (5, 1)
    assert (record["buys"], record["holds"], record["undecided"]) == (3, 1, 1)
    assert record["success_rate"] is None
    text = page(process, "/metrics")
    assert 'trackrecord_executions_total{exit="success",stage="extractor"} 4.0' in text
    assert 'trackrecord_executions_total{exit="failure",stage="extractor"} 1.0' in text


def test_a_repeat_counts_once_and_the_same_id_with_other_content_is_a_conflict(
    pipeline: Pipeline,
) -> None:
    settings = pipeline.settings
    pipeline.start_ready("extractor")
    first = run(1, BUY)
    places = pipeline.publish([first, first, run(1, SELL)])
    pipeline.publish([first])
    pipeline.done("extractor")
    assert len(sent(settings, SignalEmitted)) == 1
    assert read_scripts(settings)["btst.py"]["runs"] == 1
    rows = compare.fetch(
        settings, "SELECT error_class, partition, log_offset, reason FROM dead_letters"
    )
    assert [row[:3] for row in rows] == [("conflict", *places[2][1:])]
    assert "execution_id" in rows[0][3]


def test_results_in_percent_make_the_script_s_own_record(pipeline: Pipeline) -> None:
    pipeline.start_ready("extractor")
    pipeline.publish(
        [
            run(1, "Actual return: +2.50%\n"),
            run(2, "Actual return: -1.00%\n"),
            run(3, "Actual return: +0.25%\n"),
        ]
    )
    pipeline.done("extractor")
    record = read_scripts(pipeline.settings)["btst.py"]
    assert (record["profits"], record["losses"]) == (2, 1)
    assert record["success_rate"] == pytest.approx(2 / 3)
    assert record["average_return_pct"] == pytest.approx(0.583333)


def test_a_sell_opens_a_short_unless_it_is_to_close_the_long(pipeline: Pipeline) -> None:
    settings = pipeline.settings
    pipeline.start_ready("extractor")
    pipeline.publish([run(1, BUY), run(2, SELL)])
    pipeline.done("extractor")
    assert [each.side for each in sent(settings, SignalEmitted)] == ["BUY", "SELL"]
    assert sent(settings, SignalClosed) == []


def test_with_sell_means_exit_a_sell_closes_the_open_long_once(pipeline: Pipeline) -> None:
    settings = pipeline.settings
    pipeline.start_ready("extractor", TRACKRECORD_SELL_MEANS="exit")
    pipeline.publish([run(1, BUY)])
    pipeline.done("extractor")
    pipeline.publish([run(2, SELL), run(3, SELL)])
    pipeline.done("extractor")
    [opened] = sent(settings, SignalEmitted)
    [closed] = sent(settings, SignalClosed)
    assert closed.signal_id == opened.signal_id
    assert str(closed.price) == "155.5"
    assert closed.quantity is None
    assert closed.closed_at == run(2, SELL).finished_at
    assert closed.exit_id == derived_id("exit", opened.signal_id, "run-2")
    rows = compare.fetch(settings, "SELECT execution_id, no_signal FROM recommendations ORDER BY 1")
    assert rows == [("run-1", None), ("run-2", "closes"), ("run-3", "closes")]


def test_a_sell_closes_what_was_said_before_it_and_nothing_else(pipeline: Pipeline) -> None:
    # All are read in one batch: what a later run says is no longer open when it is said.
    pipeline.publish([run(1, SELL), run(2, BUY), run(3, SELL), run(4, BUY)])
    pipeline.start("extractor", TRACKRECORD_SELL_MEANS="exit")
    pipeline.done("extractor")
    rows = compare.fetch(
        pipeline.settings,
        "SELECT execution_id, number, closed_by FROM recommendations"
        " WHERE signal_id IS NOT NULL ORDER BY 1, 2",
    )
    assert rows == [
        ("run-2", 0, "run-3"),
        ("run-4", 0, None),
    ]
    [closed] = sent(pipeline.settings, SignalClosed)
    assert closed.closed_at == run(3, SELL).finished_at
