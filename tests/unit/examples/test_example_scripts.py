"""The example scripts, run as their users run them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from trackrecord.events import MarketBar
from trackrecord.extraction import extract
from trackrecord.local.demo_data import write_csv

SCRIPTS = Path(__file__).parents[3] / "examples" / "scripts"

HORIZONS = {
    "stock_analyzer_v1": 10,
    "btst_analyzer": 1,
    "momentum_trader": 5,
    "sector_rotation": 21,
}
"""How many sessions after a call its result is printed."""

CALL = {
    "stock_analyzer_v1": r"Symbol: (\w+)\nRecommendation: (?:STRONG )?(?:BUY|SELL)\nEntry: (\S+)",
    "btst_analyzer": r"BTST BUY: (\w+)\nEntry: (\S+)",
    "momentum_trader": r"Signal: (?:BUY|SELL) (\w+) @ (\S+)",
    "sector_rotation": r"Final decision: BUY (\w+)\nEntry: (\S+)",
}
REFUSAL = {
    "stock_analyzer_v1": "No recommendation: ",
    "btst_analyzer": "No BTST setup today",
    "momentum_trader": "No signal: ",
    "sector_rotation": "No rotation: ",
}
SETTLED = {
    "stock_analyzer_v1": r"Call of (\S+) on (\w+):",
    "btst_analyzer": r"Pick of (\S+): (\w+) from",
    "momentum_trader": r"closed (?P<symbol>\w+) of (?P<day>\S+) \(",
    "sector_rotation": r"choice: (?P<symbol>\w+) since (?P<day>\S+)",
}
RESULT = r"Realised return: ([+-]\d+\.\d\d)%"


def run(script: str, bars: Path, day: str, *arguments: str) -> str:
    # Isolated and without site-packages: the scripts promise to need only Python.
    command = [sys.executable, "-I", "-S", str(SCRIPTS / f"{script}.py")]
    done = subprocess.run(
        [*command, "--bars", str(bars), "--as-of", day, *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout


def sessions(bars: list[MarketBar]) -> list[str]:
    return sorted({bar.opened_at.date().isoformat() for bar in bars})


def settled(script: str, output: str) -> tuple[str, str] | None:
    found = re.search(SETTLED[script], output)
    if not found:
        return None
    named = found.groupdict()
    return (named["day"], named["symbol"]) if named else (found[1], found[2])


@pytest.mark.parametrize("script", HORIZONS)
@pytest.mark.parametrize("day", ["2011-02-01", "2012-01-06", "2012-07-20", "2013-01-25"])
def test_a_script_never_looks_beyond_its_day(
    script: str, day: str, real_bars: list[MarketBar], bars_file: Path, tmp_path: Path
) -> None:
    known = [bar for bar in real_bars if bar.opened_at.date().isoformat() <= day]
    write_csv(known, tmp_path / "known.csv")

    assert run(script, bars_file, day) == run(script, tmp_path / "known.csv", day)


@pytest.mark.parametrize("script", HORIZONS)
def test_a_script_calls_refuses_and_settles_each_call_once(
    script: str, real_bars: list[MarketBar], bars_file: Path
) -> None:
    days = sessions(real_bars)
    calls = refusals = 0
    # Days on which each of the scripts calls or refuses something, found by their own rules.
    for day in ["2011-02-01", "2012-01-06", "2012-02-03", "2012-05-04", "2012-11-02", "2012-11-15"]:
        said = run(script, bars_file, day)
        later = run(script, bars_file, days[days.index(day) + HORIZONS[script]])
        call = re.search(CALL[script], said)
        assert (call is None) == (REFUSAL[script] in said)
        assert len(re.findall(RESULT, later)) == (1 if call else 0)
        assert settled(script, later) == ((day, call[1]) if call else None)
        calls += call is not None
        refusals += call is None
    assert calls
    assert refusals


@pytest.mark.parametrize("symbol", ["AAPL", "IBM"])
def test_a_result_follows_from_the_bars(
    symbol: str, real_bars: list[MarketBar], bars_file: Path
) -> None:
    # The rotation has no levels, so that its result is close over close.
    days = sessions(real_bars)
    closes = {b.opened_at.date().isoformat(): b.close for b in real_bars if b.symbol == symbol}
    compared = 0
    for day in ["2011-12-30", "2012-02-17", "2012-03-30", "2012-05-11", "2012-10-10"]:
        output = run("sector_rotation", bars_file, day, "--symbol", symbol)
        if result := re.search(RESULT, output):
            entry = closes[days[days.index(day) - 21]].quantize(Decimal("0.01"))
            assert abs(Decimal(result[1]) - (closes[day] / entry - 1) * 100) <= Decimal("0.006")
            compared += 1
    assert compared


def test_a_traded_price_lies_in_a_session_that_followed(
    real_bars: list[MarketBar], bars_file: Path
) -> None:
    days = sessions(real_bars)
    compared = 0
    for day in days[300:420:10]:
        output = run("momentum_trader", bars_file, day)
        line = re.search(r"closed (\w+) of (\S+) \((\w+)\): (\S+) -> (\S+)", output)
        if line is None:
            continue
        symbol, since, _, entry, price = line.groups()
        after = days[days.index(since) + 1 : days.index(day) + 1]
        held = [b for b in real_bars if b.symbol == symbol and str(b.opened_at.date()) in after]
        cent = Decimal("0.01")
        assert any(bar.low - cent <= Decimal(price) <= bar.high + cent for bar in held)
        result = re.search(RESULT, output)
        assert result
        change = abs((Decimal(price) / Decimal(entry) - 1) * 100)
        assert abs(abs(Decimal(result[1])) - change) <= Decimal("0.06")
        compared += 1
    assert compared >= 3


@pytest.mark.parametrize("script", HORIZONS)
@pytest.mark.parametrize("day", ["2012-01-06", "2012-05-04", "2012-11-02", "2013-01-25"])
def test_what_a_script_prints_is_read_as_it_means_it(
    script: str, day: str, bars_file: Path
) -> None:
    output = run(script, bars_file, day)
    read = extract(output)

    result = re.search(RESULT, output)
    assert read.result.return_pct == (Decimal(result[1]) if result else None)
    call = re.search(CALL[script], output)
    assert len(read.recommendations) == (1 if call else 0)
    if call:
        said = read.recommendations[0]
        action = re.search(r"(BTST BUY|STRONG BUY|BUY|SELL)", output)
        assert action
        assert said.action == action[1].replace(" ", "_")
        assert (said.symbol, said.entry_price) == (call[1], Decimal(call[2]))
        for level, label in ((said.target_price, "Target"), (said.stop_loss, "(?:SL|Stop loss)")):
            printed = re.search(rf"{label}: (\S+)", output)
            assert level == (Decimal(printed[1]) if printed else None)


def test_the_rotations_json_is_read_as_it_means_it(bars_file: Path) -> None:
    output = run("sector_rotation", bars_file, "2012-11-02", "--json")
    answer, read = json.loads(output), extract(output)

    assert [(r.action, r.symbol) for r in read.recommendations] == [("BUY", answer["symbol"])]
    assert read.result.return_pct == Decimal(str(answer["return_pct"]))


def test_the_rotation_says_the_same_as_json(bars_file: Path) -> None:
    text = run("sector_rotation", bars_file, "2012-11-02")
    answer = json.loads(run("sector_rotation", bars_file, "2012-11-02", "--json"))

    assert answer["final_decision"] == "BUY"
    assert f"Final decision: BUY {answer['symbol']}\nEntry: {answer['entry']:.2f}" in text
    assert f"Realised return: {answer['return_pct']:+.2f}%" in text


@pytest.mark.parametrize("script", HORIZONS)
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--bars", "nowhere.csv", "--as-of", "2012-01-06"], "nowhere.csv"),
        (["--bars", "BARS", "--as-of", "1999-01-04"], "up to 1999-01-04"),
        (["--bars", "BARS", "--as-of", "2012-01-06", "--symbol", "TSLA"], "has no such bars"),
    ],
)
def test_a_script_without_bars_says_so(
    script: str, arguments: list[str], words: str, bars_file: Path
) -> None:
    filled = [str(bars_file) if argument == "BARS" else argument for argument in arguments]
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(SCRIPTS / f"{script}.py"), *filled],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
