"""Rules as JSON, and back: ``{"kind": "compare", "left": ..., "op": ">", "right": ...}``."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields
from typing import Any, Final

from trackrecord.strategies.rules import model
from trackrecord.strategies.rules.canonical import finished
from trackrecord.strategies.rules.catalogue import CATALOGUE

_CONDITIONS: Final = {
    "compare": model.Compare, "cross": model.Cross, "within": model.Within,
    "in_a_row": model.InARow, "and": model.And, "or": model.Or, "not": model.Not,
    "always": model.Always,
}  # fmt: skip
_OPERANDS: Final = {
    "number": model.Number, "field": model.Field, "indicator": model.Indicator, "ago": model.Ago,
    "multiple": model.Multiple, "away": model.Away, "apart": model.Apart,
}  # fmt: skip
_DISTANCES: Final = {
    "percent": model.Percent, "ranges": model.Ranges, "risk": model.Risk, "level": model.Level,
}  # fmt: skip
_KINDS: Final = {
    cls: kind for group in (_CONDITIONS, _OPERANDS, _DISTANCES) for kind, cls in group.items()
}
_DEEPEST: Final = 40
_FIELD_NAMES: Final = ("open", "high", "low", "close", "volume")


def to_json(rule: model.Rule) -> dict[str, Any]:
    """A rule as JSON holds it."""
    found = _plain(rule)
    assert isinstance(found, dict)  # noqa: S101 - a rule is an object
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (str, int, float)):
        return value
    found = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    kind = _KINDS.get(type(value))
    return found if kind is None else {"kind": kind, **found}


def from_json(data: object) -> model.Rule:
    """A rule from JSON, in its one form, whatever window it named.

    Raises:
        ValueError: It is not a rule; the message says where.
    """
    given = _object(data, "the rule")
    unknown = set(given) - {field.name for field in fields(model.Rule)}
    if unknown:
        raise ValueError(f"a rule has no {', '.join(sorted(unknown))}")

    def part(name: str, read: Callable[[object, str], Any]) -> Any:
        return None if given.get(name) is None else read(given[name], name)

    rule = model.Rule(
        entry=part("entry", _condition),
        exit=part("exit", _condition),
        short_entry=part("short_entry", _condition),
        short_exit=part("short_exit", _condition),
        filters=tuple(
            _condition(item, "filters") for item in _list(given.get("filters") or [], "filters")
        ),
        stop=part("stop", _distance),
        target=part("target", _distance),
        trail=part("trail", _distance),
        horizon_bars=part("horizon_bars", _count),
        schedule=part("schedule", _schedule) or model.ALWAYS,
    )
    problem = fault(rule)
    if problem is not None:
        raise ValueError(problem)
    return finished(rule)


def fault(rule: model.Rule) -> str | None:
    """Why a rule cannot be a strategy, if so."""
    if rule.entry is None and rule.short_entry is None:
        return "a rule needs an entry"
    if rule.sides == "both" and (rule.exit or rule.short_exit or rule.trail):
        return "a rule of both sides turns around; it has no exits and no trail"
    if isinstance(rule.target, model.Risk) and rule.stop is None:
        return "a target as a multiple of the stop's distance needs a stop"
    if isinstance(rule.stop, model.Risk) or isinstance(rule.trail, model.Risk | model.Level):
        return "a multiple of the stop's distance is for targets"
    return None


def _object(data: object, where: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise ValueError(f"{where} is not an object")  # noqa: TRY004 - one error for all faults
    return data


def _list(data: object, where: str) -> list[Any]:
    if not isinstance(data, list):
        raise ValueError(f"{where} is not a list")  # noqa: TRY004
    return data


def _number(data: object, where: str) -> float:
    if isinstance(data, bool) or not isinstance(data, (int, float)) or not math.isfinite(data):
        raise ValueError(f"{where} is not a number")
    return float(data)


def _count(data: object, where: str) -> int:
    value = _number(data, where)
    if value != int(value) or not 1 <= value <= 1_000:  # noqa: PLR2004 - as MOST_LOOKBACK
        raise ValueError(f"{where} is a whole number from 1 to 1,000, not {data}")
    return int(value)


def _choice(data: object, where: str, choices: tuple[str, ...]) -> Any:
    if data not in choices:
        raise ValueError(f"{where} is one of {', '.join(choices)}, not {data!r}")
    return data


def _kind(
    data: object, where: str, kinds: dict[str, Any], depth: int
) -> tuple[str, dict[str, Any]]:
    given = _object(data, where)
    if depth > _DEEPEST:
        raise ValueError(f"{where} is nested too deeply")
    kind = _choice(given.get("kind"), f"the kind of {where}", tuple(kinds))
    wanted = {field.name for field in fields(kinds[kind])} | {"kind"}
    if set(given) != wanted and set(given) | {"source", "settings"} != wanted:
        raise ValueError(
            f"a {kind} has {', '.join(sorted(wanted))}, not {', '.join(sorted(given))}"
        )
    return kind, given


def _condition(data: object, where: str, depth: int = 0) -> model.Condition:
    kind, given = _kind(data, where, _CONDITIONS, depth)
    if kind == "compare":
        left, right = (_operand(given[side], where, depth + 1) for side in ("left", "right"))
        return model.Compare(left, _choice(given["op"], "op", (">", ">=", "<", "<=")), right)
    if kind == "cross":
        left, right = (_operand(given[side], where, depth + 1) for side in ("left", "right"))
        return model.Cross(
            left, _choice(given["direction"], "direction", ("above", "below")), right
        )
    if kind == "always":
        return model.Always()
    if kind == "not":
        return model.Not(_condition(given["item"], where, depth + 1))
    if kind in {"and", "or"}:
        items = tuple(_condition(i, where, depth + 1) for i in _list(given["items"], where))
        if not items:
            raise ValueError(f"an {kind} in {where} joins nothing")
        return model.And(items) if kind == "and" else model.Or(items)
    inner = _condition(given["condition"], where, depth + 1)
    bars = _count(given["bars"], f"bars in {where}")
    return model.Within(bars, inner) if kind == "within" else model.InARow(bars, inner)


def _operand(data: object, where: str, depth: int) -> model.Operand:
    kind, given = _kind(data, where, _OPERANDS, depth)
    if kind == "number":
        return model.Number(_number(given["value"], f"a number in {where}"))
    if kind == "field":
        return model.Field(_choice(given["name"], "a field", _FIELD_NAMES))
    if kind == "indicator":
        return _indicator(given, where, depth)
    inner = _operand(given["operand"], where, depth + 1)
    if kind == "ago":
        return model.Ago(inner, _count(given["bars"], f"bars in {where}"))
    if kind == "multiple":
        return model.Multiple(_number(given["factor"], f"a factor in {where}"), inner)
    if kind == "away":
        return model.Away(inner, _number(given["percent"], f"a percent in {where}"))
    width = _operand(given["width"], where, depth + 1)
    return model.Apart(inner, _number(given["factor"], f"a factor in {where}"), width)


def _indicator(given: dict[str, Any], where: str, depth: int) -> model.Indicator:
    name = _choice(given.get("name"), f"an indicator in {where}", tuple(CATALOGUE))
    entry = CATALOGUE[name]
    values = _list(given.get("settings", []), f"settings of {name}")
    if len(values) != len(entry.settings):
        raise ValueError(f"{name} takes {len(entry.settings)} settings, not {len(values)}")
    settings = []
    for setting, value in zip(entry.settings, values, strict=True):
        title = f"{setting.name} of {name}"
        checked = _count(value, title) if setting.whole else _number(value, title)
        if checked < setting.least:
            raise ValueError(f"{title} is at least {setting.least}, not {value}")
        settings.append(checked)
    source = None
    if "source" in entry.inputs:
        source = _operand(
            given.get("source") or {"kind": "field", "name": "close"}, where, depth + 1
        )
        plain = isinstance(source, model.Field)
        if not plain and (entry.memory != "none" or not isinstance(source, model.Indicator)):
            raise ValueError(f"{name} in {where} is not worked out of that")
    elif given.get("source") is not None:
        raise ValueError(f"{name} takes no source")
    return model.Indicator(name, tuple(settings), source)


def _distance(data: object, where: str) -> Any:
    kind, given = _kind(data, where, _DISTANCES, 0)
    if kind == "level":
        return model.Level(_operand(given["operand"], where, 0))
    size = _number(given["size" if kind == "percent" else "multiple"], where)
    if size <= 0 or (kind == "percent" and where != "target" and size >= 100):  # noqa: PLR2004
        raise ValueError(f"a {where} of {size:g} cannot be")
    if kind == "percent":
        return model.Percent(size)
    if kind == "risk":
        return model.Risk(size)
    return model.Ranges(size, _count(given["days"], f"days of {where}"))


def _schedule(data: object, where: str) -> model.Schedule:
    given = _object(data, where)
    weekdays = tuple(_list(given.get("weekdays") or [], where))
    months = tuple(_list(given.get("months") or [], where))
    if not set(weekdays) <= set(range(7)) or not set(months) <= set(range(1, 13)):
        raise ValueError(f"{where} has weekdays of 0 to 6 and months of 1 to 12")
    first = given.get("first_of")
    if first is not None:
        _choice(first, f"first_of of {where}", ("week", "month"))
    return model.Schedule(tuple(sorted(weekdays)), tuple(sorted(months)), first)
