"""What makes a labelled value no result: it is expected, an average, of a past period, a bound."""

from __future__ import annotations

import re
from typing import Final

from trackrecord.extraction.document import NUMBER, PERCENT, Document, Line
from trackrecord.extraction.fields import is_range
from trackrecord.extraction.ruleset import few_matcher, matcher

_BEHIND: Final = 16
_TERM: Final = 40
_AMOUNTS: Final = (NUMBER, PERCENT)
_LABELLED: Final = ("R", ":", "=")
_SENTENCE: Final = 100
# The last sentence before a label, where it supposes or plans.
_SUPPOSED: Final = re.compile(
    r"\b(?:if|when|once|would|could|aim\w*|goal|plan\w*|hop(?:e|es|ing)|expect\w*)\b"
    r"[^.:|;=\n]{0,80}\Z",
    re.IGNORECASE,
)
# What a whole sentence supposes, whatever stands between: If you had bought at 100: profit 5 %.
_IMAGINED: Final = re.compile(
    r"\b(?:if (?:you|we|it|all|both|entered|bought|held)|would(?: have)?|suppose|imagine|assuming"
    r"|examples?:)[^.|;\n]{0,100}\Z",
    re.IGNORECASE,
)
_MAY_SUPPOSE: Final = matcher(
    r"(?i)if|when|once|could|would|aim|goal|plan|hop|expect|suppos|imagin|assum|example"
)
_UP_TO: Final = (
    "up to",
    "at least",
    "at most",
    "more than",
    "less than",
    "≥",
    "≤",
    ">=",
    "<=",
    "~",
)
# Words between a label and its value that make it another thing: P&L limit: 500, Return (1y): 4 %.
_OTHER_THING: Final = few_matcher(
    r"\b(?:so far|limit|goal|threshold|target|cap|forecast|estimate|potential|prob|probability"
    r"|ratio|if|per|needed|required|open|gross|expect\w*|est|ann|estimat\w*|projected|unreali[sz]ed|floating|annual\w*|p\.a)\b"
    r"|esperad[oa]|previst[oa]|estimad[oa]|stimat[oa]|te[oó]ric[oa]|estimée?s?|potencia(?:l|is)|poten[tz]i[ae]l|pro[jy]ectad[oa]|attendue?s?|prévue?s?|erwartet|attes[oa]"
    r"|beklenen|tahmini|ожида|прогноз|预期|预计|預期|予想|期待|想定|예상|기대|목표"
    r"|[(\[]\s?(?:last |past )?\d+ ?-?(?:d|w|m|mo|y|yr|days?|weeks?|months?|years?)\s?[)\]]"
)
# Words before it, as they are no labels by themselves.
_BEFORE_LABEL: Final = frozenset({
    "est", "ann", "approx", "b&h", "bnh", "arb", "weekly", "theoretical", "média", "moyenne",
    "promedio", "media", "durchschnitt", "durchschn", "ortalama", "rata-rata", "средний", "средняя",
    "预计", "预期", "预估", "潜在", "預計", "預期", "想定", "予想", "期待", "예상", "기대",
})  # fmt: skip
_AVERAGES: Final = (
    "평균", "최대", "최소", "平均", "最大", "最小", "日均", "月均", "예상", "预期", "期待",
)  # fmt: skip
# What is said behind a value of what may come.
_MAY_COME: Final = matcher(
    r"^\W{0,3}(?:would|could|may|might|can|will|should|if|when|expected|potential"
    r"|annual\w*|p\.a|per (?:year|annum)|est\b|open\))"
)
# A term of a calculation, or what each of many brings: 0.05 % - 0.01 % = 0.04 % per round.
_PARTIAL: Final = few_matcher(
    r"^ ?(?:회|번|건|次|回|件|笔|筆)|^ (?:times|trades in a row|in a row)\b"
    r"|^ (?:[a-z]+ )?(?:accuracy|precision|win ?rate|hit ?rate)(?:[^\w:=|]*$|[.,;)])"
    r"|"
    r"^\s?[-+*/×÷] ?[^\s=]{1,12} ?="  # noqa: RUF001
    r"|^\W{0,3}(?:per|each|every|a) "
    r"(?:rounds?|cycles?|trades?|bets?|days?|weeks?|months?|hours?|\d+ ?h|shares?|contracts?)\b"
)
_QUALIFIERS: Final = (
    "unreal", "expect", "float", "open", "paper", "potential", "est", "per", "avg", "average",
    "yoy", "qoq",
)  # fmt: skip
# In brackets only: without, they begin the next label.
_RATES: Final = ("annual", "yearly", "cagr", "p.a")


