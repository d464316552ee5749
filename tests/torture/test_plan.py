"""An episode follows from its seed."""

from __future__ import annotations

import pytest

from tests.torture.mutants import MUTANTS
from tests.torture.plan import (
    EXTRACTOR,
    FAILPOINTS,
    HEAVY_KINDS,
    KINDS,
    LIGHT_KINDS,
    RUNNER,
    SCORER,
    plan,
)
from tests.torture.servers import ALL_FAULTS

SEEDS = range(400)


def test_the_same_seed_gives_the_same_plan_and_another_another() -> None:
    assert plan(7) == plan(7)
    assert len({repr(plan(seed)) for seed in SEEDS}) == len(SEEDS)


def test_every_kind_comes_up_and_can_be_injected() -> None:
    seen = {kind for seed in range(2000) for kind in plan(seed).kinds}
    assert seen == set(KINDS) == set(ALL_FAULTS)


def test_an_episode_has_two_to_five_faults_if_it_breaks_no_server() -> None:
    light = [each for each in map(plan, SEEDS) if not each.is_heavy]
    assert {len(each.orders) for each in light} == {2, 3, 4, 5}
    assert 0.9 < len(light) / len(SEEDS) < 1


def test_one_server_at_a_time_is_broken() -> None:
    assert max(sum(kind in HEAVY_KINDS for kind in plan(seed).kinds) for seed in SEEDS) == 1


def test_kinds_can_be_chosen() -> None:
    assert {kind for seed in range(20) for kind in plan(seed, ("kill",)).kinds} == {"kill"}
    assert plan(1, ("broker_killed",)).kinds == ("broker_killed",)
    with pytest.raises(ValueError, match="no fault sneeze; there are kill"):
        plan(1, ("kill", "sneeze"))


def test_a_stage_that_is_to_fail_is_there() -> None:
    for each in map(plan, SEEDS):
        assert all(each.members[order.stage] for order in each.orders)
        assert bool(each.runs) == bool(each.members[EXTRACTOR])


def test_a_failpoint_is_used_in_a_stage_that_reaches_it() -> None:
    for each in map(plan, SEEDS):
        for order in each.orders:
            if order.kind in FAILPOINTS:
                assert order.stage in (*FAILPOINTS[order.kind][1], SCORER, RUNNER)


def test_bars_judge_signals_in_a_part_of_the_episodes_or_as_it_is_asked() -> None:
    judged = [each for each in map(plan, SEEDS) if each.is_judged]
    assert 0.15 < len(judged) / len(SEEDS) < 0.35
    assert all(each.members[SCORER] for each in judged)
    assert {each.members[RUNNER] for each in judged} == {0, 1, 2}
    assert plan(7, judged=True).is_judged
    assert not plan(7, judged=False).is_judged
    assert plan(7, judged=True) == plan(7, judged=True)
    # The same faults at the same times.
    kept = [(order.at, order.kind) for order in plan(7, judged=False).orders]
    assert [(order.at, order.kind) for order in plan(7, judged=True).orders] == kept


def test_mutants_and_kinds_do_not_share_names() -> None:
    assert not set(MUTANTS) & set(LIGHT_KINDS)
