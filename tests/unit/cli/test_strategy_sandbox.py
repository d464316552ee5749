"""``trackrecord strategy validate``, ``run`` and ``sandbox``: answers, exit codes, plain lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.unit.strategies.honest import SMA_CROSS
from trackrecord.cli.main import app
from trackrecord.errors import TrackrecordError

EXAMPLES = sorted((Path(__file__).parents[3] / "examples/strategies/sandboxed").glob("*.py"))
HOLD = (
    'PARAMETERS = {"n": {"type": "int", "default": 4, "min": 1, "max": 9}}\nLOOKBACK = 2\n'
    "def execute_strategy(market_data, strategy_params):\n"
    "    n, close = strategy_params['n'], market_data['bars'][-1]['close']\n"
    "    return {'action': 'buy', 'reason': f'{n}', 'metadata': {'stop_loss': close - n}}\n"
)
BARS = [
    {"time": f"2024-03-{day:02}T00:00:00Z", "open": 10, "high": 12, "low": 9, "close": 11,
     "volume": 5}
    for day in (1, 2, 3)
]  # fmt: skip


def invoke(*arguments: str, text: str | bytes = "") -> Result:
    return CliRunner().invoke(app, ["strategy", *arguments], input=text)


@pytest.fixture
def strategy(tmp_path: Path) -> Path:
    path = tmp_path / "hold.py"
    path.write_text(HOLD)
    return path


def call(**changed: Any) -> str:
    data = {"symbol": "A", "timeframe": "1d", "bars": BARS, **changed}
    return json.dumps({"market_data": data, "strategy_params": {"n": 2}})


def test_run_prints_the_decision(strategy: Path) -> None:
    ran = invoke("run", str(strategy), text=call())
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout) == {
        "action": "buy",
        "confidence": None,
        "reason": "2",
        "metadata": {"stop_loss": 9.0},
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "market_data"),
        ("{}", "market_data"),
        ('{"market_data": {}, "params": {}}', "'params'"),
        ('{"market_data": 5}', "market_data is 5"),
        ('{"market_data": {"symbol": "A", "bars": []}, "strategy_params": []}', "is an object"),
        (call(bars=[{**BARS[0], "high": 1}]), "high 1 is below low 9"),
        (call(bars=[{**BARS[0], "close": float("nan")}]), "close is nan"),
        (call(bars=[BARS[1], BARS[0]]), "not after"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_what_is_no_call_is_one_line_and_two(strategy: Path, text: str, words: str) -> None:
    ran = invoke("run", str(strategy), text=text)
    assert isinstance(ran.exception, TrackrecordError)  # `main` makes it one line and exit code 2
    assert words in str(ran.exception)
    assert "\n" not in str(ran.exception)
    assert ran.stdout == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (call(bars=BARS[:1]), "1 bars, and it looks back on 2"),
        (json.dumps({"market_data": {"symbol": "A", "bars": BARS}, "strategy_params": {"n": 99}}),
         "9 at most"),
        (json.dumps({"market_data": {"symbol": "A", "bars": BARS}, "strategy_params": {"m": 1}}),
         "no parameter 'm'"),
    ],
)  # fmt: skip
def test_where_there_is_no_decision_it_says_why_and_one(
    strategy: Path, text: str, words: str
) -> None:
    ran = invoke("run", str(strategy), text=text)
    assert ran.exit_code == 1
    assert words in json.loads(ran.stdout)["message"]


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"\xff\xfe x", "not UTF-8 (byte 0)"), (b"x = '\xe9'", "not UTF-8 (byte 5)")],
)
@pytest.mark.parametrize("command", ["run", "validate"])
def test_a_file_that_is_not_text_is_one_line(
    tmp_path: Path, content: bytes, words: str, command: str
) -> None:
    path = tmp_path / "bad.py"
    path.write_bytes(content)
    ran = invoke(command, str(path), text=call())
    assert isinstance(ran.exception, TrackrecordError)
    assert words in str(ran.exception)


@pytest.mark.parametrize("command", ["run", "validate"])
def test_a_file_that_is_not_there_is_one_line(tmp_path: Path, command: str) -> None:
    for path in (tmp_path / "none.py", tmp_path):
        ran = invoke(command, str(path), text=call())
        assert isinstance(ran.exception, TrackrecordError)
        assert "cannot read" in str(ran.exception)


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"", "syntax", "nothing in it"),
        (b"x = 1\n\0", "syntax", "NUL"),
        (b"#" * 1_048_576, "syntax", "1,048,576 characters"),
        (b"def f(:", "syntax", "not Python"),
        (b"x = " + b"(" * 20_000 + b")" * 20_000, "syntax", ""),
        (b"x = 1\n", "contract", "there is no `def execute_strategy"),
        (b"import numpy\n" + HOLD.encode(), "forbidden", "numpy"),
    ],
)
def test_what_is_not_valid_is_told_with_one(
    tmp_path: Path, content: bytes, code: str, words: str
) -> None:
    path = tmp_path / "bad.py"
    path.write_bytes(content)
    ran = invoke("validate", str(path), "--json", "--quick")
    assert ran.exit_code == 1
    told = json.loads(ran.stdout)
    assert told["valid"] is False
    assert told["problems"][0]["code"] == code
    assert words in told["problems"][0]["message"]
    plain = invoke("validate", str(path), "--quick")
    assert (plain.exit_code, len(plain.stdout.splitlines())) == (1, len(told["problems"]))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_valid_and_trade(path: Path) -> None:
    ran = invoke("validate", str(path), "--json", "--quick")
    told = json.loads(ran.stdout)
    assert (ran.exit_code, told["valid"], told["problems"]) == (0, True, [])


def test_bars_of_ones_own_are_tried(tmp_path: Path) -> None:
    file = tmp_path / "cross.py"
    file.write_text(SMA_CROSS)
    bars = tmp_path / "bars.csv"
    lines = ["symbol,opened_at,open,high,low,close,volume"]
    lines += [f"X,2024-{1 + n // 28:02}-{1 + n % 28:02}T00:00:00Z,10,12,9,11,5" for n in range(90)]
    bars.write_text("\n".join(lines))
    told = json.loads(invoke("validate", str(file), "--json", "--bars", str(bars)).stdout)
    assert (told["valid"], told["decisions"]) == (True, 40)
    bars.write_text("\n".join([*lines, "X,2025-01-01T00:00:00Z,10,8,9,11,5"]))
    ran = invoke("validate", str(file), "--bars", str(bars))
    assert isinstance(ran.exception, TrackrecordError)
    assert "high 8 is below low 9" in str(ran.exception)


def test_sandbox_tells_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = invoke("sandbox", "--json")
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout)
    tried = {each["attempt"]: each["refused"] for each in told["attempts"]}
    assert {"open", "connect", "execve", "fork"} <= set(tried)
    assert (told["level"] != "process") == all(tried.values())
    assert told["worker"]["environment_bytes"] == 0
    monkeypatch.setenv("TRACKRECORD_SANDBOX_LEAST", "namespaces")
    monkeypatch.setenv("PATH", "/nonexistent")
    ran = invoke("sandbox", "--json")
    assert ran.exit_code == 1
    assert json.loads(ran.stdout)["enough"] is False
