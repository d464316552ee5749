"""What stands around a result and says that it is none: an open position, a benchmark, an offer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from trackrecord.extraction import looks
from trackrecord.extraction.document import Document
from trackrecord.extraction.model import Rejected
from trackrecord.extraction.result_values import Candidate
from trackrecord.extraction.ruleset import matcher

_AROUND: Final = 4
_HEADING_ABOVE: Final = 12
# A price of now beside an entry, or the word itself.
_MAY_STAND: Final = looks.ask(
    r"(?i)current|mark|ltp|cmp|now|last price|\d open|hold"
    r"|(?:open|active|running|my|your) (?:position|trade)|status|state|still open"
    r"|position['\"*]*[ ]?[:=]"
)
_STANDS: Final = matcher(
    r"(?i)\b(?:current|current price|mark|mark price|market price|ltp|cmp|now|last price)\b"
    r"['\"*]{0,3} ?[:=] ?['\"*]{0,3} ?(?:Rs\.? ?)?[$€£¥₹]?\d"
    r"|(?:^|[\n|,;{(*-] ?)['\"*]{0,3}(?:(?:trade|position) )?(?:status|state)['\"*]{0,3} ?[:=]"
    r" ?['\"*]{0,3} ?[^\w\n]{0,3}(?:open|active|running)\b"
    r"|\bstill open\b"
    r"|(?:^|\n)\W*position['\"*]{0,3} ?[:=] ?['\"*]{0,3} ?(?:long|short|open)\b"
    r"|\bnow @? ?[$€£¥₹]?\d|\b\d+ open (?:position|trade)"
    r"|(?:^|[\n:|\[(-] ?)(?:HOLD|HOLDING|Holding) [A-Z$#][A-Z]"
    r"|^\W*(?:open|active|current|running|my|your) (?:positions?|trades?)\b"
    r"(?: \(\d+\)| ?: [1-9]\d?)?\W*(?:\n|$)"
    r"|\n\W*(?:open|active|current|running|my|your) (?:positions?|trades?)\b"
    r"(?: \(\d+\)| ?: [1-9]\d?)?\W*(?:\n|$)"
)
_LEFT: Final = matcher(
    r"(?i)clos(?:ed|ing)|exit|\bsold\b|covered|squared|stopped|liquidated|\bhit\b|reali[sz]ed|booked"
    r"|平仓|清仓|止盈|止损|backtest|total (?:trades|return)"
)
_MAY_OFFER: Final = looks.ask(r"(?i)\bbuy.*\bsell|arbitrage|opportunit")
_OFFER: Final = matcher(
    r"(?i)\bbuy(?:ing)? ?(?:at|on|@)? .{0,60}\bsell(?:ing)? ?(?:at|on|@)|arbitrage|opportunit"
)
_DONE: Final = matcher(r"(?i)executed|filled|closed|reali[sz]ed|booked|completed|trade #")
_MAY_HOLD: Final = looks.ask(r"(?i)hold|b&h|hodl|benchmark|买入持有|基准")
_HELD_THROUGH: Final = matcher(
    r"(?i)^\W*(?:buy ?(?:&|and|n|-and-) ?hold|b&h|hodl|benchmark|买入持有|基准)"
    r"(?: (?:strat\w*|baseline|benchmark|results?|performance|portfolio|comparison))*\W*$"
)


_MAY_LIST: Final = looks.ask(r"(?i)holdings|positions|持[仓倉股]|保有銘柄|보유 ?종목")
_HOLDINGS: Final = matcher(
    r"(?i)^\W*(?:(?:open|current|my) )?(?:holdings|positions)(?: (?:summary|overview))?\W*$"
    r"|^\W*(?:当前|我的)?持[仓倉股](?:汇总|彙總|明细|列表|概览|情况)?\W*$"
    r"|^\W*(?:保有銘柄|보유 ?종목)\W*$"
)


def drop(
    document: Document, candidates: list[Candidate], rejected: list[Rejected]
) -> list[Candidate]:
    """Leave out what has not happened, or not to the strategy.

    Args:
        document: The text.
        candidates: Its results.
        rejected: Receives those that are left out.

    Returns:
        The others.
    """
    kept = []
    for candidate in candidates:
        reason = _why_not(document, candidate) if candidate.line >= 0 else None
        if reason is None:
            kept.append(candidate)
            continue
        value = candidate.percent if candidate.percent is not None else candidate.money
        rejected.append(
            Rejected(f"result {value}", candidate.rule, reason, candidate.start, candidate.end)
        )
    return kept


def _why_not(document: Document, candidate: Candidate) -> str | None:
    lines = document.lines
    line = lines[candidate.line]
    text = document.folded[line.start : line.end]
    if line.looks & _MAY_OFFER and _OFFER(text) and not _DONE(text):
        return "it is an offer, not what happened"
    if candidate.kind == "trade" and document.may(_MAY_STAND):
        first = max(0, candidate.line - _AROUND)
        last = min(len(lines) - 1, candidate.line + _AROUND)
        around = document.folded[lines[first].start : lines[last].end]
        if _STANDS(around) and not _LEFT(around):
            return "the position is still open"
    if document.may(_MAY_HOLD) and _under_heading(
        document, candidate.line, _HELD_THROUGH, _HEADING_ABOVE
    ):
        return "it is what holding would have brought"
    if document.may(_MAY_LIST) and _under_heading(document, candidate.line, _HOLDINGS, _AROUND):
        return None if _LEFT(candidate.label) else "the position is still open"
    return None


def _under_heading(
    document: Document, number: int, names: Callable[[str], bool], reach: int
) -> bool:
    """Say whether the nearest line above without a number is such a heading."""
    lines = document.lines
    for line in reversed(lines[max(0, number - reach) : number]):
        if not line.shape.strip("|") or "N" in line.shape or "P" in line.shape:
            continue
        return names(document.folded[line.start : line.end])
    return False
