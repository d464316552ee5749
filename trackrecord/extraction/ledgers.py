"""Rows without a header that tell what past calls and trades have brought.

One row may show what a price did today. Several rows of different days that all hold a signed
amount, or rows that were won and lost, are a list of what is over, with what is still open.
"""

from __future__ import annotations

from typing import Final

import re2

from trackrecord.extraction import endings, looks
from trackrecord.extraction.document import DATE, NUMBER, PERCENT, Document, Line
from trackrecord.extraction.findings import Findings, Statement
from trackrecord.extraction.model import side_of
from trackrecord.extraction.refusals import FINAL, ROW
from trackrecord.extraction.ruleset import few_matcher
from trackrecord.extraction.shapes import ACTIONS, action_places

_RULE: Final = "code/ledger-rows"
_REASON: Final = "the rows list past trades or calls with what they have brought"
_FEWEST: Final = 2
_OPENED: Final = frozenset({"opened", "entered", "went", "gone"})
_DAY: Final = re2.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}")
_OUTCOME: Final = re2.compile(
    r"(?i)\b(?:win|won|loss|lost|hit|miss|missed|perdu|ganad[ao]|perdid[ao]|gewonnen|verloren"
    r"|vint[ao]|pers[ao]|untung|rugi|\d+ trades)\b|\b(?:tp\d?|sl)\W*$|gagné|kazanç|zarar|lãi|lỗ"
    r"|成功|失败|失敗|盈利|亏损|성공|실패|(?-i:\b(?:TAKE_PROFIT|STOP_LOSS|WR)\b)"
)
# A stop's label is no loss, a share of wins no win.
_LABELS: Final = re2.compile(
    r"(?i)stop[ _-]?loss\b(?:[ :@=]*[$€£¥₹]?\d)|win[ _-]?rate|profit[/ ]loss"
)
# A number of shares at a price: 50 @ 415.00, @ 415.00 x 50.
_DEALT: Final = re2.compile(
    r"(?i)@\s?[$€£¥₹]?\s?[\d.,]+\s*[x×*]\s*\d|\s\d[\d,.]*\s?(?:shares?|lots?|股|手|주|株)?\s@\s"  # noqa: RUF001
)
_IS_DEALT: Final = looks.later(lambda line: _DEALT.search(line) is not None)
# symbol=KO action=buy qty=10 type=market
_SENT: Final = re2.compile(
    r"(?i)\b(?:order_?type|type|tif|time_?in_?force|product|validity|reduce_?only)['\"]?\s?[=:]\s?['\"]?"
    r"(?:market|limit|stop\w*|gtc|ioc|fok|day|mis|cnc|nrml|true|false|mkt|lmt)\b"
)
_IS_SENT: Final = looks.later(lambda line: _SENT.search(line) is not None)
_ADVISED: Final = frozenset("TXC")
_EXECUTED: Final = few_matcher(r"^.*[:=]d.*(?:[ZE][:=]N.*q[:=]N|q[:=]N.*[ZE][:=]N)")
_GOOD: Final = "✅✔☑"
_BAD: Final = "❌✖✗"


def drop(document: Document, findings: Findings) -> None:
    """Refuse rows of a list that tells what past trades and calls have brought.

    Args:
        document: The text.
        findings: Its statements; those that are refused move to ``rejected``.
    """
    _drop_executions(document, findings)
    _drop_opened(document, findings)
    rows = [
        item
        for item in findings.statements
        if item.rank <= ROW and not item.is_row and item.bound is None
    ]
    numbers = sorted({item.line for item in rows})
    if len(numbers) < _FEWEST:
        return
    lines = [document.lines[number] for number in numbers]
    signed = [line for line in lines if _sign(document, line)]
    dealt = [line for line in lines if document.tells(line, _IS_DEALT)]
    told = _most(signed, lines) and (
        _have_outcomes(document, signed) or _are_of_days(document, signed)
    )
    if told or (_most(dealt, lines) and _are_of_days(document, dealt)):
        findings.refuse(document, rows, _RULE, _REASON)


def _drop_opened(document: Document, findings: Findings) -> None:
    """Refuse what says that a position was opened, where no target or stop makes it advice."""
    if "T" in document.letters or "X" in document.letters:
        return
    opened = [
        item
        for item in findings.statements
        if item.token > document.lines[item.line].first
        and not item.is_row
        and item.rank < FINAL
        and document.raw(item.token - 1).lower() in _OPENED
    ]
    findings.refuse(document, opened, "code/opened", "it tells of a position that was opened")


