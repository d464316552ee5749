"""The image: what goes in, at which versions, and as whom it runs."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.unit.deploy.compose_file import DEPLOY, image_entrypoint
from tools.compile import PACKAGES
from trackrecord.compiled import FOLDER

LOCKS = ("requirements.lock", "compile.lock")
ROOT = DEPLOY.parent
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()


def _pins(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", lock.read_text(), re.MULTILINE))


def _names(requirements: list[str]) -> set[str]:
    """Of the packages asked for; an extra of our own stands for what it holds."""
    own = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    names: set[str] = set()
    for each in requirements:
        extra = re.fullmatch(r"trackrecord\[(\w+)\]", each)
        names |= _names(own[extra[1]]) if extra else {re.split(r"[<>=!~\[; ]", each, maxsplit=1)[0]}
    return names


@pytest.mark.parametrize("lock", LOCKS)
def test_it_is_made_of_the_versions_that_the_tests_ran_with(lock: str) -> None:
    ours, tested = _pins(DEPLOY / lock), _pins(ROOT / "requirements.lock")
    assert len(ours) > 10
    assert ours == {name: tested.get(name) for name in ours}, "run `make lock`"


def test_it_holds_what_the_services_need_and_no_tools() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    ours = set(_pins(DEPLOY / "requirements.lock"))
    wanted = [
        each
        for extra in ("services", "learning", "dask", "strategies", "gemini", "anthropic", "openai")
        for each in extras[extra]
    ]
    needed = _names(project["dependencies"]) | _names(wanted)
    assert needed <= ours
    # Dask needs psutil itself.
    assert (_names(extras["dev"]) | _names(extras["local"])) - needed & ours == {"psutil"}


def test_the_stage_that_compiles_has_the_compiler_and_leaves_it_behind() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = _names(project["optional-dependencies"]["compile"])
    assert needed <= set(_pins(DEPLOY / "compile.lock"))
    taken = re.findall(r"^COPY --from=compile (\S+)", DOCKERFILE, re.MULTILINE)
    assert taken == [f"/app/trackrecord/{name}/{FOLDER}" for name in PACKAGES]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_checked_by_its_digest(lock: str) -> None:
    for entry in re.split(r"\n(?=[a-z])", (DEPLOY / lock).read_text().strip()):
        assert "--hash=sha256:" in entry, entry
    installed = re.findall(r"pip install(?:[^&]|\\\n)*", DOCKERFILE)
    assert len(installed) == len(LOCKS)
    assert all("--require-hashes --only-binary :all:" in each for each in installed)


def test_without_the_libraries_of_this_machine_it_imports_what_its_stages_need() -> None:
    """In a mount namespace that lacks what a slim image lacks, less what the image installs."""
    installed = set(re.findall(r"\b(lib[a-z0-9.-]+)\b(?= *&&)", DOCKERFILE))
    absent = [
        str(file)
        for name in ("libgomp1", "libatomic1", "libquadmath0", "libgfortran5", "libssl3")
        if name not in installed
        for file in Path("/usr/lib").glob(f"*/{re.sub(r'[0-9]+$', '', name)}.so.*")
    ]
    script = "; ".join(f"mount --bind /dev/null $(readlink -f {file})" for file in absent)
    modules = "lightgbm, sklearn, scipy, polars, faust, cramjam, confluent_kafka, psycopg2, re2"
    probe = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
    if probe.returncode != 0:
        pytest.skip("no mount namespace may be made here: unshare needs root")
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", f'{script or "true"}; exec "$0" -c "import {modules}"',
         sys.executable],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "libgomp1" in installed


def test_it_does_not_run_as_root() -> None:
    users = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)
    assert users == ["10001:10001"]


def test_whatever_is_copied_exists_and_reaches_the_builder() -> None:
    copied = re.findall(r"^COPY (?!--)(\S+) \S+$", DOCKERFILE, re.MULTILINE)
    let_in = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    assert set(copied) == let_in
    # What the host compiled is for the host.
    assert f"**/{FOLDER}" in (ROOT / ".dockerignore").read_text().splitlines()
    assert all((ROOT / path).exists() for path in copied)


def test_it_runs_the_command() -> None:
    assert image_entrypoint() == ["python", "-m", "trackrecord.cli.main"]
