"""Read the values behind labels of results, and tell those that happened from the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import re2

from trackrecord.extraction import fields, numbers
from trackrecord.extraction.document import NUMBER, PERCENT, Document, Line
from trackrecord.extraction.fields import is_range
from trackrecord.extraction.model import Rejected
from trackrecord.extraction.ruleset import matcher

_BETWEEN: Final = frozenset(":=|()-f>[]we")
_REACH: Final = 7
_LOOK_BACK: Final = 30
_TOTAL_ROW_BARS: Final = 5
_WORDS: Final = 2
# Position closed: -$45.67 (-2.1%)
_CLOSED_WITH: Final = matcher(r"b[:-](?:N[(])?P")
_SENTENCE: Final = 100
# The last sentence before a label, where it supposes or plans.
_SUPPOSED: Final = re.compile(
    r"\b(?:if|when|once|would|could|aim\w*|goal|plan\w*|hop(?:e|es|ing)|expect\w*)\b"
    r"[^.:|;=\n]{0,80}\Z",
    re.IGNORECASE,
)
_KINDS: Final = {"total": "total", "percent": "total", "loss": "loss"}
_KEYWORDS: Final = frozenset({"return", "returns"})
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
_QUALIFIERS: Final = (
    "unreal", "expect", "float", "open", "paper", "potential", "est", "per", "avg", "average",
    "yoy", "qoq",
)  # fmt: skip
_OWN: Final = frozenset({
    "strategy", "portfolio", "my strategy", "our strategy", "bot", "algo", "algorithm", "system",
    "trading strategy", "策略",
})  # fmt: skip
_MAY_COMPARE: Final = matcher(
    r"benchmark|strategy|portfolio|\bbot\b|algo|system|b&h|buy ?(?:&|and|n) ?hold|buyhold|\bhodl\b"
    r"|\bspy\b|基准|策略"
)
_IS_BENCHMARK: Final = matcher(
    r"^(?:benchmark.*|b&h.*|buy ?(?:&|and|n) ?hold.*|buy_?(?:and)?_?hold|hodl|market|index|spy|qqq"
    r"|nifty.*|s&p.*|sp500|sensex|spx|\^gspc|基准.*)$"
)
_COLUMN_GAP: Final = re.compile(r"\||\t| {2,}")
# In brackets only: without, they begin the next label.
_RATES: Final = ("annual", "yearly", "cagr", "p.a")
# A freqtrade report's total row without its header: the number before the average duration.
_TOTAL_ROW: Final = re2.compile(
    r"(?i)^\s*\|?\s*total\s*\|(?:[^|\n]*\|){3,4}\s*(-?[0-9]+(?:\.[0-9]+)?)\s*\|[^|\n]*[0-9]+:[0-9]{2}[^|\n]*\|"
)


_NO_ENTRIES: Final = matcher(r"(?i)^\s*\|?\s*total\s*\|\s*0\s*\|")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A labelled result."""

    kind: str
    percent: Decimal | None
    money: Decimal | None
    others: tuple[Decimal, ...]
    rule: str
    label: str
    start: int
    end: int
    line: int


def of_line(document: Document, line: Line, rejected: list[Rejected]) -> Iterator[Candidate]:
    """Yield the results that a line states; those that did not happen go to ``rejected``."""
    shape = line.shape
    if "R" in shape:
        for position, letter in enumerate(shape):
            if letter == "R":
                candidate = _read(document, line, line.first + position, rejected)
                if candidate is not None:
                    yield candidate
    elif "b" in shape and "P" in shape:
        candidate = _closed(document, line)
        if candidate is not None:
            yield candidate
    elif shape.count("|") >= _TOTAL_ROW_BARS:
        candidate = _total_row(document, line)
        if candidate is not None:
            yield candidate


def _closed(document: Document, line: Line) -> Candidate | None:
    """Read the one percentage of a line that closes a position: Closed SHORT: -1.35%."""
    shape = line.shape
    named = any(letter in shape for letter in "Aay") or _CLOSED_WITH(shape)
    if shape.count("P") != 1 or not named:
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
        "trade", value, None, (), term.rule, "closed",
        document.starts[token], document.ends[token], line.number,
    )  # fmt: skip


