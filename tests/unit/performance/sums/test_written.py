"""A record as it is read: exact money, and null with a reason where a number is not defined."""

from __future__ import annotations

import json
import math
from decimal import Decimal as D
from fractions import Fraction as F
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.performance.sums.sums import Sums
from trackrecord.performance.sums.written import add, record, text

money = st.decimals(D("-1e15"), D("1e15"), places=18, allow_nan=False)
gains = st.decimals(D(0), D("1e15"), places=18, allow_nan=False)


@st.composite
def sums(draw: st.DrawFn) -> Sums:
    wins, losses, breakevens = (draw(st.integers(0, 5)) for _ in range(3))
    profit = draw(gains) if wins else D(0)
    loss = -draw(gains) if losses else D(0)
    closed = wins + losses + breakevens
    return Sums(
        signals=closed + draw(st.integers(0, 3)),
        exits=closed,
        closed=closed,
        wins=wins,
        losses=losses,
        breakevens=breakevens,
        total_pnl=profit + loss,
        gross_profit=profit,
        gross_loss=loss,
        realised_pnl=draw(money),
        fees=draw(money),
        carry=draw(money),
        sum_return=draw(money) if closed else D(0),
    )


def of(**values: Any) -> dict[str, Any]:
    return record({"USD": Sums(**values)})


def test_a_record_in_one_currency() -> None:
    found = of(
        signals=4, closed=3, wins=2, losses=1, exits=3, total_pnl=D("2.00"),
        gross_profit=D("3.50"), gross_loss=D("-1.50"), realised_pnl=D("2.00"), fees=D("0.25"),
        carry=D("-0.05"), sum_return=D("0.03"), pnl_squares=D("8.5"),
    )  # fmt: skip
    assert found["currency"] == "USD"
    assert (found["signals"], found["open"], found["closed"]) == (4, 1, 3)
    assert found["win_rate"] == pytest.approx(2 / 3)
    assert found["total_pnl"] == "2"
    assert found["average_pnl"] == found["expectancy"] == "0.666666666666666667"
    assert found["gross_pnl"] == "2.2"
    assert found["profit_factor"] == pytest.approx(3.5 / 1.5)
    assert found["expectancy_ratio"] == pytest.approx((1 + 1.75 / 1.5) * 2 / 3 - 1)
    assert found["average_return"] == 0.01
    assert found["sqn"] == pytest.approx(math.sqrt(3) * (2 / 3) / math.sqrt((8.5 - 4 / 3) / 2))
    assert found["win_rate_interval"] == pytest.approx([0.2077, 0.9385], abs=1e-4)
    assert found["reasons"] == {}


def test_nothing_closed_gives_nulls_because_there_is_no_data() -> None:
    found = of(signals=2)
    nulls = {name for name, value in found.items() if value is None}
    assert nulls == {
        "win_rate", "win_rate_interval", "average_pnl", "expectancy", "average_return",
        "profit_factor", "expectancy_ratio", "sqn",
    }  # fmt: skip
    assert found["reasons"] == dict.fromkeys(nulls, "no_data")


def test_no_losses_give_no_profit_factor_and_no_large_number_instead() -> None:
    found = of(signals=1, closed=1, wins=1, total_pnl=D(5), gross_profit=D(5), sum_return=D("0.1"))
    assert found["profit_factor"] is None
    assert found["expectancy_ratio"] is None
    assert found["reasons"] == {
        "profit_factor": "no_losses", "expectancy_ratio": "no_losses", "sqn": "too_few",
    }  # fmt: skip
    assert found["win_rate"] == 1.0


def test_losses_only_give_a_profit_factor_of_0() -> None:
    found = of(signals=1, closed=1, losses=1, total_pnl=D(-5), gross_loss=D(-5))
    assert found["profit_factor"] == 0
    assert found["expectancy_ratio"] == -1
    assert found["win_rate"] == 0


def test_breakevens_count_in_the_win_rate() -> None:
    assert of(signals=4, closed=4, wins=1, breakevens=3)["win_rate"] == 0.25


def test_currencies_are_never_summed() -> None:
    found = record(
        {
            "USD": Sums(signals=1, closed=1, wins=1, total_pnl=D(5), gross_profit=D(5)),
            "INR": Sums(signals=2, closed=1, losses=1, total_pnl=D(-70), gross_loss=D(-70)),
        }
    )
    assert (found["signals"], found["closed"], found["wins"], found["losses"]) == (3, 2, 1, 1)
    assert found["win_rate"] == 0.5
    assert list(found["currencies"]) == ["INR", "USD"]
    assert found["currencies"]["USD"]["total_pnl"] == "5"
    assert found["currencies"]["INR"]["total_pnl"] == "-70"
    assert not any("pnl" in name for name in found)


@pytest.mark.parametrize(
    "currencies",
    [{"USD": Sums(signals=2)}, {"USD": Sums(signals=2), "INR": Sums(signals=1)}],
)
def test_every_null_has_its_reason_wherever_it_stands(currencies: dict[str, Sums]) -> None:
    found = record(currencies)
    for part in [found, *found.get("currencies", {}).values()]:
        assert {name for name, value in part.items() if value is None} == set(part["reasons"])


@given(st.dictionaries(st.sampled_from(["USD", "INR", "USDT"]), sums(), min_size=1))
def test_a_record_is_json_without_nan_and_every_null_has_a_reason(parts: dict[str, Sums]) -> None:
    found = record(parts)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    for part in [found, *found.get("currencies", {}).values()]:
        assert {name for name, value in part.items() if value is None} == set(part["reasons"])
        assert not any(isinstance(v, float) and not math.isfinite(v) for v in part.values())


@given(sums())
def test_money_is_written_exactly(one: Sums) -> None:
    found = record({"USD": one})
    for name in ("total_pnl", "gross_profit", "gross_loss", "realised_pnl", "fees", "carry"):
        assert F(found[name]) == F(getattr(one, name))
    assert F(found["gross_pnl"]) == F(one.realised_pnl) + F(one.fees) + F(one.carry)


@given(sums(), sums(), sums())
def test_sums_add_up_in_any_order_without_loss(a: Sums, b: Sums, c: Sums) -> None:
    assert add(add(a, b), c) == add(a, add(b, c)) == add(add(c, a), b)
    assert F(add(a, b).total_pnl) == F(a.total_pnl) + F(b.total_pnl)


@pytest.mark.parametrize(
    ("value", "written"),
    [("1.50", "1.5"), ("-0.00", "0"), ("100", "100"), ("1E+3", "1000"), ("1E-18", f"0.{1:018}")],
)  # fmt: skip
def test_money_is_written_with_plain_digits(value: str, written: str) -> None:
    assert text(D(value)) == written
