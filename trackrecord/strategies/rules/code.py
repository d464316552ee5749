"""The Python code of a rule: a strategy by the contract, which calls the prelude's functions."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from trackrecord.strategies.contract import Side
from trackrecord.strategies.rules.catalogue import CATALOGUE
from trackrecord.strategies.rules.model import (
    Ago,
    Always,
    And,
    Away,
    Compare,
    Condition,
    Cross,
    Field,
    Indicator,
    Multiple,
    Not,
    Number,
    Operand,
    Or,
    Percent,
    Ranges,
    Risk,
    Rule,
    Stop,
    Target,
    Within,
)
from trackrecord.strategies.rules.parameters import Named, Parameter, named, parameters
from trackrecord.strategies.rules.series import average_range
from trackrecord.strategies.rules.words import rule_words

_LISTS: Final = {
    "open": "opens", "high": "highs", "low": "lows", "close": "closes", "volume": "volumes",
}  # fmt: skip
_LOOPS: Final = "ijklmn"


@dataclass(frozen=True)
class _Count:
    """A number of bars: a constant and parameters added up."""

    fixed: int
    names: tuple[str, ...] = ()

    def plus(self, fixed: int, names: tuple[str, ...] = ()) -> _Count:
        return _Count(self.fixed + fixed, (*self.names, *names))

    def text(self) -> str:
        shown = list(self.names)
        if self.fixed > 0 or not shown:
            shown.append(str(self.fixed))
        text = " + ".join(shown)
        return text if self.fixed >= 0 or not self.names else f"{text} - {-self.fixed}"


@dataclass(frozen=True)
class _Ago:
    """How far back a condition looks: where it is, and where it may be at most."""

    fixed: int = 0
    shown: tuple[str, ...] = ()
    furthest: _Count = field(default_factory=lambda: _Count(0))

    def before(self, bars: int | str) -> _Ago:
        if isinstance(bars, str):
            return _Ago(self.fixed, (*self.shown, bars), self.furthest.plus(0, (bars,)))
        return _Ago(self.fixed + bars, self.shown, self.furthest.plus(bars))

    def each(self, loop: str, bars: str) -> _Ago:
        return _Ago(self.fixed, (*self.shown, loop), self.furthest.plus(-1, (bars,)))

    def index(self) -> str:
        return "".join([f"[-{self.fixed + 1}", *(f" - {name}" for name in self.shown), "]"])


class _Writer:
    """Writes expressions, and notes which lists they are made of."""

    def __init__(self) -> None:
        self.fields: set[str] = set()
        self.names: dict[Indicator, str] = {}
        self.needs: dict[Indicator, list[_Count]] = {}
        self._loops = 0

    def condition(self, condition: Condition, ago: _Ago) -> str:
        if isinstance(condition, Compare):
            one, other = self.operand(condition.left, ago), self.operand(condition.right, ago)
            return f"{one} {condition.op} {other}"
        if isinstance(condition, Cross):
            now, before = (">", "<=") if condition.direction == "above" else ("<", ">=")
            earlier = ago.before(1)
            left, right = condition.left, condition.right
            return (
                f"{self.operand(left, ago)} {now} {self.operand(right, ago)} and "
                f"{self.operand(left, earlier)} {before} {self.operand(right, earlier)}"
            )
        if isinstance(condition, Always):
            return "True"
        if isinstance(condition, Not):
            return f"not ({self.condition(condition.item, ago)})"
        if isinstance(condition, And):
            return " and ".join(
                self._bracketed(item, ago) if isinstance(item, Or) else self.condition(item, ago)
                for item in condition.items
            )
        if isinstance(condition, Or):
            return " or ".join(
                self.condition(item, ago) if isinstance(item, Compare) else
                self._bracketed(item, ago)
                for item in condition.items
            )  # fmt: skip
        loop = _LOOPS[self._loops]
        self._loops += 1
        bars = _name(condition.bars)
        inner = self.condition(condition.condition, ago.each(loop, bars))
        self._loops -= 1
        word = "any" if isinstance(condition, Within) else "all"
        return f"{word}({inner} for {loop} in range({bars}))"

    def _bracketed(self, condition: Condition, ago: _Ago) -> str:
        return f"({self.condition(condition, ago)})"

    def operand(self, operand: Operand, ago: _Ago) -> str:
        if isinstance(operand, Number):
            return _name(operand.value)
        if isinstance(operand, Field):
            self.fields.add(operand.name)
            return _LISTS[operand.name] + ago.index()
        if isinstance(operand, Indicator):
            return self.list_of(operand, ago.furthest.plus(1)) + ago.index()
        if isinstance(operand, Ago):
            bars = operand.bars
            return self.operand(
                operand.operand, ago.before(bars.name if isinstance(bars, Named) else bars)
            )
        if isinstance(operand, Multiple):
            return f"{_name(operand.factor)} * {self._inner(operand.operand, ago)}"
        if isinstance(operand, Away):
            share = f"(1 + {_name(operand.percent)} / 100)"
            return f"{self._inner(operand.operand, ago)} * {share}"
        width = f"{_name(operand.factor)} * {self._inner(operand.width, ago)}"
        return f"{self.operand(operand.operand, ago)} + {width}"

    def _inner(self, operand: Operand, ago: _Ago) -> str:
        text = self.operand(operand, ago)
        return text if isinstance(operand, Number | Field | Indicator | Ago) else f"({text})"

    def list_of(self, indicator: Indicator, count: _Count) -> str:
        """The name of an indicator's list, once so many of its values are wanted."""
        entry = CATALOGUE[indicator.name]
        if isinstance(indicator.source, Indicator):
            days = next(
                value for setting, value in zip(entry.settings, indicator.settings, strict=True)
                if setting.whole
            )  # fmt: skip
            self.list_of(indicator.source, count.plus(entry.extra - 1, (_name(days),)))
        else:
            inputs = {name for name in entry.inputs if name != "source"}
            source = indicator.source
            self.fields |= inputs or {source.name if isinstance(source, Field) else "close"}
        needs = self.needs.setdefault(indicator, [])
        if count not in needs:
            needs.append(count)
        if indicator not in self.names:
            self.names[indicator] = self._new_name(indicator)
        return self.names[indicator]

    def _new_name(self, indicator: Indicator) -> str:
        entry = CATALOGUE[indicator.name]
        base = indicator.name
        if isinstance(indicator.source, Field) and indicator.source.name != "close":
            base = f"{indicator.source.name}_{base}"
        if isinstance(indicator.source, Indicator):
            base = f"{self.names[indicator.source].removesuffix('_values')}_{base}"
        for setting, value in zip(entry.settings, indicator.settings, strict=True):
            ending = _name(value).rpartition("_")[2]
            if setting.whole and ending in {"fast", "slow"} and len(entry.settings) == 1:
                base = f"{base}_{ending}"
        taken = set(self.names.values())
        name, place = f"{base}_values", 1
        while name in taken:
            place += 1
            name = f"{base}_values_{place}"
        return name

    def definitions(self) -> list[str]:
        """The lists, in an order in which each is made of what stands before it."""
        lines = []
        for indicator, name in self.names.items():
            entry = CATALOGUE[indicator.name]
            source = indicator.source
            inputs = [
                self.names[source] if isinstance(source, Indicator)
                else _LISTS[source.name if isinstance(source, Field) else "close"]
                if given == "source" else _LISTS[given]
                for given in entry.inputs
            ]  # fmt: skip
            settings = [_name(value) for value in indicator.settings]
            arguments = ", ".join([*inputs, *settings, _greatest(self.needs[indicator])])
            lines.append(f"{name} = {indicator.name}_series({arguments})")
        return lines


