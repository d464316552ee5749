"""docs/adding-a-stage.md, followed: its example stands, and is known everywhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.servers import Services
from tools.generate.by_hand import FILES as NAMES

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/adding-a-stage.md").read_text()
FILES = re.findall(r"^```\w+ file=(\S+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
ENTRY = re.findall(r"^```python entry\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)

RUN = """
import sys
from services import stage_named
from tests.support import histories
from tests.support.compare import fetch
from trackrecord.events import SignalClosed, SignalEmitted
from trackrecord.exit_reasons import count_reasons
from trackrecord.reports.exit_reasons import read_exit_reasons
from trackrecord.testing import StageRun, scratch_database

events = histories.make("document", 25, histories.Shape(conflict=0.0))
with scratch_database() as settings:
    run = StageRun(stage_named("exit_reasons"), settings).of(events, batches=[40, len(events) - 40])
    assert run.refused == []
    best = {}
    for event in events:
        key = (event.event_type, event.signal_id, getattr(event, "exit_id", ""))
        if key not in best or best[key].revision < event.revision:
            best[key] = event
    strategies = {e.signal_id: e.strategy for e in best.values() if isinstance(e, SignalEmitted)}
    exits = [(e.signal_id, e.reason) for e in best.values() if isinstance(e, SignalClosed)]
    counted = {row[:2]: row[2] for row in read_exit_reasons(settings)}
    assert counted == dict(count_reasons(strategies, exits)), counted
    run.agrees_in_any_order(orders=1)
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources with the example laid down as the document says."""
    folder = tmp_path_factory.mktemp("checkout")
    skip = shutil.ignore_patterns("__pycache__", "__compiled__", "node_modules", "results")
    for name in ("trackrecord", "services", "tools", "migrations", "deploy", "docs", "schemas"):
        shutil.copytree(ROOT / name, folder / name, ignore=skip)
    shutil.copytree(ROOT / "tests/support", folder / "tests/support", ignore=skip)
    (folder / "tests/__init__.py").touch()
    shutil.copy(ROOT / "pyproject.toml", folder)
    newest = max(path.name[:4] for path in (ROOT / "migrations/versions").glob("[0-8]*.py"))
    for name, text in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        assert not (folder / name).exists(), f"{name} is there already"
        (folder / name).write_text(text.replace("NEWEST", newest))
    registry = folder / "trackrecord/stages.py"
    [entry] = ENTRY
    begin, end = registry.read_text().rsplit("    }\n)\n", 1)
    registry.write_text(f"{begin}{entry}    }}\n)\n{end}")
    return folder


def python(checkout: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run Python on the checkout's sources: `-P` and a clean path keep the installed ones away."""
    begin = (
        "import sys, runpy; "
        "sys.meta_path[:] = [m for m in sys.meta_path if 'editable' not in repr(m).lower()]; "
        f"sys.path.insert(0, {str(checkout)!r}); sys.argv = sys.argv[1:]; "
    )
    code = (
        f"runpy.run_module({arguments[1]!r}, run_name='__main__', alter_sys=True)"
        if arguments[0] == "-m"
        else arguments[1]
    )
    return subprocess.run(
        [sys.executable, "-P", "-c", begin + code, *arguments[1:]],
        cwd=checkout,
        env={**os.environ, **more},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_document_names_every_file_of_a_stage() -> None:
    stage = {Path(name).name for name, _ in FILES if name.startswith("services/")}
    assert stage == {*NAMES, "__init__.py"}
    table = TEXT.split("| file | what it answers |")[1].split("\n\n")[0]
    assert re.findall(r"^\| `(.*?)`", table, re.MULTILINE) == list(NAMES)


def test_the_example_is_known_everywhere_after_make_generate(checkout: Path) -> None:
    before = python(checkout, "-m", "tools.generate", "--check")
    assert before.returncode == 1
    assert "deploy/docker-compose.yml: differs from the code" in before.stderr
    written = python(checkout, "-m", "tools.generate")
    assert written.returncode == 0, written.stderr
    done = python(checkout, "-m", "tools.generate", "--check")
    assert done.returncode == 0, done.stderr
    for name, words in {
        "deploy/docker-compose.yml": 'command: ["run", "exit_reasons"]',
        "deploy/prometheus/prometheus.yml": "names: [exit_reasons]",
        "deploy/prometheus/rules.yml": 'absent(up{job="exit_reasons"})',
        "deploy/grafana/dashboards/pipeline.json": "trackrecord_reasons_read_total",
        "docs/architecture.md": "| [exit_reasons](../services/exit_reasons/README.md) | data |",
        "pyproject.toml": '"services.exit_reasons"',
        "schemas/asyncapi.yaml": "exit_reasons.receive.signal_closed",
        "schemas/topics/signal_closed.yaml": "- exit_reasons",
        "services/signal_tracker/README.md": "outcome_scorer, exit_reasons |",
        "services/exit_reasons/README.md": "| `trackrecord_reasons_read_total` (counter)",
    }.items():
        assert words in (checkout / name).read_text(), name
    lint = "from importlinter.cli import lint_imports_command as lint; lint()"
    kept = python(checkout, "-c", lint)
    assert kept.returncode == 0, kept.stdout


def test_the_example_has_its_command_and_is_named_by_help(checkout: Path) -> None:
    shown = python(checkout, "-m", "trackrecord.cli.main", "--help", COLUMNS="200")
    assert "exit_reasons" in shown.stdout, shown.stderr
    run = python(checkout, "-m", "trackrecord.cli.main", "run", "--help", COLUMNS="200")
    assert "exit_reasons" in run.stdout, run.stderr


@pytest.mark.kafka
def test_the_example_counts_what_its_rule_counts_in_any_order(
    checkout: Path, services: Services
) -> None:
    done = python(checkout, "-c", RUN, DATABASE_URL=services.database_url)
    assert done.returncode == 0, done.stderr
