"""The line in which events wait, from the caller's hand to the broker's acknowledgement.

One line, three stretches, always in this order:

1. the *window*: what the Kafka client has or gets next; in memory,
2. the *journals*: what lies on disk and is not in the window; first those of
   ended processes, then this process's own,
3. the *hand-over*: what callers have just put in and the disk has not got yet.

Everything is written to the journal on its way into the window, so that a
killed process loses only what is in the hand-over, and a window of fixed size
serves a line of any length. An event skips a stretch only when that stretch is
empty: this is what keeps the order.
"""

from __future__ import annotations

import errno
import itertools
import threading
from collections import deque
from dataclasses import dataclass
from typing import Final

from trackrecord.clock import SYSTEM_CLOCK, Clock
from trackrecord.sdk._journal import Position
from trackrecord.sdk._journal_record import Record, frame
from trackrecord.sdk._spool import Claim, Spool

_BATCH: Final = 1000
_DISK_RETRY_SECONDS: Final = 1.0
_PASSING: Final = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EINTR}
"""Errors of reading that say nothing about the file."""


@dataclass(eq=False, slots=True)
class Source:
    """A journal in the line, and how far it has been read into the window."""

    claim: Claim
    own: bool
    cursor: Position
    loaded: int = 0
    """Entries of it that are in the window."""
    unsettled: int = 0
    """Of another's journal: the events that were counted in it and are not settled."""
    broken: Exception | None = None
    """Why the rest of it cannot be read."""


@dataclass(eq=False, slots=True)
class Entry:
    """An event in the window."""

    record: Record
    source: Source | None
    """The journal it lies in; None: in memory only."""
    position: Position | None
    """The place behind it in that journal."""
    settled: bool = False
    """Acknowledged, or rejected for good."""
    suspect: bool = False
    """It was refused, perhaps for another's fault in the same batch: send it alone."""


@dataclass(slots=True)
class Counts:
    """What has happened to the events of this publisher so far."""

    accepted: int = 0
    settled: int = 0
    delivered: int = 0
    rejected: int = 0
    refused: int = 0
    adopted: int = 0
    adopted_settled: int = 0
    last_error: str | None = None


