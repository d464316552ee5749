"""What the tests of faults share: seeds that are told."""

from __future__ import annotations

import os
import random
import secrets

import pytest

ROUNDS = int(os.environ.get("TRACKRECORD_FAULT_ROUNDS", "1"))
"""How many times longer the long faults take; 1 is the short form."""


@pytest.fixture
def seed() -> str:
    """The seed of the run: TRACKRECORD_FAULT_SEED, else a new one, printed if the test fails."""
    result = os.environ.get("TRACKRECORD_FAULT_SEED") or secrets.token_hex(4)
    print(f"TRACKRECORD_FAULT_SEED={result}")  # noqa: T201 - pytest shows it with a failure
    return result


@pytest.fixture
def rng(seed: str) -> random.Random:
    """Chance that follows from the seed."""
    return random.Random(seed)
