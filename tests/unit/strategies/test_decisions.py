"""Whatever a strategy answers is a decision or a fault."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.strategies.contract import Decision, Fault, Position, Sides
from trackrecord.strategies.decisions import check_decision, side_opened

LONG, SHORT, FLAT = Position("LONG", 90.0, 1.0), Position("SHORT", 110.0, 1.0), Position()


def fault(answer: object, **options: Any) -> str:
    found = check_decision(answer, 100.0, **options)
    assert isinstance(found, Fault), found
    assert found.code == "contract"
    assert len(found.message) < 300
    assert "\n" not in found.message
    return found.message


def test_a_decision_is_taken_as_it_is() -> None:
    found = check_decision(
        {
            "action": "buy",
            "confidence": 1,
            "reason": "why",
            "metadata": {"stop_loss": 95, "target_price": 110.5, "horizon_bars": 3, "x": [1, None]},
        },
        100.0,
    )
    assert found == Decision(
        "buy", 1.0, "why", 95.0, 110.5, 3,
        {"stop_loss": 95, "target_price": 110.5, "horizon_bars": 3, "x": [1, None]},
    )  # fmt: skip


class _Loud:
    """Fails whatever is asked of it."""

    def __getattribute__(self, name: str) -> Any:
        if name == "__class__":  # pytest asks what it collects
            return _Loud
        raise AssertionError(name)

    def __eq__(self, other: object) -> bool:
        raise AssertionError

    def __hash__(self) -> int:
        return 1

    def __repr__(self) -> str:
        raise AssertionError


class _Dict(dict[str, Any]):
    pass


class _Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "answer",
    [
        None, "buy", 1, ["buy"], (), {"buy"}, True, _Loud(), _Dict(action="buy"), {},
        {"action": None}, {"action": "BUY"}, {"action": "close"}, {"action": 1},
        {"action": ["buy"]}, {"action": _Text("buy")}, {"action": "buy\0"}, {"action": _Loud()},
        {"action": "buy", "stop": 5}, {"action": "buy", 1: 2}, {"action": "buy", _Loud(): 2},
        {"action": "buy", "stop_loss": 95}, {"action": "buy", None: 1}, {"Action": "buy"},
        {"action": "buy", "confidence": math.nan}, {"action": "buy", "confidence": math.inf},
        {"action": "buy", "confidence": 1.0000001}, {"action": "buy", "confidence": -1e-9},
        {"action": "buy", "confidence": True}, {"action": "buy", "confidence": None},
        {"action": "buy", "confidence": "0.5"}, {"action": "buy", "confidence": 10**400},
        {"action": "buy", "confidence": decimal.Decimal("0.5")},
        {"action": "buy", "reason": None}, {"action": "buy", "reason": "x" * 201},
        {"action": "buy", "reason": "a\0b"}, {"action": "buy", "reason": "\ud800"},
        {"action": "buy", "reason": b"x"}, {"action": "buy", "reason": ["x"]},
        {"action": "buy", "metadata": None}, {"action": "buy", "metadata": []},
        {"action": "buy", "metadata": _Dict()}, {"action": "buy", "metadata": {1: 2}},
        {"action": "buy", "metadata": {"x": math.nan}}, {"action": "buy", "metadata": {"x": {1}}},
        {"action": "buy", "metadata": {"x": -math.inf}}, {"action": "buy", "metadata": {"x": (1,)}},
        {"action": "buy", "metadata": {"x": 2**64}}, {"action": "buy", "metadata": {"x": "\0"}},
        {"action": "buy", "metadata": {"\0": 1}}, {"action": "buy", "metadata": {"x": b""}},
        {"action": "buy", "metadata": {"x": _Loud()}}, {"action": "buy", "metadata": {"x": ...}},
        {"action": "buy", "metadata": {"x": dt.datetime(2024, 1, 1, tzinfo=dt.UTC)}},
        {"action": "buy", "metadata": {"x": "y" * 17_000}},
        {"action": "buy", "metadata": {"x": "é" * 9_000}},
        {"action": "buy", "metadata": {"x": [0] * 20_000}},
        {"action": "buy", "metadata": {"horizon_bars": 0}},
        {"action": "buy", "metadata": {"horizon_bars": -3}},
        {"action": "buy", "metadata": {"horizon_bars": 1.0}},
        {"action": "buy", "metadata": {"horizon_bars": True}},
        {"action": "buy", "metadata": {"horizon_bars": None}},
        {"action": "buy", "metadata": {"horizon_bars": 10**9}},
        {"action": "buy", "metadata": {"stop_loss": None}},
        {"action": "buy", "metadata": {"stop_loss": "95"}},
        {"action": "buy", "metadata": {"stop_loss": math.nan}},
        {"action": "buy", "metadata": {"stop_loss": True}},
        {"action": "buy", "metadata": {"stop_loss": -1e300}},
    ],
    ids=lambda value: f"{type(value).__name__}",
)  # fmt: skip
def test_whatever_is_outside_of_the_contract_is_a_fault(answer: object) -> None:
    fault(answer)


def test_unknown_keys_are_named() -> None:
    assert "'stop_loss'" in fault({"action": "buy", "stop_loss": 95})


def test_a_cycle_and_a_shared_part_end() -> None:
    cycle: dict[str, Any] = {}
    cycle["x"] = cycle
    fault({"action": "buy", "metadata": cycle})
    shared: list[Any] = [1]
    for _ in range(60):
        shared = [shared, shared]
    fault({"action": "buy", "metadata": {"x": shared}})
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    fault({"action": "buy", "metadata": {"x": deep}})


@pytest.mark.parametrize(
    ("action", "position", "sides", "opens"),
    [
        ("buy", FLAT, "long", "LONG"), ("buy", FLAT, "both", "LONG"), ("buy", FLAT, "short", None),
        ("sell", FLAT, "long", None), ("sell", FLAT, "short", "SHORT"),
        ("sell", FLAT, "both", "SHORT"), ("buy", LONG, "long", None), ("buy", LONG, "both", None),
        ("sell", LONG, "long", None), ("sell", LONG, "both", "SHORT"),
        ("buy", SHORT, "short", None),
        ("buy", SHORT, "both", "LONG"), ("sell", SHORT, "short", None),
        ("sell", SHORT, "both", None), ("hold", FLAT, "both", None),
    ],
)  # fmt: skip
def test_which_side_an_action_opens(
    action: str, position: Position, sides: Sides, opens: str | None
) -> None:
    assert side_opened(action, position, sides) == opens


@pytest.mark.parametrize("level", [100.0, 99.0, 101.0])
@pytest.mark.parametrize("name", ["stop_loss", "target_price"])
@pytest.mark.parametrize("position", [FLAT, LONG, SHORT])
@pytest.mark.parametrize("sides", ["long", "short", "both"])
@pytest.mark.parametrize("action", ["buy", "sell", "hold"])
def test_levels_lie_on_their_side_of_the_close_where_something_opens(
    action: str, sides: Sides, position: Position, name: str, level: float
) -> None:
    answer = {"action": action, "metadata": {name: level}}
    found = check_decision(answer, 100.0, position=position, sides=sides)
    opens = side_opened(action, position, sides)
    below = (name == "stop_loss") == (opens == "LONG")
    right = opens is None or (level < 100 if below else level > 100)
    assert isinstance(found, Decision) == right


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=20,
)
ANYTHING = st.one_of(
    JSON, st.binary(max_size=3), st.sets(st.integers()), st.tuples(JSON), st.just(_Loud())
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "action": st.sampled_from(["buy", "sell", "hold"]) | ANYTHING,
            "confidence": ANYTHING,
            "reason": ANYTHING,
            "metadata": st.dictionaries(
                st.sampled_from(["stop_loss", "target_price", "horizon_bars", "x"]) | st.text(),
                ANYTHING,
            )
            | ANYTHING,
        },
    )
    | ANYTHING,
    st.sampled_from(["long", "short", "both"]),
    st.sampled_from([FLAT, LONG, SHORT]),
)
def test_the_check_is_total_and_what_it_lets_through_keeps_the_contract(
    answer: Any, sides: Sides, position: Position
) -> None:
    found = check_decision(answer, 100.0, position=position, sides=sides)
    if isinstance(found, Fault):
        assert found.code == "contract"
        return
    assert found.action == answer["action"]
    assert found.confidence is None or 0 <= found.confidence <= 1
    assert len(found.reason) <= 200
    assert "\0" not in found.reason
    text = json.dumps(found.metadata, allow_nan=False, ensure_ascii=False)
    assert len(text.encode()) <= 16 * 1024
    assert json.loads(text) == found.metadata
    assert found.horizon_bars is None or found.horizon_bars >= 1
