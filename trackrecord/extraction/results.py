"""What the text says has happened: realised or backtested return, profit or loss."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from trackrecord.extraction import spoken
from trackrecord.extraction.document import Document
from trackrecord.extraction.model import Evidence, Outcome, Rejected, Result
from trackrecord.extraction.result_values import Candidate, of_line
from trackrecord.extraction.ruleset import matcher

_NO_TRADES: Final = matcher(
    r"(?i)(?:\b(?:total|closed|completed|number of|#)\s*)?\btrades?\b['\"]?\s*"
    r"(?:made|executed|closed)?\s*[:=|]\s*0(?:[^.\d]|$)"
    r"|\b(?:0|no|zero) (?:closed |completed )?trades\b"
)


def find(
    document: Document, *, holding: bool, taken: set[int], totals: list[Candidate]
) -> tuple[Result, list[Evidence], list[Rejected]]:
    """Find the result of a text.

    Args:
        document: The text.
        holding: Whether the text shows positions that are still open.
        taken: Lines of tables.
        totals: What the tables say.

    Returns:
        The result, its evidence, and the candidates that lost.
    """
    rejected: list[Rejected] = []
    candidates: list[Candidate] = list(totals)
    for line in document.lines:
        if line.traits.reports and line.number not in taken:
            candidates.extend(of_line(document, line, rejected))
    told = taken | {item.line for item in candidates}
    candidates.extend(spoken.find(document, told))
    if holding:
        candidates = _only_closed(document, candidates, rejected)
    if candidates and _NO_TRADES(document.folded):
        rejected.extend(_lost(item, "no trade was made") for item in candidates)
        candidates = []
    return choose(candidates, rejected)


def _lost(candidate: Candidate, reason: str) -> Rejected:
    value = candidate.percent if candidate.percent is not None else candidate.money
    return Rejected(f"result {value}", candidate.rule, reason, candidate.start, candidate.end)


def _only_closed(
    document: Document, candidates: list[Candidate], rejected: list[Rejected]
) -> list[Candidate]:
    """Beside open positions, only what is called closed or total has happened."""
    kept = []
    for candidate in candidates:
        line = document.lines[candidate.line]
        if candidate.kind == "trade" and "b" not in line.shape:
            rejected.append(_lost(candidate, "the position is still open"))
        else:
            kept.append(candidate)
    return kept


def choose(
    candidates: list[Candidate], rejected: list[Rejected]
) -> tuple[Result, list[Evidence], list[Rejected]]:
    """Choose among candidates: percent over money, total over trade, the first printed."""
    for kinds in (("total",), ("trade", "loss")):
        found = [item for item in candidates if item.kind in kinds and item.percent is not None]
        if found:
            return _with_percent(found, candidates, rejected)
    for kinds in (("total",), ("trade", "loss")):
        found = [item for item in candidates if item.kind in kinds and item.money]
        if found:
            return _with_money(found, kinds, candidates, rejected)
    return Result(), [], rejected


def _with_percent(
    found: list[Candidate], candidates: list[Candidate], rejected: list[Rejected]
) -> tuple[Result, list[Evidence], list[Rejected]]:
    best = found[0]
    signs = {_outcome(item.percent) for item in found if item.percent is not None}
    signs.update(_outcome(other) for other in best.others)
    same = [item for item in found if item.label == best.label]
    values = {item.percent for item in same}
    rejected.extend(
        _lost(item, f"{best.label!r} decides") for item in candidates if item is not best
    )
    if best.others or (len(values) > 1 and len({item.line for item in same}) > 1):
        if len(values) > 1 and best.kind != "total":
            rejected.append(_lost(best, "several trades, no total"))
            return Result(), [], rejected
        outcome = next(iter(signs)) if len(signs) == 1 else None
        return Result(None, outcome), _evidence(best, None, outcome), rejected
    outcome = _outcome(best.percent)
    return Result(best.percent, outcome), _evidence(best, best.percent, outcome), rejected


def _with_money(
    found: list[Candidate],
    kinds: tuple[str, ...],
    candidates: list[Candidate],
    rejected: list[Rejected],
) -> tuple[Result, list[Evidence], list[Rejected]]:
    signs = {_outcome(item.money) for item in found}
    best = found[0]
    rejected.extend(
        _lost(item, f"{best.label!r} decides") for item in candidates if item is not best
    )
    if len(signs) > 1 and "total" not in kinds:
        rejected.append(_lost(best, "several trades, no total"))
        return Result(), [], rejected
    outcome = _outcome(best.money)
    return Result(None, outcome), _evidence(best, None, outcome), rejected


def _outcome(value: Decimal | None) -> Outcome | None:
    if value is None:
        return None
    return "profit" if value > 0 else "loss" if value < 0 else "breakeven"


def _evidence(best: Candidate, percent: Decimal | None, outcome: Outcome | None) -> list[Evidence]:
    found = []
    if percent is not None:
        found.append(Evidence("result.return_pct", str(percent), best.rule, best.start, best.end))
    if outcome is not None:
        found.append(Evidence("result.outcome", outcome, best.rule, best.start, best.end))
    return found
