"""Real bars with outcomes that others worked out: ``trackrecord label`` agrees with all of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support.corpora import needed
from trackrecord.cli.main import app

HOWS = {
    "gap_open_through_target": "gap",
    "gap_open_through_stop": "gap",
    "intrabar": "intrabar",
    "same_bar_both": "intrabar",
    "horizon_close": "expiry",
    "bars_end_before_horizon": None,
}


def test_all_outcomes_on_real_bars_agree() -> None:
    cases = json.loads(needed("barriers/dev.json").read_text())["cases"]
    lines = "".join(
        json.dumps({name: case[name] for name in ("id", "signal", "bars")}) + "\n" for case in cases
    )
    run = CliRunner().invoke(app, ["label", "--json"], input=lines)
    assert run.exit_code == 0
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == [case["id"] for case in cases]
    for case, answer in zip(cases, answers, strict=True):
        assert_same(case["expected"], answer)


def assert_same(expected: dict[str, Any], answer: dict[str, Any]) -> None:
    for name in ("outcome", "exit_index", "exit_time", "exit_price", "label", "ambiguous", "win"):
        assert answer[name] == expected.get(name), name
    assert answer["how"] == HOWS[expected["how"]]
    if expected.get("return") is None:
        assert answer["return"] is None
    else:
        assert answer["return"] == pytest.approx(expected["return"], abs=1e-12)
        assert answer["mae"] <= min(0, answer["return"])
        assert answer["mfe"] >= max(0, answer["return"])
