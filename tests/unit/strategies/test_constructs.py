"""What cannot be used is named with its line and a substitute."""

from __future__ import annotations

import ast

import pytest

from tests.unit.strategies.honest import HONEST
from trackrecord.strategies.constructs import construct_problems
from trackrecord.strategies.contract import Problem


def found(source: str) -> list[Problem]:
    return construct_problems(ast.parse(source))


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_strategy_has_none(name: str) -> None:
    assert found(HONEST[name]) == []


@pytest.mark.parametrize(
    ("source", "instead"),
    [
        ("class E(Exception): pass", "raise ValueError"),
        ("class E(Enum): pass", "constants"),
        ("class N(NamedTuple): pass", "@dataclass"),
        ("class A(metaclass=M): pass", "no inheritance"),
        ("class A:\n    @property\n    def x(self): return 1", "plain method"),
        ("class A:\n    @staticmethod\n    def x(): return 1", "outside of the class"),
        ("class A:\n    def __len__(self): return 1", "by name"),
        ("class A:\n    class B: pass", "outside"),
        ("def f():\n    yield 1", "collect a list"),
        ("def f():\n    yield from x", "collect a list"),
        ("del x[0]", "`x = x[1:]`"),
        ("del x[k]", "`x.pop(k)`"),
        ("del x[1:3]", "[n:]"),
        ("del x", "leave it out"),
        ("import numpy as np", "prelude"),
        ("import pandas", "prelude"),
        ("from numpy import mean", "prelude"),
        ("import statistics", "mean(x)"),
        ("import heapq", "sorted(x)"),
        ("import operator", "lambda"),
        ("import os.path", "no files"),
        ("import time", "no clock"),
        ("import foo", "there is no such module"),
        ("from . import x", "one file"),
        ("from math import *", "name what you need"),
        ("from collections import OrderedDict", "keeps its order"),
        ("from typing import NamedTuple", "@dataclass"),
        ("from functools import lru_cache", "compute them anew"),
        ("import functools\n@functools.lru_cache()\ndef f(): pass", "compute them anew"),
        ("hasattr(x, 'a')", "`key in x`"),
        ("getattr(x, 'a')", "x.get(key)"),
        ("eval('1')", "what can be read"),
        ("e = exec", "what can be read"),
        ("open('x')", "no files"),
        ("x.__class__", "needs nothing of it"),
        ("__builtins__", "is not there"),
        ("next(x for x in y)", "[0]"),
        ("type('X', (), {})", "write a class"),
        ("datetime.datetime.now()", "bars[-1]['time']"),
        ("datetime.utcnow()", "bars[-1]['time']"),
        ("date.today()", "bars[-1]['time']"),
        ("datetime.fromtimestamp(5)", "fromisoformat"),
        ("async def f(): pass", "write `def`"),
        ("if __name__ == '__main__':\n    f()", "leave out"),
        ("_tr_windows = 5", "the sandbox's"),
        ("print(_tr_input)", "the sandbox's"),
        ("decimal.getcontext().prec = 5", "round each result"),
    ],
)
def test_what_is_not_there_is_told_with_a_substitute(source: str, instead: str) -> None:
    problems = found("x = 1\n" + source)
    assert problems, source
    assert any(instead in each.message for each in problems), problems
    assert all(each.line is not None and each.line > 1 for each in problems)
    assert all("\n" not in each.message for each in problems)


@pytest.mark.parametrize(
    "source",
    [
        "n = 0\ndef f():\n    global n\n    n += 1",
        "seen = []\ndef f():\n    seen.append(1)",
        "seen = {}\ndef f(k):\n    seen[k] = 1",
        "seen = {}\ndef f(k):\n    seen[k]['a'] += 1",
        "class A: pass\ndef f():\n    A.n = 1",
        "def f(): pass\ndef g():\n    f.n = 1",
        "import itertools\nc = itertools.count()\ndef f():\n    return next(c)",
        "def f(x=[]):\n    return x",
        "def f(*, x={}):\n    return x",
        "def f(x=Box()):\n    return x",
        "f = lambda x=[]: x",
        "def c():\n n = 0\n def s():\n  nonlocal n\n  n += 1\n return s\nt = c()",
        "def d(f):\n    n = []\n    def s():\n        n.append(1)\n    return s\n@d\ndef g(): pass",
        (
            "def c():\n    b = {}\n    def s():\n        b['x'] = 1\n    return s\n"
            "def m():\n    return c()\nt = m()"
        ),
    ],
)
def test_what_is_kept_between_bars_is_told(source: str) -> None:
    assert [each.code for each in found(source)] == ["state"]


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    seen = []\n    seen.append(1)",
        "def f(seen):\n    seen[0] = 1",
        "seen = []\ndef f():\n    seen = [1]\n    seen.append(2)",
        "seen = []\ndef f():\n    for seen in [[1]]:\n        seen.append(2)",
        "x = [1]\nx.append(2)\ndef f():\n    return x[0]",
        "def f():\n n = 0\n def s():\n  nonlocal n\n  n += 1\n s()\n return n",
        "def f(x=None, y=(), z=1.5, w=float('nan')):\n    return x",
        "def d(f):\n    def s(x):\n        return f(x)\n    return s\n@d\ndef g(x): pass",
    ],
)
def test_what_ends_with_its_call_is_no_state(source: str) -> None:
    assert found(source) == []
