"""A rule's code, its evaluation, its words and its JSON say the same."""

from __future__ import annotations

import random

import numpy as np
import pytest

from tests.unit.strategies.agreement import differences
from tests.unit.strategies.made_up import columns, made_bars, made_rule
from trackrecord.strategies.rules import Series, evaluate
from trackrecord.strategies.rules.as_json import from_json, to_json
from trackrecord.strategies.rules.model import Percent, Rule
from trackrecord.strategies.rules.parameters import parameters, with_parameters
from trackrecord.strategies.rules.words import rule_words
from trackrecord.strategies.sentences import read

RULES = 200
BARS = {seed: made_bars(seed, 1_150) for seed in (1, 2, 3)}
SERIES = {seed: Series(columns(bars)) for seed, bars in BARS.items()}


@pytest.mark.parametrize("first", range(0, RULES, 20))
def test_code_and_evaluation_decide_the_same_with_and_without_a_position(first: int) -> None:
    for seed in range(first, first + 20):
        rule = made_rule(seed)
        for symbol, bars in BARS.items():
            rows = random.Random(seed * 7 + symbol).sample(range(len(bars)), 4)
            assert differences(rule, bars, SERIES[symbol], rows, seed) == [], rule_words(rule)


def test_they_decide_the_same_when_parameters_are_set() -> None:
    for seed in range(60):
        rule = made_rule(seed)
        rng = random.Random(seed)
        values: dict[str, float] = {}
        for parameter in parameters(rule):
            value = rng.uniform(parameter.min, parameter.max)
            values[parameter.name] = round(value) if parameter.type == "int" else round(value, 2)
        rows = rng.sample(range(1_000, 1_150), 4)
        assert differences(rule, BARS[1], SERIES[1], rows, seed, values) == []


def test_made_up_rules_decide_something() -> None:
    entering = sum(
        bool((found.enter_long | found.enter_short).any())
        for found in (evaluate(made_rule(seed), SERIES[1]) for seed in range(100))
    )
    assert entering > 70


def test_the_words_of_a_rule_are_read_as_the_same_rule() -> None:
    for seed in range(400):
        rule = made_rule(seed)
        reading = read(rule_words(rule))
        assert reading.rule == rule, rule_words(rule)
        assert reading.not_understood == ()


def test_a_rule_comes_back_from_json() -> None:
    for seed in range(200):
        rule = made_rule(seed)
        assert from_json(to_json(rule)) == rule


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ([], "not an object"),
        ({}, "needs an entry"),
        ({"entry": {"kind": "compare"}}, "a compare has"),
        ({"entry": {"kind": "magic"}}, "one of"),
        ({"entry": {"kind": "and", "items": []}}, "joins nothing"),
        ({"entry": {"kind": "always"}, "stop": {"kind": "percent", "size": 500}}, "cannot be"),
        (
            {"entry": {"kind": "always"}, "stop": {"kind": "percent", "size": float("nan")}},
            "number",
        ),
        ({"entry": {"kind": "always"}, "horizon_bars": 2.5}, "whole number"),
        ({"entry": {"kind": "always"}, "size": 3}, "no size"),
    ],
)
def test_json_that_is_no_rule_is_refused_in_words(data: object, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        from_json(data)


def test_the_first_exit_of_a_position_is_that_of_asking_bar_by_bar() -> None:
    for seed in range(80):
        rule = made_rule(seed)
        if rule.sides == "both":
            continue
        found = evaluate(rule, SERIES[2])
        side = "LONG" if rule.sides == "long" else "SHORT"
        for entry_row in (500, 777, 1_100):
            rows = range(entry_row, 1_150)
            slowly = next((row for row in rows if found.leaves(side, row, entry_row)), 1_150)
            assert found.leaves_at(side, entry_row) == slowly


def test_nothing_is_asked_before_the_window_is_full() -> None:
    rule = made_rule(3)
    found = evaluate(rule, SERIES[1])
    assert not found.asked[: rule.lookback - 1].any()
    assert found.asked[rule.lookback - 1 :].all()
    assert found.decision(rule.lookback - 2, None) is None


def test_later_bars_change_no_decision() -> None:
    bars = BARS[1]
    other = bars[:900] + made_bars(99, 250)
    for seed in range(60):
        rule = made_rule(seed)
        one, two = evaluate(rule, SERIES[1]), evaluate(rule, Series(columns(other)))
        for name in ("enter_long", "enter_short", "leave_long", "leave_short", "stop_long"):
            first, second = getattr(one, name)[:900], getattr(two, name)[:900]
            assert np.array_equal(first, second, equal_nan=first.dtype.kind == "f")


def test_unknown_parameters_and_values_out_of_range_are_named() -> None:
    rule = Rule(entry=made_rule(1).entry, stop=Percent(5.0), lookback=300)
    with pytest.raises(ValueError, match="there is no parameter 'fast'"):
        with_parameters(rule, {"fast": 3})
    with pytest.raises(ValueError, match=r"stop_percent is 0\.1 to 99"):
        with_parameters(rule, {"stop_percent": 500.0})
