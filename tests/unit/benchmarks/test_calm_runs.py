"""Which runs count where a machine's host takes processor time away."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.pipeline.latency import calmest


def _runs(*stolen: float) -> Callable[[], dict[str, float]]:
    following = iter(stolen)

    def once() -> dict[str, float]:
        share = next(following)
        return {"p99_ms": 50.0 + share, "stolen_percent": share}

    return once


def test_a_calm_run_is_not_measured_again() -> None:
    counts, others = calmest(_runs(0.9), tries=4)
    assert counts["stolen_percent"] == 0.9
    assert others == []


def test_a_robbed_run_is_measured_again_and_kept_apart() -> None:
    counts, others = calmest(_runs(12.0, 3.0, 0.2, 0.1), tries=4)
    assert counts["stolen_percent"] == 0.2
    assert sorted(each["stolen_percent"] for each in others) == [3.0, 12.0]


def test_where_all_are_robbed_the_one_that_lost_least_counts() -> None:
    counts, others = calmest(_runs(12.0, 3.0, 5.0), tries=3)
    assert counts["stolen_percent"] == 3.0
    assert [each["stolen_percent"] for each in others] == [5.0, 12.0]
