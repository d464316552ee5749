"""``trackrecord label``: a line in, a line out, whatever the line holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from trackrecord.cli.main import app

DAYS = [
    ["2026-01-05T00:00:00Z", 100, 101, 99, 100.5],
    ["2026-01-06T00:00:00Z", 101, 106, 100, 105],
    ["2026-01-07T00:00:00Z", 105, 107, 94, 96],
]
SIGNAL = {"side": "LONG", "entry_price": 100, "target": 105, "stop": 95, "horizon_bars": 3}


def line(**changes: Any) -> dict[str, Any]:
    return {"id": "a", "signal": SIGNAL, "bars": DAYS, **changes}


def answers(*lines: Any, arguments: tuple[str, ...] = (), code: int = 0) -> list[dict[str, Any]]:
    text = "\n".join(each if isinstance(each, str) else json.dumps(each) for each in lines)
    run = CliRunner().invoke(app, ["label", "--json", *arguments], input=text)
    assert run.exit_code == code, run.output
    return [json.loads(each) for each in run.stdout.splitlines()]


def test_a_line_is_answered_with_everything_that_happened() -> None:
    [answer] = answers(line())
    assert answer == {
        "id": "a",
        "outcome": "target",
        "exit_index": 1,
        "exit_time": "2026-01-06T00:00:00Z",
        "exit_price": 105.0,
        "return": 0.05,
        "label": 1,
        "how": "intrabar",
        "ambiguous": False,
        "win": True,
        "mae": -0.01,
        "mfe": 0.05,
        "reason": None,
    }


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (line(signal={**SIGNAL, "target": 99}), "target of a long lies above"),
        (line(signal={**SIGNAL, "stop": 101}), "stop of a long lies below"),
        (line(bars=[[*DAYS[0][:2], 98, 99, 98.5]]), "high is below"),
        (line(bars=[[DAYS[0][0], "NaN", 101, 99, 100]]), "no price"),
        (line(bars=[]), "no bars"),
        (line(bars=[DAYS[1], DAYS[0]]), "out of order"),
        (line(bars=[DAYS[0], DAYS[0]]), "out of order"),
        (line(bars=[[None, 1, 2, 1, 1]]), "is a time such as"),
        (line(bars=[DAYS[0], [1, 1, 2, 1, 1]]), "not a number of seconds"),
        (line(bars=[["1767571200", 1, 2, 1, 1]]), "not a number of seconds"),
        (line(bars=[["monday", 1, 2, 1, 1]]), "not a time such as"),
        (line(signal={**SIGNAL, "entry_time": 1767571200}), "not a number of seconds"),
        (line(bars=[[DAYS[0][0], 22.8, 22.9, 22, 23.1]]), "high is below open, close or low"),
        (line(bars=[[DAYS[0][0], 22.8, 23.9, 22.9, 23.1]]), "low is above open or close"),
        (line(bars=[[1, 2, 3]]), "not [time, open, high, low, close]"),
        (line(signal={**SIGNAL, "side": "UP"}), "side is LONG or SHORT"),
        (line(signal={**SIGNAL, "entry_price": "much"}), "entry price is a number"),
        (line(signal={**SIGNAL, "horizon_bars": 0}), "at least one bar"),
        (line(signal={**SIGNAL, "horizon_bars": 2.5}), "whole number"),
        (line(signal={**SIGNAL, "entry_time": "2026-01-06T00:00:00Z"}), "before the entry"),
        (line(policy="coin"), "the policy is one of"),
        (line(signal=None), 'has a "signal"'),
        ('{"id": "a", "signal": {"side": "LONG", "entry_price": NaN}, "bars": []}', "no price"),
    ],
)
def test_a_line_that_breaks_a_rule_says_so_and_the_others_are_judged(
    broken: Any, words: str
) -> None:
    first, second = answers(broken, line(id="b"), code=1)
    assert first["id"] == "a"
    assert words in first["error"]
    assert set(first) == {"id", "error"}
    assert (second["id"], second["outcome"]) == ("b", "target")


def test_sides_and_times_are_read_as_people_write_them() -> None:
    bars = [[at.replace("T", " ").replace("Z", "+00:00"), *prices] for at, *prices in DAYS]
    signal = {**SIGNAL, "side": "buy", "entry_time": "2026-01-04 22:00:00+00:00"}
    [answer] = answers(line(signal=signal, bars=bars))
    assert (answer["outcome"], answer["exit_time"]) == ("target", "2026-01-06 00:00:00+00:00")


def test_bars_may_come_from_one_file(tmp_path: Path) -> None:
    rows = [f"{symbol},{at},{','.join(map(str, prices))},{revision}"
            for symbol, revision in (("000001", 0), ("1", 0))
            for at, *prices in reversed(DAYS)]  # fmt: skip
    rows.append("000001,2026-01-06 00:00:00+00:00,101,104,100,104,1")
    file = tmp_path / "bars.csv"
    file.write_text("symbol,opened_at,open,high,low,close,revision\n" + "\n".join(rows) + "\n")
    signal = {**SIGNAL, "symbol": "000001", "entry_time": "2026-01-04T22:00:00Z"}
    lines = [
        {"id": "a", "signal": signal},
        {"id": "b", "signal": {**signal, "symbol": "1"}},
        {"id": "c", "signal": {**signal, "symbol": "2"}},
        {"id": "d", "signal": SIGNAL},
        {"id": "e", "signal": {**signal, "entry_time": "2026-01-08"}},
        line(id="f"),
    ]
    first, second, *wrong, own = answers(*lines, arguments=("--bars", str(file)), code=1)
    assert (first["outcome"], first["exit_index"]) == ("target", 2)
    assert (second["outcome"], second["exit_index"]) == ("target", 1)
    for answer, words in zip(
        wrong, ("no bars of 2", "names its", "from 2026-01-08 on"), strict=True
    ):
        assert words in answer["error"]
    assert own["outcome"] == "target"


def test_an_expiry_has_lived_through_its_bar() -> None:
    [answer] = answers(line(signal={**SIGNAL, "horizon_bars": 1}, bars=[DAYS[0]]))
    assert (answer["outcome"], answer["mae"], answer["mfe"]) == ("expired", -0.01, 0.01)


def test_what_is_no_json_is_told_by_its_line() -> None:
    first, second, third = answers("{", '["id"]', line(), code=1)
    assert "line 1 is not JSON" in first["error"]
    assert 'line 2 is no object with an "id"' in second["error"]
    assert third["outcome"] == "target"


def test_policy_horizon_and_jumps_are_options() -> None:
    both = [["2026-01-05T00:00:00Z", 100, 106, 94, 100]]
    assert answers(line(bars=both))[0]["outcome"] == "stop"
    assert answers(line(bars=both, policy="target_first"))[0]["outcome"] == "target"
    chosen = ("--policy", "target_first")
    assert answers(line(bars=both), arguments=chosen)[0]["outcome"] == "target"

    free = {"side": "SHORT", "entry_price": 100}
    assert answers(line(signal=free))[0]["outcome"] == "pending"
    assert answers(line(signal=free), arguments=("--horizon", "2"))[0]["outcome"] == "expired"

    split = [DAYS[0], ["2026-01-06T00:00:00Z", 50, 51, 49, 50]]
    assert answers(line(bars=split))[0]["outcome"] == "void"
    assert answers(line(bars=split), arguments=("--jumps", "off"))[0]["outcome"] == "stop"


def test_a_person_gets_a_table_and_a_wrong_option_one_clear_line() -> None:
    run = CliRunner().invoke(app, ["label"], input=json.dumps(line()))
    assert run.exit_code == 0
    assert "target" in run.stdout
    assert "+5.00%" in run.stdout
    assert "1 target" in run.stdout
    run = CliRunner().invoke(app, ["label", "--jumps", "2,1"], input=json.dumps(line()))
    assert run.exit_code == 2
    assert "--jumps" in run.output


def test_splits_are_told_in_a_line_or_in_the_file_of_bars(tmp_path: Path) -> None:
    signal = {"side": "LONG", "entry_price": 150, "target": 165, "stop": 135, "horizon_bars": 3}
    days = [
        ["2026-01-05", 150, 153, 147, 150],
        ["2026-01-06", 100, 102, 98, 100],
        ["2026-01-07", 104, 110, 103, 108],
    ]
    untold, told, *wrong = answers(
        line(signal=signal, bars=days),
        line(signal=signal, bars=days, splits=[["2026-01-06", "1.5"]]),
        line(signal=signal, bars=days, splits=[["2026-01-06", 0]]),
        line(signal=signal, bars=days, splits=[["2026-02-06", 2]]),
        line(signal=signal, bars=days, splits={"2026-01-06": 2}),
        code=1,
    )
    assert (untold["outcome"], untold["exit_price"]) == ("stop", 100)
    assert (told["outcome"], told["exit_price"], told["return"]) == ("target", 165, 0.1)
    for answer, words in zip(wrong, ("above 0, not 0", "no bar is of", "[[time of"), strict=True):
        assert words in answer["error"]
    file = tmp_path / "bars.csv"
    rows = [",".join(map(str, ["AAA", *day, "1.5" if day is days[1] else ""])) for day in days]
    file.write_text("symbol,opened_at,open,high,low,close,split_ratio\n" + "\n".join(rows) + "\n")
    asked = json.dumps(
        {"id": "a", "signal": signal | {"symbol": "AAA", "entry_time": "2026-01-05"}}
    )
    later = json.dumps(
        {
            "id": "b",
            "signal": signal
            | {
                "symbol": "AAA",
                "entry_time": "2026-01-06",
                "entry_price": 100,
                "target": 110,
                "stop": 90,
            },
        }
    )
    found, after = answers(asked, later, arguments=("--bars", str(file)))
    assert (found["outcome"], found["exit_price"], found["return"]) == ("target", 165, 0.1)
    # It enters at that very bar, and speaks of new shares.
    assert (after["outcome"], after["exit_price"], after["return"]) == ("target", 110, 0.1)
