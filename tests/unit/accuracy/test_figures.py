"""The figures, on readings whose shares are known."""

from __future__ import annotations

import json
from typing import Any

from trackrecord.accuracy import differences, figures, read_label
from trackrecord.accuracy.differences import Reason
from trackrecord.extraction import extract

NOTHING = {"return_pct": None, "outcome": None}


def read(*actions: str, result: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    empty = dict.fromkeys(
        ("symbol", "entry_price", "target_price", "stop_loss", "confidence"),
    )
    return {
        "recommendations": [{"action": each, **empty, **fields} for each in actions],
        "final_action": actions[0] if len(set(actions)) == 1 else None,
        "result": result or NOTHING,
    }


def label(text: str, gold: dict[str, Any]) -> Any:
    return read_label(json.dumps({"text": text, "gold": gold}))


def test_shares_of_final_actions() -> None:
    row = figures(
        [
            (read("BUY"), {"final_action": "BUY"}),
            (read("SELL"), {"final_action": "BUY"}),
            (read(), {"final_action": "HOLD"}),
            (read(), {"final_action": "HOLD"}),
            (read(), {"final_action": None}),
            (read("HOLD"), {"final_action": None}),
            (read("HOLD"), {"result": NOTHING}),  # says nothing of the final action
        ]
    )
    assert row["texts"] == 7
    assert (row["action_recall"], row["refusal"]) == (0.25, 0.5)
    assert row["precision"] == round(1 / 3, 4)
    assert row["all_right"] == round(2 / 6, 4)


def test_f1_counts_a_wrong_value_twice_and_a_missing_one_once() -> None:
    wanted = {"action": "BUY", "entry_price": 10}
    row = figures(
        [
            (read("BUY", entry_price=10.0), {"recommendations": [wanted]}),
            (read("BUY", entry_price=11), {"recommendations": [wanted]}),
            (read("BUY"), {"recommendations": [wanted]}),
        ]
    )
    assert row["entry_price"] == round(2 * 1 / (2 + 3), 4)
    assert row["action"] == 1.0
    assert row["symbol"] is None


def test_a_recommendation_that_none_is_wanted_for_counts_against_its_fields() -> None:
    row = figures([(read("BUY", symbol="ACME"), {"recommendations": []})])
    assert (row["action"], row["symbol"], row["entry_price"]) == (0.0, 0.0, None)


def test_nothing_to_count_gives_no_figure() -> None:
    row = figures([])
    assert row.pop("texts") == 0
    assert set(row.values()) == {None}


def test_a_difference_names_the_words_that_were_read() -> None:
    text = "Signal: BUY ACME\nEntry: 150.25"
    wanted = {"recommendations": [{"action": "BUY", "entry_price": 150.5}]}
    (found,) = differences(label(text, wanted), extract(text))
    assert (found.field, found.wanted, found.read) == (
        "recommendations[0].entry_price", 150.5, 150.25,
    )  # fmt: skip
    (reason,) = found.reasons
    assert (reason.why, reason.line) == ("read here", 2)
    assert "150.25" in reason.words


def test_a_difference_names_the_words_that_were_refused() -> None:
    text = "RSI low\nSkipping signal: BUY ACME"
    found = differences(label(text, {"recommendations": [{"action": "BUY", "symbol": "ACME"}]}),
                        extract(text))  # fmt: skip
    assert [each.field for each in found] == ["final_action", "recommendations[0].action"]
    refused = extract(text).rejected[0]
    assert found[0].reasons == (Reason(refused.rule, refused.reason, "BUY", 2),)


def test_of_a_recommendation_too_many_only_the_action_is_named() -> None:
    text = "Signal: SELL ACME\nEntry: 150.25"
    found = differences(label(text, {"recommendations": []}), extract(text))
    assert [each.field for each in found] == ["final_action", "recommendations[0].action"]


def test_what_a_label_leaves_out_is_no_difference() -> None:
    text = "Signal: SELL ACME\nEntry: 150.25\nTotal return: 3%"
    gold = {"recommendations": [{"symbol": "ACME"}], "result": {"outcome": "profit"}}
    assert differences(label(text, gold), extract(text)) == []
