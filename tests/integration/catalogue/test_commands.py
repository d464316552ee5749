"""``trackrecord strategy`` on strategies that are kept: added, listed, shown, activated, copied."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.support.compare import fetch, session
from tests.support.strategies_kept import CROSS, DIP, by_hand, by_rule, fill_bars
from trackrecord.cli.common import InputError
from trackrecord.cli.main import app
from trackrecord.providers.attempt_file import AttemptFile
from trackrecord.providers.attempts import Question
from trackrecord.providers.attempts import Result as Ended
from trackrecord.runtime.settings import Settings
from trackrecord.strategies.provenance import Provenance, marked
from trackrecord.times import read_time

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

NOBODY = "0c6f2b0e-6f4c-4d0a-9a53-7f1f5d0a4c11"


class Terminal:
    """Commands on the tables of a test, with a home of its own."""

    def __init__(self, settings: Settings, home: Path) -> None:
        self.settings, self.home = settings, home
        self._environ = {
            "DATABASE_URL": settings.database_url,
            "TRACKRECORD_DATABASE_SCHEMA": settings.database_schema,
            "TRACKRECORD_HOME": str(home),
            "COLUMNS": "240",
        }

    def run(self, *words: str, code: int = 0) -> Result:
        result = CliRunner().invoke(app, ["strategy", *words], env=self._environ)
        assert result.exit_code == code, (words, result.output, result.exception)
        return result

    def could_not(self, *words: str) -> str:
        """What is said where a command cannot run; the program itself ends with exit code 2."""
        result = CliRunner().invoke(app, ["strategy", *words], env=self._environ)
        if isinstance(result.exception, InputError):
            return str(result.exception)
        assert result.exit_code == 2, (words, result.output, result.exception)
        return result.stderr

    def json(self, *words: str, code: int = 0) -> Any:
        return json.loads(self.run(*words, "--json", code=code).stdout)


@pytest.fixture
def terminal(settings: Settings, tmp_path: Path) -> Terminal:
    return Terminal(settings, tmp_path / "home")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A strategy that a rule made, as `strategy generate --output` writes it."""
    found = tmp_path / "cross.py"
    found.write_text(by_rule().code or "")
    return found


def test_a_file_is_validated_and_kept_as_the_rule_that_made_it(
    terminal: Terminal, file: Path
) -> None:
    assert "no strategies" in terminal.run("list").stdout
    added = terminal.json("add", str(file), "--symbols", "AAPL, MSFT")
    assert (added["name"], added["owner"], added["status"], added["kind"]) == (
        "cross", "me", "validated", "rule",
    )  # fmt: skip
    shown = terminal.json("show", "cross")
    assert shown["shown_version"]["reads_as"].startswith("Buy when the 20 day SMA crosses above")
    assert shown["shown_version"]["rule"] == by_rule().rule
    assert terminal.run("show", "cross", "--code").stdout == by_rule().code
    text = terminal.run("show", "cross").stdout
    assert "symbols: AAPL, MSFT (1d)" in text
    assert "reads as:" in text
    [listed] = terminal.json("list", "--owner", "me")
    assert listed["strategy_id"] == added["strategy_id"]
    assert terminal.json("list", "--status", "active") == []
    refused = terminal.run("add", str(file), code=1)
    assert "me has a strategy 'cross' already: choose another name" in refused.stderr


