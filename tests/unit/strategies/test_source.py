"""What is read of a source without running it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.strategies.contract import DEFAULT_LOOKBACK
from trackrecord.strategies.source import Source, parameter_values, parse, read_source

FUNCTION = "def execute_strategy(market_data, strategy_params):\n    return {'action': 'hold'}\n"


def read(text: str) -> Source:
    found = read_source(text + FUNCTION)
    assert isinstance(found, Source), found
    return found


def problems(text: str) -> list[str]:
    found = read_source(text)
    assert not isinstance(found, Source)
    return [f"{each.line}: {each.code}: {each.message}" for each in found]


def test_what_is_not_declared_has_its_default() -> None:
    found = read("")
    assert (found.lookback, found.sides, dict(found.parameters)) == (DEFAULT_LOOKBACK, "long", {})


def test_declarations_are_read() -> None:
    found = read(
        'LOOKBACK: int = 60\nSIDES = "both"\n'
        'PARAMETERS = {"fast": {"type": "int", "default": 5, "min": 2, "max": 9},\n'
        ' "mode": {"type": "str", "default": "a", "choices": ["a", "b"]},\n'
        ' "on": {"type": "bool", "default": True}, "k": {"type": "float", "default": 2}}\n'
    )
    assert (found.lookback, found.sides) == (60, "both")
    assert found.parameters["fast"].most == 9
    assert found.parameters["mode"].choices == ("a", "b")
    assert parameter_values(found, {"k": 3}) == {"fast": 5, "mode": "a", "on": True, "k": 3.0}


def test_nothing_of_a_source_is_run_when_it_is_read() -> None:
    assert isinstance(read_source("while True: pass\n" + FUNCTION), Source)
    assert isinstance(read_source("1 / 0\n" + FUNCTION), Source)


@pytest.mark.parametrize(
    "line",
    [
        "LOOKBACK = 0",
        "LOOKBACK = 1001",
        "LOOKBACK = 2.0",
        "LOOKBACK = True",
        "LOOKBACK = 10 * 2",
        "LOOKBACK = int('3')",
        "LOOKBACK = 5\nLOOKBACK = 6",
        "LOOKBACK = 5\nLOOKBACK += 1",
        "if 1:\n    LOOKBACK = 5",
        "LOOKBACK, SIDES = 5, 'long'",
        "for LOOKBACK in [5]: pass",
        "def f():\n    global LOOKBACK\n    LOOKBACK = 7",
        "SIDES = 'LONG'",
        "SIDES = None",
        "SIDES = ['long']",
        "PARAMETERS = []",
        "PARAMETERS = dict(a=1)",
        "PARAMETERS = {1: {'type': 'int', 'default': 1}}",
        "PARAMETERS = {'a b': {'type': 'int', 'default': 1}}",
        "PARAMETERS = {'a': 5}",
        "PARAMETERS = {'a': {'type': 'number', 'default': 1}}",
        "PARAMETERS = {'a': {'type': 'int'}}",
        "PARAMETERS = {'a': {'type': 'int', 'default': 1.5}}",
        "PARAMETERS = {'a': {'type': 'int', 'default': True}}",
        "PARAMETERS = {'a': {'type': 'int', 'default': 1, 'step': 1}}",
        "PARAMETERS = {'a': {'type': 'int', 'default': 1, 'min': 2}}",
        "PARAMETERS = {'a': {'type': 'int', 'default': 1, 'max': 0}}",
        "PARAMETERS = {'a': {'type': 'int', 'default': 1, 'min': 3, 'max': 2}}",
        "PARAMETERS = {'a': {'type': 'float', 'default': 1e999}}",
        "PARAMETERS = {'a': {'type': 'int', 'default': 10**400}}",
        "PARAMETERS = {'a': {'type': 'bool', 'default': 1}}",
        "PARAMETERS = {'a': {'type': 'bool', 'default': True, 'min': 0}}",
        "PARAMETERS = {'a': {'type': 'str', 'default': 'c', 'choices': ['a', 'b']}}",
        "PARAMETERS = {'a': {'type': 'str', 'default': 'c', 'choices': 'abc'}}",
    ],
)
def test_a_declaration_that_breaks_the_contract_is_named_with_its_line(line: str) -> None:
    found = problems(f"\n{line}\n{FUNCTION}")
    assert found
    assert all(": contract: " in each for each in found)
    assert not any(each.startswith("None:") for each in found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1", "there is no `def execute_strategy(market_data, strategy_params)`"),
        ("def execute_strategy(): pass", "takes two arguments"),
        ("def execute_strategy(a, b, c): pass", "takes two arguments"),
        ("def execute_strategy(a, b, *c): pass", "takes two arguments"),
        ("def execute_strategy(a, *, b): pass", "takes two arguments"),
        ("async def execute_strategy(a, b): pass", "plain function"),
        ("class execute_strategy: pass", "plain function"),
        ("@f\ndef execute_strategy(a, b): pass", "no decorators"),
        (FUNCTION + FUNCTION, "defined 2 times"),
        ("if 1:\n    def execute_strategy(a, b): pass", "no `def"),
    ],
)
def test_the_function_is_looked_for(text: str, words: str) -> None:
    assert any(words in each for each in problems(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "nothing in it"),
        ("   \n\t\n", "nothing in it"),
        ("x = 1\n" * 100_000, "600,000 characters"),
        ("x = 1\n\0", "2: syntax: there is a NUL character"),
        ("x = '\ud800'", "surrogate"),
        ("def f(:", "1: syntax: not Python"),
        ("x = 1\n  y = 2", "2: syntax: not Python"),
        ("(" * 5_000 + ")" * 5_000, "syntax"),
        ("x = " + "[" * 150 + "]" * 150, "nested"),
        ("x = " + "-" * 100_000 + "1", "nested"),
        ("x = " + "+".join("1" * 20_000), "nested"),
        ("x = " + "9" * 10_000, "syntax"),
    ],
)
def test_what_is_no_source_is_told_in_one_line(text: str, words: str) -> None:
    (found,) = problems(text)
    assert words in found
    assert "\n" not in found


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_and_never_raises(text: str) -> None:
    for candidate in (text, text + "\n" + FUNCTION, f"LOOKBACK = {text}\n{FUNCTION}"):
        parse(candidate)
        read_source(candidate)


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9), st.lists(st.none())
)


@given(st.dictionaries(st.sampled_from(["fast", "k", "mode", "other"]), VALUES))
def test_values_are_in_range_and_of_their_type_or_refused(given_: dict[str, object]) -> None:
    source = read(
        'PARAMETERS = {"fast": {"type": "int", "default": 5, "min": 2, "max": 9}, '
        '"k": {"type": "float", "default": 2, "min": 0.5}, '
        '"mode": {"type": "str", "default": "a", "choices": ["a", "b"]}}\n'
    )
    values = parameter_values(source, given_)
    if isinstance(values, list):
        assert all(each.code == "contract" for each in values)
        return
    assert set(values) == {"fast", "k", "mode"}
    assert type(values["fast"]) is int
    assert 2 <= values["fast"] <= 9
    assert type(values["k"]) is float
    assert 0.5 <= values["k"] < 1e16
    assert values["mode"] in {"a", "b"}
    for name, value in given_.items():
        assert values[name] == value  # nothing is clamped


def test_an_unknown_parameter_is_named_with_those_that_there_are() -> None:
    source = read('PARAMETERS = {"fast": {"type": "int", "default": 5}}\n')
    values = parameter_values(source, {"slow": 5})
    assert isinstance(values, list)
    assert values[0].message == "there is no parameter 'slow'; there are: fast"
