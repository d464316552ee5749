"""Bars made by hand, and what the strategy of a sentence does at their last one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from tests.unit.strategies.made_up import program
from trackrecord.strategies.rules.code import code
from trackrecord.strategies.sentences import read

Bar = dict[str, Any]


def bar(close: float, open: float | None = None, high: float | None = None,  # noqa: A002
        low: float | None = None, volume: float = 1000.0) -> Bar:  # fmt: skip
    """A bar; what is left out follows from the close."""
    opened = close if open is None else open
    return {
        "open": float(opened),
        "high": float(max(opened, close) + 0.5 if high is None else high),
        "low": float(min(opened, close) - 0.5 if low is None else low),
        "close": float(close),
        "volume": float(volume),
    }


def bars(*tail: Bar | float, before: Sequence[float] = (), last: str = "2024-03-08") -> list[Bar]:
    """Weekday bars that end on a date: many calm ones, ``before``, and the tail."""
    calm = [100 + (0.2 if i % 2 else -0.2) for i in range(1_000 - len(before) - len(tail))]
    made = [bar(close) for close in (*calm, *before)]
    made += [each if isinstance(each, dict) else bar(each) for each in tail]
    day = dt.date.fromisoformat(last)
    for each in reversed(made):
        while day.weekday() > 4:
            day -= dt.timedelta(1)
        each["time"] = f"{day}T00:00:00Z"
        day -= dt.timedelta(1)
    return made


def does(sentence: str, made: list[Bar], held: str | None = None, since: int = 5) -> dict[str, Any]:
    """What is decided at the last bar, flat or holding a side since some bars before."""
    reading = read(sentence)
    assert reading.rule is not None, reading
    assert reading.not_understood == ()
    position = {"side": held, "entry_price": None, "quantity": 0.0}
    if held:
        entry = made[-since]
        position = {"side": held, "entry_price": entry["open"], "quantity": 1.0}
    answer: dict[str, Any] = program(code(reading.rule))(
        {"symbol": "X", "timeframe": "1d", "bars": made[-reading.rule.lookback :],
         "position": position}, {},
    )  # fmt: skip
    return answer


def acts(sentence: str, made: list[Bar], held: str | None = None, since: int = 5) -> str:
    """The action alone."""
    action: str = does(sentence, made, held, since)["action"]
    return action
