"""Lines that list what could be decided, one below the other: they decide nothing."""

from __future__ import annotations

from typing import Final

from trackrecord.extraction.document import Document, Line
from trackrecord.extraction.packs import RANKS
from trackrecord.extraction.ruleset import matcher
from trackrecord.extraction.shapes import action_places
from trackrecord.extraction.statements import Findings, Statement, reject

_FEWEST: Final = 3
_RULE: Final = "code/listed-alternatives"
_SHARES: Final = "code/shares"
_SHARES_REASON: Final = "lines below one another give each action a share"
_SHARE: Final = matcher(r"^[-|>]*[Aa][|:(]*P[)|]*$")
_FILLS: Final = "code/fills"
_FILLS_REASON: Final = "several lines trade a number of shares of one instrument: a log of trades"
_SIZED: Final = matcher(r"^[Aay]Nq")
_ROUND: Final = "code/round-trip"
_ROUND_REASON: Final = "its line tells of a trade from entry to exit"
_ROUND_TRIP: Final = matcher(
    r"^[^TXEAay]*[Aay][@:]?N[^TXEAay]*[>,|/-][^TXEAay]*[Aay][@:]?N[^TXE]*$"
)
_BESIDE_RULES: Final = "code/beside-rules"
_BESIDE_REASON: Final = "the text explains when which action is taken"
_EXPLAINED: Final = frozenset({"it is a rule, not a decision"})
_REASON: Final = "lines below one another name every decision there could be"


def drop(document: Document, findings: Findings) -> None:
    """Refuse statements that only list the alternatives: a legend, a menu, a form to fill in.

    Three lines or more that follow one another, name no instrument and no date, and of which no
    two name the same action, are no decision.

    Args:
        document: The text.
        findings: Its statements; those that are refused move to ``rejected``.
    """
    _drop_beside_rules(document, findings)
    _drop_shares(document, findings)
    _drop_fills(document, findings)
    _drop_round_trips(document, findings)
    if len(findings.statements) < _FEWEST:
        return
    run: list[Statement] = []
    dropped: set[int] = set()
    for statement in findings.statements:
        if run and not _goes_on(document, run, statement):
            _refuse(document, run, findings, dropped)
            run = []
        if _is_bare(document, statement):
            run.append(statement)
    _refuse(document, run, findings, dropped)
    if dropped:
        findings.statements = [item for item in findings.statements if id(item) not in dropped]


def _drop_shares(document: Document, findings: Findings) -> None:
    """Refuse lines below one another that give each action a share: BUY: 22 %, SELL: 78 %."""
    previous: Statement | None = None
    dropped: set[int] = set()
    for item in findings.statements:
        if not _SHARE(document.lines[item.line].shape):
            continue
        if (
            previous is not None
            and item.line == previous.line + 1
            and item.action != previous.action
        ):
            dropped |= {id(previous), id(item)}
        previous = item
    for item in findings.statements:
        if id(item) in dropped:
            findings.rejected.append(reject(document, item.token, _SHARES, _SHARES_REASON))
    findings.statements = [item for item in findings.statements if id(item) not in dropped]


def _drop_fills(document: Document, findings: Findings) -> None:
    """Refuse lines that trade a number of shares of one instrument again and again."""
    sized: dict[str | None, list[Statement]] = {}
    for item in findings.statements:
        if _SIZED(document.letters[item.token : item.token + 3]) and not item.is_row:
            sized.setdefault(item.symbol, []).append(item)
    dropped = {
        id(item)
        for items in sized.values()
        if len({item.line for item in items}) > 1
        for item in items
    }
    if not dropped:
        return
    for item in findings.statements:
        if id(item) in dropped:
            findings.rejected.append(reject(document, item.token, _FILLS, _FILLS_REASON))
    findings.statements = [item for item in findings.statements if id(item) not in dropped]


def _drop_round_trips(document: Document, findings: Findings) -> None:
    """Refuse lines that buy at one price and sell at another: a trade from entry to exit."""
    kept = []
    for item in findings.statements:
        line = document.lines[item.line]
        if not item.is_row and _ROUND_TRIP(line.shape) and _differ(document, line):
            findings.rejected.append(reject(document, item.token, _ROUND, _ROUND_REASON))
        else:
            kept.append(item)
    findings.statements = kept


def _differ(document: Document, line: Line) -> bool:
    """Say whether a line names several actions."""
    terms = {document.terms[line.first + at] for at in action_places(line.shape)}
    return len({term.value for term in terms if term is not None}) > 1


def _drop_beside_rules(document: Document, findings: Findings) -> None:
    """Refuse headings of actions in a text that explains when each of them is taken."""
    if not any(item.reason in _EXPLAINED for item in findings.rejected):
        return
    kept = []
    for item in findings.statements:
        line = document.lines[item.line]
        if item.rank > RANKS["stated"] or item.symbol is not None or line.traits.levels:
            kept.append(item)
        else:
            findings.rejected.append(reject(document, item.token, _BESIDE_RULES, _BESIDE_REASON))
    findings.statements = kept


def _is_bare(document: Document, statement: Statement) -> bool:
    """Say whether a statement names neither an instrument nor a time."""
    return (
        statement.symbol is None
        and not statement.is_row
        and statement.rank < RANKS["final"]
        and "d" not in document.lines[statement.line].shape
    )


def _goes_on(document: Document, run: list[Statement], statement: Statement) -> bool:
    """Say whether a statement stands on the next line and names another action."""
    between = document.lines[run[-1].line + 1 : statement.line]
    return (
        _is_bare(document, statement)
        and statement.line > run[-1].line
        and not any(line.shape for line in between)
        and statement.action not in {item.action for item in run}
    )


def _refuse(
    document: Document, run: list[Statement], findings: Findings, dropped: set[int]
) -> None:
    if len(run) < _FEWEST:
        return
    for item in run:
        dropped.add(id(item))
        findings.rejected.append(reject(document, item.token, _RULE, _REASON))
