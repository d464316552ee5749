"""``trackrecord strategy generate``: what it prints, writes, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from trackrecord.cli.main import app

CROSS = "buy when the 20 day average crosses above the 50 day average, stop 5 %"


def generate(*arguments: str, code: int) -> str:
    run = CliRunner().invoke(app, ["strategy", "generate", *arguments])
    assert run.exit_code == code, run.output
    return run.stdout


def answer(sentence: str, code: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(generate("--json", sentence, code=code))
    return found


def test_a_sentence_becomes_a_validated_strategy() -> None:
    found = answer(CROSS, 0)
    assert found["status"] == "validated"
    assert (
        found["reads_as"] == "Buy when the 20 day SMA crosses above the 50 day SMA. Stop loss 5%."
    )
    assert "def execute_strategy" in found["code"]
    assert set(found["parameters"]) == {"sma_fast", "sma_slow", "stop_percent"}
    assert (found["not_understood"], found["problems"]) == ([], [])
    assert (found["provider"], found["tokens"]) == ("offline", 0)
    assert found["seconds"] > 0


def test_a_draft_names_its_words_and_ends_with_1() -> None:
    found = answer("buy when RSI is below 30 and the moon is full", 1)
    assert found["status"] == "draft"
    assert found["not_understood"] == ["moon is full"]
    assert found["code"] is not None


def test_what_is_refused_has_no_code_and_an_example() -> None:
    found = answer("make me rich with no risk", 1)
    assert (found["status"], found["code"], found["rule"]) == ("refused", None, None)
    assert "for example" in found["problems"][0]["message"]


def test_the_code_is_written_to_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    shown = generate(CROSS, "--output", str(file), code=0)
    assert "reads as: Buy when" in shown
    assert "def execute_strategy" not in shown
    assert "def execute_strategy" in file.read_text("utf-8")


def test_a_person_is_told_how_it_was_read_and_what_was_assumed() -> None:
    shown = generate("buy when RSI is under 30", code=0)
    assert "status: validated" in shown
    assert "RSI with its usual settings (14), as none were said" in shown
    assert "no exit was said" in shown


def test_an_unknown_provider_and_a_folder_for_a_file_are_told_in_a_line(tmp_path: Path) -> None:
    for arguments in (("--provider", "oracle"), ("--output", str(tmp_path))):
        run = CliRunner().invoke(app, ["strategy", "generate", CROSS, *arguments])
        assert run.exit_code != 0
        assert "Traceback" not in run.output
