"""What the tests of faults share: seeds that are told."""

from __future__ import annotations

import os
import random
import secrets
import zlib

import pytest

from tests.conftest import EXPLORE

ROUNDS = int(os.environ.get("TRACKRECORD_FAULT_ROUNDS", "1"))
"""How many times longer the long faults take; 1 is the short form."""


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> str:
    """The test's own seed, with TRACKRECORD_EXPLORE a new one; or what TRACKRECORD_FAULT_SEED says.

    It is printed if the test fails.
    """
    own = f"{zlib.crc32(request.node.name.encode()):08x}"
    drawn = secrets.token_hex(4) if EXPLORE else own
    result = os.environ.get("TRACKRECORD_FAULT_SEED") or drawn
    print(f"TRACKRECORD_FAULT_SEED={result}")  # noqa: T201 - pytest shows it with a failure
    return result


@pytest.fixture
def rng(seed: str) -> random.Random:
    """Chance that follows from the seed."""
    return random.Random(seed)
