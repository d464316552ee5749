"""``trackrecord train`` and ``score``: from files to a model and its verdicts, and bad input."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from tests.support.dask_workers import dask_workers
from trackrecord.cli.main import app
from trackrecord.features import NAMES
from trackrecord.runtime.errors import UnreachableError

START = datetime(2020, 1, 1, tzinfo=UTC)
DAYS = 700
SYMBOLS = 6


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A market in which what fell yesterday rises today, and signals on all of it."""
    folder = tmp_path_factory.mktemp("world")
    rng = np.random.default_rng(1)
    bars, signals = [], []
    for number in range(SYMBOLS):
        symbol, price, before = f"S{number}", 100.0, 0.0
        for day in range(DAYS):
            change = -0.8 * before + rng.normal(0, 0.015)
            opened, price = price, price * float(np.exp(change))
            before = change
            high = max(opened, price) * 1.001
            low = min(opened, price) * 0.999
            at = START + timedelta(days=day)
            bars.append(
                {
                    "symbol": symbol,
                    "timeframe": "1d",
                    "source": "test",
                    "opened_at": at,
                    "closed_at": at + timedelta(hours=20),
                    "open": opened,
                    "high": high,
                    "low": low,
                    "close": price,
                    "volume": float(rng.integers(1_000, 9_000)),
                }
            )
            if day > 30 and day % 2 == number % 2:
                signals.append(
                    {
                        "signal_id": f"{symbol}-{day}",
                        "strategy": "always",
                        "symbol": symbol,
                        "side": "BUY",
                        "price": f"{price:.4f}",
                        "emitted_at": (at + timedelta(hours=21)).isoformat(),
                        "target_price": f"{price * 1.02:.4f}",
                        "stop_loss": f"{price * 0.98:.4f}",
                        "horizon_bars": 1,
                        "entry": "next_open",
                    }
                )
    pl.DataFrame(bars).write_parquet(folder / "bars.parquet")
    (folder / "signals.jsonl").write_text("".join(json.dumps(each) + "\n" for each in signals))
    return folder


def run(*arguments: object, code: int = 0) -> Any:
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    assert result.exit_code == code, result.output
    return result


@pytest.fixture(scope="module")
def trained(files: Path) -> dict[str, Any]:
    result = run(
        "train", "--json", "--signals", files / "signals.jsonl", "--bars", files / "bars.parquet",
        "--output", files / "model", "--budget", 0, "--trials", 1, "--seed", 3,
    )  # fmt: skip
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_what_the_market_does_is_found_and_reported(trained: dict[str, Any]) -> None:
    assert (trained["status"], trained["promoted"]) == ("completed", True), trained["reason"]
    assert trained["metrics"]["auc"] > 0.65
    assert trained["metrics"]["log_loss"] < trained["baseline"]["log_loss"]
    assert trained["data_points"] > 1_900
    assert trained["targets"]["auc"]["target"] == 0.8
    assert trained["targets"]["inference_ms"]["value"] > 0
    assert trained["targets"]["retraining_success"] == {
        "target": 0.95, "value": None, "met": None,
        "reason": "no run is logged, as a training from files stands alone",
    }  # fmt: skip
    assert set(trained["feature_importances"]) == set(NAMES)


def test_a_run_with_the_same_seed_gives_the_same_model(
    files: Path, trained: dict[str, Any]
) -> None:
    again = run(
        "train", "--json", "--signals", files / "signals.jsonl", "--bars", files / "bars.parquet",
        "--budget", 0, "--trials", 1, "--seed", 3,
    )  # fmt: skip
    assert json.loads(again.stdout)["version"] == trained["version"]


