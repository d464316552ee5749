"""One encoded message, and how it stands in a spool file.

A frame is ``length (u32) · CRC-32 of the payload (u32) · payload``, all numbers
big-endian. The payload holds topic, key, headers and value, so that what is
read back is byte for byte what was put in. The checksum tells a record that was
cut short by a crash from a whole one.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from trackrecord.errors import TrackrecordError

FRAME: Final = struct.Struct(">II")
"""What stands before each payload: its length and its checksum."""

MAX_PAYLOAD_BYTES: Final = 16 * 1024 * 1024
"""A longer length is damage, not a record: a message's value is at most 256 KiB."""

_OVERHEAD_BYTES: Final = 1024  # Python's objects around the bytes of one record, measured roughly
_U16 = struct.Struct(">H")
_I32 = struct.Struct(">i")


class DamagedRecordError(TrackrecordError, ValueError):
    """A payload that passed its checksum, or not, but does not read as a record."""


@dataclass(frozen=True, slots=True)
class Record:
    """A message as the broker shall get it."""

    topic: str
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...]

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""
        key = len(self.key) if self.key else 0
        return _OVERHEAD_BYTES + key + len(self.value)

    def header(self, name: str) -> str:
        """The text of a header, or an empty text where it is missing."""
        for key, value in self.headers:
            if key == name:
                return value.decode(errors="replace")
        return ""


def frame(record: Record) -> bytes:
    """The record as it stands in a spool file."""
    parts = [_text(record.topic), _bytes(record.key), _U16.pack(len(record.headers))]
    for name, value in record.headers:
        parts += (_text(name), _bytes(value))
    parts.append(_bytes(record.value))
    payload = b"".join(parts)
    return FRAME.pack(len(payload), zlib.crc32(payload)) + payload


def parse(payload: bytes) -> Record:
    """Read a payload back.

    Raises:
        DamagedRecordError: It is not a record.
    """
    try:
        reader = _Reader(payload)
        topic = reader.text()
        key = reader.data()
        headers = tuple((reader.text(), reader.data() or b"") for _ in range(reader.count()))
        value = reader.data()
    except (struct.error, UnicodeDecodeError) as error:
        raise DamagedRecordError(str(error)) from None
    if value is None or reader.position != len(payload):
        raise DamagedRecordError("its parts do not add up to its length")
    return Record(topic, key, value, headers)


def frames(data: bytes) -> Iterator[tuple[Record | None, int]]:
    """Read whole frames from the beginning of some bytes.

    Args:
        data: Bytes that begin with a frame.

    Yields:
        Each record and the position after it. None stands for a frame whose
        checksum is wrong, with the position after it as its length says. A frame
        that is not whole ends the reading; so does a length that cannot be.
    """
    position = 0
    while position + FRAME.size <= len(data):
        length, checksum = FRAME.unpack_from(data, position)
        start = position + FRAME.size
        if length == 0 or length > MAX_PAYLOAD_BYTES or start + length > len(data):
            return
        payload = data[start : start + length]
        position = start + length
        if zlib.crc32(payload) != checksum:
            yield None, position
            continue
        try:
            yield parse(payload), position
        except DamagedRecordError:
            yield None, position


def _text(value: str) -> bytes:
    data = value.encode()
    return _U16.pack(len(data)) + data


def _bytes(value: bytes | None) -> bytes:
    return _I32.pack(-1) if value is None else _I32.pack(len(value)) + value


class _Reader:
    def __init__(self, payload: bytes) -> None:
        self.payload = payload
        self.position = 0

    def count(self) -> int:
        (value,) = _U16.unpack_from(self.payload, self.position)
        self.position += _U16.size
        return int(value)

    def text(self) -> str:
        return self._take(self.count()).decode()

    def data(self) -> bytes | None:
        (length,) = _I32.unpack_from(self.payload, self.position)
        self.position += _I32.size
        return None if length < 0 else self._take(length)

    def _take(self, length: int) -> bytes:
        part = self.payload[self.position : self.position + length]
        if len(part) != length:
            raise struct.error("a part is longer than what is left")
        self.position += length
        return part
