"""Signals that a text speaks of and does not give: the SELL signal formats correctly.

``BUY signal`` is a statement where it stands for itself, behind a name or before what tells that
it arose. Among other words it is the subject of a sentence, a heading or a table about signals;
so is what stands in a list of things to do, behind an option's dashes or in a count of trades.
"""

from __future__ import annotations

from typing import Final

import re2

from trackrecord.extraction import looks
from trackrecord.extraction.document import SYMBOL, Document, Line
from trackrecord.extraction.findings import Findings, Statement
from trackrecord.extraction.refusals import LABELLED, ROW
from trackrecord.extraction.ruleset import few_matcher, matcher

_RULE: Final = "code/mention"
_REASON: Final = "the text speaks of such signals and gives none"
_SIGNAL: Final = "shapes/action-signal"
_BARE: Final = "shapes/labelled-bare"
_SAID: Final = "shapes/said"
_PERCENT: Final = "shapes/action-percent"
_MOST_WORDS: Final = 3
_ARISEN: Final = (
    "detect", "generat", "confirm", "trigger", "found", "fired", "active", "issued", "identif",
    "appear", "receiv", "alert", "today", "now", "emitted", "sent", "ahead", "strength", "发生",
    "出现", "触发", "确认", "生成", "发出", "成立", "発生", "検出", "点灯", "출현", "발생", "감지",
    "포착", "확인", "と判断",
)  # fmt: skip
"""Beginnings of words that tell that a signal is there."""
_NOUNS: Final = ("signal", "信号", "信號", "신호", "시그널", "シグナル", "サイン")
_STANDS: Final = few_matcher(r"(?:^(?:[\[(]?[Nd][\]).:]?|[-|.,>:\]\[])*|[:|!>])A[fw]?L(?:$|[^wf])")
_CELL_DONE: Final = few_matcher(r"[|]b[dN@:]{0,3}(?:[|]|$)")
_CAPTION: Final = re2.compile(r"(?i)^\W*(?:fig(?:ure|\.)?|screenshot|image|chart|plot) ?\d|^!\[")
_TO_DO: Final = re2.compile(r"^\s*[-*+] \[[ xX]\]")
# J > 90 AND K < D -> SELL: a value of its own stands before no sign.
_FORMULA: Final = re2.compile(
    r"^[^\n:]*[^\W\d][)\]]? ?[<>≤≥]=? ?\d[^\n]*(?:\bAND\b|\bOR\b|&&|且|或)[^\n]*(?:→|->|=>|»)\W*$"
)
_NOTE: Final = matcher(
    r"(?i)^\W*(?:bug|(?:known )?issue|todo|fixme|problem|fixed|workaround)s?(?: ?#?\d+)?\W{0,3}:"
)
_COUNTED: Final = re2.compile(r"\b(?:WR|(?i:win ?rate|\d+ trades))\b|\d ?(?:건|회|个|次|筆|件)")
_ADJECTIVES: Final = frozenset({"long", "short"})


def _is_note(line: str) -> bool:
    """Say whether a line is of a list of things to do, a caption or a note."""
    return _TO_DO.search(line) is not None or _CAPTION.search(line) is not None or _NOTE(line)


_IS_NOTE: Final = looks.later(_is_note)
_MAY_COMPARE: Final = looks.later(matcher(r"[<>≤≥]=? ?\d"))


def drop(document: Document, flags: frozenset[str], findings: Findings) -> None:
    """Refuse what a text only speaks of.

    Args:
        document: The text.
        flags: What the text as a whole holds.
        findings: Its statements; those that are refused move to ``rejected``.
    """
    bare = "levels" not in flags and SYMBOL not in document.letters
    lost = [item for item in findings.statements if _is_mentioned(document, item, bare=bare)]
    findings.refuse(document, lost, _RULE, _REASON)


def _is_mentioned(document: Document, statement: Statement, *, bare: bool) -> bool:
    """Say whether a statement is a part of what a text tells of signals, orders or options."""
    if statement.rank > LABELLED or statement.is_row or statement.bound is not None:
        return False
    line = document.lines[statement.line]
    start = document.starts[statement.token]
    part = document.folded[line.start : line.end]
    return (
        document.folded[start - 2 : start] == "--"
        or document.tells(line, _IS_NOTE)
        or (
            document.tells(line, _MAY_COMPARE)
            and _FORMULA.search(part[: start - line.start]) is not None
        )
        or (bare and part.startswith("#") and _names_signal(line))
        or (statement.rank <= ROW and "|b" in line.shape and _CELL_DONE(line.shape))
        or _by_rule(document, line, statement, part, bare=bare)
    )


def _by_rule(
    document: Document, line: Line, statement: Statement, part: str, *, bare: bool
) -> bool:
    """Say whether a statement is a mention, as far as the rule that took it can be deceived."""
    if statement.rule == _SIGNAL:
        return _is_subject(document, line, statement, bare=bare)
    if statement.rule == _BARE:
        return _words_before(line.shape[: statement.token - line.first]) > _MOST_WORDS
    if statement.rule == _SAID:
        behind = document.letters[statement.token + 1 : statement.token + 2]
        return behind == "w" and document.raw(statement.token) in _ADJECTIVES
    return statement.rule == _PERCENT and _COUNTED.search(part) is not None


def _is_subject(document: Document, line: Line, statement: Statement, *, bare: bool) -> bool:
    """Say whether an action before the word signal is part of a longer sentence."""
    shape, at = line.shape, statement.token - line.first
    signal = shape.find("L", at)
    label = document.raw(line.first + signal).lower()
    noun = label.endswith(_NOUNS)
    if shape[signal + 1 : signal + 2] == "w" and (noun or label.isascii()):
        word = document.raw(line.first + signal + 1).lower()
        if not word.startswith(_ARISEN):
            return True
    before = shape[:at]
    clause = _clause(before)
    if shape[signal + 1 :].lstrip("f")[:1] == SYMBOL:
        return False
    counts = clause[-1:] == "N" or clause[-2:] in {"Nw", "N["}
    if counts or before[-1:] == "=" or _words_before(before) > _MOST_WORDS:
        return True
    if before.count("(") > before.count(")") and before.count("w") > _MOST_WORDS:
        return True
    return bare and noun and not _STANDS(shape)


def _names_signal(line: Line) -> bool:
    """Say whether a heading is about signals of a kind: 5.2 Buy signal."""
    return _STANDS(line.shape.replace("a", "A"))


def _clause(before: str) -> str:
    """Return the shape of a clause as far as it stands before an action."""
    return before[max(before.rfind(mark) for mark in ":|.!>;,)") + 1 :]


def _words_before(before: str) -> int:
    """Return how many words stand before an action in its clause."""
    return sum(letter in "wf" for letter in _clause(before))
