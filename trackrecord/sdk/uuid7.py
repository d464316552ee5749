"""Ids of what a publisher says and names by no id of its own."""

from __future__ import annotations

import secrets
import time
from typing import Final
from uuid import UUID

_RANDOM_BITS: Final = 80


def new_id() -> str:
    """A UUID of version 7 (RFC 9562): the moment in milliseconds, and behind it 74 random bits.

    What is said together then lies together under the keys of the tables. With ids that are random
    throughout, each row of a long history meets another page of an index.
    """
    value = time.time_ns() // 1_000_000 << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    value = value & ~(0xF << 76) | 0x7 << 76  # the version
    value = value & ~(0x3 << 62) | 0x2 << 62  # the variant
    return str(UUID(int=value))
