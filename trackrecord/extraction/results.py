"""What the text says has happened: realised or backtested return, profit or loss."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import re2

from trackrecord.extraction import numbers
from trackrecord.extraction.document import NUMBER, PERCENT, Document, Line
from trackrecord.extraction.model import Evidence, Outcome, Rejected, Result

_BETWEEN: Final = frozenset(":=|()-f>[]we")
_REACH: Final = 7
_WORDS: Final = 2
_QUALIFIERS: Final = (
    "unreal", "expect", "float", "open", "paper", "potential", "est", "per", "avg", "average",
)  # fmt: skip
_NO_TRADES: Final = re2.compile(
    r"(?i)(?:\b(?:total|closed|completed|number of|#)\s*)?\btrades?\b[\"']?\s*(?:made|executed|closed)?\s*[:=|]\s*0(?:[^.\d]|$)"
    r"|\b(?:0|no|zero) (?:closed |completed )?trades\b"
)
# A freqtrade report's total row without its header: the number before the average duration.
_TOTAL_ROW: Final = re2.compile(
    r"(?i)^\s*\|?\s*total\s*\|(?:[^|\n]*\|){3,4}\s*(-?[0-9]+(?:\.[0-9]+)?)\s*\|[^|\n]*[0-9]+:[0-9]{2}[^|\n]*\|"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A labelled result."""

    kind: str
    percent: Decimal | None
    money: Decimal | None
    several: bool
    rule: str
    label: str
    start: int
    end: int
    line: int


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
        if line.index in taken:
            continue
        if "R" in line.shape:
            for position, letter in enumerate(line.shape):
                if letter == "R":
                    candidate = _read(document, line, line.first + position, rejected)
                    if candidate is not None:
                        candidates.append(candidate)
        elif "b" in line.shape and "P" in line.shape:
            candidate = _closed(document, line)
            if candidate is not None:
                candidates.append(candidate)
        elif (
            line.shape.count("|") >= 5 and "otal" in document.folded[line.start : line.end].lower()
        ):  # noqa: PLR2004
            candidate = _total_row(document, line)
            if candidate is not None:
                candidates.append(candidate)
    if holding:
        candidates = _only_closed(document, candidates, rejected)
    if candidates and _NO_TRADES.search(document.folded):
        rejected.extend(_lost(item, "no trade was made") for item in candidates)
        candidates = []
    return choose(candidates, rejected)


def _closed(document: Document, line: Line) -> Candidate | None:
    """Read the one percentage of a line that closes a position: Closed SHORT: -1.35%."""
    shape = line.shape
    if shape.count("P") != 1 or not any(letter in shape for letter in "Aay"):
        return None
    if any(letter in shape for letter in "UTXi"):
        return None
    token = line.first + shape.index("P")
    value = document.number(token)
    term = document.terms[line.first + shape.index("b")]
    if (
        value is None
        or term is None
        or "clos" not in document.raw(line.first + shape.index("b")).lower()
    ):
        return None
    return Candidate(
        "trade", value, None, False, term.rule, "closed",
        document.starts[token], document.ends[token], line.index,
    )  # fmt: skip


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


def _total_row(document: Document, line: Line) -> Candidate | None:
    text = document.folded[line.start : line.end]
    match = _TOTAL_ROW.search(text)
    value = None if match is None else numbers.parse(match.group(1))
    if match is None or value is None:
        return None
    start, end = line.start + match.start(1), line.start + match.end(1)
    return Candidate("total", value, None, False, "code/total-row", "total", start, end, line.index)


