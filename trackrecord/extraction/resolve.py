"""From statements to recommendations: one per instrument, the final word wins."""

from __future__ import annotations

from bisect import bisect_right
from decimal import Decimal
from typing import Final, final

from trackrecord.extraction import currency, fields, guards, orders, traded
from trackrecord.extraction.document import NUMBER, PERCENT, Document
from trackrecord.extraction.model import Evidence, Recommendation, Rejected, side_of
from trackrecord.extraction.model import evidence as shown
from trackrecord.extraction.model import rejected as refused
from trackrecord.extraction.refusals import FINAL, ROW
from trackrecord.extraction.statements import Findings, Statement, reject
from trackrecord.extraction.symbols import Section
from trackrecord.extraction.words import QUOTES

_LONGEST_BLOCK: Final = 40
_EXIT: Final = "exit"
_NAMES: Final = ("entry_price", "target_price", "stop_loss")
_LETTERS: Final = (fields.ENTRY, fields.TARGET, fields.STOP)


@final
class _Level:
    """A price, the rule that took it, and where it stands with its label and by itself."""

    __slots__ = ("number", "rule", "span", "value")

    def __init__(
        self, value: Decimal, rule: str, span: tuple[int, int], number: tuple[int, int]
    ) -> None:
        self.value = value
        self.rule = rule
        self.span = span
        self.number = number


@final
class Group:
    """All statements on one instrument."""

    __slots__ = ("statements", "symbol")

    def __init__(self, symbol: str | None) -> None:
        self.symbol = symbol
        self.statements: list[Statement] = []

    @property
    def first(self) -> Statement:
        """The one printed first."""
        return self.statements[0]


def _group(statements: list[Statement]) -> list[Group]:
    groups: dict[str | None, Group] = {}
    for statement in statements:
        name = statement.symbol.upper() if statement.symbol else None
        groups.setdefault(name, Group(statement.symbol)).statements.append(statement)
    if len(groups) > 1:
        _drop_coins(groups)
    nameless = groups.get(None)
    if nameless is not None and len(groups) > 1:
        # A line without a name speaks of the one instrument there is; among several, it is a
        # summary of the whole, and no recommendation in an instrument.
        del groups[None]
        if len(groups) == 1:
            only = next(iter(groups.values()))
            only.statements = sorted(
                [*only.statements, *nameless.statements], key=lambda item: item.token
            )
    return list(groups.values())


def _drop_coins(groups: dict[str | None, Group]) -> None:
    """Drop an order for a coin, BUY 0.02 BTC, below the decision on its pair, BTCUSDT."""
    for name, group in list(groups.items()):
        if name is None or any(item.rank > ROW for item in group.statements):
            continue
        actions = {item.action for item in group.statements}
        if any(
            other is not None
            and other.startswith(name)
            and other[len(name) :].lstrip("/-_") in QUOTES
            and pair.first.token < group.first.token
            and actions <= {item.action for item in pair.statements}
            for other, pair in groups.items()
        ):
            del groups[name]


def _winner(group: Group) -> Statement:
    """The highest rank, and among equals the last printed, but for the kind of an order."""
    best = group.statements[0]
    for statement in group.statements[1:]:
        if statement.rank >= best.rank and not (statement.is_order and _is_rated(best, statement)):
            best = statement
    return best


def _is_rated(rating: Statement, order: Statement) -> bool:
    """Say whether a rating is the stronger word for what an order does: STRONG SELL, SELL LIMIT."""
    return rating.rank == order.rank and rating.action == f"STRONG_{order.action}"


