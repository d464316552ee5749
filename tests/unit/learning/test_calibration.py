"""What a model said, held against what happened."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.learning.worlds import DAY
from trackrecord.learning.calibration import VERDICTS, Said, calibration, with_intervals

HORIZON = 10 * DAY


def said(
    rng: np.random.Generator,
    rows: int,
    *,
    strength: float = 1.5,
    pushed: float = 0.0,
    verdict: str | None = None,
) -> Said:
    """Signals of which the chances are known and told, or told with log odds pushed away."""
    odds = strength * rng.normal(size=rows)
    chance = 1 / (1 + np.exp(-odds))
    told = 1 / (1 + np.exp(-odds - pushed))
    emitted_at = np.sort(rng.integers(0, 700 * DAY, rows))
    success = (rng.random(rows) < chance).astype(np.float64)
    named = np.where(told >= 0.5, "BUY", "SKIP") if verdict is None else np.full(rows, verdict)
    return Said(
        emitted_at,
        emitted_at + HORIZON,
        told,
        success,
        np.where(success > 0, 0.02, -0.02),
        named,
        np.where(np.arange(rows) % 3, "one", "two"),
    )


def test_by_hand() -> None:
    at = np.array([0, DAY, 2 * DAY, 3 * DAY])
    found = calibration(
        Said(
            at,
            at + DAY,
            np.array([0.8, 0.6, 0.4, 0.2]),
            np.array([1.0, 0.0, 1.0, 0.0]),
            np.array([0.03, -0.01, 0.02, -0.02]),
            np.array(["STRONG_BUY", "BUY", "SKIP", "SKIP"]),
            np.array(["a", "a", "b", "b"]),
        )
    )
    assert found["signals"] == 4
    assert found["brier"] == pytest.approx((0.04 + 0.36 + 0.36 + 0.04) / 4)
    assert found["brier_of_base_rate"] == pytest.approx(0.25)
    assert found["log_loss_of_base_rate"] == pytest.approx(np.log(2))
    assert found["auc"] == pytest.approx(0.75)
    losses = -np.log([0.8, 0.4, 0.4, 0.8])
    assert found["gain"]["mean"] == pytest.approx(np.log(2) - losses.mean())
    assert found["gain"]["lower"] is None, "four signals tell nothing"
    assert list(found["verdicts"]) == ["STRONG_BUY", "BUY", "SKIP"]
    skipped = found["verdicts"]["SKIP"]
    assert (skipped["signals"], skipped["success_rate"]) == (2, 0.5)
    assert skipped["predicted"] == pytest.approx(0.3)
    assert skipped["average_return"]["mean"] == pytest.approx(0.0)
    assert found["strategies"]["a"]["brier_of_base_rate"] == pytest.approx(0.25)


def test_chances_that_are_told_as_they_are_lie_in_their_intervals_and_gain() -> None:
    within = total = 0
    for seed in range(20):
        found = calibration(said(np.random.default_rng(seed), 1_500))
        assert found["gain"]["lower"] > 0
        assert found["brier"] < found["brier_of_base_rate"]
        for each in found["bins"]:
            low, high = each["interval"]
            within += low <= each["predicted"] <= high
            total += 1
    assert 0.9 * total < within  # 95 % of them, and three deviations less


def test_chances_that_are_told_too_high_are_seen_in_every_bin() -> None:
    found = calibration(said(np.random.default_rng(1), 4_000, pushed=1.5))
    middle = found["bins"][2:8]
    assert all(each["predicted"] > each["interval"][1] for each in middle)
    assert found["brier_reliability"] > 0.02


def test_a_model_that_knows_nothing_is_not_flattered_by_its_base_rate() -> None:
    rng = np.random.default_rng(2)
    drawn = said(rng, 1_000, strength=0.0)
    found = calibration(
        Said(
            drawn.emitted_at, drawn.ends_at, np.full(1_000, 0.55), drawn.success, drawn.returned,
            drawn.verdict, drawn.strategy,
        )
    )  # fmt: skip
    # What one number for all could have been at best was only known afterwards.
    assert found["brier"] >= found["brier_of_base_rate"]
    assert found["gain"]["mean"] <= 0
    assert [each["count"] for each in found["bins"]] == [1_000]


def test_a_few_signals_have_a_mean_and_no_bounds() -> None:
    few = calibration(said(np.random.default_rng(3), 29, verdict="SELL"))["verdicts"]["SELL"]
    more = calibration(said(np.random.default_rng(3), 30, verdict="SELL"))["verdicts"]["SELL"]
    assert few["average_return"]["blocks"] >= 7
    assert few["average_return"]["lower"] is None
    bounds = more["average_return"]
    assert bounds["lower"] < bounds["mean"] < bounds["upper"]


def test_without_signals_all_is_null_and_json() -> None:
    found = calibration(said(np.random.default_rng(4), 0))
    assert json.loads(json.dumps(found)) == found
    assert (found["signals"], found["bins"], found["verdicts"]) == (0, [], {})
    assert found["brier"] is found["auc"] is found["gain"]["mean"] is found["predicted"] is None


@settings(max_examples=50, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.floats(1e-6, 1 - 1e-6), st.booleans(), st.sampled_from(VERDICTS),
            st.sampled_from(["a", "b", "c"]),
        ),
        min_size=1,
        max_size=80,
    )
)  # fmt: skip
def test_every_signal_is_in_one_bin_one_verdict_and_one_strategy(
    rows: list[tuple[float, bool, str, str]],
) -> None:
    told, won, verdict, strategy = (np.array(column) for column in zip(*rows, strict=True))
    at = np.arange(len(rows)) * DAY
    found = calibration(
        Said(at, at + HORIZON, told, won.astype(float), won - 0.5, verdict, strategy)
    )
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert sum(each["count"] for each in found["bins"]) == len(rows)
    for groups in (found["verdicts"], found["strategies"]):
        assert sum(each["signals"] for each in groups.values()) == len(rows)
        wins = sum(each["signals"] * each["success_rate"] for each in groups.values())
        assert wins == pytest.approx(won.sum())
        brier = sum(each["signals"] * each["brier"] for each in groups.values()) / len(rows)
        assert brier == pytest.approx(found["brier"])
    for each in found["bins"]:
        assert 0 <= each["interval"][0] <= each["happened"] <= each["interval"][1] <= 1


def test_a_curve_from_a_report_gets_intervals_and_stays_as_it_is() -> None:
    curve = [{"predicted": 0.3, "happened": 2 / 7, "count": 7}]
    [found] = with_intervals(curve)
    assert found["interval"] == pytest.approx([0.08222, 0.64107], abs=1e-4)  # Wilson, 2 of 7
    assert {name: found[name] for name in curve[0]} == curve[0]
