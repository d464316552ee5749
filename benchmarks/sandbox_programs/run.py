"""Running one program in the sandbox, and what came of it."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import pydantic_monty

from trackrecord.sandbox.limits import Limits
from trackrecord.sandbox.monty import MontyExecutor

LIMITS: Final = Limits(seconds=0.05, memory_mb=24)
"""Small ones: most programs end at once, and those that do not are many."""
_OUTPUT: Final = 16 * 1024
_BARS: Final = [
    {
        "time": f"2024-01-{day:02}T00:00:00Z",
        "open": 100.0 + day % 5,
        "high": 106.0 + day % 3,
        "low": 99.0 - day % 4,
        "close": 101.0 + day % 7 - day % 3,
        "volume": 1e6 + day,
    }
    for day in range(1, 31)
]
_CALL: Final = "execute_strategy(market_data, strategy_params)"
_UNREAD: Final = ("monty syntax parser", "Wildcard imports", "not yet supported")
_SHOWN: Final = 4_000
_PARTS: Final = 500


class Outcome(NamedTuple):
    """What came of a program.

    Attributes:
        kind: ``answered``, ``raised``, ``unread`` (never began to run), ``time``, ``memory``,
            ``recursion``, ``died`` (the worker ended by itself) or ``killed`` (by the filter).
        called: Whether ``execute_strategy`` was called.
        text: All that came out of the sandbox, shortened.
    """

    kind: str
    called: bool
    text: str

    @property
    def reached(self) -> bool:
        """Whether it began to run."""
        return self.kind != "unread"


def executor() -> MontyExecutor:
    """One whose workers die of the first forbidden call, which is thus seen."""
    return MontyExecutor(LIMITS, forbidden="kill", namespaces=False)


def run_program(runner: MontyExecutor, source: str, names: str = "") -> Outcome:
    """Load a program in a session of its own, and call its ``execute_strategy`` if it has one.

    Args:
        runner: From :func:`executor`.
        source: The program.
        names: Source that is loaded before it.
    """
    printed = pydantic_monty.CollectString(_OUTPUT)
    called = False
    inputs: dict[str, Any] = {
        "market_data": {
            "symbol": "TEST",
            "timeframe": "1d",
            "bars": _BARS,
            "position": {"side": None, "entry_price": None, "quantity": 0.0},
        },
        "strategy_params": {"fast": 3, "slow": 9},
    }
    try:
        with runner.checkout() as session:
            if names:
                session.feed_run(names)
            answer = session.feed_run(source, inputs=inputs, print_callback=printed)
            if "def execute_strategy" in source:
                called = True
                answer = session.feed_run(_CALL, print_callback=printed)
            return Outcome("answered", called, _shown(answer) + printed.output)
    except pydantic_monty.MontyCrashedError as error:
        kind = "killed" if "SIGSYS" in str(error) else "time" if error.timed_out else "died"
        return Outcome(kind, called, str(error))
    except pydantic_monty.MontySyntaxError as error:
        return Outcome("raised" if called else "unread", called, str(error)[:_SHOWN])
    except pydantic_monty.MontyError as error:
        text = str(error)[:_SHOWN] + printed.output
        return Outcome(_kind(error, called=called), called, text)
    except Exception as error:  # noqa: BLE001 - a conversion failed: it is counted, not hidden
        return Outcome("raised", called, f"{type(error).__name__}: {error}"[:_SHOWN])


def _shown(answer: object) -> str:
    """The texts and numbers of an answer, as far as a budget goes.

    No repr: parts of an answer may be shared, and sixty lists of two are then 2**60 to print.
    """
    waiting, found = [answer], []
    for _ in range(_PARTS):
        if not waiting:
            break
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend((*value.keys(), *value.values()))
        elif isinstance(value, list | tuple | set | frozenset):
            waiting.extend(value)
        elif isinstance(value, pydantic_monty.MontyClassProxy):
            waiting.extend(value.attributes.values())
        elif isinstance(value, int) and abs(value) > 2**64:
            found.append("a large number")
        else:
            found.append(str(value)[:_SHOWN])
    return " ".join(found)[:_SHOWN]


def _kind(error: pydantic_monty.MontyError, *, called: bool) -> str:
    name = type(error.exception()).__name__
    words = str(error)
    if name == "NotImplementedError" and not called and any(each in words for each in _UNREAD):
        return "unread"
    if name == "TimeoutError" and "time limit" in words:
        return "time"
    return {"MemoryError": "memory", "RecursionError": "recursion"}.get(name, "raised")


WITNESS: Final = """
import math, json, random, decimal, datetime, re
try:
    leaked = leaked_state
except NameError:
    leaked = "nothing"
[
    leaked, math.pi, math.sqrt(2), len([1, 2]), str(1.5), random.random(), random.randint(1, 10**6),
    str(decimal.Decimal(1) / 3), json.dumps({"a": [1, None]}), sorted([3, 1, 2]), sum([0.1] * 10),
    datetime.date(2024, 2, 29).isoformat(), re.sub("a", "b", "banana"), max(3, 7), list(range(3)),
    isinstance(1, int), print is print, float("1e3"), int("7"), dict(a=1), [x for x in "ab"],
]
"""
"""What the next session sees; each program leaves ``leaked_state`` behind."""


def witness(runner: MontyExecutor) -> list[Any]:
    """What a session sees of the world, which no session before it may have changed."""
    with runner.checkout() as session:
        seen: list[Any] = session.feed_run(WITNESS)
        return seen
