"""Read the values behind labels of results, and tell those that happened from the rest."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final, final

import re2

from trackrecord.extraction import numbers, result_doubts
from trackrecord.extraction.document import NUMBER, PERCENT, Document, Line
from trackrecord.extraction.fields import is_range
from trackrecord.extraction.model import Rejected
from trackrecord.extraction.ruleset import few_matcher, matcher

_BETWEEN: Final = frozenset(":=|()-f>[]we")
_REACH: Final = 7
_LOOK_BACK: Final = 30
_OTHER_SHARES: Final = frozenset("UKC")
_TOTAL_ROW_BARS: Final = 5
_WORDS: Final = 2
# Position closed: -$45.67 (-2.1%)
_TRADE_CLOSED: Final = matcher(r"(?i)\b(?:trade|position|order|deal|fully)s?\b")
_CLOSED_WITH: Final = few_matcher(r"b[:-](?:N[(])?P")
# A number that is multiplied; two stars are bold print.
_TIMES: Final = few_matcher(r"^ ?(?:\*[^*]|\x{d7}|\*$)")
_ASIDE: Final = re.compile(r"\([A-Za-z@]{1,4}\)[:=|]")
# An amount on the line below its label: Total P&L / $540 (5.4 %).
_ONLY_AMOUNT: Final = re.compile(r"(?:N(?:[(|]P\)?)?|P(?:\(N\))?)w?\Z")
_KINDS: Final = {"total": "total", "percent": "total", "loss": "loss"}
_KEYWORDS: Final = frozenset({"return", "returns"})
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
# A freqtrade report's total row without its header: the number before the average duration.
_TOTAL_ROW: Final = re2.compile(
    r"(?i)^\s*\|?\s*total\s*\|(?:[^|\n]*\|){3,4}\s*(-?[0-9]+(?:\.[0-9]+)?)\s*\|[^|\n]*[0-9]+:[0-9]{2}[^|\n]*\|"
)


_NO_ENTRIES: Final = matcher(r"(?i)^\s*\|?\s*total\s*\|\s*0\s*\|")


@final
class Candidate:
    """A labelled result."""

    __slots__ = ("end", "kind", "label", "line", "money", "others", "percent", "rule", "start")

    def __init__(
        self,
        kind: str,
        percent: Decimal | None,
        money: Decimal | None,
        others: tuple[Decimal, ...],
        rule: str,
        label: str,
        start: int,
        end: int,
        line: int,
    ) -> None:
        self.kind = kind
        self.percent = percent
        self.money = money
        self.others = others
        self.rule = rule
        self.label = label
        self.start = start
        self.end = end
        self.line = line

    def of(
        self, percent: Decimal | None, money: Decimal | None, others: tuple[Decimal, ...]
    ) -> Candidate:
        """Return the same result with other amounts."""
        return Candidate(
            self.kind, percent, money, others, self.rule, self.label, self.start, self.end,
            self.line,
        )  # fmt: skip


def of_line(document: Document, line: Line, rejected: list[Rejected]) -> list[Candidate]:
    """Return the results that a line states; those that did not happen go to ``rejected``."""
    shape = line.shape
    found: list[Candidate] = []
    if "R" in shape:
        for position, letter in enumerate(shape):
            if letter == "R":
                candidate = _read(document, line, line.first + position, rejected)
                if candidate is not None:
                    found.append(candidate)
    elif "b" in shape and "P" in shape:
        candidate = _closed(document, line)
        if candidate is not None:
            found.append(candidate)
    elif shape.count("|") >= _TOTAL_ROW_BARS:
        candidate = _total_row(document, line)
        if candidate is not None:
            found.append(candidate)
    return found


def _closed(document: Document, line: Line) -> Candidate | None:
    """Read the one percentage of a line that closes a position: Closed SHORT: -1.35%."""
    shape = line.shape
    at = line.first + shape.index("b")
    named = any(letter in shape for letter in "Aay")
    if not named and _CLOSED_WITH(shape):
        before = document.folded[line.start : document.ends[at]]
        named = shape[0] == "b" or _TRADE_CLOSED(before)  # not: Market closed: -1.2 %
    if shape.count("P") != 1 or not named:
        return None
    if any(letter in shape for letter in "UTXi"):
        return None
    term = document.terms[at]
    if term is None or "clos" not in document.raw(at).lower():
        return None
    token = line.first + shape.index("P")
    value = document.number(token)
    if value is None:
        return None
    return Candidate(
        "trade", value, None, (), term.rule, "closed",
        document.starts[token], document.ends[token], line.number,
    )  # fmt: skip


def _total_row(document: Document, line: Line) -> Candidate | None:
    text = document.folded[line.start : line.end]
    if "total" not in text.lower():
        return None
    match = None if _NO_ENTRIES(text) else _TOTAL_ROW.search(text)
    value = None if match is None else numbers.parse(match.group(1))
    if match is None or value is None:
        return None
    start, end = line.start + match.start(1), line.start + match.end(1)
    return Candidate("total", value, None, (), "code/total-row", "total", start, end, line.number)


def _read(document: Document, line: Line, label: int, rejected: list[Rejected]) -> Candidate | None:
    """Read the value behind a result's label, if it is one that happened."""
    term = document.terms[label]
    line = _below(document, line) if line.first == label == line.last - 1 else line
    at, bracket = _value(document, line, label)
    if term is None or at is None:
        return None
    letters = document.letters
    values = _values(document, line, at)
    if not _introduced(document, label, at, values):
        return None
    reason = result_doubts.why_none(document, line, label, values[0], values[-1])
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


