"""Where the next page begins, as a text that only makes sense to us.

A cursor holds the keys of the last row of a page and a digest over them and the filter that the
page was asked with. It opens nothing that the same request without it would not: the digest is
there so that a cursor of another list, another filter or another machine is told to be one, and
does not silently skip rows.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import orjson

from trackrecord.api.problems import ProblemError
from trackrecord.times import read_time

_DIGEST_BYTES: Final = 12
_LONGEST: Final = 2_000


class Cursors:
    """Writes and reads cursors."""

    def __init__(self, place: str) -> None:
        """Know what tells one installation from another, such as the schema of its tables."""
        self._place = place
        self._key = hashlib.blake2b(place.encode("utf-8", "surrogatepass"), digest_size=32).digest()

    def of(self, whose: str) -> Cursors:
        """Those that are handed out to somebody, and are good for nobody else."""
        return Cursors(f"{self._place}\0{whose}")

    def number(self, text: str) -> int:
        """A number that is another one for another text, and tells nothing else of it."""
        found = hashlib.blake2b(text.encode(), key=self._key, digest_size=8).digest()
        return int.from_bytes(found)

    def written(self, of: str, filters: Mapping[str, Any], keys: Sequence[Any]) -> str:
        """A cursor.

        Args:
            of: The list.
            filters: What it was asked with, without cursor and limit.
            keys: Of the last row: texts, whole numbers, times, decimals and nulls.
        """
        content = orjson.dumps([_as_text(key) for key in keys])
        return _encoded(self._digest(of, filters, content) + content)

    def read(self, of: str, filters: Mapping[str, Any], cursor: str, count: int) -> list[Any]:
        """The keys in a cursor, as texts, whole numbers and nulls.

        Args:
            of: The list.
            filters: What it is asked with now.
            cursor: As it was handed out.
            count: How many keys there are.

        Raises:
            ProblemError: It was not handed out for this list and filter (400).
        """
        raw = _decoded(cursor)
        digest, content = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
        if not hmac.compare_digest(digest, self._digest(of, filters, content)):
            raise _foreign()
        keys = orjson.loads(content)
        if not isinstance(keys, list) or len(keys) != count:
            raise _foreign()
        return keys

    def _digest(self, of: str, filters: Mapping[str, Any], content: bytes) -> bytes:
        asked = orjson.dumps({name: str(value) for name, value in sorted(filters.items())})
        said = b"\0".join((of.encode(), asked, content))
        return hashlib.blake2b(said, key=self._key, digest_size=_DIGEST_BYTES).digest()


def time_of(key: Any) -> datetime:
    """A key that is a time.

    Raises:
        ProblemError: It is none (400).
    """
    try:
        return read_time(key)
    except (AttributeError, TypeError, ValueError):
        raise _foreign() from None


def decimal_of(key: Any) -> Decimal | None:
    """A key that is a decimal, or null.

    Raises:
        ProblemError: It is neither (400).
    """
    try:
        return None if key is None else Decimal(key)
    except (TypeError, InvalidOperation):
        raise _foreign() from None


def _as_text(key: Any) -> Any:
    if isinstance(key, datetime):
        return key.isoformat()
    return str(key) if isinstance(key, Decimal) else key


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decoded(cursor: str) -> bytes:
    if len(cursor) > _LONGEST:
        raise _foreign()
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _foreign() from None
    # What is not written as we write it was changed, even where it means the same.
    if _encoded(raw) != cursor:
        raise _foreign()
    return raw


def _foreign() -> ProblemError:
    return ProblemError(
        400,
        "cursor: is not one of this list with this filter; begin without a cursor, and change "
        "nothing else from page to page",
        errors=[{"field": "cursor", "reason": "is not one of this list with this filter"}],
    )
