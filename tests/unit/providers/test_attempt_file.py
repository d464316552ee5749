"""The log of attempts in a file: nothing asked is forgotten, whoever dies when."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.providers.attempt_file import FILE, AttemptFile
from trackrecord.providers.attempts import INTERRUPTED, Question, Result

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class StoppedClock:
    def __init__(self, now: datetime) -> None:
        self.at = now

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def question(attempt_id: str = "a", **changes: object) -> Question:
    made = Question(
        attempt_id=attempt_id, generation_id="g", number=1, owner="ada", sentence="buy",
        instructions="write", request="buy", provider="gemini", model="m", most_tokens=100,
        most_seconds=120.0, asked_at=NOW,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


DONE = Result(
    "partial", ending="finished", error="line 3", answer="```\nx\n```", code="x\n",
    problems=[{"line": 3, "code": "syntax", "message": "no"}], answered_by="m-1", input_tokens=5,
    output_tokens=6, seconds=1.5, retry_after=None, ended_at=NOW + timedelta(seconds=2),
)  # fmt: skip


def test_an_attempt_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    log = AttemptFile(tmp_path)
    assert log.attempts() == []
    log.asking(question())
    log.ended("a", DONE)
    [found] = AttemptFile(tmp_path).attempts()
    assert (found.question, found.result) == (question(), DONE)


@given(st.text(), st.text(), st.text())
def test_any_text_is_kept_as_it_was(sentence: str, answer: str, code: str) -> None:
    import tempfile  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        log = AttemptFile(Path(folder))
        log.asking(question(sentence=sentence))
        log.ended("a", replace(DONE, answer=answer, code=code))
        [found] = log.attempts()
    assert (found.question.sentence, found.result.answer) == (sentence, answer)
    assert found.result.code == code


def test_lone_surrogates_and_nul_are_kept(tmp_path: Path) -> None:
    log = AttemptFile(tmp_path)
    log.asking(question(sentence="\ud800\0\u2028"))
    log.ended("a", replace(DONE, answer="\udfff\n\r"))
    [found] = log.attempts()
    assert (found.question.sentence, found.result.answer) == ("\ud800\0\u2028", "\udfff\n\r")


def test_the_latest_stands_first_and_the_limit_holds(tmp_path: Path) -> None:
    log = AttemptFile(tmp_path)
    for name in "abc":
        log.asking(question(name))
    log.ended("a", DONE)
    log.ended("c", DONE)
    assert [each.question.attempt_id for each in log.attempts()] == ["c", "b", "a"]
    assert [each.question.attempt_id for each in log.attempts(2)] == ["c", "b"]


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    log = AttemptFile(tmp_path / "new" / "home")
    log.asking(question())
    assert log.path.stat().st_mode & 0o777 == 0o600
    log.path.chmod(0o644)
    log.ended("a", DONE)
    assert log.path.stat().st_mode & 0o777 == 0o600


def test_it_does_not_write_through_a_link(tmp_path: Path) -> None:
    (tmp_path / FILE).parent.mkdir()
    (tmp_path / FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        AttemptFile(tmp_path).asking(question())
    assert not (tmp_path / "elsewhere").exists()


def test_a_question_is_being_asked_until_its_time_is_over(tmp_path: Path) -> None:
    clock = StoppedClock(NOW)
    log = AttemptFile(tmp_path, clock)
    log.asking(question())
    assert log.attempts()[0].result.status == "asking"
    clock.sleep(120 + 61)
    [found] = log.attempts()
    assert (found.result.status, found.result.error) == ("failure", INTERRUPTED)


_ASKS_AND_DIES = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from trackrecord.providers.attempt_file import AttemptFile
from trackrecord.providers.attempts import Question
AttemptFile(Path(sys.argv[1])).asking(Question("a", "g", 1, "", "buy", "", "", "gemini", "m", 9,
    3600.0, datetime.now(UTC)))
print("asked", flush=True)
signal.pause()
"""


