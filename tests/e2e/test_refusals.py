"""What a command says when it cannot: one clear message, exit code 2, no traceback."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cli import Ran, trackrecord
from tests.e2e.test_local_stack import opened

NOBODY: dict[str, Any] = {
    "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "DATABASE_URL": "postgresql://ada:s3cret@127.0.0.1:1/trackrecord",
}
COMMANDS = [
    "demo", "up", "down", "status", "run", "publish", "run-script", "extract", "report", "replay",
    "migrate", "topics", "settings", "dlq",
]  # fmt: skip


def refused(ran: Ran) -> str:
    assert ran.code == 2, ran
    assert ran.out == ""
    assert "Traceback" not in ran.err
    return ran.err


def test_every_command_explains_itself() -> None:
    with ThreadPoolExecutor(2) as pool:
        whole = trackrecord("--help")
        for name, ran in zip(
            COMMANDS, pool.map(lambda name: trackrecord(name, "--help"), COMMANDS), strict=True
        ):
            assert ran.code == 0, name
            assert name in whole.out
            assert "Usage" in ran.out


def test_wrong_settings_are_all_named_at_once(tmp_path: Path) -> None:
    words = refused(
        trackrecord(
            "report",
            cwd=tmp_path,
            TRACKRECORD_BATCH_SIZE="many",
            TRACKRECORD_DAY_TIMEZONE="Mars/Olympus",
            DATABASE_URL="mysql://ada:s3cret@127.0.0.1/x",
        )
    )
    assert "3 setting(s) cannot be used" in words
    for variable in ("TRACKRECORD_BATCH_SIZE", "TRACKRECORD_DAY_TIMEZONE", "DATABASE_URL"):
        assert variable in words
    assert "s3cret" not in words


def test_a_setting_that_the_kafka_client_does_not_know_is_named_by_its_variable(
    tmp_path: Path,
) -> None:
    for arguments in (("topics",), ("publish",), ("run", "extractor")):
        words = refused(
            trackrecord(
                *arguments,
                cwd=tmp_path,
                stdin=opened("s"),
                TRACKRECORD_KAFKA_NO_SUCH_THING="1",
                TRACKRECORD_LOG_LEVEL="error",
            )
        )
        assert "TRACKRECORD_KAFKA_NO_SUCH_THING" in words
        assert len(words.splitlines()) == 1


def test_without_a_broker_or_database_each_command_says_so_in_one_line(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("print('BUY')")
    asked: dict[str, list[str]] = {
        "no database at postgresql://ada:***@127.0.0.1:1": [
            "report", "report --scripts", "report --by signal", "dlq list", "dlq show x",
            "dlq replay", "migrate", "replay --verify", "replay",
        ],
        "no broker at 127.0.0.1:1": ["topics", "publish", f"run-script {script}"],
    }  # fmt: skip
    cases = [(words, each) for words, commands in asked.items() for each in commands]

    def ask(each: str) -> Ran:
        return trackrecord(*each.split(), cwd=tmp_path, stdin=opened("s"), **NOBODY)

    with ThreadPoolExecutor(4) as pool:
        for (words, each), ran in zip(cases, pool.map(ask, [c for _, c in cases]), strict=True):
            said = refused(ran)
            lines = [line for line in said.splitlines() if line.startswith("trackrecord:")]
            assert len(lines) == 1, (each, said)
            assert words in lines[0], (each, said)
            assert "s3cret" not in said


def test_usage_is_told_where_it_is_wrong(tmp_path: Path) -> None:
    for arguments, words in {
        "run nothing": "choose from",
        "report --as-of yesterday": "not a time",
        "report --by weekday": "--by",
        "report --scripts --as-of 2026-03-02": "--as-of",
        "report --by symbol --strategy sma": "--strategy",
        "report --limit 0": "--limit",
        "dlq list --limit -1": "--limit",
        "up --workers tracker=1": "--workers",
        "publish nothing.jsonl": "cannot read nothing.jsonl",
        "run-script nothing.py": "there is no script nothing.py",
        "no-such-command": "No such command",
    }.items():
        ran = trackrecord(*arguments.split(), cwd=tmp_path)
        assert words in refused(ran), arguments


def test_status_and_down_of_nothing_answer(tmp_path: Path) -> None:
    status = trackrecord("status", "--json", "--home", tmp_path)
    assert status.code == 1
    assert status.data == {
        "healthy": False, "kafka": None, "database_url": None, "api": None,
        "credentials_file": None, "processes": [],
    }  # fmt: skip
    assert "trackrecord up" in trackrecord("status", "--home", tmp_path).out
    assert trackrecord("down", "--home", tmp_path).code == 0


@pytest.mark.parametrize("stdin", ["", "\n\n"])
def test_publishing_nothing_is_done_at_once(tmp_path: Path, stdin: str) -> None:
    ran = trackrecord("publish", "--json", stdin=stdin, cwd=tmp_path, **NOBODY)
    assert (ran.code, ran.data["published"]) == (0, 0)


def test_a_home_that_cannot_be_kept_is_said_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for arguments in (("up", "--home", file), ("demo", "--home", file), ("up", "--home", "/sys/x"),
                      ("up", "--home", "")):  # fmt: skip
        words = refused(trackrecord(*arguments, cwd=tmp_path))
        assert len(words.splitlines()) == 1, arguments
        assert "--home" in words
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
