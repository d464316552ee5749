"""What the tests of faults share: a pipeline of real processes, and seeds that are told."""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.pipeline import Pipeline
from trackrecord.runtime.settings import Settings

ROUNDS = int(os.environ.get("TRACKRECORD_FAULT_ROUNDS", "1"))
"""How many times longer the long faults take; 1 is the short form."""


@pytest.fixture
def pipeline(settings: Settings, tmp_path: Path) -> Iterator[Pipeline]:
    """Topics and tables of the test's own; whatever process is left at its end is ended."""
    result = Pipeline(settings, tmp_path)
    try:
        yield result
    finally:
        result.close()


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
