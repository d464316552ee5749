"""A pipeline of real processes, for the tests that need whole stages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.pipeline import Pipeline
from trackrecord.runtime.settings import Settings


@pytest.fixture
def pipeline(settings: Settings, tmp_path: Path) -> Iterator[Pipeline]:
    """Topics and tables of the test's own; whatever process is left at its end is ended."""
    result = Pipeline(settings, tmp_path)
    try:
        yield result
    finally:
        result.close()
