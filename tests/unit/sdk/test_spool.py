"""Do several writers keep apart, and is what a dead one left taken over by exactly one?"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from trackrecord.sdk._journal_record import Record, frame
from trackrecord.sdk._spool import Spool, destination_of

RECORD = Record("topic", b"key", b"{}", ())


def test_the_same_brokers_are_the_same_destination_however_they_are_written() -> None:
    assert destination_of("b:2, A:1,") == destination_of("a:1,b:2")
    assert destination_of("a:1") != destination_of("a:2")


def test_a_living_writers_folder_is_not_taken_and_a_left_one_is_taken_once(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "a:1", 1_000_000)
    mine = spool.claim("me / and, others")
    mine.journal.append([frame(RECORD)])
    assert spool.adopt() == []
    mine.release(remove=False)
    (taken,) = Spool(tmp_path, "a:1", 1_000_000).adopt()
    assert taken.journal.count() == 1
    assert spool.adopt() == []
    taken.release(remove=True)
    assert list(tmp_path.iterdir()) == []


def test_a_killed_writers_folder_is_taken_over(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from trackrecord.sdk._spool import Spool\n"
        "from trackrecord.sdk._journal_record import Record, frame\n"
        "claim = Spool(Path(sys.argv[1]), 'a:1', 10**6).claim('victim')\n"
        "claim.journal.append([frame(Record('topic', None, b'{}', ()))] * 3)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    (taken,) = Spool(tmp_path, "a:1", 1_000_000).adopt()
    assert taken.journal.count() == 3
    taken.release(remove=False)


def test_events_for_other_brokers_are_left_alone_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    theirs = Spool(tmp_path, "test:1", 1_000_000).claim("theirs")
    theirs.journal.append([frame(RECORD)])
    theirs.release(remove=False)
    mine = Spool(tmp_path, "live:1", 1_000_000)
    assert mine.adopt() == mine.adopt() == []
    assert caplog.text.count("test:1") == 1
    (folder,) = tmp_path.iterdir()
    (folder / "destination").write_text("live:1\n")
    (taken,) = mine.adopt()
    taken.release(remove=True)


def test_the_oldest_comes_first(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "a:1", 1_000_000)
    made = [spool.claim(name) for name in ("z", "m", "a")]
    folders = [claim.journal.folder.name for claim in made]
    for claim in made:
        claim.release(remove=False)
    taken = spool.adopt()
    assert [claim.journal.folder.name for claim in taken] == folders
    for claim in taken:
        claim.release(remove=True)


def test_a_rejected_message_is_kept_readable(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "a:1", 1_000_000)
    spool.reject(Record("topic", b"AAPL", b'{"a":1}', (("ce_id", b"7"),)), "too large")
    text = (tmp_path / "rejected.jsonl").read_text()
    assert "too large" in text
    assert "AAPL" in text


def _damage_text(folder: Path) -> None:
    (folder / "destination").write_bytes(b"\xe9")


def _damage_missing(folder: Path) -> None:
    (folder / "destination").unlink()


def _damage_empty(folder: Path) -> None:
    (folder / "destination").write_text("")


def _damage_folder(folder: Path) -> None:
    (folder / "destination").unlink()
    (folder / "destination").mkdir()


def _damage_lock(folder: Path) -> None:
    (folder / "lock").unlink()
    (folder / "lock").mkdir()


def _damage_link(folder: Path) -> None:
    (folder / "lock").unlink()
    (folder / "lock").symlink_to("lock")


def _damage_name(folder: Path) -> None:
    (folder / "notes.log").write_text("")


@pytest.mark.parametrize(
    "damage",
    [_damage_text, _damage_missing, _damage_empty, _damage_folder, _damage_lock, _damage_link,
     _damage_name],
)  # fmt: skip
def test_a_folder_that_cannot_be_read_is_set_aside_and_holds_up_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[Path], None]
) -> None:
    spool = Spool(tmp_path, "a:1", 1_000_000)
    names = []
    for name in ("bad", "good"):
        claim = spool.claim(name)
        claim.journal.append([frame(RECORD)])
        claim.release(remove=False)
        names.append(claim.journal.folder.name)
    damage(tmp_path / names[0])
    (taken,) = Spool(tmp_path, "a:1", 1_000_000).adopt()
    assert taken.journal.folder.name == names[1]
    assert (tmp_path / "damaged" / names[0] / "0000000001.log").exists()
    assert not (tmp_path / names[0]).exists()
    assert caplog.text.count(str(tmp_path / "damaged" / names[0])) == 1
    taken.release(remove=True)


def test_what_is_known_of_the_cluster_is_kept_with_the_events(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "a:1", 1_000_000)
    claim = spool.claim("mine")
    claim.journal.append([frame(RECORD)])
    spool.reached("x")
    claim.release(remove=False)
    renamed = Spool(tmp_path, "b:1", 1_000_000)
    assert renamed.adopt() == []
    assert renamed.undecided
    renamed.reached("x")
    (taken,) = renamed.adopt()
    assert not renamed.undecided
    taken.release(remove=False)
    another = Spool(tmp_path, "a:1", 1_000_000)
    another.reached("y")
    assert another.adopt() == []
    assert not another.undecided


def test_nothing_younger_goes_before_what_is_not_decided_yet(tmp_path: Path) -> None:
    names = []
    for cluster in (None, "x", None):
        spool = Spool(tmp_path, "a:1", 1_000_000)
        claim = spool.claim("mine")
        spool.reached(cluster)
        claim.journal.append([frame(RECORD)])
        claim.release(remove=False)
        names.append(claim.journal.folder.name)
    later = Spool(tmp_path, "a:1", 1_000_000)
    first = later.adopt()
    assert later.undecided
    later.reached("x")
    both = later.adopt()
    assert [claim.journal.folder.name for claim in [*first, *both]] == names
    assert len(first) == 1
    for claim in [*first, *both]:
        claim.release(remove=True)