def _read(document: Document, line: Line, label: int, rejected: list[Rejected]) -> Candidate | None:
    """Read the value behind a result's label, if it is one that happened."""
    term = document.terms[label]
    if term is None:
        return None
    letters = document.letters
    if _of_something_else(document, line, label):
        rejected.append(
            Rejected(
                document.raw(label), term.rule, "it is expected, average or not closed",
                document.starts[label], document.ends[label],
            )
        )  # fmt: skip
        return None
    at, bracket = _value(document, line, label)
    if at is None:
        return None
    values = _values(document, line, at)
    marked = "%" in document.folded[document.ends[label] : document.starts[at]]
    percent_label = term.value.endswith("%") or marked
    percents = [token for token in values if letters[token] == PERCENT]
    if percent_label and not percents:
        percents, values = values[:1], []
    monies = [token for token in values if letters[token] == NUMBER]
    if _qualified(document, line, values[-1] if values else at):
        rejected.append(
            Rejected(
                document.raw(label), term.rule, "it is expected or not closed",
                document.starts[label], document.ends[at],
            )
        )  # fmt: skip
        return None
    sign = 1
    if term.value.startswith("loss") and document.letters[label - 1 : label] != ["/"]:
        if (
            not percents
            and not _has_currency(document, values[0])
            and "of" not in document.raw(label)
        ):
            return None
        sign = -1
    if len(percents) > 1:
        percents = _strategy_column(document, line, percents)
    percent = (
        _signed(document, percents[0], bracket and percents[0] == at, sign) if percents else None
    )
    money = _signed(document, monies[0], bracket and monies[0] == at, sign) if monies else None
    if percent is None and money is None:
        return None
    several = len(percents) > 1 or (not percents and len(monies) > 1)
    return Candidate(
        term.value.rstrip("%") or "trade", percent, money, several, term.rule,
        document.raw(label).lower(), document.starts[label], document.ends[at], line.index,
    )  # fmt: skip


def _of_something_else(document: Document, line: Line, label: int) -> bool:
    """Say whether the words before a label make it no result: average, expected, 30 days'."""
    first = max(line.first, label - 2)
    for token in range(first, label):
        term = document.terms[token]
        if document.letters[token] == NUMBER and document.raw(token)[-1:].isalpha():
            return True  # 3M return: a period, not an amount
        if document.letters[token] in "UiTX" or (term is not None and term.kind == "period"):
            return True
    return False


def _qualified(document: Document, line: Line, last: int) -> bool:
    """Say whether the words right behind a value make it no result: 4 % (unrealized)."""
    for token in range(last + 1, min(line.last, last + 3)):
        letter = document.letters[token]
        if letter == "U" or letter == "p":
            return document.raw(token).lower().startswith(_QUALIFIERS)
        if letter not in "()":
            return False
    return False


def _strategy_column(document: Document, line: Line, percents: list[int]) -> list[int]:
    """Beside a benchmark's column, keep the strategy's alone."""
    for header in reversed(document.lines[: line.index]):
        words = document.folded[header.start : header.end].lower().split()
        if "strategy" in words and "benchmark" in words:
            names = [word for word in words if word in {"strategy", "benchmark"}]
            place = names.index("strategy")
            return [percents[place]] if len(names) == len(percents) else percents
    return percents


def _has_currency(document: Document, token: int) -> bool:
    """Say whether a number carries a currency, so that it is money and no other quantity."""
    return any(
        not (character.isdigit() or character in "+-.,%eE ") for character in document.raw(token)
    )


def _signed(document: Document, token: int, bracket: bool, sign: int) -> Decimal | None:
    value = document.number(token)
    if value is None:
        return None
    if (bracket or sign < 0) and value > 0:
        return -value
    return value


def _value(document: Document, line: Line, label: int) -> tuple[int | None, bool]:
    """Return the first number behind a label, and whether brackets make it negative."""
    letters = document.letters
    words = 0
    for at in range(label + 1, min(line.last, label + 1 + _REACH)):
        letter = letters[at]
        if letter in (NUMBER, PERCENT):
            accounting = (
                letters[at - 1] == "("
                and at - 2 > label
                and letters[at - 2] in ":=|"
                and at + 1 < line.last
                and letters[at + 1] == ")"
            )
            return at, accounting
        if letter == "w":
            words += 1
            if words > _WORDS:
                return None, False
        elif letter not in _BETWEEN:
            return None, False
    return None, False


def _values(document: Document, line: Line, first: int) -> list[int]:
    """Return the numbers that stand together: $5.50 (+2.75%), 0.31 BTC (630 %), 26 % 21 %."""
    letters = document.letters
    found = [first]
    at = first + 1
    while at < line.last and at - found[-1] <= 4:  # noqa: PLR2004
        letter = letters[at]
        if letter in (NUMBER, PERCENT):
            found.append(at)
        elif letter == ")" and found[-1] != first:
            break
        elif letter not in "(/SwN|)":
            break
        elif letter == "|" and letters[first - 1] != "|":
            break
        at += 1
    return found


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
    same = [item for item in found if item.label == best.label]
    values = {item.percent for item in same}
    for item in candidates:
        if item is not best:
            rejected.append(_lost(item, f"{best.label!r} decides"))
    if best.several or (len(values) > 1 and len({item.line for item in same}) > 1):
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
