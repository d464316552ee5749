"""The cases written for these rules, and a labelled corpus where one lies beside the checkout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.corpora import needed

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


def read_lines(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


OWN_CASES = [case for path in sorted((HERE / "cases").glob("*.jsonl")) for case in read_lines(path)]


@pytest.fixture(scope="session")
def corpus() -> list[dict[str, Any]]:
    """Real outputs with labels; they belong to others and are never part of the checkout."""
    return read_lines(needed("extraction/dev.jsonl"))