def _greatest(counts: Sequence[_Count]) -> str:
    """The largest of some numbers of bars, as an expression."""
    largest: dict[tuple[str, ...], int] = {}
    for count in counts:
        names = tuple(sorted(count.names))
        largest[names] = max(largest.get(names, count.fixed), count.fixed)
    # A count that another one exceeds whatever the parameters are is left out.
    kept = [
        _Count(fixed, names) for names, fixed in largest.items()
        if not any(
            other != names and set(names) <= set(other) and len(names) < len(other)
            and fixed <= most + len(other) - len(names)
            for other, most in largest.items()
        )
    ]  # fmt: skip
    texts = [count.text() for count in kept]
    return texts[0] if len(texts) == 1 else f"max({', '.join(texts)})"


def _name(value: float) -> str:
    if isinstance(value, Named):
        return value.name
    return repr(value)


def code(rule: Rule) -> str:
    """The source of a strategy that decides what the rule decides.

    The rule must be finished (:func:`trackrecord.strategies.rules.canonical.finished`).
    """
    declared = parameters(rule)
    tree = named(rule)
    writer = _Writer()
    now = _Ago()
    parts: dict[str, str] = {}
    for key, condition in (
        ("enter_long", tree.entry), ("leave_long", tree.exit),
        ("enter_short", tree.short_entry), ("leave_short", tree.short_exit),
    ):  # fmt: skip
        if condition is not None:
            parts[key] = writer.condition(condition, now)
    gates = [writer.condition(condition, now) for condition in tree.filters]
    gates += _schedule(rule)
    if tree.stop is not None or tree.target is not None or tree.trail is not None:
        writer.fields.add("close")
    body = _decisions(tree, writer, parts, gates=bool(gates))
    head = [f"bars = {_BARS}"]
    head += [f"{parameter.name} = {_setting(parameter.name)}" for parameter in declared]
    head += [
        f'{_LISTS[name]} = [bar["{name}"] for bar in bars]'
        for name in _LISTS if name in writer.fields
    ]  # fmt: skip
    head += writer.definitions()
    if gates:
        head += _assigned("allowed", " and ".join(_guarded(gate) for gate in gates))
    for key, text in parts.items():
        head += _assigned(key, text)
    lines = [
        _docstring(rule_words(rule)),
        "",
        f"LOOKBACK = {rule.lookback}",
        f'SIDES = "{rule.sides}"',
        *_declarations(declared),
        "",
        "",
        "def execute_strategy(market_data, strategy_params):",
        *(f"    {line}" for line in head),
        *(f"    {line}" for line in body),
        '    return {"action": "hold", "reason": "nothing to do"}',
        "",
    ]
    return "\n".join(lines)