def resolve(
    document: Document, findings: Findings, sections: list[Section], *, explained: bool
) -> tuple[list[Recommendation], list[Evidence]]:
    """Turn statements into recommendations, in print order.

    Args:
        document: The text.
        findings: Its statements, symbols assigned; what loses is added to its rejected ones.
        sections: Where the text turns to which instrument.
        explained: Whether to gather the evidence.

    Returns:
        Recommendations and the evidence of each of their fields.
    """
    orders.weaken(document, findings.statements)
    traded.drop(document, findings)
    groups = _group(findings.statements)
    kept = {id(item) for group in groups for item in group.statements}
    for statement in findings.statements:
        if id(statement) not in kept:
            findings.rejected.append(
                reject(
                    document, statement.token, statement.rule, "it names none of the instruments"
                )
            )
    if len(groups) > 1 and any(item.rank >= FINAL for group in groups for item in group.statements):
        groups = _only_decided(document, groups, findings.rejected)
    recommendations: list[Recommendation] = []
    evidence: list[Evidence] | None = [] if explained else None
    scopes = _scopes(document, groups, sections, findings.over)
    for scope, group in zip(scopes, groups, strict=True):
        winner = _winner(group)
        for item in group.statements:
            if item is not winner and item.action != winner.action:
                findings.rejected.append(
                    reject(
                        document, item.token, item.rule, f"{winner.rule} decides: {winner.action}"
                    )
                )
        recommendations.append(
            _recommendation(
                document, group, winner, scope, len(recommendations), evidence, findings.rejected
            )
        )
    return recommendations, evidence or []


def _only_decided(document: Document, groups: list[Group], rejected: list[Rejected]) -> list[Group]:
    """Where a final line names its instrument, bare mentions of others are not advice."""
    decided = []
    for group in groups:
        if any(item.rank > ROW or item.is_row for item in group.statements):
            decided.append(group)
        else:
            rejected.extend(
                reject(document, item.token, item.rule, "a final decision names another instrument")
                for item in group.statements
            )
    return decided


def _scopes(
    document: Document,
    groups: list[Group],
    sections: list[Section],
    over: list[tuple[int, int]],
) -> list[tuple[int, int]]:
    """Return the tokens that speak of each group: from its section or line to the next one's."""
    last = len(document.letters)
    if len(groups) == 1:
        apart = [*over, *_other_messages(document, groups[0])]
        return [_outside(apart, _winner(groups[0]).token, last)]
    headings: dict[str, int] = {}
    for section in sections:
        headings.setdefault(section.symbol, document.lines[section.line].first)
    first_on_line: dict[int, int] = {}
    for group in groups:
        line, token = group.first.line, group.first.token
        first_on_line[line] = min(token, first_on_line.get(line, token))
    starts = []
    for group in groups:
        statement = group.first
        start = document.lines[statement.line].first
        if first_on_line[statement.line] < statement.token:
            start = min(statement.token, statement.symbol_token or statement.token)
        starts.append(min(start, headings.get(group.symbol or "", start)))
    ordered = sorted(set(starts))
    scopes = []
    for start in starts:
        following = bisect_right(ordered, start)
        scopes.append((start, ordered[following] if following < len(ordered) else last))
    return scopes


def _other_messages(document: Document, group: Group) -> list[tuple[int, int]]:
    """Return the tokens of the blocks in which the text says something else of an instrument."""
    winner = _winner(group)
    found: list[tuple[int, int]] = []
    for item in group.statements:
        if side_of(item.action) == side_of(winner.action) or item.line == winner.line:
            continue
        first = last = item.line
        while first > 0 and document.lines[first - 1].shape and item.line - first < _LONGEST_BLOCK:
            first -= 1
        while (
            last + 1 < len(document.lines)
            and document.lines[last + 1].shape
            and last - item.line < _LONGEST_BLOCK
        ):
            last += 1
        if not first <= winner.line <= last:
            found.append((document.lines[first].first, document.lines[last].last))
    return found


def _outside(over: list[tuple[int, int]], token: int, last: int) -> tuple[int, int]:
    """Return the tokens around one, up to the blocks that tell of what is over."""
    if not over:
        return 0, last
    start = max((end for _, end in over if end <= token), default=0)
    end = min((begin for begin, _ in over if begin > token), default=last)
    return start, end


