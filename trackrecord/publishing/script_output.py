"""What a script prints, kept within bounds however much that is: its beginning and its end."""

from __future__ import annotations


class ScriptOutput:
    """The bytes that a script has printed, of which the middle is cut out beyond a limit.

    The beginning and the end stay, since a script's decision is usually at one of them.

    Attributes:
        total: How many bytes were printed.
    """

    def __init__(self, limit: int) -> None:
        """Begin with nothing.

        Args:
            limit: How many bytes are kept at most.
        """
        self.total = 0
        self._limit = limit
        self._head = bytearray()
        self._tail = bytearray()

    def add(self, data: bytes) -> None:
        """Take what was printed next."""
        self.total += len(data)
        room = self._limit - len(self._head)
        if room > 0:
            self._head += data[:room]
        self._tail += data
        # Cut now and then rather than each time: that moves all of it.
        if len(self._tail) > 4 * self._limit:
            del self._tail[: -self._limit]

    def cut(self, limit: int) -> int:
        """How many bytes are left out of a text of so many."""
        return 0 if self.total <= limit else self.total - 2 * (limit // 2)

    def text(self, limit: int) -> str:
        """The output as text, NUL and broken bytes replaced.

        Args:
            limit: Bytes that are kept, at most as many as this was made with.
        """
        if not self.cut(limit):
            return _text(bytes(self._head))
        half = limit // 2
        head = _text(bytes(self._head[:half]))
        tail = _text(bytes(self._tail[-half:])) if half else ""
        return f"{head}\n[… {self.cut(limit):,} bytes cut …]\n{tail}"


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace").replace("\x00", "\ufffd")
