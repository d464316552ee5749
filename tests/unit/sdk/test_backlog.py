"""Whatever happens in whatever order: does the line keep its order, and lose nothing?"""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest.mock import patch

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.clocks import HandClock
from trackrecord.sdk._backlog import Backlog, Entry
from trackrecord.sdk._journal import Journal
from trackrecord.sdk._journal_record import Record
from trackrecord.sdk._spool import Spool

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "offer",
                "offer",
                "offer",
                "absorb",
                "refill",
                "send",
                "send",
                "arrive",
                "ack",
                "settle",
                "save",
                "restart",
                "disk_fails",
                "disk_works",
                "crash",
                "end",
            ]
        ),
        st.integers(0, 12),
    ),
    min_size=30,
    max_size=80,
)


class Line:
    """A backlog, and a broker that takes what it is sent in order, or not at all."""

    def __init__(self, root: Path, spool_bytes: int) -> None:
        self.root = root
        self.spool_bytes = spool_bytes
        self.offered = 0
        self.owed: set[int] = set()
        self.broker: list[int] = []
        self.disk_fails = False
        self.clock = HandClock()
        self.open()

    def open(self) -> None:
        spool = Spool(self.root, "a:1", self.spool_bytes)
        self.backlog = Backlog(spool, spool.claim("s"), 12, 1_000_000, self.clock)
        self.sent: list[Entry] = []
        self.arrived: list[Entry] = []
        self.backlog.adopt()

    def offer(self, count: int) -> None:
        for _ in range(count):
            number = self.offered
            self.offered += 1
            if self.backlog.offer(Record("t", b"k", b"%d" % number, ())):
                self.owed.add(number)
            assert self.backlog.in_memory() <= 12

    def absorb(self, _: int) -> None:
        self.backlog.absorb()

    def refill(self, _: int) -> None:
        self.backlog.refill()

    def send(self, count: int) -> None:
        for _ in range(count):
            if entry := self.backlog.next_to_send(alone=not self.sent):
                self.sent.append(entry)

    def arrive(self, count: int) -> None:
        came, self.sent = self.sent[:count], self.sent[count:]
        self.broker += [number_of(entry) for entry in came]
        self.arrived += came

    def ack(self, which: int) -> None:
        if self.arrived:
            self.arrived.pop(which % len(self.arrived)).settled = True

    def settle(self, _: int) -> None:
        self.backlog.settle()

    def save(self, _: int) -> None:
        self.backlog.save()

    def restart(self, _: int) -> None:
        self.sent, self.arrived = [], []
        self.backlog.restart()

    def disk_fails_(self, *, fails: bool) -> None:
        self.disk_fails = fails

    def crash(self, _: int) -> None:
        lost = {number_of_record(record) for record in self.backlog.unwritten()}
        self.owed -= lost - set(self.broker)
        for claim in self.backlog.claims():
            claim.journal.abandon()
            claim.forget()
        self.open()

    def end(self, _: int) -> None:
        self.backlog.end()
        self.backlog.settle()
        if self.backlog.release():
            self.crash_after_release()
        self.open()

    def crash_after_release(self) -> None:
        assert self.disk_fails
        lost = {number_of_record(record) for record in self.backlog.unwritten()}
        self.owed -= lost - set(self.broker)

    def drain(self) -> None:
        self.restart(0)
        for _ in range(1000):
            self.absorb(0)
            self.refill(0)
            self.send(5)
            self.arrive(5)
            self.ack(0)
            self.settle(0)
            if not self.backlog.waiting():
                return
        raise AssertionError(f"{self.backlog.waiting()} wait for ever")


def number_of(entry: Entry) -> int:
    return number_of_record(entry.record)


def number_of_record(record: Record) -> int:
    return int(record.value)


ACKNOWLEDGED_IN_PART: list[tuple[str, int]] = [
    *(("offer", 6), ("absorb", 0), ("send", 6), ("arrive", 2), ("ack", 0), ("settle", 0)),
    *(("save", 0), ("crash", 0)),
]
ENDS_AFTER_A_DISK_CAME_BACK: list[tuple[str, int]] = [
    *(("disk_fails", 0), ("offer", 7), ("absorb", 0), ("send", 3), ("arrive", 3), ("ack", 1)),
    *(("offer", 6), ("disk_works", 0), ("end", 0)),
]


@settings(max_examples=150, deadline=None)
@example(ACKNOWLEDGED_IN_PART, 1_000_000)
@example(ENDS_AFTER_A_DISK_CAME_BACK, 1_000_000)
@given(STEPS, st.sampled_from([4096, 5000, 1_000_000]))
def test_order_and_completeness_survive_any_history(
    steps: list[tuple[str, int]], spool_bytes: int
) -> None:
    real = Journal.append
    with tempfile.TemporaryDirectory() as folder:
        line = Line(Path(folder), spool_bytes)

        def append(journal: Journal, framed: list[bytes]) -> object:
            if line.disk_fails:
                raise OSError(28, "No space left on device")
            return real(journal, framed)

        with patch.object(Journal, "append", append):
            for step, number in steps:
                line.clock.move(2)  # a disk that failed is tried again
                if step.startswith("disk_"):
                    line.disk_fails_(fails=step == "disk_fails")
                else:
                    getattr(line, step)(number)
            line.disk_fails = False
            line.clock.move(2)
            line.drain()
        first_copies = list(dict.fromkeys(line.broker))
        assert first_copies == sorted(first_copies)
        assert line.owed <= set(first_copies)
        line.backlog.end()
        assert line.backlog.release() == 0
        assert list(Path(folder).iterdir()) == []
