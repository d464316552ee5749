"""What the text says has happened: realised or backtested return, profit or loss."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from trackrecord.extraction import (
    added,
    balances,
    compared,
    endings,
    result_choice,
    result_context,
    spoken,
    trade_counts,
)
from trackrecord.extraction.document import Document
from trackrecord.extraction.model import Evidence, Outcome, Rejected, Result
from trackrecord.extraction.result_values import Candidate, of_line
from trackrecord.extraction.ruleset import matcher

# A bare gain or loss is a day's move, unless a trade or a total is spoken of around it.
_BARE: Final = frozenset({"gain", "gains", "gain pct", "gain_pct", "gainpct", "gain %", "loss"})
_AROUND: Final = 3
_NOTHING: Final = Result()
# What an account began with stands above what it has made, whatever it holds now.
_ACCOUNT: Final = matcher(
    r"(?im)^[^\w\n]*(?:initial|start|starting|beginning|opening|시작|초기|初始|期初|起始|開始|初期)"
    r"(?:[ _]?(?:capital|balance|equity|cash|자본|자금|자산|금액|资金|資金|本金|资产|資産|残高))?"
    r"\W{0,6}\d"
)
_NEAR_ENDING: Final = 2
_CLOSED: Final = matcher(r"(?i)\b(?:trade|position|deal) #?\d+ (?:was |is )?(?:now )?closed\b")
_TRADED: Final = matcher(
    r"(?i)\b(?:trades|traded|closed|exited|sold|bought|executed|covered|squared off|backtest\w*"
    r"|reali[sz]ed|booked|liquidated"
    r"|exit(?:[ _](?:price|date|time|reason))?[ ]*[:=|@]|exit at|stopped out"
    r"|(?:stop(?:[ -]loss)?|target|take[ -]profit|tp\d?|sl) (?:hit|triggered)|position size|entered"
    r"|total (?:gain|loss|profit|pnl|p&l|return|trades)"
    r"|(?:initial|final|starting|ending|account) (?:capital|balance|equity|value))"
    r"|\btrade (?:closed|result|exit|complete|#|no|id|\d|[:=|])|平仓|已成交|清仓"
)


def find(
    document: Document,
    *,
    holding: bool,
    taken: set[int],
    totals: list[Candidate],
    stated: list[Candidate],
    explained: bool,
) -> tuple[Result, list[Evidence], list[Rejected]]:
    """Find the result of a text.

    Args:
        document: The text.
        holding: Whether the text shows positions that are still open.
        taken: Lines of tables.
        totals: What the tables say.
        stated: What the objects say, those without a trade left out.
        explained: Whether to gather all candidates that lost.

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
    candidates = _happened(document, candidates, rejected)
    candidates = result_context.drop(document, candidates, rejected)
    candidates = result_choice.with_percent_below(document, candidates)
    candidates = result_choice.with_percent_of_capital(document, candidates)
    if not candidates and not stated:
        candidates = compared.find(document) or balances.find(document) or added.find(document)
    elif candidates and not stated and all(item.percent is None for item in candidates):
        shares = [item for item in balances.find(document) if item.percent is not None]
        candidates = shares or candidates
    if candidates and trade_counts.none_made(document):
        rejected.extend(_lost(item, "no trade was made") for item in candidates)
        candidates = []
    found = result_choice.prefer(document, [*stated, *candidates], rejected)
    if not found:
        return _NOTHING, [], rejected
    return _choose(found, rejected, explained=explained)


def _lost(candidate: Candidate, reason: str) -> Rejected:
    value = candidate.percent if candidate.percent is not None else candidate.money
    return Rejected(f"result {value}", candidate.rule, reason, candidate.start, candidate.end)


