"""``trackrecord metrics``: what it reads, what it answers, how it refuses."""

from __future__ import annotations

import json
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from trackrecord.cli.metrics.command import metrics_command

app = typer.Typer()
app.command()(metrics_command)
runner = CliRunner()

LONG = {"side": "BUY", "quantity": 1, "entry_price": 150.25, "exit_price": 151.80}
TIMES = {"entry_time": "2026-03-02T10:00:00Z", "exit_time": "2026-03-04T10:00:00Z"}


def ask(document: Any, *options: str) -> dict[str, Any]:
    text = document if isinstance(document, str) else json.dumps(document)
    result = runner.invoke(app, ["--json", *options], input=text)
    assert result.exit_code == 0, result.stderr
    answer: dict[str, Any] = json.loads(result.stdout, parse_float=D)
    return answer


def refuse(text: str, *arguments: str) -> str:
    result = runner.invoke(app, ["--json", *arguments], input=text)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("trackrecord metrics: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_a_buy_that_rose_is_a_win_of_the_difference() -> None:
    answer = ask({"trades": [LONG]})
    assert answer["trades"] == [
        {"id": "1", "pnl": D("1.55"), "return": D("0.010316139767054908"), "outcome": "win"}
    ]
    assert (answer["closed"], answer["wins"], answer["total_pnl"]) == (1, 1, D("1.55"))
    assert answer["profit_factor"] is None
    assert answer["reasons"]["profit_factor"] == "no_losses"
    assert answer["reasons"]["max_drawdown"] == "no_starting_equity"
    assert answer["reasons"]["sharpe"] == "no_times"


def test_money_keeps_every_digit() -> None:
    price = "1.000000000000000001"
    text = '{"trades": [{"side": "SELL", "quantity": 3, "entry_price": 2, "exit_price": %s}]}'
    assert ask(text % price)["total_pnl"] == D("2.999999999999999997")


def test_times_and_equity_give_daily_returns() -> None:
    answer = ask({"trades": [LONG | TIMES], "starting_equity": 1000}, "--as-of", "2026-03-06")
    assert (answer["basis"], answer["sessions"]) == ("capital", 5)
    assert answer["max_drawdown"] == 0
    assert (answer["sharpe"], answer["reasons"]["sharpe"]) == (None, "too_few")
    assert answer["too_few_to_tell"] is True
    without = ask({"trades": [LONG | TIMES]})
    assert without["basis"] == "mean_trade_return"
    assert without["reasons"]["cagr"] == "no_capital"


def test_returns_have_every_number_or_a_reason() -> None:
    returns = [0.01, -0.02, 0.03, 0.01, -0.01]
    answer = ask({"returns": returns, "trials": [0.1, 0.2], "benchmark_sharpe": 0.01})
    for name in ("sharpe", "sortino", "max_drawdown", "cagr", "calmar", "volatility",
                 "value_at_risk", "conditional_value_at_risk", "probabilistic_sharpe_ratio",
                 "deflated_sharpe_ratio", "total_return"):  # fmt: skip
        assert answer[name] is not None, name
    for name, value in answer.items():
        assert value is not None or name in answer["reasons"], name


def test_a_window_moves_over_returns_or_trades() -> None:
    returns = [0.01, -0.02, 0.03, 0.01]
    moving = ask({"returns": returns}, "--rolling", "3")["rolling"]
    assert moving["window"] == 3
    whole = ask({"returns": returns[1:]})
    assert [len(moving[name]) for name in moving if name != "window"] == [4] * 5
    assert moving["return"][:2] == [None, None]
    assert float(moving["return"][3]) == pytest.approx(float(whole["total_return"]))
    assert float(moving["volatility"][3]) == pytest.approx(float(whole["volatility"]))
    lost = LONG | {"exit_price": 1}
    assert ask({"trades": [LONG, lost, lost], "rolling": 2})["rolling"] == {
        "window": 2, "win_rate": [None, D("0.5"), 0],
    }  # fmt: skip
    assert "at least 2" in refuse('{"returns": [0.1], "rolling": 1}')
    assert "without gaps" in refuse('{"returns": [0.1, null, 0.2], "rolling": 2}')


LUCK = ("sharpe", "sharpe_interval", "probabilistic_sharpe_ratio", "deflated_sharpe_ratio")


@pytest.mark.parametrize("won", [1, 2, 4])
@pytest.mark.parametrize("size", [0.01, -0.01])
def test_a_few_returns_among_zeros_are_not_told_from_luck(won: int, size: float) -> None:
    returns = [0.0] * 100
    for place in range(won):
        returns[7 * place] = size * (1 + place)
    answer = ask({"returns": returns, "trials": 3})
    assert answer["too_few_to_tell"] is True
    assert [answer[name] for name in LUCK] == [None] * 4
    assert {answer["reasons"][name] for name in LUCK} == {"too_few"}
    returns[50:55] = [0.01, -0.01, 0.02, 0.01, -0.02]
    enough = ask({"returns": returns, "trials": 3})
    assert None not in [enough[name] for name in LUCK]


def test_trades_are_told_from_luck_from_the_tenth_in_the_fifth_session() -> None:
    def closed(count: int, days: int) -> list[dict[str, Any]]:
        return [
            LONG | {"exit_price": 151 + place % 3, "entry_time": "2026-03-02T10:00:00Z",
                    "exit_time": f"2026-03-{2 + place % days:02}T15:00:00Z"}
            for place in range(count)
        ]  # fmt: skip

    for count, days, few in ((10, 5, False), (9, 5, True), (10, 4, True), (40, 2, True)):
        answer = ask({"trades": closed(count, days), "trials": 2}, "--as-of", "2026-06-01")
        assert (answer["sharpe"] is None) == few
        assert (answer["reasons"].get("probabilistic_sharpe_ratio") == "too_few") == few


def test_a_curve_that_comes_back_has_recovered() -> None:
    answer = ask({"equity": [101, 99.0663, 101, 101]})
    assert (answer["longest_drawdown"], answer["longest_recovery"]) == (2, 2)
    assert (answer["max_drawdown_recovery"], answer["total_return"]) == (1, 0)


@pytest.mark.parametrize(
    ("entry", "exit_", "side", "pnl"),
    [
        ("10.01", "-37.63", "LONG", "-47.64"),
        ("-37.63", "10.01", "LONG", "47.64"),
        ("0", "-1.5", "SHORT", "1.5"),
    ],
)
def test_prices_may_have_any_sign(entry: str, exit_: str, side: str, pnl: str) -> None:
    trade = {"side": side, "quantity": 1, "entry_price": entry, "exit_price": exit_}
    answer = ask({"trades": [trade | {"entry_fee": 0}]})
    assert answer["total_pnl"] == D(pnl)
    [told] = answer["trades"]
    assert told["outcome"] == ("win" if D(pnl) > 0 else "loss")
    assert (told["return"] is None) == (D(entry) <= 0)
    if D(entry) <= 0:
        assert answer["reasons"]["average_return"] == "entry_not_positive"
    fee = ask({"trades": [trade | {"entry_price": "-5", "entry_fee": 100}]})
    assert fee["trades"][0]["return"] is None


def test_sides_and_times_are_read_as_people_write_them() -> None:
    trade = LONG | {"side": "long", "entry_time": "2026-03-02 10:00:00+00:00"}
    answer = ask({"trades": [trade | {"exit_time": "2026-03-04"}]})
    assert (answer["wins"], answer["sessions"]) == (1, 3)
    for number in (1772442900, "1772442900", 1772442900.5, 1772442900000):
        said = refuse(json.dumps({"trades": [LONG | {"exit_time": number}]}))
        assert "2026-01-31T09:30:00Z" in said
        assert "seconds" in said


@pytest.mark.parametrize("kind", ["returns", "trades"])
def test_nothing_gives_nulls_with_a_reason(kind: str) -> None:
    answer = ask({kind: []})
    missing = {name for name, value in answer.items() if value is None}
    assert missing == set(answer["reasons"])
    assert set(answer["reasons"].values()) == {"no_data"}


def test_a_period_without_an_observation_is_null_or_nan() -> None:
    for gap in ("null", "NaN", '"NaN"'):
        assert ask(f'{{"returns": [{gap}, 0.1, 0.2]}}')["missing"] == 1


def test_options_replace_what_the_file_says() -> None:
    document = {"returns": [0.01, -0.02, 0.03], "periods_per_year": 12}
    yearly = float(ask(document)["volatility"])
    assert float(ask(document, "--periods-per-year", "48")["volatility"]) == pytest.approx(
        2 * yearly
    )


def test_csv_and_parquet_say_what_json_says(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    expected = ask({"trades": [LONG | TIMES, LONG | TIMES | {"side": "SHORT"}]})
    frame = polars.DataFrame([LONG | TIMES, LONG | TIMES | {"side": "SHORT"}])
    for name, write in (("a.csv", frame.write_csv), ("a.parquet", frame.write_parquet)):
        write(tmp_path / name)
        assert ask("", str(tmp_path / name)) == expected
    series = tmp_path / "r.csv"
    series.write_text("day,return\n2026-03-02,0.01\n2026-03-03,\n2026-03-04,-0.02\n")
    assert ask("", str(series)) == ask({"returns": [0.01, None, -0.02]})
    series.write_text("return\n")
    assert ask("", str(series)) == ask({"returns": []})


def test_a_person_gets_a_table_with_definitions() -> None:
    result = runner.invoke(app, [], input='{"returns": [0.01, 0.02, -0.01]}')
    assert result.exit_code == 0
    assert "sharpe" in result.stdout
    assert "standard deviation, per year" in result.stdout


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not JSON (line 1"),
        ("{", "is not JSON"),
        ("3", "holds no object"),
        ("{}", "holds none of returns, equity and trades"),
        ('{"returns": [], "trades": []}', "give one"),
        ('{"returns": 3}', "returns is a list"),
        ('{"returns": [0.1, "x"]}', "value 2 of returns is a number"),
        ('{"returns": [0.1, Infinity]}', "value 2 of returns is a finite number"),
        ('{"returns": [true]}', "value 1 of returns is a number"),
        ('{"returns": [0.1], "trials": 0}', "trials is a whole number above 0"),
        ('{"returns": [0.1], "trials": []}', "trials is empty"),
        ('{"returns": [0.1], "periods_per_year": -1}', "periods_per_year is above 0"),
        ('{"equity": [1, 0]}', "level 1 is not above 0"),
        ('{"trades": 3}', "trades is a list"),
        ('{"trades": [3]}', "trade 1 is an object"),
        ('{"trades": [{"side": "BUY"}]}', "trade 1 has no quantity"),
        (json.dumps({"trades": [LONG | {"side": "UP"}]}), "side of trade 1 is LONG"),
        (json.dumps({"trades": [LONG | {"quantity": -1}]}), "trade 1: quantity is above 0"),
        (json.dumps({"trades": [LONG | {"exit_time": "x"}]}), "exit_time of trade 1: not a time"),
        (json.dumps({"trades": [LONG], "starting_equity": 0}), "starting_equity is above 0"),
        ('{"returns": [1e999999999]}', "beyond what an amount can be"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(text: str, words: str) -> None:
    assert words in refuse(text)


def test_a_file_that_is_not_there_or_not_what_it_says(tmp_path: Path) -> None:
    assert "cannot read" in refuse("", str(tmp_path / "none.json"))
    for name in ("a.csv", "a.parquet", "a.json"):
        path = tmp_path / name
        path.write_bytes(b"\xff\xfe\x00rubbish")
        refuse("", str(path))
    path.write_text("[1")
    assert "is not JSON" in refuse("", str(path))
    columns = tmp_path / "b.csv"
    columns.write_text("a,b\n1,2\n")
    assert "has the columns a, b" in refuse("", str(columns))
