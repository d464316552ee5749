"""``trackrecord strategy log``."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from typer.testing import CliRunner
from typer.testing import Result as Ended

from trackrecord.cli.main import app
from trackrecord.providers.attempt_file import AttemptFile
from trackrecord.providers.attempts import Question, Result

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def fill(home: Path, count: int) -> AttemptFile:
    log = AttemptFile(home)
    for number in range(count):
        log.asking(
            Question(
                f"id-{number}", "g", number + 1, "ada", f"sentence {number} \x1b[2J", "write", "",
                "gemini", "flash", 100, 60.0, START + timedelta(minutes=number),
            )
        )  # fmt: skip
        log.ended(
            f"id-{number}",
            Result("failure", "rate_limited", "wait 9 s", input_tokens=7, seconds=1.25),
        )
    return log


def run(home: Path, *arguments: str) -> Ended:
    asked = ["strategy", "log", "--home", str(home), *arguments]
    return CliRunner().invoke(app, asked, env={"COLUMNS": "200", "DATABASE_URL": ""})


def test_json_has_every_attempt_with_all_that_is_kept(tmp_path: Path) -> None:
    fill(tmp_path, 30)
    told = json.loads(run(tmp_path, "--json").stdout)
    assert [each["attempt_id"] for each in told] == [f"id-{n}" for n in range(29, -1, -1)]
    assert told[0] | {"status": "failure", "error": "wait 9 s", "sentence": "sentence 29 \x1b[2J",
                      "asked_at": "2026-03-01T12:29:00+00:00", "input_tokens": 7,
                      "output_tokens": None, "answer": "", "code": None} == told[0]  # fmt: skip


def test_a_person_sees_the_latest_without_what_would_move_the_cursor(tmp_path: Path) -> None:
    fill(tmp_path, 30)
    shown = run(tmp_path).stdout
    assert "sentence 29" in shown
    assert "sentence 9 " not in shown
    assert "wait 9 s" in shown
    assert "7 + ?" in shown
    assert "\x1b" not in shown


def test_a_limit_is_kept(tmp_path: Path) -> None:
    fill(tmp_path, 5)
    assert len(json.loads(run(tmp_path, "--json", "--limit", "2").stdout)) == 2
    assert run(tmp_path, "--limit", "0").exit_code == 2


def test_nothing_asked_is_no_failure(tmp_path: Path) -> None:
    empty = run(tmp_path, "--json")
    assert (empty.exit_code, json.loads(empty.stdout)) == (0, [])
    assert "no strategy was asked for yet" in run(tmp_path).stdout
    assert list(tmp_path.iterdir()) == []


def test_damaged_lines_are_told_beside_the_data(tmp_path: Path) -> None:
    log = fill(tmp_path, 1)
    with log.path.open("ab") as file:
        file.write(b"rubbish\n")
    shown = run(tmp_path, "--json")
    assert len(json.loads(shown.stdout)) == 1
    assert "1 line(s) cannot be read" in " ".join(shown.stderr.split())


def test_a_log_that_cannot_be_read_is_told_as_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "strategies" / "attempts.jsonl").mkdir(parents=True)
    assert isinstance(run(tmp_path).exception, OSError)
