"""Every value names its rule and its words, and every loser says why."""

from __future__ import annotations

from trackrecord.extraction import extract


def test_the_span_of_a_field_holds_the_words_it_was_read_from() -> None:
    text = "🟢 Signal: BUY\nTarget: ₹1,02,450.50"
    words = {item.field: text[item.start : item.end] for item in extract(text).evidence}
    assert words["recommendations[0].action"] == "BUY"
    assert words["recommendations[0].target_price"] == "Target: ₹1,02,450.50"


def test_a_losing_candidate_says_which_rule_beat_it() -> None:
    (loser,) = extract("RSI: SELL\nFinal decision: BUY").rejected
    assert (loser.candidate, loser.rule) == ("SELL", "shapes/vote")
    assert "vote" in loser.reason


def test_a_refusal_says_why() -> None:
    (refused,) = extract("Skipping signal: BUY").rejected
    assert refused.candidate == "BUY"
    assert "dropped" in refused.reason


def test_a_rejected_result_says_why() -> None:
    (refused,) = extract("Return: 3%\nTotal trades: 0").rejected
    assert "no trade" in refused.reason


def test_the_explanation_is_json() -> None:
    told = extract("Signal: BUY").explain()
    assert told["evidence"][0]["span"] == [8, 11]
    assert told["rejected"] == []
