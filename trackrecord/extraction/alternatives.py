"""Lines that list what could be decided, one below the other: they decide nothing."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from trackrecord.extraction.document import Document, Line
from trackrecord.extraction.packs import RANKS
from trackrecord.extraction.ruleset import matcher
from trackrecord.extraction.shapes import ACTIONS, action_places
from trackrecord.extraction.statements import Findings, Statement

_FEWEST: Final = 3
_RULE: Final = "code/listed-alternatives"
_SHARES: Final = "code/shares"
_SHARES_REASON: Final = "lines below one another give each action a share"
_SHARE: Final = matcher(r"^[-|>]*[Aa][|:(]*P[)|]*$")
_FILLS: Final = "code/fills"
_FILLS_REASON: Final = "several lines trade a number of shares of one instrument: a log of trades"
_ROUND: Final = "code/round-trip"
_ROUND_REASON: Final = "its line tells of a trade from entry to exit"
_ROUND_TRIP: Final = matcher(
    r"^[^TXEAay]*[Aay][@:]?N[^TXEAay]*[>,|/-][^TXEAay]*[Aay][@:]?N[^TXE]*$"
)
_BESIDE_RULES: Final = "code/beside-rules"
_BESIDE_REASON: Final = "the text explains when which action is taken"
_EXPLAINED: Final = "it is a rule, not a decision"
_REASON: Final = "lines below one another name every decision there could be"


def drop(document: Document, findings: Findings) -> None:
    """Refuse statements that only list the alternatives: a legend, a menu, a log of trades.

    Args:
        document: The text.
        findings: Its statements; those that are refused move to ``rejected``.
    """
    if not findings.statements:
        return
    if any(item.reason == _EXPLAINED for item in findings.rejected):
        findings.refuse(document, _headings(document, findings), _BESIDE_RULES, _BESIDE_REASON)
    findings.refuse(document, _shares(document, findings), _SHARES, _SHARES_REASON)
    findings.refuse(document, _fills(document, findings), _FILLS, _FILLS_REASON)
    findings.refuse(document, _round_trips(document, findings), _ROUND, _ROUND_REASON)
    findings.refuse(document, _listed(document, findings), _RULE, _REASON)


def _headings(document: Document, findings: Findings) -> list[Statement]:
    """Return headings of actions, as a text has that explains when each of them is taken."""
    return [
        item
        for item in findings.statements
        if item.rank <= RANKS["stated"]
        and item.symbol is None
        and not document.lines[item.line].traits.levels
    ]


def _shares(document: Document, findings: Findings) -> list[Statement]:
    """Return lines below one another that give each action a share: BUY: 22 %, SELL: 78 %."""
    shares = [item for item in findings.statements if _is_share(document.lines[item.line].shape)]
    return [
        item
        for above, below in pairwise(shares)
        if below.line == above.line + 1 and below.action != above.action
        for item in (above, below)
    ]


def _is_share(shape: str) -> bool:
    return "P" in shape and _SHARE(shape)


def _fills(document: Document, findings: Findings) -> list[Statement]:
    """Return lines that trade a number of shares of one instrument again and again."""
    sized: dict[str | None, list[Statement]] = {}
    for item in findings.statements:
        counted = document.letters[item.token + 1 : item.token + 3] == "Nq"
        if counted and not item.is_row and document.letters[item.token] in ACTIONS:
            sized.setdefault(item.symbol, []).append(item)
    return [
        item
        for items in sized.values()
        if len({other.line for other in items}) > 1
        for item in items
    ]


def _round_trips(document: Document, findings: Findings) -> list[Statement]:
    """Return lines that buy at one price and sell at another: a trade from entry to exit."""
    return [
        item
        for item in findings.statements
        if not item.is_row
        and document.lines[item.line].shape.count("N") > 1
        and _ROUND_TRIP(document.lines[item.line].shape)
        and _differ(document, document.lines[item.line])
    ]


def _differ(document: Document, line: Line) -> bool:
    """Say whether a line names several actions."""
    terms = {document.terms[line.first + at] for at in action_places(line.shape)}
    return len({term.value for term in terms if term is not None}) > 1


def _listed(document: Document, findings: Findings) -> list[Statement]:
    """Return lines that name every decision there could be.

    Three lines or more that follow one another, name no instrument and no date, and of which no
    two name the same action.
    """
    found: list[Statement] = []
    run: list[Statement] = []
    for statement in findings.statements:
        if run and not _goes_on(document, run, statement):
            found += run if len(run) >= _FEWEST else []
            run = []
        if _is_bare(document, statement):
            run.append(statement)
    return found + (run if len(run) >= _FEWEST else [])


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
