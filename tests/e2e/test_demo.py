"""The demo, as `make demo` runs it, read by a program."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest

from tests.e2e.cli import ROOT, command, environment, trackrecord
from tests.support import grafana
from tests.support.servers import lacking
from trackrecord.kafka.local_stack import STATE_FILE

pytestmark = pytest.mark.kafka

SCRIPTS = {
    "stock_analyzer_v1.py", "btst_analyzer.py", "momentum_trader.py", "sector_rotation.py",
}  # fmt: skip
FROM_SENTENCE = "crossing_averages"
STRATEGIES = {"moving_average_cross", "mean_reversion", "brackets", FROM_SENTENCE}


@pytest.mark.timeout(400)
def test_it_ends_with_a_record_of_every_script_strategy_and_model(tmp_path: Path) -> None:
    if reason := lacking():
        pytest.skip(f"no real Kafka: {reason}")
    with (tmp_path / "stderr").open("wb") as stderr, subprocess.Popen(
        command("demo", "--serve", "--json", "--home", tmp_path),
        stdout=subprocess.PIPE, stderr=stderr, env=environment(), cwd=ROOT, text=True,
    ) as running:  # fmt: skip
        try:
            found = json.loads(answer(running))
            home = tmp_path / "demo"
            verified = trackrecord("replay", "--verify", "--json", "--home", home)
            told = trackrecord("models", "calibration", "--json", "--home", home)
            check_panels(found, home)
        finally:
            running.send_signal(signal.SIGINT)
            assert running.wait(60) == 0
    said = (tmp_path / "stderr").read_text()
    assert "Traceback" not in said
    check_records(found)
    check_model(found)
    assert verified.data["identical"], verified.out
    assert told.data == found["calibration"]
    processes = [each for each in Path("/proc").iterdir() if each.name.isdigit()]
    assert not [each for each in processes if uses(each, tmp_path)]


def answer(running: subprocess.Popen[str]) -> str:
    """What it answers, up to the brace that ends it; it goes on running."""
    lines: list[str] = []
    for line in running.stdout or ():
        lines.append(line)
        if line == "}\n":
            break
    return "".join(lines)


def check_records(found: dict[str, Any]) -> None:
    assert {name.removesuffix(".py") for name in found["scripts"]} == {
        name.removesuffix(".py") for name in SCRIPTS
    }
    assert all(record["runs"] > 5 for record in found["scripts"].values())
    assert set(found["strategies"]) >= STRATEGIES
    for name in STRATEGIES:
        record = found["strategies"][name]
        assert record["closed"] > 0
        assert record["closed"] == record["wins"] + record["losses"] + record["breakevens"]
        assert record["wins"] / record["closed"] == record["win_rate"]
        total = Decimal(record["gross_profit"]) + Decimal(record["gross_loss"])
        assert abs(Decimal(record["total_pnl"]) - total) < Decimal("0.01")
    outcomes = found["outcomes"]
    assert {"stock_analyzer_v1.py", "moving_average_cross"} <= set(outcomes)
    told = sum(each[name] for each in outcomes.values() for name in ("target", "stop", "expired"))
    assert 0.9 * found["events"]["signal_emitted"] < told <= found["events"]["signal_emitted"]
    assert sum(found["verdicts"].values()) == found["events"]["signal_assessed"]
    assert found["events"]["market_bar"] > 1000
    assert found["events"]["script_executed"] == sum(
        each["runs"] for each in found["scripts"].values()
    )
    assert all(stage["healthy"] and not stage["lag"] for stage in found["stages"].values())
    assert found["seconds"] > 0
    sentence = found["sentence"]
    assert sentence["name"] == FROM_SENTENCE
    assert "crosses above" in sentence["reads_as"]
    assert sentence["verdict"] != "not judged"
    check_document(found)


def check_document(found: dict[str, Any]) -> None:
    """What docs/demo.md prints of scripts and strategies is what came out."""
    told: dict[str, list[str]] = {}
    for line in (ROOT / "docs" / "demo.md").read_text().splitlines():
        name, *cells = line.split() or [""]
        # The table of scripts comes first.
        told.setdefault(name, cells)
    for name, each in found["scripts"].items():
        counts = [each[count] for count in ("runs", "failures", "buys", "sells", "holds")]
        assert told[name][:6] == [str(count) for count in [*counts, each["undecided"]]], name


def check_model(found: dict[str, Any]) -> None:
    """The first model: what it learnt from, what it said of all that came later, what happened."""
    training, model, since = (
        found["training"], found["calibration"], found["calibration"]["since"]
    )  # fmt: skip
    assert (training["status"], training["promoted"]) == ("completed", True), training["reason"]
    assert found["events"]["model_trained"] == 1
    assert model["version"] == training["version"]
    assert training["data_points"] >= training["learnt_from"] + training["judged_on"]
    assert model["judged"]["signals"] == training["judged_on"] >= 50
    # It learnt how far the levels are, for there was nothing else to learn.
    first = list(training["feature_importances"])[:3]
    assert set(first) <= {
        "reward_to_risk", "target_in_ranges", "stop_in_ranges", "target_distance", "stop_distance",
    }  # fmt: skip

    # Every signal before it was judged by none, every one after it by the model.
    verdicts = dict(found["verdicts"])
    before = verdicts.pop("none")
    not_elapsed = before - training["data_points"] - found["outcomes"]["brackets"]["void"]
    assert training["data_points"] < before
    assert not_elapsed < 100
    assert since["learnt"] == 0
    assert sum(verdicts.values()) == since["signals"] + since["waiting"] + since["void"]
    assert set(verdicts) >= set(since["verdicts"]) >= {"STRONG_BUY", "BUY", "STRONG_SELL", "SELL"}
    assert all(each["signals"] <= verdicts[name] for name, each in since["verdicts"].items())
    for parts in (since["verdicts"], since["strategies"]):
        assert sum(each["signals"] for each in parts.values()) == since["signals"]
    assert sum(each["count"] for each in since["bins"]) == since["signals"] > 1_000
    for name, each in since["strategies"].items():
        outcomes = found["outcomes"][name]
        assert each["signals"] <= sum(outcomes[how] for how in ("target", "stop", "expired"))
    assert set(since["strategies"]) == set(found["outcomes"])

    # It goes on being right about what it learnt.
    assert since["brier"] < since["brier_of_base_rate"]
    assert since["gain"]["lower"] > 0
    said = [each["predicted"] for each in since["bins"]]
    assert said == sorted(said)
    assert since["bins"][0]["happened"] < since["bins"][-1]["happened"]


def check_panels(found: dict[str, Any], home: Path) -> None:
    """Grafana's panels ask Postgres what it can answer, and the answers are those of the record."""
    granted = trackrecord(
        "migrate", "--grant-reading", "reader", "--home", home,
        TRACKRECORD_READER_ROLE_PASSWORD="only reads",
    )  # fmt: skip
    assert granted.code == 0, granted.err
    url = urlsplit(json.loads((home / STATE_FILE).read_text())["database_url"])
    own = url._replace(netloc=f"reader:only%20reads@{url.netloc.rpartition('@')[2]}")
    with closing(psycopg2.connect(urlunsplit(own))) as connection:
        told = {
            title: rows
            for board in grafana.BOARDS.values()
            for title, rows in grafana.answers(connection, board).items()
        }
    assert [title for title, rows in told.items() if not rows] == []
    for row in told["Strategies"]:
        record = found["strategies"][row["Strategy"]]
        assert row["Net PnL"] == Decimal(record["total_pnl"])
        assert (row["Closed"], row["Open"]) == (record["closed"], record["open"])
    last = {row["metric"]: row["value"] for row in told["Cumulative realised PnL"]}
    assert last == {
        row["Strategy"]: Decimal(found["strategies"][row["Strategy"]]["realised_pnl"])
        for row in told["Strategies"]
    }
    assert {row["Script"]: row["Runs"] for row in told["Scripts"]} == {
        name: record["runs"] for name, record in found["scripts"].items()
    }
    assert [row["Version"] for row in told["Champions"]] == [found["calibration"]["version"]]
    assert sum(row["Signals"] for row in told["Verdicts"]) == sum(found["verdicts"].values())


def uses(process: Path, folder: Path) -> bool:
    try:
        words = (process / "cmdline").read_bytes()
    except OSError:
        return False
    return os.fsencode(folder) in words
