"""Which statements speak of one instrument, which of them decides, and which words are its own."""

from __future__ import annotations

from bisect import bisect_right
from typing import Final, final

from trackrecord.extraction.document import Document
from trackrecord.extraction.findings import Statement, reject
from trackrecord.extraction.model import Rejected, side_of
from trackrecord.extraction.refusals import LABELLED, ROW
from trackrecord.extraction.symbols import Section
from trackrecord.extraction.words import QUOTES

_LONGEST_BLOCK: Final = 40


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


def by_instrument(statements: list[Statement]) -> list[Group]:
    """Return what is stated of each instrument, in print order."""
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


def winner_of(group: Group) -> Statement:
    """The highest rank, and among equals the last printed, but for the kind of an order."""
    best = group.statements[0]
    for statement in group.statements[1:]:
        if statement.rank >= best.rank and not (statement.is_order and _is_rated(best, statement)):
            best = statement
    return best


def repeated_by(group: Group, winner: Statement) -> Statement:
    """Return the statement that a row without levels or confidence repeats, else the row itself."""
    if not winner.is_row or winner.cells:
        return winner
    for statement in reversed(group.statements):
        same = statement.action == winner.action and statement.rank >= LABELLED
        if same and not statement.is_row and statement.token < winner.token:
            return statement
    return winner


def _is_rated(rating: Statement, order: Statement) -> bool:
    """Say whether a rating is the stronger word for what an order does: STRONG SELL, SELL LIMIT."""
    return rating.rank == order.rank and rating.action == f"STRONG_{order.action}"


def only_decided(document: Document, groups: list[Group], rejected: list[Rejected]) -> list[Group]:
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


def scopes_of(
    document: Document,
    groups: list[Group],
    sections: list[Section],
    over: list[tuple[int, int]],
) -> list[tuple[int, int]]:
    """Return the tokens that speak of each group: from its section or line to the next one's."""
    last = len(document.letters)
    if len(groups) == 1:
        apart = [*over, *_other_messages(document, groups[0])]
        return [_outside(apart, winner_of(groups[0]).token, last)]
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
    winner = winner_of(group)
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
