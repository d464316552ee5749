"""What follows from the code is written, and what is missing is named with its place."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from services import STAGES, stage_named
from tools.generate import by_hand, contracts, dashboard, documents
from tools.generate.__main__ import stale, writers
from tools.generate.regions import ROOT, NoPlaceError, put_lines, put_passage
from trackrecord.stages import StageEntry


def test_everything_that_follows_from_the_code_is_written() -> None:
    assert stale() == [], "make generate"


def test_nothing_is_left_to_be_written_by_hand() -> None:
    assert by_hand.problems(ROOT) == []


@pytest.mark.parametrize("stage", STAGES)
def test_a_readme_describes_every_table(stage: str) -> None:
    text = (ROOT / documents.readme_of(stage)).read_text()
    for table in stage_named(stage).tables:
        assert f"\n### {table.name}\n" in text


def test_a_file_that_was_changed_is_stale_and_is_mended(tmp_path: Path) -> None:
    for path in writers():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    changed = {
        "deploy/docker-compose.yml": ('command: ["run", "extractor"]', "command: []"),
        "deploy/prometheus/prometheus.yml": ("names: [trainer]", "names: [trainee]"),
        "deploy/prometheus/rules.yml": ("|signal_tracker", ""),
        "docs/architecture.md": ("reads what scripts printed", "reads"),
        "services/extractor/README.md": ("Runs of scripts read", "Runs"),
        "pyproject.toml": (', "services.signal_tracker"', ""),
    }
    for name, (old, new) in changed.items():
        file = tmp_path / name
        assert old in file.read_text(), name
        file.write_text(file.read_text().replace(old, new))
    problems = stale(tmp_path)
    assert {line.split(":")[0] for line in problems} == changed.keys()
    assert all("make generate" in line for line in problems)
    assert stale(tmp_path, write=True) == []
    assert all((tmp_path / path).read_bytes() == (ROOT / path).read_bytes() for path in writers())


def test_a_file_without_the_marks_says_which_to_add() -> None:
    with pytest.raises(NoPlaceError, match="# written by `make generate`: stages"):
        put_lines("services:\n", "stages", "x: 1\n")
    with pytest.raises(NoPlaceError, match="<!-- written by `make generate`: stages -->"):
        put_passage("# Stages\n", "stages", "none")


def registered(monkeypatch: pytest.MonkeyPatch, more: Mapping[str, StageEntry]) -> None:
    stages = {**STAGES, **more}
    for module in (by_hand, contracts, dashboard):
        monkeypatch.setattr(module, "STAGES", stages)


def test_new_rules_are_put_among_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = StageEntry("adds", "data", ("signal_emitted",), (), ("adding",))
    registered(monkeypatch, {"adder": entry})
    text = contracts.completed((ROOT / "pyproject.toml").read_text())
    layer = r'^ +"trackrecord.extraction \| .*trackrecord.adding",$'
    assert re.search(layer, text, re.MULTILINE)
    assert text.count('"services.adder"') == 2
    pure = next(line for line in text.splitlines() if line.startswith("source_modules"))
    assert '"trackrecord.adding"]' in pure
    assert contracts.completed(text) == text


def test_an_entry_without_a_folder_and_a_folder_without_an_entry_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    registered(monkeypatch, {"adder": STAGES["extractor"]})
    [problem] = [line for line in by_hand.problems(ROOT) if "adder" in line]
    assert problem == (
        "trackrecord/stages.py:1: there is no services/adder/service.py: "
        "make the stage, or delete its entry"
    )
    for name in ("trackrecord", "services", "migrations", "deploy"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    monkeypatch.undo()
    for name in ("README.md", "service.py", "handler.py", "store.py", "metrics.py", "extra.py"):
        place = tmp_path / "services/adder" / name
        place.parent.mkdir(exist_ok=True)
        place.touch()
    line = (ROOT / "trackrecord/stages.py").read_text().splitlines().index(
        "STAGES: Final[Mapping[str, StageEntry]] = MappingProxyType("
    ) + 1  # fmt: skip
    [problem] = by_hand.problems(tmp_path)
    assert problem == (
        f'trackrecord/stages.py:{line}: add the entry "adder": StageEntry(...), '
        "for services/adder is there"
    )


def test_an_entry_that_says_something_else_than_the_stage_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = StageEntry("reads", "job", ("script_executed", "nothing"), (), ("nowhere",))
    registered(monkeypatch, {"extractor": wrong})
    problems = by_hand.problems(ROOT)
    assert all(line.startswith("trackrecord/stages.py:") for line in problems)
    does = "that is what services/extractor/service.py does"
    assert [line.split(": ", 1)[1] for line in problems] == [
        "reads names 'nothing', which is no event type",
        f"write reads=('script_executed',): {does}",
        f"write publishes={('signal_emitted', 'signal_closed')!r}: {does}",
        'write plane="data": that is what services/extractor/service.py is of',
        "rules names 'nowhere', and there is no trackrecord/nowhere",
    ]


def test_a_package_without_a_layer_is_named(tmp_path: Path) -> None:
    for name in ("trackrecord", "services", "migrations", "deploy"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "trackrecord/new").mkdir()
    (tmp_path / "trackrecord/new/__init__.py").touch()
    [problem] = by_hand.problems(tmp_path)
    assert problem.startswith("pyproject.toml:")
    assert "put trackrecord.new into a layer" in problem
    (tmp_path / "trackrecord/new").rename(tmp_path / "trackrecord/gone")
    text = (tmp_path / "pyproject.toml").read_text()
    text = text.replace("trackrecord.times | ", "trackrecord.times | trackrecord.new | ")
    (tmp_path / "pyproject.toml").write_text(text)
    assert any("delete trackrecord.new from" in line for line in by_hand.problems(tmp_path))


def test_two_migrations_that_follow_the_same_one_are_named(tmp_path: Path) -> None:
    for name in ("trackrecord", "services", "migrations", "deploy"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    new = tmp_path / "migrations/versions/9999_new.py"
    new.write_text('revision = "9999"\ndown_revision = "0002"\n')
    [problem] = by_hand.problems(tmp_path)
    assert problem == (
        "migrations/versions/9999_new.py:2: name the newest revision; "
        "0003_extractor.py comes after 0002 already"
    )


def test_a_metric_that_no_panel_shows_gets_one_in_its_stage_s_row() -> None:
    text = (ROOT / dashboard.DASHBOARD).read_text()
    board = json.loads(text)
    board["panels"] = [
        panel for panel in board["panels"]
        if "executions_total" not in str(panel) and panel["title"] != "trainer"
    ]  # fmt: skip
    completed = dashboard.completed(json.dumps(board))
    panels = json.loads(completed)["panels"]
    rows = [panel["title"] for panel in panels if panel["type"] == "row"]
    assert sorted(rows[2:]) == sorted([*STAGES, "api"])
    [panel] = [panel for panel in panels if "executions_total" in str(panel)]
    assert panel["targets"][0]["expr"] == (
        "sum by (exit) (rate(trackrecord_executions_total[$__rate_interval]))"
    )
    above = [each["title"] for each in panels[: panels.index(panel)] if each["type"] == "row"]
    assert above[-1] == "extractor"
    places = [tuple(each["gridPos"].values()) for each in panels]
    cells = {
        (x, y)
        for h, w, left, top in places
        for x in range(left, left + w)
        for y in range(top, top + h)
    }
    assert len(cells) == sum(h * w for h, w, _, _ in places), "panels lie on one another"
    assert dashboard.completed(completed) == completed
