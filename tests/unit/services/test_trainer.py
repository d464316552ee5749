"""What the trainer needs, and what it hands over to the process that trains."""

from __future__ import annotations

import importlib
import importlib.util

import pytest

import services
from services.trainer.handler.trainer import handed_over
from services.trainer.service import STAGE
from trackrecord.cli.stack import specs
from trackrecord.runtime.errors import ConfigurationError
from trackrecord.runtime.jobs import METRICS
from trackrecord.runtime.settings import Settings, load_settings
from trackrecord.stages import STAGES


def test_the_process_that_trains_has_the_settings_of_the_stage() -> None:
    settings = load_settings(
        {
            "DATABASE_URL": "postgresql://u:p@db:5433/x",
            "TRACKRECORD_MODEL": "crypto",
            "TRACKRECORD_TRAINER_TRIALS": "7",
            "TRACKRECORD_TRAINER_DASK": "tcp://scheduler:8786",
            "TRACKRECORD_TRAINER_DECAY": "false",
            "TRACKRECORD_KAFKA_SASL_MECHANISM": "PLAIN",
        }
    )
    assert Settings.model_validate_json(handed_over(settings)) == settings


def test_where_its_packages_are_missing_it_is_left_out_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "trainer" in [stage.name for stage in specs({})[0]]

    def find_spec(name: str) -> object:
        return None if name == "faust" else importlib.util.find_spec(name)

    monkeypatch.setattr(services, "find_spec", find_spec)
    others = [name for name, entry in STAGES.items() if "faust" not in entry.packages]
    assert [stage.name for stage in specs({}, api=False)[0]] == others
    assert {"extractor", "signal_tracker", "outcome_scorer"} <= set(others)
    assert "trainer is left out: it needs faust" in capsys.readouterr().err
    specs({"trainer": 0, "strategy_gen": 0})
    assert capsys.readouterr().err == ""


def test_it_says_nothing_of_partitions_that_it_does_not_have() -> None:
    names = {metric.name for metric in METRICS}
    assert "trackrecord_ready" in names
    assert not {"trackrecord_assigned_partitions", "trackrecord_lag_messages"} & names
    assert [event.event_type for event in STAGE.produces] == ["model_trained"]


def test_a_search_without_end_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="has no end: set TRACKRECORD_TRAINER_TRIALS"):
        load_settings({"TRACKRECORD_TRAINER_BUDGET_SECONDS": "0"})


def test_an_address_of_no_scheduler_is_refused() -> None:
    for wrong in ("scheduler", "scheduler:8786", "http://scheduler:8786", "tcp://scheduler"):
        with pytest.raises(ConfigurationError, match=f"TRACKRECORD_TRAINER_DASK='{wrong}'"):
            load_settings({"TRACKRECORD_TRAINER_DASK": wrong})


def test_packages_that_are_imported_already_are_there() -> None:
    importlib.import_module("faust")  # which puts another module in its place, without a spec
    assert services.lacking("trainer") == []
