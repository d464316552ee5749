"""``trackrecord strategy backtest``: the whole way, in the sandbox and as a rule."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support.strategy_worlds import walk_bars
from trackrecord.cli.common import InputError
from trackrecord.cli.main import app
from trackrecord.cli.strategy.tries_file import FILE, note_and_count
from trackrecord.providers.attempt_file import AttemptFile
from trackrecord.providers.attempts import Question, Result
from trackrecord.strategies.rules.as_json import to_json
from trackrecord.strategies.rules.code import code
from trackrecord.strategies.rules.model import Compare, Field, Indicator, Percent, Rule
from trackrecord.strategies.tries import Run

BEGIN = "LOOKBACK = 1\ndef execute_strategy(market_data, strategy_params):\n"

CLOSE = Field("close")
MEAN = Indicator("sma", (5,), CLOSE)
RULE = Rule(
    entry=Compare(CLOSE, ">", MEAN), exit=Compare(CLOSE, "<", MEAN), stop=Percent(4.0), lookback=10
)


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bars") / "bars.csv"
    lines = ["symbol,opened_at,open,high,low,close,volume"]
    for symbol, seed in (("AAA", 1), ("BBB", 2)):
        day = 0
        for bar in walk_bars(420, seed):
            day += 1
            while (day + 3) % 7 >= 5:
                day += 1
            at = f"{2015 + day // 372}-{day // 31 % 12 + 1:02}-{day % 31 + 1:02}"
            lines.append(f"{symbol},{at},{bar.open},{bar.high},{bar.low},{bar.close},100")
    kept = [line for line in lines if not re.search(r"-(02-(29|30|31)|(04|06|09|11)-31),", line)]
    path.write_text("\n".join(kept) + "\n")
    return path


def run(*arguments: Any) -> tuple[int, str, str]:
    found = CliRunner().invoke(app, ["strategy", "backtest", *map(str, arguments)])
    return found.exit_code, found.stdout, found.stderr


def answer(*arguments: Any) -> dict[str, Any]:
    status, out, error = run(*arguments, "--json")
    assert status == 0, error
    found: dict[str, Any] = json.loads(out)
    return found


def rule_file(folder: Path) -> Path:
    from trackrecord.strategies.rules.canonical import finished  # noqa: PLC0415

    rule = finished(RULE)
    path = folder / "rule.json"
    path.write_text(json.dumps({"status": "validated", "code": code(rule), "rule": to_json(rule)}))
    return path


def test_a_rule_and_its_code_in_the_sandbox_come_to_the_same_report(
    bars: Path, tmp_path: Path
) -> None:
    rule = rule_file(tmp_path)
    script = tmp_path / "rule.py"
    script.write_text(json.loads(rule.read_text())["code"])
    common = ("--bars", bars, "--home", tmp_path)
    found = [answer(rule, *common), answer(script, *common, "--in-sandbox")]
    assert [each["strategy"]["way"] for each in found] == ["rule", "code"]
    # The code's first words, read as a sentence, make just this code.
    assert answer(script, *common)["strategy"]["way"] == "rule"
    script.write_text(script.read_text().replace('"max": 10', '"max": 9'))
    assert answer(script, *common)["strategy"]["way"] == "code"
    assert found[0]["tries"] == found[1]["tries"] == 1
    for each in found:
        for trade in (*each["trades"], *each["trades_in_sample"]):
            trade["reason"] = trade["exit_reason"] = ""
        for name in ("strategy", "seconds"):
            each.pop(name)
    assert len(found[0]["trades"]) > 20
    assert found[0] == found[1]


def test_the_record_of_tries_grows_and_outlives_the_strategy(bars: Path, tmp_path: Path) -> None:
    script = tmp_path / "s.py"
    for number in range(3):
        script.write_text(
            f"LOOKBACK = {number + 2}\n"
            "def execute_strategy(market_data, strategy_params):\n"
            '    return {"action": "buy"}\n'
        )
        assert answer(script, "--bars", bars, "--home", tmp_path)["tries"] == number + 1
    script.unlink()
    rule = rule_file(tmp_path)
    assert answer(rule, "--bars", bars, "--home", tmp_path)["tries"] == 4
    searched = answer(rule, "--bars", bars, "--home", tmp_path, "--optimise", "--trials", "5")
    assert searched["tries"] > 4
    # Of somebody else all of it comes along, for the strategy is the same.
    other = answer(rule, "--bars", bars, "--home", tmp_path, "--owner", "you")
    assert other["tries"] == searched["tries"]


def test_the_page_needs_nothing_else_and_shows_what_came_from_outside_as_text(
    bars: Path, tmp_path: Path
) -> None:
    hostile = tmp_path / "bars.csv"
    hostile.write_text(bars.read_text().replace("BBB", "<img src=//x onerror=alert(1)>"))
    page, png = tmp_path / "page.html", tmp_path / "page.png"
    status, out, error = run(
        rule_file(tmp_path), "--bars", hostile, "--home", tmp_path, "--html", page, "--png", png
    )
    assert status == 0, error
    assert "<img" in out
    text = page.read_text()
    assert png.read_bytes().startswith(b"\x89PNG")

    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.tags: set[str] = set()
            self.policy = ""

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.tags.add(tag)
            names = dict(attrs)
            # A strict policy lets neither through.
            assert "style" not in names
            assert not any(name.startswith("on") or name in {"src", "href"} for name in names)
            if names.get("http-equiv") == "Content-Security-Policy":
                self.policy = names["content"] or ""

    reader = Reader()
    reader.feed(text)
    assert not reader.tags & {"script", "img", "link", "iframe", "object", "form"}
    assert reader.policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "http" not in text.replace("http-equiv", "")
    assert "url(" not in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--cost", "-1"], "--cost is a number from 0 to 0.5"),
        (["--cost", "much"], "--cost is a number"),
        (["--capital", "0"], "--capital is a number from 1"),
        (["--set", "sma_days"], "--set takes NAME=VALUE"),
        (["--set", "unknown=3"], "there is no parameter"),
        (["--set", "sma_days=many"], "sma_days"),
        (["--knowledge-until", "2020-01-01"], "give --written-by-model too"),
        (["--written-by-model", "--knowledge-until", "soon"], "--knowledge-until: not a time"),
        (["--symbols", "CCC"], "has no bars of CCC"),
        (["--html", "/nowhere/page.html"], "cannot write /nowhere/page.html"),
    ],
)
def test_what_cannot_be_is_one_clear_line_and_exit_2(
    bars: Path, tmp_path: Path, arguments: list[str], words: str
) -> None:
    status, out, error = run(rule_file(tmp_path), "--bars", bars, "--home", tmp_path, *arguments)
    assert status == 2
    assert words in error
    assert "Traceback" not in error
    assert out == ""


def test_a_file_that_cannot_be_read_is_told(bars: Path, tmp_path: Path) -> None:
    (tmp_path / "latin.py").write_bytes(b"# \xfc\n")
    (tmp_path / "no.json").write_text("{")
    (tmp_path / "other.json").write_text('{"status": "refused", "code": null}')
    for name, words in (
        ("latin.py", "not UTF-8"),
        ("no.json", "not JSON"),
        ("other.json", 'has no "code"'),
        ("nothing.py", "there is no file"),
    ):
        status, _, error = run(tmp_path / name, "--bars", bars, "--home", tmp_path)
        assert status == 2
        assert words in error


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("x = 1\n", "execute_strategy"),
        (f'{BEGIN}    return {{"action": "buy", "confidence": 2}}\n', "confidence"),
        # Only on these bars, so that no validation on others sees it.
        (
            f'{BEGIN}    1 / (market_data["symbol"] != "AAA")\n    return {{"action": "hold"}}\n',
            "on AAA's bar of 2015-",
        ),
    ],
)
def test_a_strategy_that_breaks_its_contract_is_exit_1(
    bars: Path, tmp_path: Path, source: str, words: str
) -> None:
    script = tmp_path / "s.py"
    script.write_text(source)
    status, _, error = run(script, "--bars", bars, "--home", tmp_path)
    assert status == 1
    assert words in error


def test_a_record_of_tries_that_is_damaged_is_not_passed_over(tmp_path: Path) -> None:
    run_ = Run("me", "code", ("p",))
    assert note_and_count(tmp_path, run_) == 1
    assert note_and_count(tmp_path, run_) == 1
    path = tmp_path / FILE
    assert len(path.read_text().splitlines()) == 1
    assert path.stat().st_mode & 0o077 == 0
    path.write_text(path.read_text() + "{}\n")
    with pytest.raises(InputError, match="line 2 cannot be read"):
        note_and_count(tmp_path, run_)
    path.write_text('{"owner"')
    with pytest.raises(InputError, match="ends in the middle of a line"):
        note_and_count(tmp_path, run_)


def test_code_that_the_log_of_attempts_holds_is_taken_for_a_models(
    bars: Path, tmp_path: Path
) -> None:
    rule = rule_file(tmp_path)
    assert not answer(rule, "--bars", bars, "--home", tmp_path)["written_by_model"]
    code_ = json.loads(rule.read_text())["code"]
    log = AttemptFile(tmp_path)
    log.path.write_text("{\n")
    asked_at = datetime(2015, 12, 1, 10, tzinfo=UTC)
    log.asking(
        Question("1", "g", 1, "ada", "buy", "write", "", "gemini", "flash", 100, 60.0, asked_at)
    )
    log.ended("1", Result("success", "finished", code="# written by a model\n" + code_))
    found = answer(rule, "--bars", bars, "--home", tmp_path)
    assert found["written_by_model"]
    assert found["may_be_remembered"]["until"] == "2015-12-01"
    assert found["verdict"] in {"no evidence yet", "worse than holding"}
