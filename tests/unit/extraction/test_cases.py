"""What the rules make of texts in the manner of many scripts, and of the same text dressed up."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.extraction.conftest import OWN_CASES
from trackrecord.extraction import extract

CLEAR = [case for case in OWN_CASES if "ambiguous" not in case["tags"]]


def answer(text: str) -> dict[str, Any]:
    got = extract(text).to_json()
    del got["extractor_version"]
    return got


@pytest.mark.parametrize("case", CLEAR, ids=lambda case: case["id"])
def test_reads_what_a_trader_would_record(case: dict[str, Any]) -> None:
    assert answer(case["text"]) == case["gold"]


@pytest.mark.parametrize("case", CLEAR[::3], ids=lambda case: case["id"])
@pytest.mark.parametrize(
    "dress",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\n\n" + text + "\n\n",
        lambda text: "\n".join(line + "   " for line in text.split("\n")),
        lambda text: text.replace("BUY", "\x1b[32mBUY\x1b[0m").replace(
            "SELL", "\x1b[31mSELL\x1b[0m"
        ),
        lambda text: text.replace(": ", ":\u00a0"),
    ],
    ids=["windows-lines", "blank-lines", "trailing-spaces", "colours", "no-break-spaces"],
)
def test_the_same_text_in_another_dress_says_the_same(case: dict[str, Any], dress: Any) -> None:
    if "\x1b" in dress("BUY") and "  " in case["text"]:
        pytest.skip("colour codes take room, which moves aligned columns")
    assert answer(dress(case["text"])) == case["gold"]


def test_of_several_symbols_each_keeps_its_own_prices() -> None:
    text = "ABC: BUY @ 10 target 12 stop 9\nXYZ: SELL @ 20 target 18 stop 21"
    first, second = extract(text).recommendations
    assert (first.symbol, first.target_price, first.stop_loss) == ("ABC", Decimal(12), Decimal(9))
    assert (second.symbol, second.target_price, second.stop_loss) == (
        "XYZ",
        Decimal(18),
        Decimal(21),
    )
    assert extract(text).final_action is None


def test_the_symbol_of_the_run_fills_in_where_the_text_names_none() -> None:
    assert extract("Signal: BUY", symbol="ACME").recommendations[0].symbol == "ACME"
    assert extract("Signal: BUY KO", symbol="ACME").recommendations[0].symbol == "KO"


def test_prices_are_exact_decimals() -> None:
    (item,) = extract("Signal: BUY\nEntry: 0.1000000000000000055").recommendations
    assert str(item.entry_price) == "0.1000000000000000055"
