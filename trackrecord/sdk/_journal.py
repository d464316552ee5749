"""The files in which one writer's events wait: appended to, read in order, deleted when sent.

A journal is a folder of numbered segments, ``0000000001.log`` and so on, and a
small file ``sent`` that says how far the broker has acknowledged. Both are only
a record of what is still owed: after a crash, whatever lies behind ``sent`` is
sent again, so a stale ``sent`` costs duplicates and never a gap.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from trackrecord.sdk._journal_record import FRAME, MAX_PAYLOAD_BYTES, Record, frames

SEGMENT_BYTES: Final = 8 * 1024 * 1024
"""A segment that is longer than this is followed by the next one."""

_TIDY_BYTES: Final = 64 * 1024  # an acknowledged segment this long is dropped before it is full
_READ_BYTES: Final = 1024 * 1024
_MAGIC: Final = b"TRSPOOL1"
_SENT: Final = struct.Struct(">QQI")

log = logging.getLogger("trackrecord.sdk")


class Position(NamedTuple):
    """A place in a journal: the number of the segment, and the byte in it."""

    segment: int
    offset: int


class Journal:
    """One writer's events on disk.

    Not thread-safe: its owner holds a lock for every call but :meth:`sync`,
    which may take long. Only the thread that calls :meth:`sync` may call
    :meth:`acknowledge` and :meth:`close`, since these close files.
    """

    def __init__(self, folder: Path, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Open a folder, new or left behind by another process.

        Args:
            folder: An existing folder that nobody else writes to.
            segment_bytes: How long a segment grows before the next one begins.

        Raises:
            OSError: It cannot be read.
        """
        self.folder = folder
        self._segment_bytes = segment_bytes
        self._sizes = {int(path.stem): path.stat().st_size for path in sorted(folder.glob("*.log"))}
        self._file: int | None = None
        self._retired: dict[int, int] = {}  # files of full segments, open until they are synced
        self._unsynced = False
        self._sent = self._read_sent()
        self._sent_saved = self._sent
        self.end = self._find_end()

    @property
    def start(self) -> Position:
        """Where the first event lies that nobody has acknowledged."""
        return self._sent

    @property
    def size(self) -> int:
        """How many bytes its segments take on disk."""
        return sum(self._sizes.values())

    def append(self, framed: Sequence[bytes]) -> list[Position]:
        """Write records behind all others, in one write per segment.

        They are with the operating system when this returns, so that they
        survive the process; :meth:`sync` makes them survive the machine.

        Returns:
            The position after each.

        Raises:
            OSError: The disk does not take them. Nothing was appended.
        """
        data = b"".join(framed)
        if self._file is None or self._sizes[self.end.segment] >= self._segment_bytes:
            self._next_segment()
        segment, before = self.end
        assert self._file is not None  # noqa: S101 - opened above
        try:
            written = 0
            while written < len(data):
                written += os.write(self._file, data[written:])
        except OSError:
            self._undo(before)
            raise
        self._unsynced = True
        positions = []
        offset = before
        for part in framed:
            offset += len(part)
            positions.append(Position(segment, offset))
        self.end = Position(segment, offset)
        self._sizes[segment] = offset
        return positions

    def read(self, position: Position) -> tuple[list[tuple[Record, Position]], Position]:
        """Read some records from a position on.

        Damage is passed over loudly, after a copy of the file was put aside.

        Returns:
            Records, each with the position after it, and the position to read on
            from. No records and the same position: there is nothing more.

        Raises:
            OSError: The file cannot be read.
        """
        position = self._forward(position)
        if position >= self.end:
            return [], position
        data = self._chunk(position)
        found: list[tuple[Record, Position]] = []
        offset = position.offset
        for record, length in frames(data):
            offset = position.offset + length
            if record is None:
                self._damage(Position(position.segment, offset), "a checksum is wrong")
            else:
                found.append((record, Position(position.segment, offset)))
        if offset == position.offset:
            # A crash in mid-write leaves part of a record at the end of a segment;
            # nobody was told that it was kept.
            if _impossible(data):
                self._damage(position, "a length cannot be")
            else:
                rest = self._sizes[position.segment] - offset
                log.warning("%s ends with %d bytes of an unfinished event", self.folder, rest)
            offset = self._sizes[position.segment]
        return found, self._forward(Position(position.segment, offset))

    def acknowledge(self, position: Position) -> None:
        """Note that the broker has everything before a position, and drop what is all sent."""
        if position <= self._sent:
            return
        self._sent = position
        done = [number for number in self._sizes if number < position.segment]
        if position == self.end and self._sizes.get(position.segment, 0) >= _TIDY_BYTES:
            self._close_files()
            done.append(position.segment)
            self._sent = self.end = Position(position.segment + 1, 0)
        for number in done:
            self._close_retired(number)
            del self._sizes[number]
            with contextlib.suppress(OSError):
                self._path(number).unlink()

    def save_sent(self) -> None:
        """Write down how far the broker has acknowledged, if that has changed."""
        if self._sent == self._sent_saved:
            return
        data = _SENT.pack(*self._sent, zlib.crc32(b"%d %d" % self._sent))
        with contextlib.suppress(OSError):  # what is not written down is only sent again
            file = os.open(self.folder / "sent", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.pwrite(file, data, 0)
            finally:
                os.close(file)
            self._sent_saved = self._sent

    def sync(self) -> None:
        """Wait until what was appended is on the disk itself.

        Raises:
            OSError: The disk reports a failure.
        """
        if not self._unsynced:
            return
        self._unsynced = False
        retired = [self._retired.pop(number) for number in list(self._retired)]
        try:
            for file in [*retired, self._file]:
                if file is not None:
                    os.fsync(file)
            _sync_folder(self.folder)
        finally:
            for file in retired:
                os.close(file)

    def close(self) -> None:
        """Close the files; what is not acknowledged stays."""
        self.save_sent()
        with contextlib.suppress(OSError):
            self.sync()
        self.abandon()

    def abandon(self) -> None:
        """Close the files as they lie, as the end of the process would."""
        self._close_files()

    def at_end(self, position: Position) -> bool:
        """Whether nothing lies behind a position."""
        return self._forward(position) >= self.end

    def count(self) -> int:
        """How many records wait from :attr:`start` on; reads them all.

        Raises:
            OSError: A file cannot be read.
        """
        total = 0
        position = self._forward(self._sent)
        while position < self.end:
            length = 0
            for record, length in frames(self._chunk(position)):  # noqa: B007 - the last counts
                total += record is not None
            offset = position.offset + length if length else self._sizes[position.segment]
            position = self._forward(Position(position.segment, offset))
        return total

    def _chunk(self, position: Position) -> bytes:
        """Bytes from a position on: as many whole records as fit, and one at least."""
        size = self._sizes[position.segment]
        file = os.open(self._path(position.segment), os.O_RDONLY | os.O_CLOEXEC)
        try:
            data = os.pread(file, min(_READ_BYTES, size - position.offset), position.offset)
            if len(data) >= FRAME.size:
                (length, _) = FRAME.unpack_from(data)
                if len(data) < FRAME.size + length and length <= MAX_PAYLOAD_BYTES:
                    data = os.pread(file, FRAME.size + length, position.offset)
        finally:
            os.close(file)
        return data

    def _forward(self, position: Position) -> Position:
        """Skip a segment's heading and its end."""
        while position < self.end:
            size = self._sizes.get(position.segment)
            if size is not None and position.offset < size:
                return Position(position.segment, max(position.offset, len(_MAGIC)))
            later = [number for number in self._sizes if number > position.segment]
            if not later:
                return self.end
            position = Position(min(later), len(_MAGIC))
        return position

    def _find_end(self) -> Position:
        if not self._sizes:
            return max(Position(1, 0), self._sent)
        last = max(self._sizes)
        return Position(last, self._sizes[last])

    def _next_segment(self) -> None:
        number = self.end.segment
        while number in self._sizes:
            number += 1
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        file = os.open(self._path(number), flags, 0o600)
        try:
            os.write(file, _MAGIC)
        except OSError:
            os.close(file)
            self._path(number).unlink(missing_ok=True)
            raise
        self._retire()
        self._file = file
        self._sizes[number] = len(_MAGIC)
        if self._sent == self.end:
            self._sent = Position(number, len(_MAGIC))
        self.end = Position(number, len(_MAGIC))

    def _undo(self, size: int) -> None:
        """Take back a write that failed half-way, or leave the torn segment behind."""
        assert self._file is not None  # noqa: S101 - only called after a write to it
        try:
            os.ftruncate(self._file, size)
        except OSError:
            self._retire()

    def _retire(self) -> None:
        if self._file is not None:
            self._retired[self.end.segment] = self._file
            self._file = None

    def _close_files(self) -> None:
        self._retire()
        for number in list(self._retired):
            self._close_retired(number)

    def _close_retired(self, number: int) -> None:
        file = self._retired.pop(number, None)
        if file is not None:
            with contextlib.suppress(OSError):
                os.close(file)

    def _damage(self, position: Position, what: str) -> None:
        aside = self.folder.parent / "damaged"
        copy = aside / f"{self.folder.name}-{position.segment:010d}.log"
        with contextlib.suppress(OSError):
            aside.mkdir(mode=0o700, exist_ok=True)
            if not copy.exists():
                shutil.copyfile(self._path(position.segment), copy)
        log.error(
            "the spool %s is damaged before byte %d (%s): events there cannot be sent; "
            "a copy of the file is kept as %s",
            self._path(position.segment),
            position.offset,
            what,
            copy,
        )

    def _read_sent(self) -> Position:
        try:
            segment, offset, checksum = _SENT.unpack((self.folder / "sent").read_bytes())
        except (OSError, struct.error):
            return Position(min(self._sizes, default=1), 0)
        if zlib.crc32(b"%d %d" % (segment, offset)) != checksum:
            return Position(min(self._sizes, default=1), 0)
        return Position(segment, offset)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:010d}.log"


def _impossible(data: bytes) -> bool:
    """Whether bytes begin with a length that no record has."""
    if len(data) < FRAME.size:
        return False
    (length, _) = FRAME.unpack_from(data)
    return length == 0 or bool(length > MAX_PAYLOAD_BYTES)


def _sync_folder(folder: Path) -> None:
    """Make the name of a new file survive a power cut."""
    file = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
