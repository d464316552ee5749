"""Do the files under schemas/ say what the models say?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tools.schemas import exported, main, render
from trackrecord.events import EVENTS
from trackrecord.events.documents import documents, topic_document
from trackrecord.events.topics import TOPICS

from .wire import SCHEMAS, load, validator


def test_nothing_is_stale_and_nothing_released_is_broken() -> None:
    assert main(["--check", "--out", str(SCHEMAS)]) == 0, "run: make schemas"


def test_writing_again_gives_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tools.schemas", "--out", str(tmp_path)]
    assert subprocess.run(command, check=False).returncode == 0
    assert {path: (tmp_path / path).read_text("utf-8") for path in exported()} == exported()


@pytest.mark.parametrize("path", ["events/market_bar.v1.json", "asyncapi.yaml"])
def test_a_changed_file_is_named(
    path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--out", str(tmp_path)])
    (tmp_path / path).write_text((tmp_path / path).read_text("utf-8") + "\n", "utf-8")
    assert main(["--check", "--out", str(tmp_path)]) == 1
    said = capsys.readouterr().err.splitlines()
    assert said == [
        f"{tmp_path / path}: differs from the models",
        "write them anew with: make schemas",
    ]


def test_a_missing_and_a_superfluous_file_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--out", str(tmp_path)])
    (tmp_path / "topics/market_bar.yaml").rename(tmp_path / "topics/old_bar.yaml")
    assert main(["--check", "--out", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "market_bar.yaml: missing" in said
    assert "old_bar.yaml: no longer exported" in said


def test_a_check_writes_nothing(tmp_path: Path) -> None:
    assert main(["--check", "--out", str(tmp_path)]) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_an_error_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["--out", str(tmp_path / "file")]) == 2
    assert "cannot write" in capsys.readouterr().err


def test_a_break_of_what_was_released_is_named_and_not_released_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--release", "--out", str(tmp_path)]) == 0
    released = tmp_path / "released/market_bar.v1.json"
    document = load(released)
    document["properties"]["vwap"] = {"type": "string"}
    released.write_text(render("x.json", document), "utf-8")
    for option in ("--check", "--release"):
        assert main([option, "--out", str(tmp_path)]) == 1
        assert "market_bar.v1: vwap: removed" in capsys.readouterr().err
    assert load(released) == document


def test_yaml_reads_back_as_what_was_written() -> None:
    for path, document in documents().items():
        assert yaml.safe_load(render(path, document)) == document


@pytest.mark.parametrize("event_type", EVENTS)
def test_every_schema_is_valid_and_describes_every_field(event_type: str) -> None:
    schema = load(SCHEMAS / "events" / f"{event_type}.v1.json")
    validator(schema)
    assert all(field.get("description") for field in schema["properties"].values())
    assert schema["properties"].keys() == {
        field.alias or name for name, field in EVENTS[event_type].model_fields.items()
    }


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_file_names_its_schema_and_dead_letters(topic: str) -> None:
    document = yaml.safe_load((SCHEMAS / "topics" / f"{topic}.yaml").read_text("utf-8"))
    for version in document["event"]["versions"]:
        schema = load(SCHEMAS / "topics" / version["schema"])
        assert schema["$id"] == f"urn:trackrecord:schema:{topic}.v{version['version']}"
        assert document["key"]["field"] in schema["required"]
    assert document["dead_letter"]["name"] == f"{topic}.dlq"
    assert document["config"]["retention.ms"] == -1
    assert document["config"]["message.timestamp.type"] == "LogAppendTime"


def test_a_dead_letter_topic_has_no_file_of_its_own() -> None:
    with pytest.raises(ValueError, match="no document of its own"):
        topic_document(TOPICS["market_bar"].dead_letter())
