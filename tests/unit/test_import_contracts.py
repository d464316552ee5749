"""Each import contract, broken on purpose in a copy of the sources, is named as broken."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from trackrecord.stages import STAGES

ROOT = Path(__file__).parents[2]
PACKAGES = ("trackrecord", "services", "tools")
CONTRACTS = {
    contract["id"]: contract
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
}
BAD = {
    "layers": ("trackrecord/reports/daily_sums.py", "import trackrecord.cli.common"),
    "inside-the-runtime": ("trackrecord/runtime/sql_times.py", "import trackrecord.runtime.jobs"),
    "inside-the-loop": (
        "trackrecord/runtime/loop/offsets.py",
        "import trackrecord.runtime.loop.consumer",
    ),
    "stages-apart": ("services/extractor/metrics.py", "import services.signal_tracker.metrics"),
    "inside-a-stage": ("services/extractor/metrics.py", "import services.extractor.handler"),
    "pure-rules": ("trackrecord/tracking/fold.py", "import psycopg2"),
    "access-rules": ("trackrecord/access/roles.py", "import trackrecord.runtime.settings"),
    "life-of-strategies": ("trackrecord/catalogue/life.py", "import trackrecord.runtime.settings"),
    "small-sdk": ("trackrecord/sdk/uuid7.py", "import sqlalchemy"),
}
"""By contract: a file, and an import in it that the contract forbids and no other does."""

_LINT = (
    "sys.meta_path[:] = [each for each in sys.meta_path if 'editable' not in repr(each).lower()]; "
    "from importlinter.cli import lint_imports_command as lint; lint()"
)
"""Lint the copy: an editable installation would lead to the sources themselves."""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, folder / package,
            ignore=lambda place, names: {
                name for name in names
                if not name.endswith(".py") and not Path(place, name).is_dir()
            } | {"__pycache__", "__compiled__"},
        )  # fmt: skip
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def broken(sources: Path) -> tuple[int, set[str]]:
    """What import-linter says of the sources: its exit code, and the contracts that are broken."""
    code = f"import sys; sys.path.insert(0, {str(sources)!r}); {_LINT}"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code],
        cwd=sources,
        env={**os.environ, "COLUMNS": "1000"},  # a name is not broken over two lines
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Contracts:" in done.stdout, done.stdout + done.stderr
    return done.returncode, set(re.findall(r"^(.*) BROKEN$", done.stdout, re.MULTILINE))


def test_as_they_are_the_sources_keep_every_contract(sources: Path) -> None:
    assert broken(sources) == (0, set())


def test_every_contract_is_broken_below() -> None:
    assert BAD.keys() == CONTRACTS.keys()


@pytest.mark.parametrize("contract", BAD)
def test_one_bad_import_breaks_the_contract_that_forbids_it(sources: Path, contract: str) -> None:
    name, line = BAD[contract]
    file = sources / name
    text = file.read_text()
    file.write_text(f"{text}\n{line}\n")
    try:
        assert broken(sources) == (1, {CONTRACTS[contract]["name"]})
    finally:
        file.write_text(text)


def test_every_package_has_its_layer_and_every_stage_its_contracts() -> None:
    layers = [name for layer in CONTRACTS["layers"]["layers"] for name in layer.split(" | ")]
    there = {path.parent.name for path in (ROOT / "trackrecord").glob("*/__init__.py")}
    there |= {path.stem for path in (ROOT / "trackrecord").glob("*.py")} - {"__init__"}
    assert sorted(layers) == sorted(
        ["tools", "services", *(f"trackrecord.{each}" for each in there)]
    )
    stages = [f"services.{name}" for name in STAGES]
    assert CONTRACTS["stages-apart"]["modules"] == stages
    assert CONTRACTS["inside-a-stage"]["containers"] == stages
