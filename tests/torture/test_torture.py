"""The torture, in short: the pipeline stands a few episodes, and broken ones do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.servers import Services
from tests.torture.campaign import Campaign, Report, found_by, run
from tests.torture.mutants import MUTANTS
from tests.torture.scene import Place

pytestmark = pytest.mark.kafka

ROOT = Path(__file__).parents[2]
SEED = 1
EPISODES = 4
JUDGED_EPISODES = 2
QUICKLY_FOUND = ("by_arrival", "no_fence_no_key", "offsets_before_effects")
"""Broken versions that few runs show; ``make torture`` runs the others, too."""
MOST_RUNS = 25
"""In which a broken version must be found here; the torture itself has fifty."""


@pytest.fixture
def place(services: Services) -> Place:
    return Place(services.bootstrap_servers, services.database_url, services.home)


def played(campaign: Campaign, place: Place) -> Report:
    report = Report()
    for _ in run(campaign, report, place):
        pass
    return report


def test_every_broken_version_is_run_somewhere() -> None:
    makefile = (ROOT / "Makefile").read_text()
    (line,) = (line for line in makefile.splitlines() if line.startswith("SLOWLY_FOUND := "))
    assert sorted([*QUICKLY_FOUND, *line.split()[2:]]) == sorted(MUTANTS)


def test_nothing_is_lost_and_nothing_doubled(place: Place, tmp_path: Path) -> None:
    campaign = Campaign(seed=SEED, runs=EPISODES, jobs=2, folder=tmp_path, heavy=False)
    report = played(campaign, place)
    assert [(each.seed, each.verdict.problems, each.folder) for each in report.failed] == []
    result = report.result(SEED)
    assert (result["runs"], result["lost"], result["doubled"]) == (EPISODES, 0, 0)
    assert result["events"] > 500 * EPISODES
    assert sum(counts["hit"] for counts in result["faults"].values()) >= EPISODES


def test_outcomes_are_what_the_rules_say_of_all_bars_at_once(place: Place, tmp_path: Path) -> None:
    campaign = Campaign(
        seed=SEED, runs=JUDGED_EPISODES, jobs=2, folder=tmp_path, heavy=False, judged=True
    )
    report = played(campaign, place)
    assert [(each.seed, each.verdict.problems, each.folder) for each in report.failed] == []
    result = report.result(SEED)
    assert (result["runs"], result["lost"], result["doubled"]) == (JUDGED_EPISODES, 0, 0)
    assert result["events"] > 500 * JUDGED_EPISODES
    assert result["replays_verified"] > 0


@pytest.mark.parametrize("mutant", QUICKLY_FOUND)
def test_a_broken_version_is_found(place: Place, tmp_path: Path, mutant: str) -> None:
    campaign = Campaign(
        seed=SEED,
        runs=MOST_RUNS,
        jobs=2,
        folder=tmp_path,
        only=MUTANTS[mutant].shown_by,
        mutant=mutant,
        heavy=False,
    )
    report = played(campaign, place)
    assert any(each.mutated for each in report.outcomes), "it has nothing to break any more"
    assert found_by(report.outcomes) is not None
