"""The trainer as a process: killed in the middle, asked to end, told by events, and by commands."""

from __future__ import annotations

import json
import os
import signal
from datetime import UTC, datetime

import pytest

from tests.integration.pages import page
from tests.support import judged
from tests.support.compare import fetch
from tests.support.pipeline import Pipeline, until
from tests.support.trainings import (
    QUICK,
    SLOW,
    check_one_run,
    child_of,
    is_gone,
    jobs,
    one_of_everything,
    trained,
)
from trackrecord.events import SignalScored

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]


def test_killed_in_the_middle_it_is_taken_up_again_and_ends_once(pipeline: Pipeline) -> None:
    judged.fill(pipeline.settings, 1, 1_500, 1.5)
    process = pipeline.start("trainer", **SLOW)
    child = child_of(process)
    process.kill()
    until(lambda: is_gone(child), "what it had started ends with it", 10)
    assert jobs(pipeline) == [("running",)]
    heir = pipeline.start("trainer", **QUICK)
    check_one_run(pipeline, heir)
    assert jobs(pipeline, "attempts, trigger") == [(2, "outcomes")]


def test_frozen_in_the_middle_it_is_replaced_and_writes_nothing_when_it_wakes(
    pipeline: Pipeline,
) -> None:
    judged.fill(pipeline.settings, 1, 1_500, 1.5)
    zombie = pipeline.start("trainer", **SLOW | {"TRACKRECORD_TRAINER_BUDGET_SECONDS": "3"})
    child = child_of(zombie)
    child.suspend()
    zombie.freeze()
    heir = pipeline.start("trainer", **QUICK)
    told = check_one_run(pipeline, heir)
    assert jobs(pipeline, "attempts, epoch") == [(2, 2)]
    zombie.thaw()
    child.resume()
    until(lambda: zombie.lines("a training was given up"), "it finds that it was replaced", 60)
    until(lambda: is_gone(child), "its training has ended")
    until(lambda: zombie.is_ready, "it goes on")
    assert one_of_everything(pipeline) == told
    assert jobs(pipeline, "status, attempts, epoch") == [("completed", 2, 2)]
    assert (zombie.stop(), heir.stop()) == (0, 0)


def test_a_training_that_is_killed_is_begun_again_and_after_some_attempts_has_failed(
    pipeline: Pipeline,
) -> None:
    judged.fill(pipeline.settings, 1, 1_500, 1.5)
    process = pipeline.start("trainer", **SLOW, TRACKRECORD_TRAINER_ATTEMPTS="1")
    child_of(process).kill()
    until(lambda: jobs(pipeline) == [("failed",)], "it is given up", 30)
    [(error,)] = fetch(pipeline.settings, "SELECT error FROM ml_training_log")
    assert error == "its process was killed in each of 1 attempts"
    until(lambda: len(trained(pipeline)) == 1, "it is told")
    assert trained(pipeline)[0].status == "failed"
    assert "trackrecord_training_killed_total" in page(process, "/metrics")


def test_asked_to_end_it_gives_the_run_back_and_ends_in_good_order(pipeline: Pipeline) -> None:
    judged.fill(pipeline.settings, 1, 1_500, 1.5)
    process = pipeline.start("trainer", **SLOW)
    child = child_of(process)
    until(lambda: process.is_ready, "it is ready while it trains")
    os.kill(process.pid, signal.SIGTERM)
    assert process.ended(20) == 0
    assert process.lines("stopped")
    assert is_gone(child)
    assert jobs(pipeline, "status, attempts") == [("queued", 0)]
    check_one_run(pipeline, pipeline.start("trainer", **QUICK))


def test_events_make_it_look_at_once(pipeline: Pipeline) -> None:
    patient = {**QUICK, "TRACKRECORD_TRAINER_LOOK_SECONDS": "300"}
    process = pipeline.start("trainer", **patient)
    until(lambda: (process.status() or {}).get("listening"), "it listens", 60)
    judged.fill(pipeline.settings, 1, 1_500, 1.5)
    pipeline.publish(
        [
            SignalScored(
                signal_id=f"s1-{number}", strategy=f"planted-{number}", symbol="S1",
                outcome="target", label=1, policy="stop_first", scored_at=datetime.now(UTC),
                **{"return": 0.03},
            )
            for number in range(20)
        ]
    )  # fmt: skip

    def heard() -> bool:
        return 'trackrecord_messages_total{stage="trainer"' in page(process, "/metrics")

    until(heard, "it hears of them", 60)
    # Ten times as often as without hints, and not before: hints may come by the thousand.
    until(lambda: jobs(pipeline) == [("completed",)], "it looks, and trains", 120)


def test_commands_train_show_and_roll_back(pipeline: Pipeline) -> None:
    quick = ("--budget", "0", "--trials", "1")
    done = pipeline.command("train", *quick, "--json")
    assert done.returncode == 1, done.stderr
    assert "0 outcomes to learn from" in json.loads(done.stdout)["reason"]
    judged.fill(pipeline.settings, 1, 1_500, 1.5)
    done = pipeline.command("train", *quick, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["status"], told["promoted"], told["data_points"]) == ("completed", True, 1_500)
    assert told["metrics"]["auc"] > told["baseline"]["auc"]
    assert told["targets"]["auc"]["target"] == 0.8
    # The first run was refused, which is no failure.
    success = {"target": 0.95, "value": 1.0, "met": True}
    assert told["targets"]["retraining_success"] == success
    assert [event.promoted for event in trained(pipeline)] == [False, True]
    listed = json.loads(pipeline.command("models", "list", "--json").stdout)["versions"]
    assert [(each["version"], each["live"]) for each in listed] == [(told["version"], True)]
    assert told["version"] in pipeline.command("models", "list").stdout
    back = pipeline.command("models", "rollback", "--json")
    assert (back.returncode, json.loads(back.stdout)["live"]) == (0, None)
    again = pipeline.command("models", "rollback")
    assert (again.returncode, again.stdout) == (1, "")
    assert "no version of default serves" in again.stderr
    forth = pipeline.command("models", "rollback", "--to", told["version"])
    assert (forth.returncode, forth.stdout) == (0, f"live now: {told['version']}\n")
    kept = json.loads(pipeline.command("models", "history", "--json").stdout)
    assert [each["version"] for each in kept["history"]] == [told["version"], None, told["version"]]
    assert kept["runs"] == {
        "completed": 1, "refused": 1, "failed": 0, "failed_in_a_row": 0,
        "retraining_success": success,
    }  # fmt: skip
    line = "runs: 1 completed, 1 refused, 0 failed; 100.0% ended well, target 95%: met\n"
    for command in ("list", "history"):
        assert pipeline.command("models", command).stdout.endswith(line)
    queued = pipeline.command("train", "--queue", "--json")
    assert json.loads(queued.stdout)["status"] == "queued"
    twice = pipeline.command("train", "--queue")
    assert (twice.returncode, twice.stdout) == (2, "")
    assert "queued or running already" in twice.stderr