def why_none(document: Document, line: Line, label: int, first: int, last: int) -> str | None:
    """Return why a labelled value is no result.

    Args:
        document: The text.
        line: Its line.
        label: The token of the label.
        first: The token of the first value.
        last: The token of the last.

    Returns:
        The reason, None where it is a result.
    """
    return _before(document, line, label) or _after(document, line, label, first, last)


def _before(document: Document, line: Line, label: int) -> str | None:
    """Return what the words before a label take back."""
    if (
        _is_average(document, line, label)
        or _of_something_else(document, line, label)
        or _is_supposed(document, line, label)
    ):
        return "it is expected or supposed, an average, or of a past period"
    before = line.shape[: label - line.first]
    if "O" in before and "bO" not in before:
        return "the position is still open"
    return None


def _after(document: Document, line: Line, label: int, first: int, last: int) -> str | None:
    """Return what the words behind a label and behind its values take back."""
    gap = document.folded[document.ends[label] : document.starts[first]].lower()
    if any(word in gap for word in _UP_TO):
        return "it is a bound, not what happened"
    if _OTHER_THING(gap):
        return "it is a limit, an aim or of another period"
    if is_range(document, first, line.last):
        return "a range is a plan, not what happened"
    end = document.ends[last]
    behind = document.folded[end : min(line.end, end + _BEHIND)].lower()
    if _PARTIAL(document.folded[end : min(line.end, end + _TERM)].lower()):
        return "it is a term of a calculation, or what each of several brings"
    if _MAY_COME(behind) or _qualified(document, line, last):
        return "it is expected or not closed"
    return None


def _is_supposed(document: Document, line: Line, label: int) -> bool:
    """Say whether the sentence before a label plans or supposes what follows."""
    start = document.starts[label]
    near = max(line.start, start - _SENTENCE)
    if not _MAY_SUPPOSE(document.folded[max(0, near - 1) : start]):
        return False
    if _SUPPOSED.search(document.folded, near, start) is not None:
        return True
    return _IMAGINED.search(document.folded, near, start) is not None


def _is_average(document: Document, line: Line, label: int) -> bool:
    """Say whether a word without spaces around it makes a label that of an average: 평균PnL."""
    start = document.starts[label]
    return document.folded[max(line.start, start - _BEHIND) : start].rstrip().endswith(_AVERAGES)


def _of_something_else(document: Document, line: Line, label: int) -> bool:
    """Say whether the words before a label make it no result: average, expected, 30 days'."""
    first = max(line.first, label - 2)
    for token in range(label - 1, first - 1, -1):
        if document.letters[token] in ",;|":
            return False
        if token > line.first and document.letters[token - 1] == "=":
            return False  # the value of another label: reason=STOP_LOSS pnl=-4
        if document.raw(token).lower() in _BEFORE_LABEL:
            return True
        term = document.terms[token]
        if document.letters[token] == NUMBER and document.raw(token)[-1:].isalpha():
            return True  # 3M return: a period, not an amount
        if document.letters[token] in "UiTX" or (term is not None and term.kind == "period"):
            return True
    return False


def _qualified(document: Document, line: Line, last: int) -> bool:
    """Say whether the words right behind a value make it no result: 4 % (unrealized)."""
    for token in range(last + 1, min(line.last, last + 3)):
        letter, letter_before = document.letters[token], document.letters[token - 1]
        if letter in {"U", "p"}:
            behind = document.letters[token + 1 : token + 2]
            if behind in (_AMOUNTS if letter_before == "(" else _LABELLED):
                return False  # the next label: 12 % (CAGR 4 %)
            word = document.raw(token).lower()
            rate = letter_before == "(" and word.startswith(_RATES)
            return rate or word.startswith(_QUALIFIERS)
        if letter not in "()":
            return False
    return False