def _total_row(document: Document, line: Line) -> Candidate | None:
    text = document.folded[line.start : line.end]
    match = None if _NO_ENTRIES(text) else _TOTAL_ROW.search(text)
    value = None if match is None else numbers.parse(match.group(1))
    if match is None or value is None:
        return None
    start, end = line.start + match.start(1), line.start + match.end(1)
    return Candidate("total", value, None, (), "code/total-row", "total", start, end, line.number)


def _read(document: Document, line: Line, label: int, rejected: list[Rejected]) -> Candidate | None:
    """Read the value behind a result's label, if it is one that happened."""
    term = document.terms[label]
    at, bracket = _value(document, line, label)
    if term is None or at is None:
        return None
    letters = document.letters
    values = _values(document, line, at)
    if not _introduced(document, label, at, values):
        return None
    reason = _disqualified(document, line, label, values[0], values[-1])
    if reason is not None:
        name = document.raw(label)
        start, end = document.starts[label], document.ends[at]
        rejected.append(Rejected(f"result {name}", term.rule, reason, start, end))
        return None
    percents = [token for token in values if letters[token] == PERCENT]
    if term.value == "percent" and not percents:
        return None
    marked = "%" in document.folded[document.ends[label] : document.starts[at]]
    if not percents and (marked or term.value.endswith("%")):
        percents, values = values[:1], []
    monies = [token for token in values if letters[token] == NUMBER]
    sign = 1
    if term.value.startswith("loss") and letters[label - 1 : label] != "/":
        if not (percents or _is_money(document, label, values[0])):
            return None  # the loss of a training
        sign = -1
    if len(percents) > 1:
        percents = _strategy_column(document, line, percents)
    percent, money = (
        _signed(document, found[0], bracket and found[0] == at, sign) if found else None
        for found in (percents, monies)
    )
    beside = (percents or monies)[1:]
    others = tuple(value for at in beside if (value := document.number(at)) is not None)
    return Candidate(
        _KINDS.get(term.value.rstrip("%"), "trade"), percent, money, others, term.rule,
        document.raw(label).lower(), document.starts[label], document.ends[at], line.number,
    )  # fmt: skip


def _introduced(document: Document, label: int, at: int, values: list[int]) -> bool:
    """Say whether a number is a label's value: behind a colon or a gap, with a unit, or "of".

    ``return 2`` is a line of a program, ``Return: 2`` is not.
    """
    if document.letters[at + 1 : at + 3] == "/N" or is_range(document, at, len(document.letters)):
        return False  # a formula, or from so much to so much
    gap = document.folded[document.ends[label] : document.starts[at]]
    percent = any(document.letters[token] == PERCENT for token in values)
    if document.raw(label) in _KEYWORDS and gap[:1] == " " and gap[1:2].isalpha() and not percent:
        return False
    if percent or "%" in gap or any(mark in gap for mark in (":", "=", "|", "  ", "\t")):
        return True
    if document.raw(label).lower().startswith(("total", "net")):
        return True
    named = document.terms[label]
    return _is_money(document, label, at) or (named is not None and named.value.endswith("%"))


def _disqualified(document: Document, line: Line, label: int, first: int, last: int) -> str | None:
    """Return why a labelled value is no result, None where it is one."""
    if _of_something_else(document, line, label) or _is_supposed(document, line, label):
        return "it is expected or supposed, an average, or of a past period"
    before = line.shape[: label - line.first]
    if "O" in before and "b" not in before[: before.index("O")]:
        return "the position is still open"
    gap = document.folded[document.ends[label] : document.starts[first]].lower()
    if any(word in gap for word in _UP_TO):
        return "it is a bound, not what happened"
    if fields.is_range(document, first, line.last):
        return "a range is a plan, not what happened"
    if _qualified(document, line, last):
        return "it is expected or not closed"
    return None


