"""What outputs were refused for: counted exactly, with the latest example, whatever the order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from services.extractor.service import STAGE
from tests.support.histories import START
from tests.support.servers import Services
from trackrecord.cli.main import app
from trackrecord.events import ScriptExecuted
from trackrecord.reports.refused import read_refused
from trackrecord.runtime.settings import Settings
from trackrecord.testing import StageRun, scratch_database
from trackrecord.testing.hypotheses import any_arrangement

pytestmark = pytest.mark.kafka

NEGATED = "Trend: down\nSkipping signal: BUY\n"
SIGNAL = "Signal: BUY ACME\nEntry: 10\n"
RESULT = "Total return: 12.5%\n"


def ran(number: int, output: str, script: str = "a.py", minutes: int | None = None) -> Any:
    at = START + timedelta(minutes=number if minutes is None else minutes)
    return ScriptExecuted(
        execution_id=f"run-{number:03}",
        script=script,
        started_at=at,
        finished_at=at,
        exit_code=0,
        output=output,
    )


def reported(settings: Settings, *options: str) -> Any:
    environment = {
        "DATABASE_URL": settings.database_url,
        "TRACKRECORD_DATABASE_SCHEMA": settings.database_schema,
    }
    return CliRunner().invoke(app, ["report", "--scripts", "--refused", *options], env=environment)


def test_each_reason_is_counted_and_shown_by_its_latest_run(services: Services) -> None:
    events = [
        ran(1, NEGATED), ran(2, NEGATED), ran(3, NEGATED + "token=hunter2 Skipping signal: SELL"),
        ran(4, NEGATED, "b.py"), ran(5, SIGNAL), ran(6, RESULT), ran(7, ""), ran(8, " \n"),
        ran(9, "Traceback:\nKeyError: 'close'\n"),
    ]  # fmt: skip
    with scratch_database(services.database_url) as settings:
        run = StageRun(STAGE, settings).of([*events, events[0]], batches=[1, 2, 7], consumers=2)
        assert run.refused == []
        found = read_refused(settings)
        assert (found["runs"], found["refused"]) == (9, 7)
        negated, *others = found["reasons"]
        assert negated["outputs"] == 4
        assert [(one["script"], one["outputs"]) for one in negated["scripts"]] == [
            ("a.py", 3),
            ("b.py", 1),
        ]
        latest = negated["scripts"][0]
        assert latest["execution_id"] == "run-003"
        assert latest["first_at"] == events[0].finished_at.isoformat()
        assert latest["last_at"] == events[2].finished_at.isoformat()
        assert latest["excerpt"] == "Skipping signal: BUY"
        assert {(one["rule"], one["outputs"]): one["scripts"][0]["excerpt"] for one in others} == {
            ("no-output", 2): "",
            ("no-action", 1): "KeyError: 'close'",
        }
        assert json.loads(reported(settings, "--json").stdout) == found
        shown = reported(settings).stdout
        assert "7 of 9 outputs recommend nothing" in shown
        assert "a.py: 3 times" in shown


def test_no_arrangement_changes_counts_or_examples(services: Services) -> None:
    outputs = (NEGATED, "", SIGNAL, "no word of it", "Buy when RSI < 30\n", NEGATED + "the end")
    events = [
        # Several end at one time: the id decides which of them is shown.
        ran(number, outputs[number % 6], f"{number % 2}.py", minutes=number // 5)
        for number in range(18)
    ]
    with scratch_database(services.database_url) as settings:
        stage = StageRun(STAGE, settings)
        expected = stage.of(events).run.content()
        assert len(expected["refused_outputs"]) >= 4

        @given(st.data())
        @hypothesis_settings(max_examples=5)
        def holds(data: st.DataObject) -> None:
            stage.arranged(events, data.draw(any_arrangement(len(events))))
            assert stage.content() == expected

        holds()


def test_what_was_printed_is_shown_as_text(services: Services) -> None:
    hostile = "\x1b[2J[bold]Skipping signal: BUY\u202e[/bold]"
    with scratch_database(services.database_url) as settings:
        StageRun(STAGE, settings).of([ran(1, hostile, "[red]a.py")])
        shown = reported(settings).stdout
        assert "[bold]Skipping signal: BUY" in shown
        assert "[red]a.py: once" in shown
        assert not any(character in shown for character in "\x1b\u202e")


@pytest.mark.parametrize(
    ("events", "words"),
    [([], "no script has run yet"), ([ran(1, SIGNAL)], "no output was refused")],
)
def test_where_there_is_none_it_says_so(
    services: Services, events: Sequence[ScriptExecuted], words: str
) -> None:
    with scratch_database(services.database_url) as settings:
        StageRun(STAGE, settings).of(events)
        assert words in reported(settings).stdout
