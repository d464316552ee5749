"""Events that were checked and wait to be sent, and where they wait: in a file, not in memory."""

from __future__ import annotations

import marshal
import tempfile
from collections.abc import Iterator, Sequence
from typing import IO, Any, NamedTuple, Self

from trackrecord.events import Event
from trackrecord.events.codec import encode


class Outgoing(NamedTuple):
    """A message as it will be sent, but for what is said at that moment."""

    event_type: str
    key: bytes
    event_id: str
    value: bytes

    @staticmethod
    def of(event: Event, event_id: str | None = None) -> Outgoing:
        """Of an event, with the id that its publisher chose, if it did.

        Raises:
            InvalidEventError: It is larger than a message may be.
        """
        return Outgoing(
            event.event_type, event.key.encode(), event_id or event.event_id, encode(event)
        )


class Shelf:
    """Any number of small things, written to a temporary file and read back in order.

    The file has no name, so that it is gone with the process, however that ends.
    """

    def __init__(self) -> None:
        """Nothing is on it."""
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the shelf
        self._count = 0

    def __len__(self) -> int:
        """How many there are."""
        return self._count

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give the file back."""
        self._file.close()

    def put(self, things: Sequence[tuple[Any, ...] | dict[str, Any]]) -> None:
        """Add some, of plain texts, bytes and numbers."""
        if things:
            self._count += len(things)
            marshal.dump(list(things), self._file)

    def __iter__(self) -> Iterator[Any]:
        """All of them, in order."""
        end = self._file.tell()
        self._file.seek(0)
        while self._file.tell() < end:
            yield from marshal.load(self._file)  # noqa: S302 - its own file, which has no name


def messages(shelf: Shelf) -> Iterator[Outgoing]:
    """The events on a shelf."""
    return (Outgoing(*thing) for thing in shelf)
