"""Lines that list what could be decided, one below the other: they decide nothing."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Final

import re2

from trackrecord.extraction import looks
from trackrecord.extraction.document import SYMBOL, Document, Line
from trackrecord.extraction.findings import Findings, Statement
from trackrecord.extraction.model import side_of
from trackrecord.extraction.packs import RANKS
from trackrecord.extraction.ruleset import few_matcher, matcher
from trackrecord.extraction.shapes import ACTIONS, action_places

_FEWEST: Final = 3
_RULE: Final = "code/listed-alternatives"
_SHARES: Final = "code/shares"
_SHARES_REASON: Final = "lines below one another give each action a share"
_SHARE: Final = few_matcher(r"^[-|>]*[Aa][|:(]*P[)|]*$")
_FILLS: Final = "code/fills"
_FILLS_REASON: Final = "several lines trade a number of shares of one instrument: a log of trades"
_ROUND: Final = "code/round-trip"
_ROUND_REASON: Final = "its line tells of a trade from entry to exit"
_ROUND_TRIP: Final = few_matcher(
    r"^[^TXEAay]*[Aay][@:]?N[^TXEAay]*[>,|/-][^TXEAay]*[Aay][@:]?N[^TXE]*$"
)
# Trade #12: LONG KO 61.20 -> 63.10 (+3.1 %)
_TOLD_TRIP: Final = looks.later(
    matcher(
        r"(?i)^\W*(?:trade|deal|position) ?#? ?\d+\b[^\n]*\d ?(?:->|→) ?[$€£¥₹]?\d[^\n]*[(:=] ?[+-]"
    )
)
_BESIDE_RULES: Final = "code/beside-rules"
_BESIDE_REASON: Final = "the text explains when which action is taken"
_DEFINED: Final = "code/both-sides"
_DEFINED_REASON: Final = "lines beside one another say what stands for buying and what for selling"
# Buy signal: price falls below its average; the words behind the colon name no instrument.
_DEFINING: Final = re2.compile(rb"^[-|>.]*(?:N[.)])?[wf]{0,2}[Aa][Lgk]?[:>-]([^STXEC@][^TXEC@]*)$")
_FEWEST_WORDS: Final = 2
# - BUY: most signals are positive
_MEANING: Final = few_matcher(r"^[-|>.]*(?:N[.)])?[Aa]L?[:=>-]{1,2}[wfVzn]")
_HEDGED: Final = "code/hedged"
_HEDGED_REASON: Final = "both sides of one instrument are taken at once: that is no side"
_MARKET: Final = re2.compile(r"(?i) (?:on|via|at) (?:the )?([a-z]\w+)")
_COMPARED: Final = re2.compile(
    r"(?i)[<>≤≥]|\b(?:above|below|over|under|cross\w*|greater|less|higher|lower|exceeds?|abaixo|acima"
    r"|encima|debajo|por encima|oberhalb|unterhalb|über|unter|au-dessus|sous|sopra|sotto)\b"
    r"|上穿|下穿|突破|跌破|低于|高于|以上|以下|выше|ниже|이상|이하|돌파"
)
_TOLD: Final = few_matcher(r"[LF][:=>-]{1,2}f?[Aa]")
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
        lost = _headings(document, findings, many=_explains_labelled(document, findings))
        findings.refuse(document, lost, _BESIDE_RULES, _BESIDE_REASON)
    if len(findings.statements) > 1:
        findings.refuse(document, _shares(document, findings), _SHARES, _SHARES_REASON)
        findings.refuse(document, _fills(document, findings), _FILLS, _FILLS_REASON)
    findings.refuse(document, _round_trips(document, findings), _ROUND, _ROUND_REASON)
    if len(findings.statements) >= _FEWEST:
        findings.refuse(document, _listed(document, findings), _RULE, _REASON)
    findings.refuse(document, _meanings(document, findings), _RULE, _REASON)
    if len(findings.statements) > 1:
        findings.refuse(document, _hedged(document, findings), _HEDGED, _HEDGED_REASON)
        findings.refuse(document, _repeated(document, findings), _RULE, _REASON)
    findings.refuse(document, _defined(document, findings), _DEFINED, _DEFINED_REASON)


def _headings(document: Document, findings: Findings, *, many: bool) -> list[Statement]:
    """Return headings of actions, as a text has that explains when each of them is taken.

    Args:
        document: The text.
        findings: Its statements.
        many: Whether it explains several labelled actions, so that a label decides nothing either.
    """
    return [
        item
        for item in findings.statements
        if item.rank <= RANKS["labelled" if many else "stated"]
        and item.symbol is None
        and not document.lines[item.line].traits.levels
    ]


def _explains_labelled(document: Document, findings: Findings) -> bool:
    """Say whether several lines tell when the text is to say what: If above 80, Signal: SELL."""
    told = {document.line_at(item.start) for item in findings.rejected if item.reason == _EXPLAINED}
    return sum(_TOLD(document.lines[number].shape) for number in told) > 1


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
        if not item.is_row and _is_told_trip(document, document.lines[item.line])
    ] + [
        item
        for item in findings.statements
        if not item.is_row
        and item.rank < RANKS["final"]
        and document.lines[item.line].shape.count("N") > 1
        and item.rule != "code/clauses"
        and _ROUND_TRIP(document.lines[item.line].shape)
        and _differ(document, document.lines[item.line])
    ]


def _is_told_trip(document: Document, line: Line) -> bool:
    """Say whether a line of a log numbers its trade and says what it brought."""
    return "N>N" in line.shape and document.tells(line, _TOLD_TRIP)


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


def _meanings(document: Document, findings: Findings) -> list[Statement]:
    """Return lines of a list that says of three decisions or more what each of them means."""
    found = []
    for item in findings.statements:
        # A statement below its label counts as the label's line.
        number = document.line_at(document.starts[item.token])
        if (
            _is_bare(document, item)
            and _is_meaning(document.lines[number])
            and _count_meanings(document, number) >= _FEWEST
        ):
            found.append(item)
    return found


def _is_meaning(line: Line) -> bool:
    """Say whether a line begins with an action and explains it, naming no instrument."""
    return line.traits.acts and SYMBOL not in line.shape and _MEANING(line.shape)


def _count_meanings(document: Document, number: int) -> int:
    """Return how many lines around one explain an action, 0 where two explain the same."""
    words: list[str] = []
    actions: set[str] = set()
    for step in (-1, 1):
        at = number if step > 0 else number - 1
        while 0 <= at < len(document.lines) and _is_meaning(document.lines[at]):
            line = document.lines[at]
            token = line.first + action_places(line.shape)[0]
            term = document.terms[token]
            actions.add("" if term is None else term.value)
            words.append(document.raw(token).lower())
            at += step
    # WAIT and NO TRADE are two words for one action, and two entries of a legend.
    return len(words) if len(set(words)) == len(words) and len(actions) > 1 else 0


def _hedged(document: Document, findings: Findings) -> list[Statement]:
    """Return lines below one another that buy and sell one thing at once, on two markets."""
    lost: set[int] = set()
    for above, below in pairwise(findings.statements):
        if above.action == below.action or "HOLD" in (above.action, below.action):
            continue
        number = document.line_at(document.starts[above.token])
        if below.line not in (number, number + 1):
            continue
        first = _dealt(document, document.lines[number], above.token)
        second = _dealt(document, document.lines[below.line], below.token)
        if first is not None and second is not None and first[0] == second[0] and first != second:
            lost.update((above.line, below.line))
    return [item for item in findings.statements if item.line in lost]


def _dealt(document: Document, line: Line, token: int) -> tuple[str, str] | None:
    """Return the instrument and the market behind an action: LONG $500 BTC on Kraken."""
    at = line.shape.find(SYMBOL, token - line.first)
    if at < 0:
        return None
    market = _MARKET.match(document.folded[document.ends[line.first + at] : line.end])
    return None if market is None else (document.raw(line.first + at), market.group(1).lower())


def _repeated(document: Document, findings: Findings) -> list[Statement]:
    """Return lines below one another that say the same of every decision, however they say it."""
    found: list[Statement] = []
    run: list[Statement] = []
    for statement in findings.statements:
        if run and not (
            _is_next(document, run[-1].line, statement.line)
            and _frame(document, statement) == _frame(document, run[0])
            and statement.action not in {item.action for item in run}
        ):
            found += run if _are_choices(run) else []
            run = []
        if statement.symbol is None and not statement.is_row:
            run.append(statement)
    return found + (run if _are_choices(run) else [])


def _are_choices(run: list[Statement]) -> bool:
    """Say whether lines that say the same leave a choice: three of them, or two set apart by or."""
    return len(run) >= _FEWEST or (len(run) > 1 and run[-1].line > run[0].line + 1)


def _is_next(document: Document, above: int, below: int) -> bool:
    """Say whether a line follows another one, with nothing but or between them."""
    between = "".join([line.shape for line in document.lines[above + 1 : below]])
    return below == above + 1 or (above < below and between.strip("-|>.:") == "r")


def _frame(document: Document, statement: Statement) -> tuple[str, str]:
    """Return what stands on a statement's line before and behind its action."""
    line = document.lines[statement.line]
    start, end = document.starts[statement.token], document.ends[statement.token]
    return document.folded[line.start : start].strip(), document.folded[end : line.end].strip()


