"""What a labelled line may leave out, and what is said of one that is wrong."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.accuracy import LabelError, read_label


def line(gold: Any, **others: Any) -> str:
    return json.dumps({"text": "x", "gold": gold, **others})


def test_id_tags_and_whatever_else_are_optional() -> None:
    label = read_label(line({"final_action": None}))
    assert (label.text, label.gold, label.name, label.tags) == (
        "x",
        {"final_action": None},
        None,
        (),
    )
    label = read_label(line({"result": None}, id=7, tags=["log"], source="mine", origin=1))
    assert (label.name, label.tags) == (7, ("log",))
    assert label.gold == {"result": {"return_pct": None, "outcome": None}}


@pytest.mark.parametrize(
    ("actions", "final"), [(["BUY", "BUY"], "BUY"), (["BUY", "SELL"], None), ([], None)]
)
def test_the_final_action_follows_from_recommendations(actions: list[str], final: str) -> None:
    gold = read_label(line({"recommendations": [{"action": each} for each in actions]})).gold
    assert gold["final_action"] == final
    assert read_label(line({"recommendations": [], "final_action": "BUY"})).gold["final_action"]


def test_without_an_action_it_does_not_follow() -> None:
    assert "final_action" not in read_label(line({"recommendations": [{"symbol": "A"}]})).gold


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("nope", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[1]", "no JSON object"),
        ('{"gold": {"final_action": "BUY"}}', '"text"'),
        ('{"text": "x"}', '"gold"'),
        (line({}), '"gold"'),
        (line({"final": "BUY"}), '"gold"'),
        (line({"final_action": "buy"}), "BUY, SELL"),
        (line({"final_action": ["BUY"]}), "BUY, SELL"),
        (line({"recommendations": "BUY"}), "a list of objects"),
        (line({"recommendations": [{"action": None}]}), "recommendations[0].action"),
        (line({"recommendations": [{"entry": 1}]}), "has no 'entry'"),
        (line({"recommendations": [{"entry_price": "1"}]}), "recommendations[0].entry_price"),
        (line({"recommendations": [{"confidence": True}]}), "recommendations[0].confidence"),
        (line({"recommendations": [{"stop_loss": 10**400}]}), "recommendations[0].stop_loss"),
        (line({"recommendations": [{"stop_loss": float("nan")}]}), "recommendations[0].stop_loss"),
        (line({"recommendations": [{"symbol": 1}]}), "recommendations[0].symbol"),
        (line({"result": 1}), "result must be"),
        (line({"result": {"outcome": "won"}}), "profit, loss, breakeven"),
        (line({"final_action": None}, tags="log"), '"tags"'),
    ],
)
def test_what_is_wrong_is_named(wrong: str, words: str) -> None:
    with pytest.raises(LabelError) as raised:
        read_label(wrong)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["text", "gold", "recommendations", "final_action", "result", "action"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(anything)
def test_any_line_is_read_or_refused(value: Any) -> None:
    with contextlib.suppress(LabelError):
        assert isinstance(read_label(json.dumps(value)).text, str)
