"""What could outlast a call is compared from outside, whatever a strategy makes of it."""

from __future__ import annotations

import ast
from collections import namedtuple
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.strategies.kept import function_names, kept_expressions, shape, unseen

Pair = namedtuple("Pair", "a b")  # noqa: PYI024 - what comes out of a sandbox has no types


def doubled(times: int) -> list[Any]:
    value: list[Any] = [1]
    for _ in range(times):
        value = [value, value]
    return value


@pytest.mark.parametrize(
    "value",
    [doubled(60), Pair(doubled(60), 1), {"a": doubled(60)}, (doubled(60),), [Pair(doubled(60), 2)]],
    ids=lambda value: type(value).__name__,
)
def test_shared_parts_do_not_take_for_ever(value: object) -> None:
    assert shape(value) == shape(value)
    assert unseen(value, "", frozenset()) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(JSON, JSON)
def test_data_has_the_same_shape_where_it_is_the_same(one: object, other: object) -> None:
    assert (shape(one) == shape(other)) == (repr(one) == repr(other))


@given(st.sets(st.integers() | st.text()), st.integers())
def test_a_set_that_grows_has_another_shape(values: set[Any], more: int) -> None:
    assert shape(values) == shape(set(values))
    assert (shape(values) == shape(values | {more})) == (more in values)


def test_names_of_the_module_and_of_its_classes_are_looked_at() -> None:
    tree = ast.parse(
        "A = 1\nb: int = 2\nc, *d = [3, 4]\nf = lambda x: x\ng = max\nfor e in [1]: pass\n"
        "class K:\n    n = 0\n    def m(self): self.z = 1\ndef h():\n    inside = 1\n"
        "with x as w: pass\n"
    )
    assert kept_expressions(tree) == ["A", "b", "c", "d", "e", "K.n", "w"]


@pytest.mark.parametrize(
    ("value", "hidden"),
    [
        ("<list_iterator object>", True),
        ("<function 'inner' at 0x1f>", True),
        ("<function 'outer' at 0x1f>", False),
        ("<function '<lambda>' at 0x1f>", False),
        ("<class 'X'>", False),
        ("<module 'math'>", False),
        ("<b>", False),  # a text of the source
        ("plain", False),
        ({"a": ["<itertools.count object>"]}, True),
        (Pair(1, "<itertools.count object>"), True),
    ],
)
def test_what_cannot_be_looked_into_is_found(value: object, hidden: bool) -> None:
    source = "X = '<b>'\ndef outer():\n    def inner(): pass\n    return inner\nf = lambda: 0\n"
    functions = function_names(ast.parse(source))
    assert (unseen(value, source, functions) is not None) == hidden


def test_a_lambda_inside_a_function_is_not_one_of_the_module() -> None:
    assert "<lambda>" in function_names(ast.parse("f = lambda: 0"))
    assert "<lambda>" not in function_names(ast.parse("f = (lambda s: lambda: s)([])"))
    assert "<lambda>" not in function_names(ast.parse("def g(s):\n    return lambda: s"))
