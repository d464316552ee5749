"""The HTTP client below all three makers' clients: what it may read, and where it may go.

Left to themselves they follow redirects, and take the key along in headers that no HTTP client
knows to be secret (``x-goog-api-key``); and they read an endless answer to its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import httpx2

MOST_BYTES: Final = 4 * 1024 * 1024
"""Bytes of an answer that are read."""
MOST_COMPRESSED_BYTES: Final = 128 * 1024
"""The same where it is compressed, for it may grow a thousandfold."""


def http_client(seconds: float) -> httpx2.Client:
    """A client that follows no redirect and gives up an answer that is too long.

    Proxies and certificates are those of the environment, as for any program.

    Args:
        seconds: For each step: to connect, to send, and until the next byte comes.
    """
    import httpx2  # noqa: PLC0415 - comes with each of the extras, and takes its time

    class Limited(httpx2.SyncByteStream):
        """A body that is given up where it passes a limit."""

        def __init__(
            self, inner: httpx2.SyncByteStream, request: httpx2.Request, most: int
        ) -> None:
            self._inner = inner
            self._request = request
            self._left = most

        def __iter__(self) -> Iterator[bytes]:
            for chunk in self._inner:
                self._left -= len(chunk)
                if self._left < 0:
                    raise httpx2.ReadError("the answer is too long", request=self._request)
                yield chunk

        def close(self) -> None:
            self._inner.close()

    def limit(response: httpx2.Response) -> None:
        compressed = response.headers.get("content-encoding", "identity") != "identity"
        stream = response.stream
        if isinstance(stream, httpx2.SyncByteStream):
            most = MOST_COMPRESSED_BYTES if compressed else MOST_BYTES
            response.stream = Limited(stream, response.request, most)

    return httpx2.Client(timeout=seconds, follow_redirects=False, event_hooks={"response": [limit]})
