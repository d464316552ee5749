"""The extract command as a person and a program use it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

RUN = "import typer; from trackrecord.cli.extract import extract_command as c; typer.run(c)"
PACK = """
pack: mine
version: 1
terms: [{id: x, class: action, value: SELL, phrases: [abandon ship]}]
tests: [{text: "Signal: ABANDON SHIP", expect: {final_action: SELL}}]
"""


def run(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_text_on_standard_input_answers_in_json() -> None:
    done = run("--json", text="Signal: BUY ACME\nEntry: 10.5")
    answer = json.loads(done.stdout)
    assert done.returncode == 0
    assert answer["id"] is None
    assert answer["final_action"] == "BUY"
    assert answer["recommendations"][0]["entry_price"] == 10.5
    assert answer["extractor_version"].startswith("1.")


def test_a_file_is_read_and_shown_to_a_person(tmp_path: Path) -> None:
    path = tmp_path / "output.txt"
    path.write_text("Signal: SELL ACME", encoding="utf-8")
    done = run(str(path), "--explain")
    assert done.returncode == 0
    assert "SELL" in done.stdout
    assert "shapes/labelled" in done.stdout


def test_a_refusal_is_explained() -> None:
    done = run(text="Skipping signal: BUY")
    assert done.returncode == 0
    assert "No recommendation. BUY was refused" in done.stdout


def test_json_lines_keep_their_ids_and_a_bad_line_is_named() -> None:
    done = run("--jsonl", text='{"id": "a", "text": "Signal: BUY"}\n{"id": 1}\n')
    (answer,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert (answer["id"], answer["final_action"]) == ("a", "BUY")
    assert "line 2" in done.stderr
    assert done.returncode == 1


def test_an_explanation_in_json_has_spans() -> None:
    answer = json.loads(run("--json", "--explain", text="Signal: BUY").stdout)
    assert answer["explanation"]["evidence"][0]["span"] == [8, 11]


def test_rules_of_ones_own_are_used_and_checked(tmp_path: Path) -> None:
    pack = tmp_path / "mine.yaml"
    pack.write_text(PACK, encoding="utf-8")
    done = run("--json", "--rules", str(pack), text="Signal: ABANDON SHIP")
    assert json.loads(done.stdout)["final_action"] == "SELL"
    assert run("--check-rules", "--rules", str(pack)).returncode == 0
    pack.write_text(PACK.replace("final_action: SELL", "final_action: BUY"), encoding="utf-8")
    failed = run("--check-rules", "--json", "--rules", str(pack))
    assert failed.returncode == 1
    assert json.loads(failed.stdout)["valid"] is False


def test_what_cannot_be_read_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("pack: [", encoding="utf-8")
    for arguments in (
        (str(tmp_path / "none.txt"),),
        ("--rules", str(broken)),
        ("--rules", "/none"),
    ):
        done = run(*arguments)
        assert done.returncode == 2
        assert len(done.stderr.strip().splitlines()) == 1
        assert "Traceback" not in done.stderr


def test_bytes_that_are_no_text_do_not_hide_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "output.txt"
    path.write_bytes(b"\xff\xfe\x00 noise\nSignal: HOLD\n")
    assert json.loads(run(str(path), "--json").stdout)["final_action"] == "HOLD"


GOOD = '{"id": "a", "text": "Signal: BUY ACME", "gold": {"final_action": "BUY"}}\n'
BAD = '{"id": "b", "text": "Skipping signal: BUY\\u001b[2J", "gold": {"final_action": "BUY"}}\n'


def test_texts_that_are_read_as_labelled_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "labelled.jsonl"
    path.write_text("\ufeff" + GOOD + "\n" + GOOD, encoding="utf-8")
    done = run("--check", str(path))
    assert done.returncode == 0, done.stderr
    assert "2 of 2 texts are read as labelled" in done.stdout
    assert "line" not in done.stdout


def test_a_miss_is_shown_with_what_was_refused() -> None:
    done = run("--check", text=GOOD + BAD)
    assert done.returncode == 1
    assert "1 of 2 texts are read as labelled" in done.stdout
    assert "line 2, b" in done.stdout
    assert "final_action: wanted BUY, read none" in done.stdout
    assert 'text line 1, "BUY": the signal was dropped (negation/denied)' in done.stdout
    assert "\x1b" not in done.stdout


def test_a_program_gets_figures_and_misses_in_json() -> None:
    done = run("--check", "--json", text=GOOD + BAD)
    answer = json.loads(done.stdout)
    assert done.returncode == 1
    assert (answer["as_labelled"], answer["figures"]["action_recall"]) == (1, 0.5)
    (miss,) = answer["misses"]
    assert (miss["line"], miss["id"], miss["read"]["final_action"]) == (2, "b", None)
    (difference,) = miss["differences"]
    assert difference["reasons"][0]["words"] == "BUY"
    assert miss["explanation"]["rejected"][0]["rule"] == difference["reasons"][0]["rule"]


def test_labels_are_checked_with_rules_of_ones_own(tmp_path: Path) -> None:
    pack = tmp_path / "mine.yaml"
    pack.write_text(PACK, encoding="utf-8")
    line = '{"text": "Signal: ABANDON SHIP", "gold": {"final_action": "SELL"}}'
    assert run("--check", text=line).returncode == 1
    assert run("--check", "--rules", str(pack), text=line).returncode == 0


def test_lines_that_are_no_labels_are_named() -> None:
    done = run("--check", text=GOOD + "nope\n" + '{"text": "x"}\n')
    assert done.returncode == 2
    assert done.stdout == ""
    first, second = done.stderr.splitlines()
    assert first.startswith("trackrecord extract: standard input: line 2: is not JSON")
    assert second.startswith('line 3: "gold" must be')
    done = run("--check", text="x\n" * 12)
    assert done.stderr.splitlines()[10:] == ["and 2 lines more"]
    assert run("--check", text="\n").returncode == 2