class Backlog:
    """The line. Any thread may offer; one thread, the sender's, does the rest."""

    def __init__(
        self,
        spool: Spool | None,
        claim: Claim | None,
        max_messages: int,
        max_bytes: int,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """Begin an empty line.

        Args:
            spool: Where events wait on disk; None: in memory only.
            claim: This process's own folder in the spool.
            max_messages: How many events may be in memory.
            max_bytes: How many bytes they may take.
            clock: Says when a disk that failed is tried again.
        """
        self._clock = clock
        self.spool = spool
        self.counts = Counts()
        self.progress = threading.Condition()
        """Guards the hand-over and the counts; told of every change that somebody waits for."""
        self._lock = threading.Lock()  # guards window and journals; taken before `progress`
        self._max_messages = max(1, max_messages // 2)
        self._max_bytes = max(1, max_bytes // 2)
        self._handover: deque[Record] = deque()
        self._handover_bytes = 0
        self._ended = False
        self._window: deque[Entry] = deque()
        self._window_bytes = 0
        self._to_send: deque[Entry] = deque()
        self._unlogged = 0
        self._disk_retry_at = 0.0
        self._held = False
        self._orphans: deque[Source] = deque()
        self._finishing: list[Source] = []
        self._own = Source(claim, own=True, cursor=claim.journal.start) if claim else None

    # Callers

    def offer(self, record: Record) -> bool:
        """Put an event at the end of the line.

        It does not wait for the broker. Only where the sender's thread lags
        behind does the caller write to the disk itself.

        Returns:
            False: there is no room in memory nor on disk, and it was not taken.

        Raises:
            RuntimeError: The line has ended.
        """
        if self._put(record):
            return True
        self.absorb()
        if self._put(record):
            return True
        with self.progress:
            self.counts.refused += 1
        return False

    def _put(self, record: Record) -> bool:
        with self.progress:
            if self._ended:
                raise RuntimeError("the publisher is closed: make a new one")
            full = len(self._handover) >= self._max_messages
            if full or (self._handover and self._handover_bytes + record.size > self._max_bytes):
                return False
            self._handover.append(record)
            self._handover_bytes += record.size
            self.counts.accepted += 1
            self.progress.notify_all()
            return True

    # The sender

    def absorb(self, *, final: bool = False) -> None:
        """Bring what was handed over to disk, and into the window where nothing is before it.

        Args:
            final: At the end of the program: the bound of the spool does not count.
        """
        with self._lock:
            self._log_window(final=final)
            while True:
                with self.progress:
                    batch = list(itertools.islice(self._handover, _BATCH))
                taken = self._absorb(batch, final=final) if batch else 0
                with self.progress:
                    for _ in range(taken):
                        self._handover_bytes -= self._handover.popleft().size
                if taken < _BATCH:
                    return

    def _absorb(self, batch: list[Record], *, final: bool) -> int:
        caught_up = self._caught_up()
        positions: list[Position] = []
        if not self._unlogged:
            positions = self._write(batch, final=final)
        own = self._own
        if positions and own:
            if caught_up:
                for record, position in zip(batch, positions, strict=False):
                    if not self._room(record):
                        break
                    self._enter(Entry(record, own, position))
                    own.cursor = position
            return len(positions)
        taken = 0
        if self._caught_up():  # the disk takes nothing: go on from memory
            for record in batch:
                if not self._room(record):
                    break
                self._enter(Entry(record, None, None))
                self._unlogged += 1
                taken += 1
        return taken

    def _log_window(self, *, final: bool) -> None:
        """Write what is in memory only to disk, as soon as the disk takes it."""
        if not self._unlogged or not self._own:
            return
        entries = self._unlogged_entries()
        positions = self._write([entry.record for entry in entries], final=final)
        for entry, position in zip(entries, positions, strict=False):
            entry.source, entry.position = self._own, position
            self._own.loaded += 1
            self._own.cursor = position
        self._count_unlogged()

    def _write(self, records: list[Record], *, final: bool) -> list[Position]:
        """Append as many records, from the first on, as disk and bound take."""
        if not self._own or not self.spool or self._clock.monotonic() < self._disk_retry_at:
            return []
        journal = self._own.claim.journal
        left = self.spool.max_bytes - journal.size
        framed = []
        for record in records:
            data = frame(record)
            left -= len(data)
            if left < 0 and not final:
                self.trouble(f"the spool is full ({self.spool.max_bytes:,} bytes)")
                break
            framed.append(data)
        if not framed:
            return []
        try:
            return journal.append(framed)
        except OSError as error:
            self.trouble(f"the spool cannot be written: {error}")
            self._disk_retry_at = self._clock.monotonic() + _DISK_RETRY_SECONDS
            return []

    def refill(self) -> None:
        """Read from the journals into the window, as far as there is room."""
        with self._lock:
            while self._room(None) and not self._held:
                source = self._orphans[0] if self._orphans else self._own
                if source is None or source.claim.journal.at_end(source.cursor):
                    if not self._orphans:
                        return
                    self._finishing.append(self._orphans.popleft())
                    continue
                try:
                    records, cursor = source.claim.journal.read(source.cursor)
                except OSError as error:
                    self.trouble(f"the spool cannot be read: {error}")
                    if source.own or error.errno in _PASSING:
                        return
                    # It must not hold up the others: what of it is under way ends first.
                    source.broken = error
                    self._finishing.append(self._orphans.popleft())
                    self._finish()
                    continue
                for record, position in records:
                    if not self._room(record):
                        return
                    self._enter(Entry(record, source, position))
                    source.cursor = position
                source.cursor = cursor

    def next_to_send(self, *, alone: bool) -> Entry | None:
        """Take the next event for the client, or None.

        Args:
            alone: The client has nothing in hand, so that a suspect may go.
        """
        with self._lock:
            if not self._to_send or (self._to_send[0].suspect and not alone):
                return None
            return self._to_send.popleft()

    def give_back(self, entry: Entry) -> None:
        """Put an event that the client had no room for back to the front."""
        with self._lock:
            self._to_send.appendleft(entry)

    def restart(self) -> None:
        """Send everything in the window that is not settled again, in order."""
        with self._lock:
            self._to_send = deque(entry for entry in self._window if not entry.settled)

    def settle(self) -> None:
        """Drop from the front of the window what is settled, and let the journals know."""
        with self._lock:
            reached: dict[int, tuple[Source, Position]] = {}
            own = adopted = 0
            while self._window and self._window[0].settled:
                entry = self._window.popleft()
                self._window_bytes -= entry.record.size
                source = entry.source
                if source is None or entry.position is None:
                    own += 1
                    continue
                source.loaded -= 1
                source.unsettled -= not source.own
                own += source.own
                adopted += not source.own
                reached[id(source)] = (source, entry.position)
            for source, position in reached.values():
                source.claim.journal.acknowledge(position)
            self._finish()
            if self._unlogged:
                self._count_unlogged()
            with self.progress:
                self.counts.settled += own
                self.counts.adopted_settled += adopted
                if own or adopted:
                    self.progress.notify_all()

    def end(self) -> None:
        """Take no more, and bring to disk what was taken, beyond the spool's bound if need be."""
        with self.progress:
            self._ended = True
        self._disk_retry_at = 0.0
        self.absorb(final=True)

    def adopt(self) -> int:
        """Take over what ended processes left; returns how many events that is."""
        if not self.spool:
            return 0
        found = 0
        for claim in self.spool.adopt():
            try:
                waiting = claim.journal.count()
            except (OSError, ValueError) as error:
                self.trouble(f"the spool {claim.journal.folder} cannot be read: {error}")
                self.spool.set_aside(claim, error)
                continue
            source = Source(claim, own=False, cursor=claim.journal.start, unsettled=waiting)
            found += waiting
            with self._lock:
                self._orphans.append(source)
        with self.progress:
            self.counts.adopted += found
            self.progress.notify_all()
        return found

    def hold(self, *, held: bool) -> None:
        """Let nothing more into the window, or go on: what others left may have to go first."""
        with self._lock:
            self._held = held

    def save(self) -> None:
        """Write down how far the brokers have acknowledged."""
        with self._lock:
            for source in self._sources():
                source.claim.journal.save_sent()

    def sync(self) -> None:
        """Make this process's journal survive a power cut. May take a while."""
        if self._own:
            try:
                self._own.claim.journal.sync()
            except OSError as error:
                self.trouble(f"the spool cannot be synced to disk: {error}")

    def release(self) -> int:
        """Let go of all journals; returns how many events are lost, being in memory only."""
        with self._lock:
            for source in self._sources():
                source.claim.release(remove=not source.loaded and self._is_sent(source))
            return len(self._unwritten())

    def unwritten(self) -> list[Record]:
        """The events in memory only, which a kill of this process would lose.

        Not to be called while holding `progress`.
        """
        with self._lock:
            return self._unwritten()

    # What both look at

    def waiting(self) -> int:
        """Events that the brokers have not acknowledged. Call it with or without `progress`."""
        counts = self.counts
        own = counts.accepted - counts.settled
        return max(0, own) + max(0, counts.adopted - counts.adopted_settled)

    def settled_up_to(self, accepted: int) -> bool:
        """Whether the first so many accepted events are settled, and all adopted ones."""
        counts = self.counts
        return counts.settled >= accepted and counts.adopted_settled >= counts.adopted

    def first(self) -> Entry | None:
        """The event that has waited longest in the window."""
        with self._lock:
            return self._window[0] if self._window else None

    def in_memory(self) -> int:
        """Events held in memory. Not to be called while holding `progress`."""
        with self._lock:
            return len(self._window) + len(self._handover)

    def spool_bytes(self) -> int:
        """Size of this process's own journal."""
        with self._lock:
            return self._own.claim.journal.size if self._own else 0

    def has_window(self) -> bool:
        """Whether something is on its way to the brokers."""
        return bool(self._window)

    def has_handover(self) -> bool:
        """Whether callers have put something in that nobody has taken up."""
        return bool(self._handover)

    def trouble(self, what: str) -> None:
        """Remember the latest trouble; who reports it decides how often."""
        with self.progress:
            self.counts.last_error = what

    def claims(self) -> list[Claim]:
        """All folders that are held."""
        return [source.claim for source in self._sources()]

    # Under the lock

    def _sources(self) -> list[Source]:
        return [*self._finishing, *self._orphans, *([self._own] if self._own else [])]

    def _caught_up(self) -> bool:
        if self._orphans or self._held:
            return False
        return self._own is None or self._own.claim.journal.at_end(self._own.cursor)

    def _room(self, record: Record | None) -> bool:
        if not self._window:
            return True
        size = record.size if record else 0
        fits = self._window_bytes + size <= self._max_bytes
        return len(self._window) < self._max_messages and fits

    def _enter(self, entry: Entry) -> None:
        self._window.append(entry)
        self._to_send.append(entry)
        self._window_bytes += entry.record.size
        if entry.source:
            entry.source.loaded += 1

    def _unlogged_entries(self) -> list[Entry]:
        return [entry for entry in self._window if entry.source is None and not entry.settled]

    def _unwritten(self) -> list[Record]:
        with self.progress:
            return [*(entry.record for entry in self._unlogged_entries()), *self._handover]

    def _count_unlogged(self) -> None:
        """Count what would be lost with this process, the hand-over apart."""
        self._unlogged = len(self._unlogged_entries())

    def _is_sent(self, source: Source) -> bool:
        journal = source.claim.journal
        return journal.at_end(journal.start) and journal.at_end(source.cursor)

    def _finish(self) -> None:
        for source in [source for source in self._finishing if not source.loaded]:
            self._finishing.remove(source)
            if source.broken is None:
                source.claim.release(remove=True)
                continue
            if self.spool:
                self.spool.set_aside(source.claim, source.broken)
            with self.progress:
                self.counts.adopted -= source.unsettled
                self.progress.notify_all()
