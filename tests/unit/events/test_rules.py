"""Do events refuse what breaks a rule, and say so in words?"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from trackrecord.events import (
    EVENTS,
    MarketBar,
    ModelTrained,
    SignalAssessed,
    SignalClosed,
    SignalEmitted,
    StrategyGenerated,
)
from trackrecord.events.codec import InvalidEventError, encode, validate

from .builders import bar, exit_, signal


@pytest.mark.parametrize(
    ("written", "read"),
    [
        *(("BUY", "BUY"), ("LONG", "BUY"), ("SELL", "SELL"), ("SHORT", "SELL")),
        *(("buy", "BUY"), ("Long", "BUY"), ("sell", "SELL"), ("sHORT", "SELL")),
    ],
)
def test_a_side_has_synonyms_and_one_form(written: str, read: str) -> None:
    event = validate(SignalEmitted, signal(side=written))
    assert event.side == read
    assert f'"side":"{read}"'.encode() in encode(event)


@pytest.mark.parametrize("side", ["\u017fell", "HOLD", "BUY ", "", 1, None, ["BUY"]])
def test_another_side_is_refused(side: Any) -> None:
    with pytest.raises(InvalidEventError, match=r"^side: "):
        validate(SignalEmitted, signal(side=side))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("a\x00b", "NUL"),
        ("a\ud800b", "lone surrogate"),
        ("a\nb", "control character"),
        ("a\x7fb", "control character"),
        ("", "at least 1 character"),
        ("x" * 129, "at most 128 characters"),
        (7, "valid string"),
    ],
)
@pytest.mark.parametrize("field", ["signal_id", "strategy"])
def test_a_name_is_one_printable_line(field: str, value: Any, words: str) -> None:
    with pytest.raises(InvalidEventError, match=f"^{field}: .*{words}"):
        validate(SignalEmitted, signal(**{field: value}))


def test_a_name_may_be_of_any_script() -> None:
    assert (
        validate(SignalEmitted, signal(symbol="貴州茅台", strategy="🐢" * 128)).symbol == "貴州茅台"
    )


@pytest.mark.parametrize("metadata", [{"a": "\x00"}, {"\x00": 1}, {"a": [{"b": "\x00"}]}])
def test_free_json_holds_no_nul(metadata: dict[str, Any]) -> None:
    with pytest.raises(InvalidEventError, match="metadata: holds a NUL"):
        validate(SignalEmitted, signal(metadata=metadata))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (float("nan"), "NaN"),
        (float("inf"), "Infinity"),
        (1 << 80, "64 bits"),
        ("\udfff", "surrogate"),
    ],
)
def test_free_json_holds_only_what_json_and_postgres_can(value: Any, words: str) -> None:
    with pytest.raises(InvalidEventError, match=words):
        validate(SignalEmitted, signal(metadata={"a": [value]}))


def _nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"leaf": 1}
    for _ in range(levels - 1):
        value = {"deeper": value}
    return value


def test_free_json_has_at_most_32_levels() -> None:
    assert validate(SignalEmitted, signal(metadata=_nested(32))).metadata == _nested(32)
    with pytest.raises(InvalidEventError, match="more than 32 levels"):
        validate(SignalEmitted, signal(metadata=_nested(33)))
    with pytest.raises(InvalidEventError, match="more than 32 levels"):
        validate(SignalEmitted, signal(metadata=_nested(5_000)))


def test_nulls_inside_free_json_are_kept() -> None:
    assert b'"metadata":{"a":null}' in encode(validate(SignalEmitted, signal(metadata={"a": None})))


def test_problems_of_a_strategy_follow_the_rules_of_free_json() -> None:
    data = {"request_id": "r", "owner": "o", "prompt": "p", "strategy_id": "s", "status": "draft"}
    with pytest.raises(InvalidEventError, match="NUL"):
        validate(StrategyGenerated, data | {"problems": [{"message": "\x00"}]})


@pytest.mark.parametrize(("model", "build"), [(SignalEmitted, signal), (SignalClosed, exit_)])
def test_a_fee_is_money_or_a_rate_but_not_both(model: Any, build: Any) -> None:
    with pytest.raises(InvalidEventError, match="not both"):
        validate(model, build(fee="1", fee_rate="0.001"))
    assert validate(model, build(fee=None, fee_rate="0.001")).fee is None
    assert validate(model, build(fee="-1")).fee == -1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"high": "10.5"}, "high is below open, close or low"),
        ({"low": "10.5"}, "low is above open or close"),
        ({"high": "8"}, "high is below"),
        ({"closed_at": "2026-03-02T14:30:00Z"}, "closed_at is not after opened_at"),
        ({"volume": "-1"}, "volume: must not be negative"),
        ({"open": "-1"}, "low is above open or close"),
        ({"timeframe": "0d"}, "timeframe: "),
        ({"timeframe": "1d\n"}, "timeframe: "),
        ({"revision": -1}, "revision: "),
        ({"revision": True}, "revision: "),
        ({"revision": 2**31}, "revision: "),
    ],
)
def test_a_bar_that_cannot_be_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidEventError, match=words):
        validate(MarketBar, bar(**fields))


def test_a_bar_may_close_below_zero() -> None:
    found = validate(MarketBar, bar(open="10.01", high="10.01", low="-40.32", close="-37.63"))
    assert (found.low, found.close) == (Decimal("-40.32"), Decimal("-37.63"))


def test_a_bar_of_one_price_is_a_bar() -> None:
    assert validate(MarketBar, bar(open="9", high="9", low="9", close="9", volume="0")).high == 9


@pytest.mark.parametrize("value", ["0.5", True, float("nan"), [], 10**400])
def test_features_and_metrics_are_numbers(value: Any) -> None:
    data = {"signal_id": "s", "strategy": "x", "symbol": "y", "assessed_at": "2026-03-02T14:30:00Z"}
    with pytest.raises(InvalidEventError, match=r"features.rsi: "):
        validate(SignalAssessed, data | {"features": {"rsi": value}})


def test_names_of_metrics_follow_the_rules_of_names() -> None:
    data = {
        "training_id": "t",
        "model": "m",
        "status": "completed",
        "promoted": False,
        "trained_at": "2026-03-02T14:30:00Z",
        "duration_seconds": 1,
        "data_points": 1,
    }
    with pytest.raises(InvalidEventError, match="NUL"):
        validate(ModelTrained, data | {"metrics": {"a\x00": 1}})


def test_unknown_fields_are_passed_over() -> None:
    event = validate(SignalEmitted, signal(time_in_force="DAY"))
    assert event == validate(SignalEmitted, signal())
    assert b"time_in_force" not in encode(event)


def test_every_broken_rule_is_named_at_once() -> None:
    with pytest.raises(InvalidEventError) as caught:
        validate(SignalEmitted, signal(price=1.5, side="HOLD", strategy=""))
    assert all(f"{field}: " in str(caught.value) for field in ("price", "side", "strategy"))


@pytest.mark.parametrize("data", [None, [], "text", 1])
@pytest.mark.parametrize("model", EVENTS.values())
def test_what_is_no_object_is_no_event(model: Any, data: Any) -> None:
    with pytest.raises(InvalidEventError):
        validate(model, data)


def test_an_event_does_not_change() -> None:
    event = validate(SignalEmitted, signal())
    with pytest.raises(ValidationError, match="frozen"):
        event.price = 1  # type: ignore[misc,assignment]