def _recommendation(
    document: Document,
    group: Group,
    winner: Statement,
    scope: tuple[int, int],
    index: int,
    evidence: list[Evidence] | None,
    rejected: list[Rejected],
) -> Recommendation:
    symbol = winner.symbol or group.symbol
    holder = winner.symbol_token
    if holder is None:
        for statement in group.statements:
            if statement.symbol_token is not None:
                holder = statement.symbol_token
                break
    levels = _levels(document, group, winner, scope, rejected)
    paid = _currency(document, levels, symbol)
    sure = _confidence(document, group, winner, scope)
    if evidence is not None:
        where = f"recommendations[{index}]."
        starts, ends = document.starts, document.ends
        token = winner.token
        evidence.append(
            shown(f"{where}action", winner.action, winner.rule, starts[token], ends[token])
        )
        if symbol is not None and holder is not None:
            evidence.append(
                shown(f"{where}symbol", symbol, "code/symbol", starts[holder], ends[holder])
            )
        for name, level in zip(_NAMES, levels, strict=True):
            if level is not None:
                start, end = level.span
                evidence.append(shown(f"{where}{name}", str(level.value), level.rule, start, end))
        if paid is not None:
            start, end = paid[1]
            evidence.append(shown(f"{where}currency", paid[0], "code/currency", start, end))
        if sure is not None:
            start, end = sure.span
            evidence.append(shown(f"{where}confidence", str(sure.value), sure.rule, start, end))
    entry, target, stop = levels
    return tuple.__new__(
        Recommendation,
        (
            winner.action,
            symbol,
            _value(entry),
            _value(target),
            _value(stop),
            None if sure is None else float(sure.value),
            None if paid is None else paid[0],
        ),
    )


def _value(level: _Level | None) -> Decimal | None:
    return None if level is None else level.value


def _levels(
    document: Document,
    group: Group,
    winner: Statement,
    scope: tuple[int, int],
    rejected: list[Rejected],
) -> list[_Level | None]:
    """Return entry, target and stop, in this order, without those that cannot be."""
    levels: list[_Level | None] = []
    for letter in _LETTERS:
        level: _Level | None
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
    prices = {name: _value(level) for name, level in zip(_NAMES, levels, strict=True)}
    for name, reason in guards.dropped(winner.action, prices).items():
        at = _NAMES.index(name)
        lost = levels[at]
        levels[at] = None
        if lost is not None:
            start, end = lost.number
            rejected.append(refused(f"{name} {lost.value}", guards.RULE, reason, start, end))
    return levels


def _of_cell(winner: Statement, letter: str) -> _Level | None:
    """Return what a column of the winner's table gives it."""
    cell = winner.cells.get(letter)
    if cell is None:
        return None
    span = (cell.start, cell.end)
    return _Level(cell.value, winner.rule, span, span)


def _of_label(document: Document, winner: Statement, found: fields.Found) -> _Level:
    """Return a price with where it and its label stand."""
    term = document.terms[found.label]
    number = (document.starts[found.token], document.ends[found.token])
    label = (document.starts[found.label], document.ends[found.label])
    rule = term.rule if term else winner.rule
    return _Level(found.value, rule, (min(number[0], label[0]), max(number[1], label[1])), number)


def _currency(
    document: Document, levels: list[_Level | None], symbol: str | None
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
    )


def _first(
    document: Document, winner: Statement, scope: tuple[int, int], letter: str
) -> fields.Found | None:
    """Return the first price of a label, or that of the winner's own block where it has one.

    Of a text that begins within another message, the first target may be that message's.
    """
    found = fields.first(document, letter, scope[0], scope[1])
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


def _confidence(
    document: Document, group: Group, winner: Statement, scope: tuple[int, int]
) -> _Level | None:
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
    found = fields.nearest_confidence(document, scope[0], scope[1], winner.token)
    if found is not None and not _is_of_something(document, found, winner):
        return found
    return _beside(document, winner) or found


def _is_of_something(document: Document, found: fields.Found, winner: Statement) -> bool:
    """Say whether a value is the probability of something else: PROBABILITY: 55 % chance of."""
    if document.letters[found.token + 1 : found.token + 2] in {"w", "f"}:
        return True
    line = document.lines[winner.line]
    return found.label >= line.last and document.raw(found.label).lower().startswith("prob")


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
        value = fields.as_confidence(document, at)
        # sell 25 % of the portfolio
        of_something = at + 1 < end and letters[at + 1 : at + 2] in ("w", "f", "q", "a", "A")
        if value is not None and value >= _LEAST and raw[0] not in "+-" and not of_something:
            return fields.Found(value, winner.token, at)
    return None