_BARS: Final = 'market_data["bars"]'


def _setting(name: str) -> str:
    return f'strategy_params.get("{name}", PARAMETERS["{name}"]["default"])'


def _guarded(text: str) -> str:
    return f"({text})" if " or " in text else text


def _assigned(name: str, text: str) -> list[str]:
    """An assignment, broken at its joints where it is long."""
    line = f"{name} = {text}"
    if len(line) <= 92:  # noqa: PLR2004 - with its indentation, 96 columns
        return [line]
    joint = " or " if _top_level(text, " or ") else " and "
    pieces = _top_level(text, joint) or [text]
    lines = [f"{name} = ("]
    for place, piece in enumerate(pieces):
        lines.append(f"    {joint.strip() + ' ' if place else ''}{piece}")
    return [*lines, ")"]


def _top_level(text: str, joint: str) -> list[str]:
    """What a joint separates outside brackets; nothing where it does not occur."""
    pieces, depth, start = [], 0, 0
    for place, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        if depth == 0 and text.startswith(joint, place):
            pieces.append(text[start:place])
            start = place + len(joint)
    return [*pieces, text[start:]] if pieces else []


def _docstring(words: str) -> str:
    wrapped = textwrap.fill(words, 96, break_long_words=False, break_on_hyphens=False)
    return f'"""{wrapped}"""' if "\n" not in wrapped else f'"""{wrapped}\n"""'


def _declarations(declared: Sequence[Parameter]) -> list[str]:
    if not declared:
        return ["PARAMETERS = {}"]
    lines = ["PARAMETERS = {"]
    for parameter in declared:
        shown = ", ".join(
            f'"{key}": ' + (f'"{value}"' if isinstance(value, str) else repr(value))
            for key, value in parameter.declared().items()
        )
        lines.append(f'    "{parameter.name}": {{{shown}}},')
    return [*lines, "}"]


