"""Make ids that begin with the time (UUID version 7)."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

_RANDOM_BITS: Final = 80
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def new_id(now: datetime) -> str:
    """A UUID of version 7 (RFC 9562): the moment in milliseconds, and behind it 74 random bits.

    What is said together then lies together under the keys of the tables. With ids that are random
    throughout, each row of a long history meets another page of an index.
    """
    value = (now - _EPOCH) // timedelta(milliseconds=1) << _RANDOM_BITS | secrets.randbits(
        _RANDOM_BITS
    )
    value = value & ~(0xF << 76) | 0x7 << 76  # the version
    value = value & ~(0x3 << 62) | 0x2 << 62  # the variant
    return str(UUID(int=value))
