"""What starts a training, and what does not: noise, few outcomes, the calendar."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.learning.worlds import DAY, HORIZON, world
from trackrecord.learning.champion import Serving, unseen_from
from trackrecord.learning.data import TooFewError, in_order
from trackrecord.learning.search import Budget
from trackrecord.learning.splits import Span
from trackrecord.learning.train import train
from trackrecord.learning.triggers import (
    FEWEST_RECENT,
    Live,
    Rules,
    State,
    fired,
    stability_index,
)

QUIET = Rules(new_outcomes=10_000)


def live(seed: int, *, skill: float = 1.0, rows: int = 600, taken: float = 0.03) -> Live:
    """A model whose Brier score was 0.2 when it was judged, as good as ever if skill is 1."""
    rng = np.random.default_rng(seed)
    probability = rng.beta(1.0, 1.0, rows) * 0.6 + 0.2
    truth = 0.5 + skill * (probability - 0.5)
    success = (rng.random(rows) < truth).astype(np.float64)
    judged = float(np.mean(probability * (1 - probability)))
    return Live(
        emitted_at=np.sort(rng.integers(0, 300 * DAY, rows)),
        probability=probability,
        success=success,
        returned=np.full(rows, taken) + rng.normal(0, 0.01, rows),
        taken=np.ones(rows, bool),
        longest_horizon=HORIZON,
        judged_brier=judged,
        judged_profit=0.03,
    )


def test_enough_new_outcomes_start_a_training_and_fewer_do_not() -> None:
    rules = Rules(new_outcomes=500)
    assert fired(rules, State(499)) is None
    found = fired(rules, State(500))
    assert found is not None
    assert found == ("outcomes", "500 new outcomes since the last run")


def test_a_schedule_counts_from_the_last_run_and_needs_something_new() -> None:
    rules = replace(QUIET, every_seconds=3_600)
    assert fired(rules, State(1, 3_599)) is None
    assert fired(rules, State(0, 7_200)) is None
    assert fired(QUIET, State(1, 1e9)) is None
    for since in (None, 3_600):
        found = fired(rules, State(1, since))
        assert found is not None
        assert found.kind == "schedule"


def test_a_model_that_became_worse_starts_one_and_one_that_is_as_good_does_not() -> None:
    for seed in range(5):
        assert fired(QUIET, State(100, 60, live(seed))) is None
    worse = fired(QUIET, State(100, 60, live(1, skill=-0.5)))
    assert worse is not None
    assert worse.kind == "decay_brier"
    assert "with 99 % confidence" in worse.reason
    poorer = fired(QUIET, State(100, 60, live(1, taken=-0.01)))
    assert poorer is not None
    assert poorer.kind == "decay_profit"
    assert fired(replace(QUIET, decay=False), State(100, 60, live(1, skill=-0.5))) is None
    assert fired(QUIET, State(49, 60, live(1, skill=-0.5))) is None
    assert fired(QUIET, State(100, 60, live(1, skill=-0.5, rows=3))) is None


def test_drift_names_the_features() -> None:
    rng = np.random.default_rng(1)
    then, now = rng.normal(size=(3_000, 4)), rng.normal(size=(500, 4))
    names = ("moved", "same", "unknown", "month")
    now[:, 0] += 1.0
    now[rng.random(500) < 0.5, 2] = np.nan
    now[:, 3] += 5.0
    index = stability_index(then, now, names)
    assert set(index) == {"moved", "same", "unknown"}
    assert index["same"] < 0.1
    found = fired(QUIET, State(100, 60, None, index))
    assert found is not None
    assert found.kind == "drift"
    assert "moved (" in found.reason
    assert "unknown (" in found.reason
    assert "same" not in found.reason
    assert fired(replace(QUIET, drift=None), State(100, 60, None, index)) is None
    assert fired(QUIET, State(100, 60, None, {"same": index["same"]})) is None


def test_few_rows_say_nothing_of_drift_and_a_constant_has_none() -> None:
    few, many = np.ones((FEWEST_RECENT - 1, 1)), np.ones((FEWEST_RECENT, 1))
    assert stability_index(few, many, ("x",)) == {}
    assert stability_index(many, few, ("x",)) == {}
    assert stability_index(many, many, ("x",)) == {"x": 0.0}
    assert stability_index(many, many * 2, ("x",))["x"] > 1
    assert stability_index(many * np.nan, many * np.nan, ("x",)) == {"x": 0.0}


def test_a_decision_looks_only_at_what_no_earlier_one_has_looked_at() -> None:
    data = world(1, 2_000, 1.0)
    emitted_at = np.sort(data.span.emitted_at)
    assert unseen_from(data, 0, None) == emitted_at[1_500]
    decided = int(emitted_at[1_700])
    assert unseen_from(data, 0, decided) == decided + 1
    learnt = int(emitted_at[1_600])
    assert unseen_from(data, learnt, None) == learnt + 1
    assert unseen_from(data, learnt, decided) == decided + 1
    with pytest.raises(TooFewError, match="20 outcomes that nothing has seen since the last"):
        unseen_from(data, 0, int(emitted_at[-21]))
    with pytest.raises(TooFewError, match="at least 200 are needed"):
        unseen_from(data.take(np.arange(100)), 0, None)


@pytest.mark.parametrize("place", [100, 1_900])
def test_one_symbol_that_was_halted_for_a_year_does_not_put_the_decision_off_for_ever(
    place: int,
) -> None:
    data = world(1, 2_000, 1.0)
    ends_at = data.span.ends_at.copy()
    ends_at[place] += 365 * DAY
    halted = replace(data, span=Span(data.span.emitted_at, ends_at))
    assert unseen_from(halted, 0, None) == data.span.emitted_at[1_500]


def test_a_champion_finds_its_features_by_name() -> None:
    data = world(2, 1_000, 1.5)
    trained = train(data, budget=Budget(seconds=None, trials=1))
    serving = Serving(trained.ensemble, trained.learnt_until)
    mixed = replace(data, features=data.features[:, ::-1], names=data.names[::-1])
    np.testing.assert_array_equal(serving.predict(mixed), serving.predict(data))
    assert np.isnan(in_order(data.features, data.names, ("no such",))).all()
    takes = serving.takes(serving.predict(data))
    assert takes.dtype == bool