def _happened(
    document: Document, candidates: list[Candidate], rejected: list[Rejected]
) -> list[Candidate]:
    """Drop gains and losses that no trade is named for: a price's move of the day."""
    kept = []
    for candidate in candidates:
        before = document.folded[max(0, candidate.start - 1) : candidate.start]
        if candidate.label in _BARE and before != "/":
            lines = document.lines
            first = max(0, candidate.line - _AROUND)
            last = min(len(lines) - 1, candidate.line + _AROUND)
            if not _TRADED(document.folded[lines[first].start : lines[last].end]):
                rejected.append(_lost(candidate, "no trade is named: it may be a price's move"))
                continue
        kept.append(candidate)
    return kept


def _only_closed(
    document: Document, candidates: list[Candidate], rejected: list[Rejected]
) -> list[Candidate]:
    """Beside open positions, only what is called closed or total has happened."""
    kept = []
    for candidate in candidates:
        line = document.lines[candidate.line]
        realised = candidate.label.startswith(("reali", "booked", "closed"))
        first = document.lines[max(0, candidate.line - _AROUND)]
        if _ACCOUNT(document.folded[first.start : line.start]):
            kept.append(candidate)
        elif (
            candidate.kind == "trade"
            and "b" not in line.shape
            and not realised
            and not _under_ending(document, candidate.line)
        ):
            rejected.append(_lost(candidate, "the position is still open"))
        else:
            kept.append(candidate)
    return kept


def _under_ending(document: Document, number: int) -> bool:
    """Say whether one of the lines right above says that the trade is closed."""
    for line in reversed(document.lines[max(0, number - _NEAR_ENDING) : number]):
        if not line.shape:
            return False
        text = document.folded[line.start : line.end]
        if endings.happened(text) or _CLOSED(text):
            return True
    return False


def _choose(
    candidates: list[Candidate], rejected: list[Rejected], *, explained: bool
) -> tuple[Result, list[Evidence], list[Rejected]]:
    """Choose among candidates: percent over money, total over trade, the first printed."""
    for kinds in (("total",), ("trade", "loss")):
        found = [item for item in candidates if item.kind in kinds and item.percent is not None]
        if found:
            return _with_percent(found, candidates, rejected, explained=explained)
    for kinds in (("total",), ("trade", "loss")):
        found = [item for item in candidates if item.kind in kinds and item.money]
        if found:
            return _with_money(found, kinds, candidates, rejected, explained=explained)
    return _NOTHING, [], rejected


def _with_percent(
    found: list[Candidate],
    candidates: list[Candidate],
    rejected: list[Rejected],
    *,
    explained: bool,
) -> tuple[Result, list[Evidence], list[Rejected]]:
    best = found[0]
    same = [item for item in found if item.label == best.label]
    values = {item.percent for item in same}
    if explained:
        reason = f"{best.label!r} decides"
        rejected.extend(_lost(item, reason) for item in candidates if item is not best)
    if best.others or (len(values) > 1 and len({item.line for item in same}) > 1):
        if len(values) > 1 and best.kind != "total":
            rejected.append(_lost(best, "several trades, no total"))
            totals = [item for item in candidates if item.kind == "total" and item.money]
            if totals:
                return _with_money(totals, ("total",), candidates, rejected, explained=explained)
            return _NOTHING, [], rejected
        signs = {_outcome(item.percent) for item in found if item.percent is not None}
        signs.update(_outcome(other) for other in best.others)
        outcome = next(iter(signs)) if len(signs) == 1 else None
        return Result(None, outcome), _evidence(best, None, outcome), rejected
    outcome = _outcome(best.percent)
    evidence = _evidence(best, best.percent, outcome) if explained else []
    return Result(best.percent, outcome), evidence, rejected


def _with_money(
    found: list[Candidate],
    kinds: tuple[str, ...],
    candidates: list[Candidate],
    rejected: list[Rejected],
    *,
    explained: bool,
) -> tuple[Result, list[Evidence], list[Rejected]]:
    signs = {_outcome(item.money) for item in found}
    best = found[0]
    if explained:
        reason = f"{best.label!r} decides"
        rejected.extend(_lost(item, reason) for item in candidates if item is not best)
    if len(signs) > 1 and "total" not in kinds:
        rejected.append(_lost(best, "several trades, no total"))
        return _NOTHING, [], rejected
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