def test_code_by_hand_is_validated_in_full_and_a_draft_where_it_is_not_valid(
    terminal: Terminal, tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text(by_hand().code or "")
    bad.write_text("kept = []\n" + (by_hand().code or "").replace(
        "    return", "    kept.append(1)\n    return"))  # fmt: skip
    assert terminal.json("add", str(good))["kind"] == "code"
    refused = terminal.run("add", str(bad), code=1)
    assert "which belongs to the module, and keeps something" in refused.stderr
    assert terminal.json("show", "bad")["status"] == "draft"
    said = terminal.run("activate", "bad", "--symbols", "AAPL", code=1).stderr
    assert "'bad' is a draft: make a version of it that is valid, and activate that" in said
    bad.write_text(by_hand("buy").code or "")
    version = terminal.json("add", str(bad), "--version-of", "bad")
    assert (version["version"], version["status"]) == (2, "validated")


def test_code_of_a_model_bears_its_author(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    by = Provenance("openai", "gpt", read_time("2026-01-02T03:04:05Z"))
    file.write_text(marked(by_hand("buy").code or "", by))
    terminal.run("add", str(file))
    version = terminal.json("show", "model")["shown_version"]
    assert (version["provider"], version["model"]) == ("openai", "gpt")
    assert version["asked_at"].startswith("2026-01-02")


def test_templates_are_taken_and_made_anew(terminal: Terminal) -> None:
    names = [each["name"] for each in terminal.json("templates")]
    assert len(names) >= 12
    assert "three-red-days" in terminal.run("templates").stdout
    found = terminal.json("add", "--template", "three-red-days", "--name", "mine")
    assert (found["name"], found["status"]) == ("mine", "validated")
    assert found["description"].startswith("Bets that a short fall")
    assert "choose from average-cross" in terminal.could_not("add", "--template", "x")
    assert "name a FILE, or a template" in terminal.could_not("add")


def test_it_becomes_active_with_what_is_set_and_says_what_has_no_bars(
    terminal: Terminal, file: Path
) -> None:
    terminal.run("add", str(file))
    assert "has no symbols: say which" in terminal.run("activate", "cross", code=1).stderr
    done = terminal.run(
        "activate", "cross", "--symbols", "AAPL,MSFT", "--set", "sma_fast=10", "--quantity", "2.5",
        "--takes-over",
    )  # fmt: skip
    assert "no bar of AAPL, MSFT (1d) has come so far" in done.stderr
    found = terminal.json("show", "cross")
    assert (found["status"], found["record_name"], found["quantity"]) == ("active", "cross", "2.5")
    assert (found["parameters"], found["takes_over"]) == ({"sma_fast": 10}, True)
    assert "is active already" in terminal.run("activate", "cross", code=1).stderr
    said = terminal.run("activate", "cross", "--timeframe", "1h", code=1).stderr
    assert "is active, so that its timeframe cannot change: archive it first" in said
    assert terminal.json("archive", "cross")["status"] == "archived"
    assert "archived already" in terminal.run("archive", "cross", code=1).stderr
    assert "--quantity is a number" in terminal.could_not("activate", "cross", "--quantity", "x")
    wrong = terminal.run("activate", "cross", "--set", "weeks=3", code=1).stderr
    assert "there is no parameter" in wrong


def test_two_owners_call_theirs_the_same_and_who_is_meant_is_asked(
    terminal: Terminal, file: Path
) -> None:
    terminal.run("add", str(file))
    terminal.run("add", str(file), "--owner", "ada")
    said = terminal.could_not("show", "cross")
    assert "2 strategies are called cross: name one of their owners with --owner (ada, me)" in said
    hers = terminal.json("show", "cross", "--owner", "ada")
    assert terminal.json("show", hers["strategy_id"])["owner"] == "ada"
    copied = terminal.run("copy", "cross", "--from", "ada", code=1).stderr
    assert "is somebody else's, and not public" in copied
    own = terminal.json("copy", "cross", "--from", "me")
    assert (own["name"], own["copied_from"] is not None) == ("cross-2", True)
    assert terminal.json("delete", "cross", "--owner", "ada")["deleted"]
    assert terminal.json("list", "--owner", "ada") == []


def test_what_is_not_there_is_said(terminal: Terminal) -> None:
    for words in (("show",), ("activate",), ("archive",), ("delete",), ("copy",)):
        said = terminal.run(*words, "none", code=1).stderr
        assert "there is no strategy 'none': `trackrecord strategy list` shows" in said
    assert f"there is no strategy {NOBODY}" in terminal.run("show", NOBODY, code=1).stderr
    assert "--status is one of" in terminal.could_not("list", "--status", "old")


def test_a_kept_strategy_is_judged_on_the_bars_of_the_database(
    terminal: Terminal, file: Path
) -> None:
    terminal.run("add", str(file), "--symbols", "AAA,BBB")
    said = terminal.could_not("backtest", "--stored", "cross")
    assert "no bars of AAA, BBB (1d) have come so far" in said
    with session(terminal.settings) as cursor:
        fill_bars(cursor)
    report = terminal.json("backtest", "--stored", "cross")
    assert report["strategy"]["way"] == "rule"
    assert (report["tries"], report["bars"]["bars"]) == (1, 1_800)
    one = terminal.json("backtest", "--stored", "cross", "--symbols", "AAA")
    assert one["bars"]["symbols"] == ["AAA"]
    assert f"{one['verdict']}: " in terminal.run("show", "cross").stdout
    assert fetch(terminal.settings, "SELECT owner FROM strategy_tries") == [("me",)]
    both = terminal.could_not("backtest", str(file), "--stored", "cross")
    assert "has its own code, bars and parameters" in both
    assert "or a strategy that is kept with --stored" in terminal.could_not("backtest")


def test_the_log_holds_what_was_asked_here_and_what_the_stage_asked(terminal: Terminal) -> None:
    here = AttemptFile(terminal.home)
    asked = {
        "generation_id": "g", "number": 1, "sentence": "buy", "instructions": "", "request": "",
        "model": "m", "most_tokens": 1, "most_seconds": 1.0,
    }  # fmt: skip
    at = read_time("2026-03-01T12:00:00Z")
    here.asking(Question(attempt_id="a", owner="local", provider="gemini", asked_at=at, **asked))  # type: ignore[arg-type]
    here.ended("a", Ended("failure", error="no key"))
    with session(terminal.settings) as cursor:
        cursor.execute(
            "INSERT INTO generation_log (attempt_id, request_id, number, owner, prompt, provider,"
            " status, asked_at) VALUES ('b', 'r', 1, 'ada', 'sell', 'offline', 'success',"
            " '2026-03-01T13:00:00Z')"
        )
    found = terminal.json("log")
    assert [each["attempt_id"] for each in found] == ["b", "a"]
    assert [each["attempt_id"] for each in terminal.json("log", "--owner", "ada")] == ["b"]
    assert [each["attempt_id"] for each in terminal.json("log", "--request", "g")] == ["a"]
    assert [each["attempt_id"] for each in terminal.json("log", "--limit", "1")] == ["b"]
    shown = terminal.run("log").stdout
    assert "sell" in shown
    assert "no key" in shown


def test_sentences_are_not_mixed_up(terminal: Terminal, tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    made = by_rule(DIP)
    told.write_text(json.dumps({"code": made.code, "rule": by_rule(CROSS).rule}))
    terminal.run("add", str(told))
    # The rule that is told makes other code; the code's own words say which it is.
    assert terminal.json("show", "told")["shown_version"]["rule"] == made.rule