def test_one_whose_process_was_killed_is_a_failure_at_once(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _ASKS_AND_DIES, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as asking:
        assert asking.stdout is not None
        assert asking.stdout.readline() == "asked\n"
        log = AttemptFile(tmp_path)
        assert log.attempts()[0].result.status == "asking"
        asking.send_signal(signal.SIGKILL)
        asking.wait()
    [found] = log.attempts()
    assert (found.result.status, found.result.error) == ("failure", INTERRUPTED)


def test_a_number_that_another_process_has_by_now_is_not_the_one_that_asked(tmp_path: Path) -> None:
    log = AttemptFile(tmp_path, StoppedClock(NOW))
    log.asking(question())
    row = json.loads(log.path.read_text())
    row["asker"]["started"] = "1"
    log.path.write_text(json.dumps(row) + "\n")
    assert log.attempts()[0].result.status == "failure"


def test_of_another_machine_the_time_decides(tmp_path: Path) -> None:
    clock = StoppedClock(NOW)
    log = AttemptFile(tmp_path, clock)
    log.asking(question())
    row = json.loads(log.path.read_text())
    row["asker"] |= {"host": "elsewhere", "pid": 2**22 + 1}
    log.path.write_text(json.dumps(row) + "\n")
    assert log.attempts()[0].result.status == "asking"
    clock.sleep(1_000)
    assert log.attempts()[0].result.status == "failure"


_APPENDS = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from trackrecord.providers.attempt_file import AttemptFile
from trackrecord.providers.attempts import Question, Result
log = AttemptFile(Path(sys.argv[1]))
for number in range(40):
    name = f"{sys.argv[2]}-{number}"
    log.asking(Question(name, "g", 1, "", "buy" * 9000, "", "", "gemini", "m", 9, 9.0,
        datetime.now(UTC)))
    log.ended(name, Result("success", answer=name))
"""


def test_several_processes_append_and_none_spoils_a_line(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", _APPENDS, str(tmp_path), str(number)])
        for number in range(4)
    ]
    assert [writer.wait() for writer in writers] == [0] * 4
    log = AttemptFile(tmp_path)
    found = log.attempts()
    assert len(found) == 160
    assert log.damaged == 0
    assert all(each.result.answer == each.question.attempt_id for each in found)


def test_who_mends_the_end_of_the_file_has_it_alone(tmp_path: Path) -> None:
    log = AttemptFile(tmp_path)
    log.asking(question("a"))
    with log.path.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        waiting = threading.Thread(target=log.asking, args=(question("b"),))
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        assert len(log.attempts()) == 1
        fcntl.flock(other, fcntl.LOCK_UN)
        waiting.join(60)
    assert len(log.attempts()) == 2


def test_a_line_that_was_cut_off_spoils_no_other(tmp_path: Path) -> None:
    log = AttemptFile(tmp_path)
    log.asking(question("a"))
    with log.path.open("ab") as file:
        file.write(b'{"row": "ended", "attempt_id": "a", "stat')
    log.asking(question("b"))
    log.ended("b", DONE)
    found = {each.question.attempt_id: each.result.status for each in log.attempts()}
    assert found["b"] == "partial"
    assert set(found) == {"a", "b"}
    assert log.damaged == 1


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe", b"17", b"null", b"[" * 100_000, b"{}", b'{"row": "asking"}',
        b'{"row": "ended"}',
        b'{"row": "asking", "attempt_id": "x", "asked_at": "yesterday"}', b'{"row": 5}',
        b'{"row": "ended", "attempt_id": "a", "status": 5}',
        b'{"row": "ended", "attempt_id": "a", "status": "success", "problems": "none"}',
    ],
)  # fmt: skip
def test_a_line_that_is_none_is_left_out_and_counted(tmp_path: Path, line: bytes) -> None:
    log = AttemptFile(tmp_path)
    log.asking(question())
    log.ended("a", DONE)
    with log.path.open("ab") as file:
        file.write(line + b"\n")
    assert [each.result.status for each in log.attempts()] == ["partial"]
    assert log.damaged == (0 if line == b'{"row": 5}' else 1)


def test_a_full_disk_leaves_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = AttemptFile(tmp_path)
    log.asking(question("a"))
    real = os.write
    wrote: list[int] = []

    def full(file: int, data: bytes) -> int:
        if wrote:
            raise OSError(28, "No space left on device")
        wrote.append(real(file, bytes(data)[:10]))
        return wrote[0]

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="space"):
        log.asking(question("b"))
    monkeypatch.undo()
    log.asking(question("c"))
    assert {each.question.attempt_id for each in log.attempts()} == {"a", "c"}
    assert log.damaged == 0
