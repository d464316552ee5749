"""What works where only the package itself was installed, with none of its extras."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

PLAIN = {"pydantic", "pydantic_core", "annotated_types", "typing_extensions", "typing_inspection"}
PLAIN |= {"confluent_kafka"}

# Python imports a module of this name when it starts, before anything else.
REFUSES_WHAT_IS_NOT_PLAIN = f"""
import sys

class NotInstalled:
    @staticmethod
    def find_spec(name, path=None, target=None):
        top = name.partition(".")[0]
        standard = top.startswith("_") or top in sys.stdlib_module_names
        if standard or top in {sorted(PLAIN | {"trackrecord"})!r}:
            return None
        raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, NotInstalled)
"""


@pytest.fixture
def plain(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "sitecustomize.py").write_text(REFUSES_WHAT_IS_NOT_PLAIN)
    return {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "HOME": str(tmp_path)}


def run(plain: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], env=plain, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip


def test_a_plain_installation_asks_for_pydantic_and_confluent_kafka_only() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {re.split(r"[<>=!~\[; ]", each, maxsplit=1)[0] for each in project["dependencies"]}
    assert names == {"pydantic", "confluent-kafka"}


def test_publishing_from_a_strategy_imports_nothing_else(plain: dict[str, str]) -> None:
    code = """
import sys
before = set(sys.modules)
from trackrecord.sdk import Publisher
tops = {name.partition(".")[0] for name in set(sys.modules) - before}
print(*sorted(tops - set(sys.stdlib_module_names)))
"""
    ended = run(plain, "-c", code)
    assert ended.returncode == 0, ended.stderr
    loaded = {name for name in ended.stdout.split() if not name.startswith("_")}
    assert loaded <= PLAIN | {"trackrecord"}
    assert {"trackrecord", "pydantic", "confluent_kafka"} <= loaded


@pytest.mark.parametrize("arguments", [["--help"], ["extract"], ["metrics", "--json"], ["up"]])
def test_a_command_names_the_extra_that_it_lacks(
    plain: dict[str, str], arguments: list[str]
) -> None:
    ended = run(plain, "-m", "trackrecord.cli.start", *arguments)
    assert ended.returncode == 2
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert "trackrecord[cli]" in line