def _schedule(rule: Rule) -> list[str]:
    gates = []
    if rule.schedule.weekdays:
        gates.append(f'weekday(bars[-1]["time"]) in {_tuple(rule.schedule.weekdays)}')
    if rule.schedule.months:
        gates.append(f'month(bars[-1]["time"]) in {_tuple(rule.schedule.months)}')
    if rule.schedule.first_of is not None:
        gates.append(f"first_of_{rule.schedule.first_of}(bars)")
    return gates


def _tuple(values: Sequence[int]) -> str:
    return "[" + ", ".join(str(value) for value in values) + "]"


def _decisions(tree: Rule, writer: _Writer, parts: dict[str, str], *, gates: bool) -> list[str]:
    """What is done about the position."""
    lines = ['position = market_data["position"]', 'side = position["side"]']
    gate = "allowed and " if gates else ""
    if tree.sides == "both":
        lines.append(f'if {gate}enter_long and side != "LONG":')
        lines += _entry(tree, "LONG", writer)
        lines.append(f'if {gate}enter_short and side != "SHORT":')
        return lines + _entry(tree, "SHORT", writer)
    long = tree.sides == "long"
    side: Side = "LONG" if long else "SHORT"
    enter, leave = ("enter_long", "leave_long") if long else ("enter_short", "leave_short")
    out = "sell" if long else "buy"
    if enter in parts:
        lines.append(f"if side is None and {gate}{enter}:")
        lines += _entry(tree, side, writer)
    if leave in parts:
        lines.append(f'if side == "{side}" and {leave}:')
        lines.append(f'    return {{"action": "{out}", "reason": "the exit holds"}}')
    if tree.trail is not None:
        lines.append(f'if side == "{side}":')
        lines.append("    since = closes_since_entry(bars, position)")
        lines.append(f"    best = {'max' if long else 'min'}(since)")
        sign = "-" if long else "+"
        if isinstance(tree.trail, Percent):
            level = f"best * (1 {sign} {_name(tree.trail.size)} / 100)"
        else:
            wide = writer.list_of(average_range(tree.trail.days), _Count(1))
            level = f"best {sign} {_name(tree.trail.multiple)} * {wide}[-1]"
        lines.append(f"    if closes[-1] {'<=' if long else '>='} {level}:")
        lines.append(f'        return {{"action": "{out}", "reason": "the trailing stop is met"}}')
    return lines


def _entry(tree: Rule, side: Side, writer: _Writer) -> list[str]:
    """The lines that enter a side, where its levels are on the right side of the close."""
    up = side == "LONG"
    lines, checks, metadata = [], [], []
    if tree.stop is not None or tree.target is not None:
        lines.append("close = closes[-1]")
    if tree.stop is not None:
        lines.append(f"stop = {_price(tree.stop, '-' if up else '+', writer)}")
        checks.append(f"stop {'<' if up else '>'} close")
        metadata.append('"stop_loss": stop')
    if tree.target is not None:
        lines.append(f"target = {_price(tree.target, '+' if up else '-', writer)}")
        checks.append(f"target {'>' if up else '<'} close")
        metadata.append('"target_price": target')
    if tree.horizon_bars is not None:
        metadata.append(f'"horizon_bars": {_name(tree.horizon_bars)}')
    action = f'"action": "{"buy" if up else "sell"}", "reason": "the entry holds"'
    answer = f'{{{action}, "metadata": {{{", ".join(metadata)}}}}}' if metadata else f"{{{action}}}"
    if checks:
        lines.append(f"if {' and '.join(checks)}:")
        lines.append(f"    return {answer}")
    else:
        lines.append(f"return {answer}")
    return [f"    {line}" for line in lines]


def _price(distance: Stop | Target, sign: str, writer: _Writer) -> str:
    if isinstance(distance, Percent):
        return f"close * (1 {sign} {_name(distance.size)} / 100)"
    if isinstance(distance, Risk):
        return f"close + {_name(distance.multiple)} * (close - stop)"
    if isinstance(distance, Ranges):
        wide = writer.list_of(average_range(distance.days), _Count(1))
        return f"close {sign} {_name(distance.multiple)} * {wide}[-1]"
    return writer.operand(distance.operand, _Ago())