def _is_supposed(document: Document, line: Line, label: int) -> bool:
    """Say whether the sentence before a label plans or supposes what follows."""
    start = document.starts[label]
    near = max(line.start, start - _SENTENCE)
    return _SUPPOSED.search(document.folded, near, start) is not None


def _of_something_else(document: Document, line: Line, label: int) -> bool:
    """Say whether the words before a label make it no result: average, expected, 30 days'."""
    first = max(line.first, label - 2)
    for token in range(label - 1, first - 1, -1):
        if document.letters[token] in ",;|":
            return False
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
        if letter in {"U", "p"}:
            word = document.raw(token).lower()
            rate = document.letters[token - 1] == "(" and word.startswith(_RATES)
            return rate or word.startswith(_QUALIFIERS)
        if letter not in "()":
            return False
    return False


def _strategy_column(document: Document, line: Line, percents: list[int]) -> list[int]:
    """Beside a benchmark's column, keep the strategy's alone; of two strategies, both."""
    own = [percents[0]] + [at for at in percents[1:] if not _of_benchmark(document, at)]
    if len(own) == 1:
        return own
    for header in reversed(document.lines[max(0, line.number - _LOOK_BACK) : line.number]):
        text = document.folded[header.start : header.end].lower()
        if not _MAY_COMPARE(text):
            continue
        names = [part.strip(" *_") for part in _COLUMN_GAP.split(text) if part.strip(" *_-+")]
        if not 0 <= len(names) - len(percents) <= 1:
            continue
        places = _own_places(names[-len(percents) :])
        return [percents[at] for at in places] if len(places) == 1 else percents
    return percents


def _own_places(names: list[str]) -> list[int]:
    """Return which of the columns so headed are the strategy's own."""
    own = [at for at, name in enumerate(names) if name.split(" (")[0] in _OWN]
    if len(own) == 1:
        return own
    return [at for at, name in enumerate(names) if not _IS_BENCHMARK(name)]


def _of_benchmark(document: Document, token: int) -> bool:
    """Say whether brackets behind a value say that it is another's: 20 % (SPY)."""
    letters = document.letters
    if letters[token + 1 : token + 2] != "(" or letters[token + 3 : token + 4] != ")":
        return False
    return letters[token + 2] in "SU" or _IS_BENCHMARK(document.raw(token + 2).lower())


def _is_money(document: Document, label: int, token: int) -> bool:
    """Say whether a loss is one of money: with a currency, or "loss of"."""
    if "of" in document.raw(label).lower():
        return True
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
        if letter == NUMBER and _counts_something(document, line, at):
            continue
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
            if words > _WORDS or letters[label + 1] == "=":  # pnl=? duration=34
                return None, False
        elif letter not in _BETWEEN:
            return None, False
    return None, False


def _counts_something(document: Document, line: Line, at: int) -> bool:
    """Say whether a number belongs to the label, as in profit after 40 episodes: 1.2."""
    letters = document.letters
    place = at + 1
    while place < line.last and place - at <= _WORDS and letters[place] in "wzkq":
        place += 1
    return (
        place > at + 1
        and place + 1 < line.last
        and letters[place] == ":"
        and letters[place + 1] in (NUMBER, PERCENT)
    )


def _values(document: Document, line: Line, first: int) -> list[int]:
    """Return the numbers that stand together: $5.50 (+2.75%), 0.31 BTC (630 %), 26 % 21 %."""
    letters = document.letters
    found = [first]
    at = first + 1
    while at < line.last and at - found[-1] <= 4:  # noqa: PLR2004
        letter = letters[at]
        if letter in (NUMBER, PERCENT):
            found.append(at)
        elif letter == "," and letters[at - 1] == NUMBER and letters[at + 1 : at + 2] == PERCENT:
            pass  # $130.00, 2.60 %
        elif (
            letter not in "(/SwN|)"
            or (letter == ")" and found[-1] != first)
            or (letter == "|" and letters[first - 1] != "|")
        ):
            break
        at += 1
    return found