def _defined(document: Document, findings: Findings) -> list[Statement]:
    """Return lines that say what a signal is, where the line beside them says it of the other."""
    return [
        item
        for item in findings.statements
        if item.rank <= RANKS["stated"]
        and item.price_token is None
        and any(
            _defines(document, item, document.lines[number])
            for number in (item.line - 1, item.line + 1)
            if 0 <= number < len(document.lines)
        )
    ]


def _defines(document: Document, statement: Statement, beside: Line) -> bool:
    """Say whether two lines each explain an action by words, and not the same."""
    line = document.lines[statement.line]
    if not beside.traits.acts:
        return False
    if not (_is_definition(line.shape) and _is_definition(beside.shape)):
        return False
    actions = []
    for one in (line, beside):
        if _COMPARED.search(document.folded[one.start : one.end]) is None:
            return False
        term = document.terms[one.first + action_places(one.shape)[0]]
        actions.append("" if term is None else side_of(term.value))
    return actions[0] != actions[1]


@lru_cache(maxsize=8192)
def _is_definition(shape: str) -> bool:
    """Say whether a line of this shape puts an action in front of words, and names nothing."""
    match = _DEFINING.search(shape.encode("ascii", "replace"))
    return match is not None and len(match.group(1)) >= _FEWEST_WORDS
