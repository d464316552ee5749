"""What a model said, read back from the tables of two stages, and shown."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from services.trainer.handler.champion_changes import roll_back
from tests.support import judged
from tests.support.compare import fetch, session
from tests.support.pipeline import ROOT, environ
from trackrecord.clock import SYSTEM_CLOCK
from trackrecord.learning.files import unpack
from trackrecord.reports.calibration_keeper import keep_calibrations, read_calibrations
from trackrecord.reports.models import read_calibration, read_training
from trackrecord.runtime import champion
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka


@pytest.fixture
def quick(settings: Settings) -> Settings:
    return settings.model_copy(update={"trainer_budget_seconds": 0.0, "trainer_trials": 1})


def trained(settings: Settings, strength: float) -> str:
    judged.fill(settings, 1, 1_500, strength)
    ended = judged.train(settings)
    assert ended.made
    return ended.made.version


def later(settings: Settings, version: str, rows: int = 600) -> list[float]:
    """Signals of the time after, judged by a version as the outcome_scorer judges them."""
    judged.fill(settings, 2, rows, 1.5, after=judged.YEARS)
    with session(settings) as cursor:
        ensemble, _ = unpack(champion.model_files(cursor, version))
        cursor.execute(
            "SELECT signal_id, features FROM assessments WHERE signal_id LIKE 's2-%'"
            " ORDER BY emitted_at, signal_id"
        )
        ids, features = zip(*cursor.fetchall(), strict=True)
        told = ensemble.predict(np.array(features, np.float64))
        verdicts = ensemble.thresholds.verdicts(told, np.ones(len(told), np.int8))
        for row in zip(told.tolist(), verdicts, ids, strict=True):
            cursor.execute(
                "UPDATE assessments SET probability = %s, verdict = %s, quality = 'POOR',"
                " model_version = %s WHERE signal_id = %s",
                (*row[:2], version, row[2]),
            )
    return [float(each) for each in told]


def change(settings: Settings, statement: str) -> None:
    with session(settings) as cursor:
        cursor.execute(statement)


def command(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "trackrecord.cli.main", "models", "calibration", *arguments],
        cwd=ROOT, env=environ(settings), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_what_it_said_of_later_signals_stands_beside_what_happened(quick: Settings) -> None:
    version = trained(quick, 1.5)
    told = later(quick, version)
    found = read_calibration(quick)
    assert found
    assert (found["version"], found["promoted"]) == (version, True)
    assert found["live_from"]
    assert found["judged"]["brier"] < found["judged"]["brier_of_base_rate"]
    assert sum(each["count"] for each in found["judged"]["bins"]) == found["judged"]["signals"]

    returned = fetch(
        quick,
        'SELECT "return" FROM outcomes WHERE signal_id LIKE %s ORDER BY emitted_at, signal_id',
        ("s2-%",),
    )
    success = np.array([each > 0 for (each,) in returned])
    since = found["since"]
    assert (since["signals"], since["waiting"], since["void"], since["learnt"]) == (600, 0, 0, 0)
    assert since["brier"] == pytest.approx(float(((np.array(told) - success) ** 2).mean()))
    assert since["success_rate"] == pytest.approx(float(success.mean()))
    assert since["gain"]["lower"] > 0, "what was planted goes on"
    counted = fetch(
        quick, "SELECT verdict, count(*) FROM assessments WHERE verdict IS NOT NULL GROUP BY 1"
    )
    assert {name: each["signals"] for name, each in since["verdicts"].items()} == dict(counted)


def test_what_is_not_known_yet_void_or_of_the_time_learnt_from_does_not_count(
    quick: Settings,
) -> None:
    version = trained(quick, 1.5)
    later(quick, version)
    change(quick, "UPDATE outcomes SET ends_at = NULL WHERE signal_id IN ('s2-1', 's2-2')")
    change(quick, "DELETE FROM outcomes WHERE signal_id = 's2-3'")
    change(quick, "UPDATE outcomes SET outcome = 'void', \"return\" = NULL, ends_at = NULL"
                  " WHERE signal_id = 's2-4'")  # fmt: skip
    [(learnt_until,)] = fetch(quick, "SELECT learnt_until FROM models")
    for name, moment in (("s2-5", learnt_until), ("s2-6", learnt_until + timedelta(seconds=1))):
        with session(quick) as cursor:
            cursor.execute(
                "UPDATE assessments SET emitted_at = %s WHERE signal_id = %s", (moment, name)
            )
    # Signals that another version judged, or none, are not its own.
    change(quick, "UPDATE assessments SET model_version = 'other' WHERE signal_id = 's2-7'")
    change(quick, "UPDATE assessments SET strategy = 'rare' WHERE signal_id IN ('s2-8', 's2-9')")
    found = read_calibration(quick)
    assert found
    since = found["since"]
    assert (since["signals"], since["waiting"], since["void"], since["learnt"]) == (594, 3, 1, 1)
    assert {name: each["signals"] for name, each in since["strategies"].items()} == {
        "planted": 592, "rare": 2,
    }  # fmt: skip
    only = read_calibration(quick, strategy="rare")
    assert only
    assert only["since"]["signals"] == 2
    assert only["judged"] == found["judged"]


def test_success_is_what_the_settings_say(quick: Settings) -> None:
    version = trained(quick, 1.5)
    later(quick, version)
    strict = quick.model_copy(update={"trainer_success": 0.03, "trainer_cost": 0.001})
    [(wanted,)] = fetch(
        quick,
        "SELECT avg((\"return\" - 0.001 > 0.03)::int) FROM outcomes WHERE signal_id LIKE 's2-%%'",
    )
    found = read_calibration(strict)
    assert found
    assert found["since"]["success_rate"] == pytest.approx(float(wanted))


def test_a_challenger_that_was_not_promoted_shows_what_it_said_of_unseen_outcomes(
    quick: Settings,
) -> None:
    version = trained(quick, 0.0)
    found = read_calibration(quick)
    assert found
    assert (found["version"], found["promoted"], found["live_from"]) == (version, False, None)
    assert "not better beyond noise" in found["reason"]
    assert found["since"]["signals"] == 0
    assert found["judged"]["bins"]
    shown = command(quick)
    assert shown.returncode == 0, shown.stderr
    assert f"version {version}, not promoted\nnot better beyond noise" in shown.stdout
    assert "It has judged no signal since." in shown.stdout
    assert "happened" in shown.stdout


def test_the_command_shows_the_one_that_serves_or_one_that_is_named(quick: Settings) -> None:
    nothing = command(quick, "--json")
    assert (nothing.returncode, json.loads(nothing.stdout)["version"]) == (0, None)
    assert "`trackrecord train` makes one" in command(quick).stdout
    unknown = command(quick, "--version", "nobody")
    assert unknown.returncode == 2
    assert "has no version nobody: see `trackrecord models list`" in unknown.stderr
    assert "Traceback" not in unknown.stderr

    version = trained(quick, 1.5)
    later(quick, version)
    shown = command(quick)
    assert shown.returncode == 0, shown.stderr
    assert f"version {version}, promoted\nbetter: " in shown.stdout
    for words in ("What it said of later signals", "600 signals: Brier score", "BUY", "planted"):
        assert words in shown.stdout
    with session(quick) as cursor:
        roll_back(cursor, quick.model, None, none=True)
    for arguments in ((), ("--version", version)):  # none serves: the newest
        told = command(quick, *arguments, "--json")
        assert told.returncode == 0, told.stderr
        answer: dict[str, Any] = json.loads(told.stdout)
        assert answer == json.loads(json.dumps(read_calibration(quick)))
        assert answer["version"] == version


def test_a_run_is_read_once_it_has_ended_with_what_counts_most_first(quick: Settings) -> None:
    judged.fill(quick, 1, 1_500, 1.5)
    job = judged.claim(quick)
    assert read_training(quick, job.training_id) is None
    ended = judged.run(quick, job)
    found = read_training(quick, job.training_id)
    assert found
    assert ended.made
    assert (found["status"], found["promoted"], found["version"]) == (
        "completed", True, ended.made.version,
    )  # fmt: skip
    shares = list(found["feature_importances"].values())
    assert shares == sorted(shares, reverse=True)
    assert next(iter(found["feature_importances"])) == "feature_0"
    refused = judged.claim(quick)
    judged.run(quick, refused)
    found = read_training(quick, refused.training_id)
    assert found
    assert (found["status"], found["promoted"], found["version"]) == ("failed", False, None)
    assert "are needed" in found["reason"]


def test_a_calibration_is_kept_until_outcomes_move_and_is_what_working_it_out_gives(
    quick: Settings,
) -> None:
    now = SYSTEM_CLOCK.now()
    assert keep_calibrations(quick, now) == 0
    version = trained(quick, 1.5)
    later(quick, version)
    assert keep_calibrations(quick, now) == 1
    with session(quick) as cursor:
        assert read_calibrations(cursor, quick) == {version: (now, read_calibration(quick))}
        other = quick.model_copy(update={"trainer_cost": 0.01})
        assert read_calibrations(cursor, other) == {}
    assert keep_calibrations(quick, now) == 0
    change(
        quick,
        "UPDATE outcomes SET \"return\" = -0.5 WHERE signal_id LIKE 's2-%%';"
        "INSERT INTO consumer_offsets (stage, topic, partition, topic_id,"
        " next_offset, epoch) VALUES ('outcome_scorer', 'moved', 0, '', 1, 0)",
    )
    assert keep_calibrations(quick, now + timedelta(seconds=1)) == 1
    with session(quick) as cursor:
        ((as_of, found),) = read_calibrations(cursor, quick, version).values()
        assert read_calibrations(cursor, quick, "another") == {}
    assert as_of == now + timedelta(seconds=1)
    assert found == read_calibration(quick)
    assert found["since"]["success_rate"] == 0