def _drop_executions(document: Document, findings: Findings) -> None:
    """Refuse labelled rows that bought and sold at times of their own: action=BUY, date=..."""
    rows = [
        item
        for item in findings.statements
        if item.rank < FINAL and not item.is_row and "q" in document.lines[item.line].shape
    ]
    filled = [item for item in rows if _is_filled(document, document.lines[item.line])]
    findings.refuse(document, filled, _RULE, _REASON)
    sent = [item for item in rows if document.tells(document.lines[item.line], _IS_SENT)]
    sent = [item for item in sent if _ADVISED.isdisjoint(document.lines[item.line].shape)]
    findings.refuse(document, sent, "code/request", "it is an order as sent, not advice")
    findings.refuse(document, _traded(rows), _RULE, _REASON)
    rows = [item for item in rows if _is_execution(document.lines[item.line].shape)]
    sides = {side_of(item.action) for item in rows}
    if {"BUY", "SELL"} <= sides and _are_of_days(document, [document.lines[x.line] for x in rows]):
        findings.refuse(document, rows, _RULE, _REASON)


def _traded(rows: list[Statement]) -> list[Statement]:
    """Return lines that buy and sell one instrument in turn, each with its quantity."""
    turns: dict[str | None, list[Statement]] = {}
    for item in rows:
        turns.setdefault(item.symbol, []).append(item)
    return [
        item
        for items in turns.values()
        if len({other.line for other in items}) >= _FEWEST
        and {"BUY", "SELL"} <= {side_of(other.action) for other in items}
        for item in items
    ]


def _is_filled(document: Document, line: Line) -> bool:
    """Say whether a line labels a quantity and says that it is filled."""
    if not line.looks & endings.MAY_TELL:
        return False
    return endings.has_ended(document.folded[line.start : line.end])


def _is_execution(shape: str) -> bool:
    """Say whether a line labels its day, its quantity and a price."""
    return "d" in shape and _EXECUTED(shape)


def _most(some: list[Line], lines: list[Line]) -> bool:
    """Say whether these are two rows at least, and half of all."""
    return len(some) >= _FEWEST and 2 * len(some) >= len(lines)


def _sign(document: Document, line: Line) -> str:
    """Return the sign of the amount behind the action of a row, "" where none has one."""
    seen = False
    for at, letter in enumerate(line.shape):
        if letter in ACTIONS:
            seen = True
        elif seen and letter in (NUMBER, PERCENT):
            head = document.raw(line.first + at)[:2]
            if "+" in head or "-" in head:
                return "+" if "+" in head else "-"
    return ""


def _have_outcomes(document: Document, lines: list[Line]) -> bool:
    """Say whether rows were won and lost, or say what a trade has made."""
    texts = [_behind(document, line) for line in lines]
    good = sum(any(mark in text for mark in _GOOD) for text in texts)
    bad = sum(any(mark in text for mark in _BAD) for text in texts)
    if good and bad and good + bad <= len(texts):
        return True
    told = sum(_OUTCOME.search(_LABELS.sub("", text)) is not None for text in texts)
    paid = sum("RN" in line.shape or "RP" in line.shape for line in lines)
    return max(told, paid) >= _FEWEST or _were_left(document, lines)


def _were_left(document: Document, lines: list[Line]) -> bool:
    """Say whether rows tell entry and exit: a forecast goes with the action, a trade may not."""
    if not all("N>N" in line.shape for line in lines):
        return False
    for line in lines:
        term = document.terms[line.first + action_places(line.shape)[0]]
        at = line.first + line.shape.index("N>N")
        first, last = document.number(at), document.number(at + 2)
        if term is None or first is None or last is None:
            continue
        side = side_of(term.value)
        if (side == "BUY" and last < first) or (side == "SELL" and last > first):
            return True
    return False


def _behind(document: Document, line: Line) -> str:
    """Return what stands behind the action of a row."""
    return document.folded[document.ends[line.first + action_places(line.shape)[0]] : line.end]


def _are_of_days(document: Document, lines: list[Line]) -> bool:
    """Say whether rows are of different days."""
    days: set[str] = set()
    for line in lines:
        at = line.shape.find(DATE)
        match = _DAY.search(document.raw(line.first + at)) if at >= 0 else None
        if match is None:
            return False
        days.add(match.group(0))
    return len(days) > 1
