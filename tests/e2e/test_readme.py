"""What the README shows works as it is printed."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cli import environment
from tests.support.pipeline import until
from tests.support.servers import lacking

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


EXAMPLE = re.search(r"```python\n(.*?)```", README, re.DOTALL)
# Each of these starts a stack, or waits for what one works out.
SLOW = pytest.mark.timeout(600)
ALONE = [
    *("--workers", "extractor=0", "--workers", "outcome_scorer=0"),
    *("--workers", "strategy_runner=0", "--workers", "trainer=0"),
]


class Project:
    """A folder with a virtual environment, in which a reader types what the README prints."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        programs = folder / ".venv" / "bin"
        programs.mkdir(parents=True)
        for name, words in (("trackrecord", " -m trackrecord.cli.main"), ("python", "")):
            program = programs / name
            program.write_text(f'#!/bin/sh\nexec {sys.executable}{words} "$@"\n')
            program.chmod(0o755)
        (folder / "sub").mkdir()

    def type(self, line: str, below: str = ".") -> subprocess.CompletedProcess[str]:
        """Run a line as it is printed, with no variable of ours set."""
        state = {"XDG_STATE_HOME": str(self.folder / "state")}  # not the tester's own
        return subprocess.run(
            ["/bin/sh", "-c", line],
            cwd=self.folder / below,
            env=environment(**state),
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def strategy(self, name: str, below: str = ".") -> subprocess.CompletedProcess[str]:
        """Run the README's strategy, under a name of its own."""
        assert EXAMPLE is not None
        file = self.folder / f"{name}.py"
        file.write_text(EXAMPLE[1].replace("my_strategy", name))
        return self.type(f"{self.folder}/.venv/bin/python {file}", below)

    def record(self, names: set[str], below: str = ".") -> dict[str, Any]:
        """What `report` says, once both events of each of the strategies have had their effect."""
        program = self.folder / ".venv" / "bin" / "trackrecord"

        def found() -> dict[str, Any] | None:
            said = self.type(f"{program} report --json", below)
            assert said.returncode == 0, said.stderr
            strategies: dict[str, Any] = json.loads(said.stdout)["strategies"]
            done = {name for name, each in strategies.items() if each["closed"]}
            return strategies if names <= done else None

        result: dict[str, Any] = until(found, f"{names} are on record", 120)
        return result


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    """A stack that was started as the README says, and one strategy that was too early for it."""
    if reason := lacking():
        pytest.skip(f"no real Kafka: {reason}")
    with tempfile.TemporaryDirectory(prefix="tr-readme-") as folder:
        Path(folder).chmod(0o755)
        made = Project(Path(folder))
        early = made.strategy("early")
        assert early.returncode == 1, early
        assert "2 events wait in" in early.stderr
        assert "`trackrecord up`" in early.stderr
        up = made.type(".venv/bin/trackrecord up")
        try:
            assert up.returncode == 0, up.stderr
            yield made
        finally:
            down = made.type(".venv/bin/trackrecord down")
        assert down.returncode == 0, down.stderr


@SLOW
@pytest.mark.kafka
def test_the_strategy_and_the_published_line_work_as_printed(project: Project) -> None:
    said = project.strategy("my_strategy")
    assert said.returncode == 0, said
    assert "accepted=2, delivered=2" in said.stdout, said
    # What waited since before there was a stack is sent, too.
    assert "adopted=2" in said.stdout

    echo = re.search(
        r"^(echo '.*?\| \.venv/bin/trackrecord publish)$", README, re.DOTALL | re.MULTILINE
    )
    assert echo is not None
    done = project.type(echo[1])
    assert done.stdout.startswith("published 1, refused 0"), done.stderr

    record = project.record({"my_strategy", "early"})
    assert record["my_strategy"]["total_pnl"] == "14.5"  # (151.80 - 150.25) * 10 - 1.00
    assert record["early"]["total_pnl"] == "14.5"
    assert record["mine"]["signals"] == 1


@SLOW
@pytest.mark.kafka
def test_everything_is_found_from_a_folder_below(project: Project) -> None:
    said = project.strategy("below", "sub")
    assert "accepted=2, delivered=2" in said.stdout, said
    assert project.record({"below"}, "sub")["below"]["signals"] == 1
    program = "../.venv/bin/trackrecord"
    for command in ("topics", "dlq list", "models list", "status"):
        found = project.type(f"{program} {command}", "sub")
        assert found.returncode == 0, found
    script = project.folder / "sub" / "uses_the_sdk.py"
    script.write_text((project.folder / "below.py").read_text().replace("below", "under"))
    ran = project.type(f"{program} run-script uses_the_sdk.py", "sub")
    assert ran.returncode == 0, ran
    assert "accepted=2, delivered=2" in ran.stdout
    project.record({"under"})
    assert not (project.folder / "sub" / ".trackrecord").exists()


@SLOW
@pytest.mark.kafka
def test_what_waits_follows_the_stack_to_another_port(project: Project) -> None:
    before = json.loads(project.type(".venv/bin/trackrecord status --json").stdout)["kafka"]
    assert project.type(".venv/bin/trackrecord down").returncode == 0
    between = project.strategy("between")
    assert between.returncode == 1
    assert str(project.folder / ".trackrecord" / "spool") in between.stderr
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    up = project.type(f".venv/bin/trackrecord up --kafka-port {port} {' '.join(ALONE)}")
    assert up.returncode == 0, up.stderr
    assert f"127.0.0.1:{port}" != before
    after = project.strategy("after")
    assert "delivered=2" in after.stdout, after
    assert "adopted=2" in after.stdout
    project.record({"between", "after"})


def test_every_command_named_in_the_readme_exists() -> None:
    named = set(re.findall(r"\.venv/bin/trackrecord ([a-z-]+)", README))
    help_text = subprocess.run(
        [sys.executable, "-m", "trackrecord.cli.main", "--help"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert named
    assert all(re.search(rf"\b{name}\b", help_text) for name in named)


def test_every_file_named_in_the_documents_exists() -> None:
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_table_of_settings_is_up_to_date() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "trackrecord.cli.main", "settings", "--markdown"],
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert said.stdout.strip() in (ROOT / "docs" / "settings.md").read_text()


def test_make_lists_its_targets() -> None:
    if shutil.which("make") is None:
        pytest.skip("there is no make here")
    said = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True)
    for target in ("setup", "demo", "test", "check", "bench"):
        assert re.search(rf"^make {target} ", said.stdout, re.MULTILINE)
