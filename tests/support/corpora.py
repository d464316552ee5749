"""Where the corpora of other people lie: beside the checkout, read in place, never copied in."""

from __future__ import annotations

from pathlib import Path

import pytest

_BESIDE = Path(__file__).resolve().parents[3]


def corpus(name: str) -> Path | None:
    """The file ``*/data/NAME`` beside the checkout, or None where there is none."""
    return next(iter(sorted(_BESIDE.glob(f"*/data/{name}"))), None)


def needed(name: str) -> Path:
    """The same; without it the test is skipped by name."""
    path = corpus(name)
    if path is None:
        pytest.skip(f"no corpus (*/data/{name}) lies beside the checkout")
    return path
