"""The tables of what is not there, tried on the sandbox itself: none is out of date."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pydantic_monty
import pytest

from trackrecord.sandbox.limits import Limits
from trackrecord.sandbox.monty import MontyExecutor
from trackrecord.strategies import substitutes

# There, but without use for a strategy, or refused for what they do.
THERE = {"time", "os", "sys", "pathlib", "asyncio"}
REFUSED_NAMES = {"hasattr", "getattr", "setattr", "eval", "exec", "locals", "open", "id"}
KEPT = {("functools", "lru_cache"), ("functools", "cache")}


@pytest.fixture(scope="module")
def executor() -> Iterator[MontyExecutor]:
    with MontyExecutor(Limits(seconds=0.5)) as made:
        yield made


def run(executor: MontyExecutor, source: str) -> Any:
    with executor.checkout() as session:
        try:
            return session.feed_run(source)
        except pydantic_monty.MontyError as error:
            return error.exception()


def test_what_may_be_imported_can_be(executor: MontyExecutor) -> None:
    for module in sorted(substitutes.MODULES - {"__future__"}):
        assert run(executor, f"import {module}") is None, module


def test_missing_modules_are_missing(executor: MontyExecutor) -> None:
    for module in sorted(set(substitutes.MISSING) - THERE):
        assert isinstance(run(executor, f"import {module}"), ModuleNotFoundError), module


def test_missing_parts_are_missing(executor: MontyExecutor) -> None:
    for module, part in set(substitutes.PARTS) - KEPT:
        found = run(executor, f"from {module} import {part}\n{part}")
        assert isinstance(found, ImportError), (module, part, found)


def test_missing_names_are_missing(executor: MontyExecutor) -> None:
    for name in sorted(set(substitutes.NAMES) - REFUSED_NAMES):
        found = run(executor, f"{name}()")
        assert isinstance(found, NameError | TypeError | NotImplementedError), (name, found)


def test_the_silent_differences_are_as_the_messages_say(executor: MontyExecutor) -> None:
    assert run(executor, "hasattr([], 'append')") is False
    assert isinstance(run(executor, "getattr([], 'append')"), AttributeError)
    assert isinstance(run(executor, "next(x for x in [1])"), TypeError)


@pytest.mark.parametrize(
    "source",
    [
        "class A(Exception): pass",
        "class A:\n    @property\n    def x(self): return 1",
        "def f():\n    yield 1",
        "x = [1]\ndel x[0]",
        "from math import *",
        "class A:\n    class B: pass",
        "async def f():\n    async for x in y: pass",
    ],
)
def test_constructs_that_are_refused_do_not_run(executor: MontyExecutor, source: str) -> None:
    assert isinstance(run(executor, source), NotImplementedError)


def test_special_methods_of_the_table_are_not_called(executor: MontyExecutor) -> None:
    uses = {
        "__len__": "len(a)", "__lt__": "a < 1", "__le__": "a <= 1", "__gt__": "a > 1",
        "__ge__": "a >= 1", "__format__": "f'{a}'", "__getattr__": "a.b",
        "__setattr__": "setattr(a, 'c', 1)", "__getattribute__": "a.q",
        "__reversed__": "reversed(a)",
    }  # fmt: skip
    for name, use in uses.items():
        assert name in substitutes.SPECIAL_METHODS
        source = f"class A:\n    q = 1\n    def {name}(self, *x): return 'called'\na = A()\n{use}"
        assert run(executor, source) != "called", name


@pytest.mark.parametrize(
    ("instead", "answer"),
    [
        ("x = [1, 2]\nx = x[1:]\nx", [2]),
        ("x = {'a': 1}\nx.pop('a')\nx", {}),
        ("[x for x in [1, 2] if x > 1][0]", 2),
        ("sorted([3, 1, 2])[:2]", [1, 2]),
        ("max([{'close': 2}], key=lambda bar: bar['close'])", {"close": 2}),
        ("{**{'a': 1}, **{'b': 2}}", {"a": 1, "b": 2}),
        ("import datetime\ndatetime.datetime.fromisoformat('2024-03-01T00:00:00Z').weekday()", 4),
    ],
)
def test_substitutes_run(executor: MontyExecutor, instead: str, answer: object) -> None:
    assert run(executor, instead) == answer
