"""From statements to recommendations: one per instrument, the final word wins."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from decimal import Decimal

from trackrecord.extraction import fields
from trackrecord.extraction.document import NUMBER, PERCENT, Document
from trackrecord.extraction.model import Evidence, Recommendation, Rejected
from trackrecord.extraction.refusals import FINAL, ROW
from trackrecord.extraction.statements import Findings, Statement, reject
from trackrecord.extraction.symbols import Section


@dataclass(slots=True)
class Group:
    """All statements on one instrument."""

    symbol: str | None
    statements: list[Statement] = field(default_factory=list)

    @property
    def first(self) -> Statement:
        """The one printed first."""
        return self.statements[0]


def _group(statements: list[Statement]) -> list[Group]:
    groups: dict[str | None, Group] = {}
    for statement in statements:
        name = statement.symbol.upper() if statement.symbol else None
        groups.setdefault(name, Group(statement.symbol)).statements.append(statement)
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


def _winner(group: Group) -> Statement:
    """The highest rank, and among equals the last printed."""
    best = group.statements[0]
    for statement in group.statements[1:]:
        if statement.rank >= best.rank:
            best = statement
    return best


def _drop_ledgers(document: Document, findings: Findings) -> None:
    """Refuse bare lines that buy and sell the same thing in turn: a list of trades."""
    bare = [
        item
        for item in findings.statements
        if item.rank <= ROW and not item.is_row and item.rule != "code/labelled-row"
    ]
    lines = {item.line for item in bare}
    if len(lines) < 2:  # noqa: PLR2004 - a list has at least two lines
        return
    by_symbol: dict[str | None, set[str]] = {}
    for item in bare:
        by_symbol.setdefault(item.symbol, set()).add(item.action)
    dropped = set()
    for item in bare:
        dated = "d" in document.lines[item.line].shape[:4]
        several = len(by_symbol[item.symbol]) > 1
        if several and (dated or item.symbol is None):
            dropped.add(id(item))
            findings.rejected.append(
                reject(document, item.token, "code/ledger", "it is a line of a list of trades")
            )
    findings.statements = [item for item in findings.statements if id(item) not in dropped]


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
    _drop_ledgers(document, findings)
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
    scopes = _scopes(document, groups, sections)
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
            _recommendation(document, group, winner, scope, len(recommendations), evidence)
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
    document: Document, groups: list[Group], sections: list[Section]
) -> list[tuple[int, int]]:
    """Return the tokens that speak of each group: from its section or line to the next one's."""
    last = len(document.letters)
    if len(groups) == 1:
        return [(0, last)]
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


def _recommendation(
    document: Document,
    group: Group,
    winner: Statement,
    scope: tuple[int, int],
    index: int,
    evidence: list[Evidence] | None,
) -> Recommendation:
    where = f"recommendations[{index}]"
    starts, ends = document.starts, document.ends

    def note(name: str, value: object, rule: str, first: int, last: int) -> None:
        if evidence is not None:
            evidence.append(
                Evidence(f"{where}.{name}", str(value), rule, starts[first], ends[last])
            )

    note("action", winner.action, winner.rule, winner.token, winner.token)
    symbol = winner.symbol or group.symbol
    holder = winner.symbol_token
    if holder is None:
        holder = next(
            (s.symbol_token for s in group.statements if s.symbol_token is not None), None
        )
    if symbol is not None and holder is not None:
        note("symbol", symbol, "code/symbol", holder, holder)
    prices: dict[str, Decimal | None] = {}
    for name, letter in (
        ("entry_price", fields.ENTRY),
        ("target_price", fields.TARGET),
        ("stop_loss", fields.STOP),
    ):
        if winner.is_row:
            prices[name] = _of_cell(winner, letter, f"{where}.{name}", evidence)
            continue
        found = _price(document, group, winner, scope, letter)
        prices[name] = None if found is None else found.value
        if found is not None and evidence is not None:
            term = document.terms[found.label]
            note(name, found.value, term.rule if term else winner.rule, found.label, found.token)
    if winner.is_row:
        surety = _of_cell(winner, fields.CONFIDENCE, f"{where}.confidence", evidence)
        return Recommendation(
            winner.action,
            symbol,
            prices["entry_price"],
            prices["target_price"],
            prices["stop_loss"],
            None if surety is None else float(surety),
        )
    sure = _confidence(document, group, winner, scope)
    if sure is not None and evidence is not None:
        term = document.terms[sure.label]
        note("confidence", sure.value, term.rule if term else winner.rule, sure.label, sure.token)
    return Recommendation(
        winner.action,
        symbol,
        prices["entry_price"],
        prices["target_price"],
        prices["stop_loss"],
        None if sure is None else float(sure.value),
    )


def _of_cell(
    winner: Statement, letter: str, name: str, evidence: list[Evidence] | None
) -> Decimal | None:
    """Return what a column of the winner's table gives it."""
    cell = winner.cells.get(letter)
    if cell is None:
        return None
    if evidence is not None:
        evidence.append(Evidence(name, str(cell.value), winner.rule, cell.start, cell.end))
    return cell.value


def _price(
    document: Document, group: Group, winner: Statement, scope: tuple[int, int], letter: str
) -> fields.Found | None:
    bound = _bound(group, winner)
    if bound is not None:
        return bound.get(letter)
    if letter == fields.ENTRY:
        for statement in [winner, *group.statements]:
            token = statement.price_token
            named = token == statement.symbol_token  # 300750 is a code here, not a price
            if token is not None and not named and statement.action == winner.action:
                value = document.number(token)
                if value is not None and not fields.is_range(
                    document, token, len(document.letters)
                ):
                    return fields.Found(value, statement.token, token)
    return fields.first(document, letter, *scope)


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
) -> fields.Found | None:
    bound = _bound(group, winner)
    if bound is not None:
        return bound.get(fields.CONFIDENCE)
    found = fields.nearest_confidence(document, *scope, winner.token)
    if found is not None:
        return found
    letters = document.letters
    at = winner.token + 1
    if winner.symbol_token == at:
        at += 1  # BUY ACME | 92 %
    start = at
    while at < len(letters) and letters[at] in "(|,:-" and at - start <= 1:
        at += 1
    if at < len(letters) and letters[at] == PERCENT and letters[at] != NUMBER:
        raw = document.raw(at)
        value = fields.as_confidence(document, at)
        of_something = letters[at + 1 : at + 2] in ("w", "f", "q")  # sell 25 % of the portfolio
        if value is not None and raw[0] not in "+-" and not of_something:
            return fields.Found(value, winner.token, at)
    return None
