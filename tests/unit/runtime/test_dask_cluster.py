"""Training on a Dask cluster gives what training here gives, and what goes wrong is said."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from distributed.diagnostics.plugin import SchedulerPlugin
from sklearn.metrics import roc_auc_score

from tests.support.dask_workers import dask_workers
from tests.unit.learning.worlds import world
from trackrecord.learning.files import pack, unpack
from trackrecord.learning.members import Fitter, Settings, fit_boosting, fit_here
from trackrecord.learning.probabilities import log_loss
from trackrecord.learning.search import Budget
from trackrecord.learning.train import Trained, train
from trackrecord.runtime import dask_cluster
from trackrecord.runtime.dask_cluster import fitter_at
from trackrecord.runtime.errors import ConfigurationError, UnreachableError

NOWHERE = "tcp://127.0.0.1:1"
ONES = np.ones(3_000)


class Busy(SchedulerPlugin):  # type: ignore[misc]
    """Which workers have grown trees."""

    def __init__(self) -> None:
        self.workers: set[str] = set()
        self.begun = threading.Event()

    def transition(self, key: Any, _start: str, finish: str, *_: Any, **more: Any) -> None:
        if str(key).startswith("_train_part"):
            if finish == "memory":
                self.workers.add(more["worker"])
            self.begun.set()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with dask_workers() as found:
        yield found


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "REACHED_WITHIN", 1.0)


def trained(fitter: Fitter) -> Trained:
    return train(world(1, 4_000, 1.5), budget=Budget(None, 1), seed=1, fitter=fitter)


def test_training_on_a_cluster_gives_the_same_metrics_within_noise(
    cluster: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    busy, told = Busy(), []
    cluster.scheduler.add_plugin(busy)
    here = trained(fit_here)
    with fitter_at(cluster.scheduler_address, told.append) as fitter:
        capfd.readouterr()
        there = trained(fitter)
    assert len(busy.workers) == 2
    [words] = told
    assert words.endswith(f"by the Dask cluster at {cluster.scheduler_address}, workers: 2")
    assert there.verdict.promoted
    assert there.verdict.promoted == here.verdict.promoted
    assert there.report["settings"] == here.report["settings"]
    assert there.learnt_until == here.learnt_until
    # The standard error of both numbers on 1,000 unseen outcomes is 0.012; this is less than half.
    for number in ("auc", "log_loss"):
        found, expected = there.report["metrics"][number], here.report["metrics"][number]
        assert found == pytest.approx(expected, abs=0.005), number
    # Of the trees alone, on rows enough that chance hardly counts. Seeds move the AUC of boosting
    # by 0.001 here; half the rows, which is what one worker has, cost 0.003 and more, and of the
    # forest's 0.007 and more.
    fresh = world(2, 20_000, 1.5)
    for kind, apart in (("boosting", 0.002), ("forest", 0.005)):
        parts = [each.ensemble.models[kind].predict(fresh.features) for each in (here, there)]
        for measure in (roc_auc_score, lambda *rows: log_loss(*rows).mean()):
            expected, found = (float(measure(fresh.success, part)) for part in parts)
            assert found == pytest.approx(expected, abs=apart), kind
    # What is kept needs no Dask, and says nothing of the machines.
    files = pack(there.ensemble, {})
    again, _ = unpack(files)
    np.testing.assert_array_equal(
        again.predict(fresh.features), there.ensemble.predict(fresh.features)
    )
    for kind in ("forest", "boosting"):
        assert b"127.0.0.1" not in files[f"{kind}.txt"]
        assert shape(files[f"{kind}.txt"]) == shape(pack(here.ensemble, {})[f"{kind}.txt"])


def shape(text: bytes) -> list[tuple[str, str]]:
    """The parameters in a model, but for those that tell how it was grown."""
    found = re.findall(r"^\[(\w+): (.*)\]$", text.decode(), re.MULTILINE)
    assert len(found) > 100
    return [each for each in found if each[0] not in {"tree_learner", "feature_pre_filter",
                                                      "num_threads"}]  # fmt: skip


def areas(cluster: Any, features: Any, success: Any, settings: Settings) -> tuple[float, float]:
    """The areas under the ROC curve that boosting has here and there, on what it learnt from."""
    with fitter_at(cluster.scheduler_address) as fitter:
        here, there = (
            fit_boosting(features, success, np.ones(len(success)), settings, 1, each)
            for each in (fit_here, fitter)
        )
    return tuple(roc_auc_score(success, each.predict(features)) for each in (here, there))


def test_a_worker_that_has_but_one_class_knows_which(cluster: Any) -> None:
    data = world(1, 3_000, 1.5)
    # Rows are dealt out in turn: one worker has all successes, the other all failures.
    rows = np.empty(2_000, np.int64)
    rows[::2] = np.flatnonzero(data.success == 1)[:1_000]
    rows[1::2] = np.flatnonzero(data.success == 0)[:1_000]
    here, there = areas(cluster, data.features[rows], data.success[rows], Settings())
    assert there == pytest.approx(here, abs=0.02)


def test_what_grows_with_time_is_known_in_every_time(cluster: Any) -> None:
    grown = np.arange(4_000.0)
    here, there = areas(cluster, grown[:, None], (grown // 250) % 2, Settings())
    assert here > 0.98
    assert there == pytest.approx(here, abs=0.02)


def test_what_can_part_all_rows_though_not_those_of_one_worker_is_learnt(cluster: Any) -> None:
    rare = (np.arange(2_000) % 10 < 3).astype(np.float64)
    here, there = areas(cluster, rare[:, None], rare, Settings(smallest_leaf=400))
    assert (here, there) == (1, 1)


def test_rows_count_by_their_weights(cluster: Any) -> None:
    truth = (np.arange(3_000) % 4 < 2).astype(np.float64)
    wrong = np.arange(3_000) % 10 < 6
    told, weights = np.where(wrong, 1 - truth, truth), np.where(wrong, 0.01, 1.0)
    with fitter_at(cluster.scheduler_address) as fitter:
        model = fit_boosting(truth[:, None], told, weights, Settings(), 1, fitter)
    assert roc_auc_score(truth, model.predict(truth[:, None])) == 1


def test_nothing_is_printed_among_the_answers_of_a_command(
    cluster: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    data = world(1, 3_000, 1.5)
    with fitter_at(cluster.scheduler_address) as fitter:
        fit_boosting(data.features, data.success, ONES, Settings(rounds=5), 1, fitter)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("harm", "words"),
    [(signal.SIGKILL, "did not fit the models"), (signal.SIGSTOP, "not fitted within 10 seconds")],
)
def test_a_worker_that_is_lost_or_hangs_ends_the_training(
    harm: signal.Signals, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, busy = world(1, 3_000, 1.5), Busy()
    with dask_workers() as cluster, fitter_at(cluster.scheduler_address) as fitter:
        fit_boosting(data.features, data.success, ONES, Settings(rounds=5), 1, fitter)
        if harm == signal.SIGSTOP:
            monkeypatch.setattr(dask_cluster, "FITTED_WITHIN", 10.0)
        cluster.scheduler.add_plugin(busy)
        [pid, _] = [nanny.pid for nanny in cluster.workers.values()]

        def do_harm() -> None:
            busy.begun.wait()
            time.sleep(0.5)  # so that trees grow already, most often
            os.kill(pid, harm)

        thread = threading.Thread(target=do_harm)
        thread.start()
        with pytest.raises(UnreachableError, match=words) as raised:
            fit_boosting(data.features, data.success, ONES, Settings(rounds=10**6), 1, fitter)
        thread.join()
        assert "train again, or without Dask" in str(raised.value)


@pytest.mark.usefixtures("at_once")
def test_a_scheduler_that_is_not_there_is_said() -> None:
    with (
        pytest.raises(UnreachableError, match=f"no Dask scheduler answers at {NOWHERE}.*start one"),
        fitter_at(NOWHERE),
    ):
        pass


@pytest.mark.usefixtures("at_once")
def test_a_cluster_without_workers_is_said() -> None:
    with (
        dask_workers(workers=0) as cluster,
        pytest.raises(UnreachableError, match="has no workers: start some with `dask worker tcp:"),
        fitter_at(cluster.scheduler_address),
    ):
        pass


@pytest.mark.parametrize("name", ["distributed", "dask.array", "pandas"])
def test_packages_that_are_missing_are_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with (
        pytest.raises(ConfigurationError, match=r"pip install 'trackrecord\[learning,dask\]'"),
        fitter_at(NOWHERE),
    ):
        pass


def test_without_an_address_nothing_of_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with fitter_at("") as fitter:
        assert fitter is fit_here
