"""Does a journal give back, in order and once, what nobody has acknowledged?"""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from trackrecord.sdk._journal import Journal, Position
from trackrecord.sdk._journal_record import Record, frame


def record(number: int, size: int = 50) -> Record:
    return Record("topic", b"key", b"%d" % number + b"." * size, (("ce_id", b"%d" % number),))


def number_of(record: Record) -> int:
    return int(record.header("ce_id"))


def append(journal: Journal, numbers: range, size: int = 50) -> list[Position]:
    return journal.append([frame(record(number, size)) for number in numbers])


def read_all(journal: Journal, position: Position | None = None) -> list[int]:
    position = position or journal.start
    found: list[int] = []
    while not journal.at_end(position):
        records, position = journal.read(position)
        found += [number_of(record) for record, _ in records]
    return found


def test_what_was_appended_is_read_in_order_across_segments_and_openings(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=500)
    for start in range(0, 100, 5):
        append(journal, range(start, start + 5))
    assert len(list(tmp_path.glob("*.log"))) > 5
    assert read_all(journal) == list(range(100))
    journal.close()
    again = Journal(tmp_path)
    assert again.count() == 100
    assert read_all(again) == list(range(100))


def test_what_was_acknowledged_is_not_read_after_reopening_and_its_files_are_gone(
    tmp_path: Path,
) -> None:
    journal = Journal(tmp_path, segment_bytes=500)
    positions = [append(journal, range(number, number + 1))[0] for number in range(100)]
    journal.acknowledge(positions[69])
    assert journal.size < 100 * len(frame(record(1))) / 2
    journal.close()
    assert read_all(Journal(tmp_path)) == list(range(70, 100))


def test_a_lost_or_torn_note_of_what_was_sent_costs_duplicates_and_no_gap(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.acknowledge(append(journal, range(10))[4])
    journal.close()
    note = tmp_path / "sent"
    assert read_all(Journal(tmp_path)) == list(range(5, 10))
    note.write_bytes(note.read_bytes()[:-3])
    assert read_all(Journal(tmp_path)) == list(range(10))
    note.unlink()
    assert read_all(Journal(tmp_path)) == list(range(10))


def test_all_acknowledged_leaves_no_growing_file_behind(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for start in range(0, 10_000, 100):
        journal.acknowledge(append(journal, range(start, start + 100), size=500)[-1])
    assert journal.size < 200_000
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 200_000
    assert read_all(journal) == []
    append(journal, range(3))
    assert read_all(journal) == [0, 1, 2]


def test_an_unfinished_last_record_is_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal(tmp_path)
    append(journal, range(3))
    journal.close()
    file = tmp_path / "0000000001.log"
    file.write_bytes(file.read_bytes()[:-7])
    with caplog.at_level(logging.WARNING):
        assert read_all(Journal(tmp_path)) == [0, 1]
    assert "unfinished" in caplog.text
    assert Journal(tmp_path).count() == 2


def test_damage_is_passed_over_loudly_and_a_copy_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "writer"
    folder.mkdir()
    journal = Journal(folder, segment_bytes=300)
    for number in range(10):
        append(journal, range(number, number + 1))
    journal.close()
    first = folder / "0000000001.log"
    data = bytearray(first.read_bytes())
    data[30] ^= 0xFF
    first.write_bytes(data)
    second = folder / "0000000002.log"
    second.write_bytes(second.read_bytes()[:8] + bytes(200))
    found = read_all(Journal(folder))
    assert 0 not in found
    assert found == sorted(found)
    assert {1, 9} <= set(found)
    assert "damaged" in caplog.text
    kept = tmp_path / "damaged" / "writer-0000000001.log"
    assert kept.read_bytes() == bytes(data)


def test_a_write_that_the_disk_refuses_half_way_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path)
    append(journal, range(2))
    real = os.write

    def full(file: int, data: bytes) -> int:
        if len(data) < 60:
            raise OSError(28, "No space left on device")
        return real(file, data[: len(data) - 50])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            append(journal, range(2, 6))
    assert read_all(journal) == [0, 1]
    append(journal, range(6, 8))
    assert read_all(journal) == [0, 1, 6, 7]
    journal.close()
    assert read_all(Journal(tmp_path)) == [0, 1, 6, 7]


def test_records_larger_than_one_read_come_back_whole(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    append(journal, range(3), size=3 * 1024 * 1024)
    assert read_all(journal) == [0, 1, 2]


def test_syncing_covers_segments_that_were_left_since_and_lets_go_of_their_files(
    tmp_path: Path,
) -> None:
    journal = Journal(tmp_path, segment_bytes=100)
    for number in range(20):
        append(journal, range(number, number + 1))
    files = Path("/dev/fd")
    before = sum(1 for _ in files.iterdir())
    journal.sync()
    assert sum(1 for _ in files.iterdir()) < before - 10
    assert read_all(journal) == list(range(20))


def test_files_of_acknowledged_segments_are_let_go_of_without_syncing(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=100)
    files = Path("/dev/fd")
    before = sum(1 for _ in files.iterdir())
    last = journal.start
    for number in range(50):
        (position,) = append(journal, range(number, number + 1))
        journal.acknowledge(last)
        last = position
    assert sum(1 for _ in files.iterdir()) < before + 5
    assert read_all(journal) == [49]
