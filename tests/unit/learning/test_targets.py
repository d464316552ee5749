"""Every target is told: reached, missed, or null and why."""

from __future__ import annotations

from trackrecord.learning.targets import TARGETS, against_targets, retraining_success


def test_what_is_found_is_held_against_its_target_and_what_is_not_says_why() -> None:
    told = against_targets({"auc": 0.8, "max_drawdown_of_bought": 0.1, "recall": None})
    assert set(told) == set(TARGETS)
    assert told["auc"] == {"target": 0.8, "value": 0.8, "met": False}
    assert told["max_drawdown_of_bought"] == {"target": 0.15, "value": 0.1, "met": True}
    assert told["recall"]["met"] is None
    assert told["recall"]["reason"] == "no success among the outcomes"


def test_a_refused_run_is_no_failure_and_no_run_is_no_success() -> None:
    assert retraining_success(0, 0, 0) is None
    assert retraining_success(completed=18, refused=1, failed=1) == 0.95
    assert retraining_success(completed=0, refused=3, failed=0) == 1
    assert retraining_success(completed=0, refused=0, failed=3) == 0