def _below(document: Document, line: Line) -> Line:
    """Return the line below a label if it holds an amount and nothing else."""
    for below in document.lines[line.number + 1 : line.number + 2]:
        if _ONLY_AMOUNT.match(below.shape):
            return below
    return line


def _introduced(document: Document, label: int, at: int, values: list[int]) -> bool:
    """Say whether a number is a label's value: behind a colon or a gap, with a unit, or "of".

    ``return 2`` is a line of a program, ``Return: 2`` is not.
    """
    if _computed(document, at):
        return False
    gap = document.folded[document.ends[label] : document.starts[at]]
    percent = any(document.letters[token] == PERCENT for token in values)
    if document.raw(label) in _KEYWORDS and gap[:1] == " " and gap[1:2].isalpha() and not percent:
        return False
    if percent or "%" in gap or any(mark in gap for mark in (":", "=", "|", "  ", "\t", "\n")):
        return True
    if document.raw(label).lower().startswith(("total", "net")):
        return True
    named = document.terms[label]
    return _is_money(document, label, at) or (named is not None and named.value.endswith("%"))


def _computed(document: Document, at: int) -> bool:
    """Say whether a number begins a formula, a ratio, or reaches from so much to so much."""
    letters = document.letters
    behind = letters[at + 1 : at + 3]
    if behind in ("/N", ":N") or is_range(document, at, len(letters)):
        return True
    if behind == "fP" and document.raw(at + 1).lower() == "to":
        return True
    return _TIMES(document.folded[document.ends[at] : document.ends[at] + 3])


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
    start = label + 1
    while letters[start : start + 1] == ".":
        start += 1  # Total P/L ....... 12.40
    aside = _ASIDE.match(letters, start, line.last)
    if aside is not None:
        start = aside.end() - 1  # Net PnL (after fees): 12.40
    for at in range(start, min(line.last, start + _REACH)):
        letter = letters[at]
        if letter == NUMBER and _counts_something(document, line, at):
            continue
        if letter in (NUMBER, PERCENT):
            accounting = (
                letters[at - 1] == "("
                and (
                    (at - 2 > label and letters[at - 2] in ":=|")
                    or (at - 2 == label and document.ends[label] + 1 < document.starts[at - 1])
                )
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
        if (
            letter == PERCENT
            and letters[at - 1] == "("
            and letters[at + 1 : at + 2] in _OTHER_SHARES
        ):
            break  # -$40 (35 % WR)
        if letter in (NUMBER, PERCENT):
            found.append(at)
        elif letter in ",|" and letters[at - 1] == NUMBER and letters[at + 1 : at + 2] == PERCENT:
            pass  # $130.00, 2.60 %
        elif (
            letter not in "(/SwN|)"
            or (letter == ")" and found[-1] != first)
            or (letter == "|" and letters[first - 1] != "|")
        ):
            break
        at += 1
    return found