def test_on_a_cluster_it_finds_the_same_and_answers_in_the_same_form(
    files: Path, trained: dict[str, Any], tmp_path: Path
) -> None:
    with dask_workers() as cluster:
        result = run(
            "train", "--json", "--signals", files / "signals.jsonl", "--bars",
            files / "bars.parquet", "--output", tmp_path, "--budget", 0, "--trials", 1,
            "--seed", 3, "--dask", cluster.scheduler_address,
        )  # fmt: skip
        assert f"by the Dask cluster at {cluster.scheduler_address}" in result.stderr
    answer = json.loads(result.stdout)
    assert set(answer) == set(trained)
    assert answer["promoted"] == trained["promoted"]
    # About 480 unseen outcomes: the standard error of the AUC is 0.02.
    assert answer["metrics"]["auc"] == pytest.approx(trained["metrics"]["auc"], abs=0.02)
    scored = run(
        "score", files / "signals.jsonl", "--bars", files / "bars.parquet", "--model", tmp_path,
        "--json",
    )  # fmt: skip
    assert json.loads(scored.stdout.splitlines()[0])["model_version"] == answer["version"]


def test_a_cluster_that_is_not_there_is_said_and_the_trainer_has_its_own(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trackrecord.runtime.dask_cluster.REACHED_WITHIN", 1.0)
    result = CliRunner().invoke(
        app,
        ["train", "--signals", str(files / "signals.jsonl"), "--bars", str(files / "bars.parquet"),
         "--dask", "tcp://127.0.0.1:1"],
    )  # fmt: skip
    assert isinstance(result.exception, UnreachableError)
    assert "no Dask scheduler answers at tcp://127.0.0.1:1" in str(result.exception)
    queued = run("train", "--queue", "--dask", "tcp://127.0.0.1:1", code=2)
    assert "set its TRACKRECORD_TRAINER_DASK" in " ".join(queued.output.split())


def test_the_model_scores_signals_and_says_which_it_was(
    files: Path, trained: dict[str, Any]
) -> None:
    result = run(
        "score", files / "signals.jsonl", "--bars", files / "bars.parquet",
        "--model", files / "model", "--json",
    )  # fmt: skip
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert {answer["model_version"] for answer in answers} == {trained["version"]}
    assert {answer["verdict"] for answer in answers} <= {"STRONG_BUY", "BUY", "SKIP"}
    assert {answer["quality"] for answer in answers} <= {"HIGH", "MEDIUM", "POOR"}
    assert all(0 < answer["probability"] < 1 for answer in answers)
    assert tuple(answers[0]["features"]) == NAMES
    assert "verdict" in run(
        "score", files / "signals.jsonl", "--bars", files / "bars.parquet",
        "--model", files / "model",
    ).stdout  # fmt: skip


def test_without_a_model_there_is_no_verdict_and_it_says_so(files: Path) -> None:
    result = run("score", files / "signals.jsonl", "--bars", files / "bars.parquet", "--json")
    answer = json.loads(result.stdout.splitlines()[0])
    assert answer["probability"] is None
    assert answer["verdict"] is None
    assert "no model" in answer["reason"]


def test_a_tampered_model_is_refused(files: Path, trained: dict[str, Any], tmp_path: Path) -> None:
    assert trained["version"]
    for each in (files / "model").iterdir():
        (tmp_path / each.name).write_bytes(each.read_bytes())
    (tmp_path / "boosting.txt").write_text("tree\n")
    result = run(
        "score", files / "signals.jsonl", "--bars", files / "bars.parquet", "--model", tmp_path,
        code=2,
    )  # fmt: skip
    assert "boosting.txt was changed" in result.output


def test_too_few_outcomes_are_a_failed_training_that_says_so(files: Path, tmp_path: Path) -> None:
    few = tmp_path / "few.jsonl"
    few.write_text("\n".join((files / "signals.jsonl").read_text().splitlines()[:50]))
    result = run("train", "--json", "--signals", few, "--bars", files / "bars.parquet", code=1)
    answer = json.loads(result.stdout)
    assert (answer["status"], answer["promoted"]) == ("failed", False)
    assert "at least 200 are needed" in answer["reason"]


@pytest.mark.parametrize(
    ("success", "words"), [(-0.9, "only successes among"), (0.9, "only failures among")]
)
def test_where_all_outcomes_are_alike_there_is_nothing_to_tell_apart(
    files: Path, success: float, words: str
) -> None:
    result = run(
        "train", "--json", "--signals", files / "signals.jsonl", "--bars", files / "bars.parquet",
        "--success", success, "--budget", 0, "--trials", 1, code=1,
    )  # fmt: skip
    answer = json.loads(result.stdout)
    assert (answer["status"], answer["promoted"]) == ("failed", False)
    assert words in answer["reason"]


def test_a_training_without_bars_of_its_signals_says_so(files: Path, tmp_path: Path) -> None:
    result = run(
        "train", "--signals", files / "signals.jsonl", "--bars", bars_file(tmp_path), code=1
    )
    assert "signals are of symbols without bars" in result.output
    assert "0 outcomes" in result.output


def bars_file(folder: Path, **changes: Any) -> Path:
    rows = [
        {
            "symbol": "A",
            "opened_at": f"2026-01-{day:02d}T00:00:00Z",
            "open": 10.0,
            "high": 11.0,
            "low": 9.0,
            "close": 10.0,
            "volume": 5,
        }
        | (changes if day == 7 else {})
        for day in (6, 5, 7, 8)
    ]
    file = folder / "bars.csv"
    pl.DataFrame(rows, infer_schema_length=None).write_csv(file)
    return file


def signal(**changes: Any) -> dict[str, Any]:
    return {
        "signal_id": "a",
        "strategy": "mine",
        "symbol": "A",
        "side": "BUY",
        "price": "10",
        "emitted_at": "2026-01-07T10:00:00Z",
    } | changes


def scored(folder: Path, bars: Path, *signals: dict[str, Any], code: int = 0) -> Any:
    file = folder / "signals.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in signals))
    return run("score", file, "--bars", bars, "--json", code=code)


def test_bars_in_any_order_and_those_that_cannot_be_are_left_out_and_counted(
    tmp_path: Path,
) -> None:
    result = scored(tmp_path, bars_file(tmp_path, high=8.0), signal())
    assert "1 of 4 bars were left out" in result.output
    result = scored(tmp_path, bars_file(tmp_path, low="NaN"), signal())
    assert "1 of 4 bars were left out" in result.output
    result = scored(tmp_path, bars_file(tmp_path, opened_at="2026-01-06T00:00:00Z"), signal())
    assert "1 bars were there twice" in result.output
    assert "left out" not in scored(tmp_path, bars_file(tmp_path), signal()).output


def test_symbols_without_bars_and_wrong_sides_are_told(files: Path, tmp_path: Path) -> None:
    result = scored(tmp_path, bars_file(tmp_path), signal(symbol="B"))
    assert "1 signals are of symbols without bars" in result.output
    wrong = tmp_path / "wrong.jsonl"
    lines = (files / "signals.jsonl").read_text().splitlines()[:60]
    broken = [json.loads(line) | {"target_price": "1"} for line in lines[:3]]
    wrong.write_text("\n".join([*lines[3:], *(json.dumps(each) for each in broken)]))
    result = run("train", "--signals", wrong, "--bars", files / "bars.parquet", code=1)
    assert "3 signals were left out" in result.output


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"quantity": "-1"}, "line 1"),
        ({"side": "UP"}, "side"),
        ({"emitted_at": "yesterday"}, "emitted_at"),
    ],
)
def test_a_signal_that_breaks_a_rule_is_named_by_its_line(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    result = scored(tmp_path, bars_file(tmp_path), signal(**changes), code=2)
    assert words in result.output


def test_files_that_cannot_be_read_are_one_clear_line(tmp_path: Path) -> None:
    assert "there is no file" in scored(tmp_path, tmp_path / "none.csv", signal(), code=2).output
    short = tmp_path / "short.csv"
    short.write_text("symbol,open\nA,1\n")
    assert "no column opened_at" in scored(tmp_path, short, signal(), code=2).output
    assert "give both --signals and --bars" in run("train", "--signals", short, code=2).output
    assert "SUCCESS" in run("train", "--success", "0.1", code=2).output
    both = ("--signals", short, "--bars", short)
    assert "give --trials" in run("train", *both, "--budget", 0, code=2).output
