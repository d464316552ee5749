"""``trackrecord strategy generate --provider``: from a language model's answer to a verdict."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from typer.testing import Result as Ended

from tests.support.fake_models import Action, Say, Status, models
from trackrecord.cli.common import InputError
from trackrecord.cli.main import app
from trackrecord.errors import TrackrecordError

SENTENCE = "buy when the close is above the 20 day average"
GOOD = '''\
# reads as: Buys when the close is above its 20 day average.
# assumes: nothing
# not done: nothing
PARAMETERS = {"n": {"type": "int", "default": 20, "min": 2, "max": 200, "description": "days"}}
LOOKBACK = 60


def execute_strategy(market_data: dict, strategy_params: dict) -> dict:
    """Buy above the average, sell below it."""
    closes = [bar["close"] for bar in market_data["bars"]]
    level = sma(closes, strategy_params["n"])
    if closes[-1] > level:
        return {"action": "buy"}
    return {"action": "sell"}
'''
BROKEN = GOOD.replace("    level =", "    del market_data\n    level =")


def fenced(code: str) -> str:
    return f"```python\n{code}```"


def run(home: Path, *arguments: str, url: str = "") -> Ended:
    environ = {
        "OPENAI_API_KEY": "sk-0123456789abcdef",
        "OPENAI_BASE_URL": url,
        "COLUMNS": "200",
        "TRACKRECORD_HOME": str(home),
        "DATABASE_URL": "",
    }
    return CliRunner().invoke(app, ["strategy", *arguments], env=environ)


def asked(home: Path, *actions: Action, more: tuple[str, ...] = ()) -> Ended:
    with models(*actions) as server:
        return run(
            home, "generate", SENTENCE, "--provider", "openai", *more, url=server.url("openai")
        )


def bars(file: Path) -> None:
    with file.open("w", newline="") as out:
        lines = csv.writer(out)
        lines.writerow(["symbol", "opened_at", "open", "high", "low", "close", "volume"])
        day = datetime(2020, 1, 1, tzinfo=UTC)
        for number in range(700):
            price = 100 + (number * 7919 % 97) / 10
            lines.writerow(
                ["A", (day + timedelta(days=number)).isoformat(), price, price + 1, price - 1,
                 price + 0.5, 1000]
            )  # fmt: skip


def test_broken_code_goes_back_and_what_passes_is_marked_and_judged_as_a_model_s(
    tmp_path: Path,
) -> None:
    code = tmp_path / "made.py"
    ended = asked(
        tmp_path, Say(fenced(BROKEN)), Say(fenced(GOOD)), more=("--json", "--output", str(code))
    )
    assert ended.exit_code == 0, ended.output
    told = json.loads(ended.stdout)
    assert (told["status"], told["provider"], told["problems"]) == ("validated", "openai", [])
    assert told["tokens"] > 0
    assert "attempt 2 of 3" in ended.stderr
    log: list[dict[str, Any]] = json.loads(run(tmp_path, "log", "--json").stdout)
    assert [each["status"] for each in log] == ["success", "partial"]
    bars(tmp_path / "bars.csv")
    judged = run(tmp_path, "backtest", str(code), "--bars", str(tmp_path / "bars.csv"), "--json")
    assert judged.exit_code == 0, judged.output
    assert json.loads(judged.stdout)["verdict"] in {
        "no evidence yet", "too few to tell", "worse than holding",
    }  # fmt: skip
    assert "the mark at the end of its code" in judged.output


def test_a_provider_that_does_not_answer_is_told_in_a_line_and_kept(tmp_path: Path) -> None:
    ended = asked(tmp_path, Status(429))
    # Which `trackrecord` tells in a line, with exit code 2.
    assert isinstance(ended.exception, InputError)
    assert "limit is reached" in str(ended.exception)
    assert "sk-0123456789abcdef" not in ended.output + str(ended.exception)
    log = json.loads(run(tmp_path, "log", "--json").stdout)
    assert [each["status"] for each in log] == ["failure"]


@pytest.mark.parametrize(
    ("name", "said"), [("nobody", "there is no provider 'nobody'"), ("gemini", "GEMINI_API_KEY")]
)
def test_who_cannot_be_asked_is_named_before_anything_is_kept(
    tmp_path: Path, name: str, said: str
) -> None:
    ended = run(tmp_path, "generate", SENTENCE, "--provider", name)
    assert isinstance(ended.exception, TrackrecordError)
    assert said in str(ended.exception)
    assert not (tmp_path / "strategies").exists()
