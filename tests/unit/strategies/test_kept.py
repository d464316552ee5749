"""What could outlast a call: the names, and what hangs on them as the sandbox tells it."""

from __future__ import annotations

import ast
import time
from collections.abc import Iterator

import pytest

from trackrecord.sandbox.limits import Limits
from trackrecord.sandbox.monty import MontyExecutor
from trackrecord.strategies.contract import Fault
from trackrecord.strategies.kept import attribute_names, function_names, kept_expressions

END = "\nLOOKBACK = 1\ndef execute_strategy(market_data, strategy_params):\n    pass\n"
SHARED = "t = (1,)\nfor _ in range(60): t = (t, t)\n"


@pytest.fixture(scope="module")
def executor() -> Iterator[MontyExecutor]:
    with MontyExecutor(Limits(seconds=0.5, memory_mb=32)) as made:
        yield made


def told(executor: MontyExecutor, source: str) -> list[tuple[str, str]]:
    tree = ast.parse(source)
    session = executor.open(source + END, {}, timeframe="1d")
    try:
        found = session.shapes(
            [each for each in kept_expressions(tree) if each != "LOOKBACK"],
            attribute_names(tree),
            function_names(tree),
        )
    finally:
        session.close()
    assert not isinstance(found, Fault), found
    return found


def test_names_of_the_module_and_of_its_classes_are_looked_at() -> None:
    tree = ast.parse(
        "A = 1\nb: int = 2\nc, *d = [3, 4]\nf = lambda x: x\ng = max\nfor e in [1]: pass\n"
        "class K:\n    n = 0\n    def m(self): self.z = 1\ndef h():\n    inside = 1\n"
        "with x as w: pass\n"
    )
    assert kept_expressions(tree) == ["A", "b", "c", "d", "e", "K.n", "w"]
    assert attribute_names(tree) == ["n", "z"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = [1, [2]]", "x = [1, [3]]"),
        ("x = {'a': 1}", "x = {'a': 2}"),
        ("x = {1, 2}", "x = {1, 3}"),
        ("x = 'a' * 500 + 'b'", "x = 'a' * 500 + 'c'"),
        ("x = 1", "x = True"),
        ("x = 0.1", "x = 0.2"),
        ("x = None", "x = 0"),
        ("from collections import deque\nx = deque([1])", "from collections import deque\nx = [1]"),
        ("class B: pass\nx = B()\nx.n = 1", "class B: pass\nx = B()\nx.n = 2"),
        ("class B: pass\nx = [B()]\nx[0].n = [1]", "class B: pass\nx = [B()]\nx[0].n = [2]"),
        ("class B:\n    n = 1", "class B:\n    n = 2"),
        (
            "from collections import namedtuple\nN = namedtuple('N', 'a')\nx = N([1])",
            "from collections import namedtuple\nN = namedtuple('N', 'a')\nx = N([2])",
        ),
    ],
)
def test_what_differs_has_another_shape(executor: MontyExecutor, one: str, other: str) -> None:
    assert told(executor, one) == told(executor, one)
    assert told(executor, one) != told(executor, other)


@pytest.mark.parametrize(
    ("source", "hidden"),
    [
        ("x = iter([1])", True),
        ("x = [iter((1,))]", True),
        ("x = iter({1: 2})", True),
        ("import itertools\nx = itertools.count()", True),
        ("import itertools\nx = {'a': itertools.cycle([1])}", True),
        ("import random\nx = random.Random(1)", True),
        ("import functools\nx = functools.partial(max, [])", True),
        ("def f():\n    def g(): pass\n    return g\nx = f()", True),
        ("x = (lambda s: lambda: s)([])", True),
        ("class B: pass\nx = B()\nx.it = iter([1])", True),
        ("x = {'a': lambda: 0, 'b': max}", False),
        ("def f(): pass\nx = [f]", False),
        ("import re\nx = re.compile('a')", False),
        ("import datetime\nx = [datetime.date(2024, 1, 1), datetime.timezone.utc]", False),
        ("from decimal import Decimal\nx = Decimal('1.5')", False),
        ("class B:\n    n = 1\nx = [B, B()]", False),
        ("x = '<list_iterator object>'", False),
        ("import math\nx = [math, math.sqrt, int]", False),
    ],
)
def test_what_cannot_be_looked_into_is_told(
    executor: MontyExecutor, source: str, hidden: bool
) -> None:
    assert any(each[1] for each in told(executor, source)) == hidden


@pytest.mark.parametrize(
    "source",
    [
        SHARED + "x = {t}",
        SHARED + "x = {t: 1}",
        SHARED + "x = [t, t]",
        SHARED + "class B: pass\nx = B()\nx.n = {t}",
        "x = [1]\nfor _ in range(60): x = [x, x]",
        "x = []\nx.append(x)",
        "x = []\nfor _ in range(20000): x = [x]",
    ],
)
def test_shared_and_circular_parts_never_take_long(executor: MontyExecutor, source: str) -> None:
    began = time.perf_counter()
    session = executor.open(source + END, {}, timeframe="1d")
    session.shapes(["x"], ["n"], [])
    session.close()
    assert time.perf_counter() - began < 10


def test_a_lambda_inside_a_function_is_not_one_of_the_module() -> None:
    assert "<lambda>" in function_names(ast.parse("f = lambda: 0"))
    assert "<lambda>" not in function_names(ast.parse("f = (lambda s: lambda: s)([])"))
    assert "<lambda>" not in function_names(ast.parse("def g(s):\n    return lambda: s"))
