"""The stages' READMEs say what the code does."""

from __future__ import annotations

from importlib import import_module

import pytest

from services import STAGES
from tests.unit.deploy.stage_readme import OPERATIONS, completed, operations_completed, path_of


@pytest.mark.parametrize("stage", STAGES)
def test_a_readme_is_what_the_code_says(stage: str) -> None:
    text = path_of(stage).read_text()
    assert completed(stage, text) == text, "python -m tests.unit.deploy.stage_readme"


@pytest.mark.parametrize("stage", STAGES)
def test_a_readme_describes_every_table(stage: str) -> None:
    text = path_of(stage).read_text()
    for table in import_module(f"services.{stage}.service").STAGE.tables:
        assert f"\n### {table.name}\n" in text


def test_operations_lists_the_metrics_of_every_stage() -> None:
    text = OPERATIONS.read_text()
    assert operations_completed(text) == text, "python -m tests.unit.deploy.stage_readme"
