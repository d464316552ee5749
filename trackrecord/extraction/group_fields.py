"""Entry, target, stop, currency and confidence of a recommendation, from what is stated of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, final

from trackrecord.extraction import confidence_values, confidences, currency, fields, guards, orders
from trackrecord.extraction.document import NUMBER, PERCENT, Document
from trackrecord.extraction.findings import Statement
from trackrecord.extraction.groups import Group
from trackrecord.extraction.model import Rejected, side_of
from trackrecord.extraction.model import rejected as refused
from trackrecord.extraction.names import NEAR

NAMES: Final = ("entry_price", "target_price", "stop_loss")
"""What :func:`levels_of` returns, in this order."""
_LONGEST_BLOCK: Final = 40
_EXIT: Final = "exit"
_TRIGGERS: Final = frozenset({"wN", "w:N", "SN", "-wN", "-w:N", "@N", "ZN"})
_LETTERS: Final = (fields.ENTRY, fields.TARGET, fields.STOP)


@final
class Level:
    """A price, the rule that took it, and where it stands with its label and by itself."""

    __slots__ = ("number", "rule", "span", "value")

    def __init__(
        self, value: Decimal, rule: str, span: tuple[int, int], number: tuple[int, int]
    ) -> None:
        self.value = value
        self.rule = rule
        self.span = span
        self.number = number


def value_of(level: Level | None) -> Decimal | None:
    """Return a level as a price, None where there is none."""
    return None if level is None else level.value


def levels_of(
    document: Document,
    group: Group,
    winner: Statement,
    scope: tuple[int, int],
    rejected: list[Rejected],
) -> list[Level | None]:
    """Return entry, target and stop, in this order, without those that cannot be."""
    levels: list[Level | None] = []
    for letter in _LETTERS:
        level: Level | None
        if winner.is_row:
            level = _of_cell(winner, letter)
            found = (
                orders.quoted(document, group.statements, winner)
                if level is None and letter == fields.ENTRY
                else None
            )
        else:
            level = None
            found = _price(document, group, winner, scope, letter)
        levels.append(level if found is None else _of_label(document, winner, found))
    prices = {name: value_of(level) for name, level in zip(NAMES, levels, strict=True)}
    for name, reason in guards.dropped(winner.action, prices).items():
        at = NAMES.index(name)
        lost = levels[at]
        levels[at] = None
        if lost is not None:
            start, end = lost.number
            rejected.append(refused(f"{name} {lost.value}", guards.RULE, reason, start, end))
    return levels


def _of_cell(winner: Statement, letter: str) -> Level | None:
    """Return what a column of the winner's table gives it."""
    cell = winner.cells.get(letter)
    if cell is None:
        return None
    span = (cell.start, cell.end)
    return Level(cell.value, winner.rule, span, span)


def _of_label(document: Document, winner: Statement, found: fields.Found) -> Level:
    """Return a price with where it and its label stand."""
    term = document.terms[found.label]
    number = (document.starts[found.token], document.ends[found.token])
    label = (document.starts[found.label], document.ends[found.label])
    rule = term.rule if term else winner.rule
    return Level(found.value, rule, (min(number[0], label[0]), max(number[1], label[1])), number)


def currency_of(
    document: Document, levels: list[Level | None], symbol: str | None
) -> tuple[str, tuple[int, int]] | None:
    """Return the currency printed with the first price that has one, and where it stands."""
    first: tuple[int, int] | None = None
    for level in levels:
        if level is None:
            continue
        first = first or level.number
        begin, end = level.number
        label = level.span[0]
        if not _may_be_paid(document, min(label, begin) - currency.MARGIN, end + currency.MARGIN):
            continue
        code = currency.of_price(document.folded, begin, end, label, symbol)
        if code is not None:
            return code, level.number
    named = None if first is None else document.named_currency()
    return None if first is None or named is None else (named, first)


def _may_be_paid(document: Document, begin: int, end: int) -> bool:
    """Say whether a currency may be printed on the lines of a part of the text."""
    if not document.may(currency.MAY_BE):
        return False
    lines = document.lines
    at = max(0, document.line_at(begin))
    while at < len(lines) and lines[at].start < end:
        if lines[at].looks & currency.MAY_BE:
            return True
        at += 1
    return False


def _price(
    document: Document, group: Group, winner: Statement, scope: tuple[int, int], letter: str
) -> fields.Found | None:
    bound = _bound(group, winner)
    if bound is not None:
        return bound.get(letter)
    if letter != fields.ENTRY:
        return _first(document, winner, scope, letter)
    if document.raw(winner.token)[:4].lower() == _EXIT:
        return None  # the entry is that of the position which is left
    return (
        orders.quoted(document, group.statements, winner)
        or _first(document, winner, scope, letter)
        or orders.entry(document, winner.action, scope[0], scope[1])
        or _triggered_below(document, winner)
    )


def _triggered_below(document: Document, winner: Statement) -> fields.Found | None:
    """Return the price on the line below an action that says from where on it holds: ABOVE 245."""
    lines = document.lines[winner.line + 1 : winner.line + 2]
    if not lines or lines[0].shape not in _TRIGGERS:
        return None
    first = lines[0].first + lines[0].shape.startswith("-")
    if document.raw(first).lower() not in NEAR:
        return None
    return fields.quoted(document, first, lines[0].last - 1, lines[0].last)


