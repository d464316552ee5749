"""What a process loads before it has anything to do: seconds of starting, and memory for good."""

from __future__ import annotations

import subprocess
import sys

import pytest

MAKES_MODELS = {"lightgbm", "sklearn", "scipy", "optuna", "pandas"}


def loaded_by(*modules: str) -> set[str]:
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(ran.stdout.split())


@pytest.mark.parametrize(
    "modules",
    [
        ("services.trainer.handler.trainer",),
        ("services.outcome_scorer.handler",),
        ("services.strategy_runner.service",),
        ("services.signal_tracker.handler",),
        ("services.extractor.handler",),
        ("trackrecord.reports.models", "trackrecord.reports.strategies"),
    ],
    ids=lambda modules: modules[0],
)
def test_what_makes_models_is_loaded_where_they_are_made_only(modules: tuple[str, ...]) -> None:
    assert not {each.partition(".")[0] for each in loaded_by(*modules)} & MAKES_MODELS


def test_commands_that_read_no_texts_do_not_load_what_reads_them() -> None:
    loaded = loaded_by("trackrecord.cli.main")
    assert not [each for each in loaded if each.startswith("trackrecord.extraction")]