def _first(
    document: Document, winner: Statement, scope: tuple[int, int], letter: str
) -> fields.Found | None:
    """Return the first price of a label, or that of the winner's own block where it has one.

    Of a text that begins within another message, the first target may be that message's.
    """
    found = fields.first(document, letter, scope[0], scope[1])
    if found is not None and winner.action == "HOLD" and _is_of_others(document, found, winner):
        return None
    if found is None or found.label > winner.token:
        return found
    lines = document.lines
    begin = last = winner.line
    while begin and lines[begin - 1].shape:
        begin -= 1
    if found.label >= lines[begin].first:
        return found
    while last + 1 < len(lines) and lines[last + 1].shape and last - winner.line < _LONGEST_BLOCK:
        last += 1
    end = min(scope[1], lines[last].last)
    return fields.first(document, letter, lines[begin].first, end) or found


def _is_of_others(document: Document, found: fields.Found, winner: Statement) -> bool:
    """Say whether a level stands behind another action on its line: 14 houses BUY, mean TP 590."""
    line = document.lines[document.line_at(document.starts[found.label])]
    if line.number == winner.line:
        return False
    terms = [document.terms[at] for at in range(line.first, found.label)]
    return any(term is not None and term.letter == "A" and term.value != "HOLD" for term in terms)


def _bound(group: Group, winner: Statement) -> dict[str, fields.Found] | None:
    """Return the fields of the object that speaks, or of one that says what the winner says."""
    if winner.bound is not None:
        return winner.bound
    if winner.is_row or winner.price_token is not None:
        return None
    for statement in reversed(group.statements):
        if statement.bound and statement.action == winner.action:
            return statement.bound
    return None


def confidence_of(
    document: Document, group: Group, winner: Statement, scope: tuple[int, int]
) -> Level | None:
    """Return the confidence of a row's column, of an object, of a label or beside the action."""
    if winner.is_row:
        return _of_cell(winner, fields.CONFIDENCE)
    found = _labelled_confidence(document, group, winner, scope)
    return None if found is None else _of_label(document, winner, found)


def _labelled_confidence(
    document: Document, group: Group, winner: Statement, scope: tuple[int, int]
) -> fields.Found | None:
    bound = _bound(group, winner)
    if bound is not None:
        return bound.get(fields.CONFIDENCE)
    found = confidence_values.nearest_confidence(document, scope[0], scope[1], winner.token)
    for _ in range(_MOST_AGAINST):
        if found is None or not _is_against(document, found, winner):
            break
        found = confidence_values.nearest_confidence(
            document, found.label + 1, scope[1], winner.token
        )
    else:
        found = None
    if found is not None and not _is_of_something(document, found, winner):
        return found
    return _beside(document, winner) or found


def _is_of_something(document: Document, found: fields.Found, winner: Statement) -> bool:
    """Say whether a value is the probability of something else: PROBABILITY: 55 % chance of."""
    if document.letters[found.token + 1 : found.token + 2] in {"w", "f"}:
        return True
    line = document.lines[winner.line]
    if confidences.stands_below_words(document, found.label):
        return False
    return found.label >= line.last and document.raw(found.label).lower().startswith("prob")


_UP: Final = frozenset({"up", "upside", "rise", "rising", "bull", "bullish", "higher", "long"})
_DOWN: Final = frozenset(
    {"down", "downside", "fall", "falling", "bear", "bearish", "lower", "short"}
)


def _is_against(document: Document, found: fields.Found, winner: Statement) -> bool:
    """Say whether a probability is that of the other direction: Probability UP of a SELL."""
    said = {document.raw(at).lower() for at in range(found.label + 1, found.token)}
    said.update(document.raw(found.label).lower().split())
    side = side_of(winner.action)
    against = {"BUY": _DOWN, "SELL": _UP}.get(side, _UP | _DOWN)
    return not said.isdisjoint(against)


_MOST_AGAINST: Final = 4
"""Probabilities of other directions that are passed over."""
_LEAST: Final = Decimal("0.05")
"""Less than this beside an action is how far the price moved: BUY 0.09 %."""


def _beside(document: Document, winner: Statement) -> fields.Found | None:
    """Return the bare percentage beside a statement's action: BUY (78 %), HOLD @ 54 %."""
    letters = document.letters
    end = document.lines[winner.line].last
    at = winner.token + 1
    if winner.symbol_token == at:
        at += 1  # BUY ACME | 92 %
    start = at
    while at < end and letters[at] in "(|,:@-" and at - start <= 1:
        at += 1
    if at < end and letters[at] == PERCENT and letters[at] != NUMBER:
        raw = document.raw(at)
        value = confidence_values.as_confidence(document, at)
        # sell 25 % of the portfolio
        of_something = at + 1 < end and letters[at + 1 : at + 2] in ("w", "f", "q", "a", "A")
        if value is not None and value >= _LEAST and raw[0] not in "+-" and not of_something:
            return fields.Found(value, winner.token, at)
    return None
