"""Actions that are words of a program: values of an enumeration, states of a ladder, edges, keys.

``"values": ["BUY", "SELL"]`` over several lines, ``LONG: "Long"`` in a file of translations,
``HOLD -> WATCH -> EXIT``, ``A --> B`` in a diagram, ``side="SHORT",`` among the arguments of a call
and ``# BUY`` above a command are parts of how a program is written, not what it decides.
"""

from __future__ import annotations

from typing import Final

import re2

from trackrecord.extraction import looks
from trackrecord.extraction.document import Document, Line
from trackrecord.extraction.findings import Findings, Statement
from trackrecord.extraction.folding import HIDDEN
from trackrecord.extraction.refusals import FINAL

_ITEM: Final = ("code/enumeration", "it is a value among those that could be")
_TRANSLATED: Final = ("code/dictionary", "it says what a word stands for")
_LADDER: Final = ("code/ladder", "it is a state that another one follows")
_EDGE: Final = ("code/diagram", "it is a part of a diagram")
_ARGUMENT: Final = ("code/arguments", "it is an argument of a call")
_COMMANDED: Final = ("code/command", "it says what the command below it does")
_RULED: Final = ("code/rule", "it says what follows from a condition")
_NAME: Final = ("code/key", "it is a part of a key")
_NEWS: Final = ("code/news", "it tells of what others say")

_ALONE: Final = re2.compile(r"^\s*[\"'][\w -]{2,16}[\"']\s*,?\s*$")
_LISTED: Final = re2.compile(r"^\s*(?:[\"'][\w -]{2,24}[\"']\s*,?|\]|\[|.*\[)\s*,?\s*$")
_ENTRY: Final = re2.compile(
    r"^\s*[\"']?[\w -]{2,16}[\"']?\s*:\s*[\"']\s*\pL[^\"'\n]{0,40}[\"']\s*,?\s*$"
)
_STATES: Final = re2.compile(r"\b[A-Z][A-Z_]{2,}\b(?: ?(?:→|->|=>|➜|➔|⇒|>) ?[A-Z][A-Z_]{2,}\b){2}")
_EDGES: Final = re2.compile(
    r"^\s*[\w&]{1,24}(?:[\[({][^\n]{0,60}[\])}])?\s*(?:--+>|==+>|-\.-+>)\s*(?:\|[^|\n]*\|\s*)?[\w&]"
)
_CALLED: Final = re2.compile(r"^\s+[a-z_]{2,32}=[^=\s][^\n]*,\s*$")
# IF RSI <= 30 AND trend = UP, and the arrow on the line below.
_CONDITION: Final = re2.compile(
    r"(?i)^\W{0,8}(?:(?:else |el)?if|when|wenn|falls|sobald|lorsque|quand|cuando"
    r"|quando|si|se|если|如果|若|当|もし|만약)\b?[^\n]*(?:[<>=≤≥]| and | or )"
)
_RULED_BEFORE: Final = re2.compile(
    r"(?i)^\W{0,8}(?:if|when|wenn|falls|lorsque|quand|cuando|quando|если|如果|若|当|もし|만약)[^\pL][^\n]*"
    r"(?:→|->|=>|➜|➔|⇒)"
)
# "XAUUSD|BUY|2026-02-11": {
_AS_KEY: Final = re2.compile(r"^[^\"\n]*\"\s*:\s*[{\[]")
# Values of an enumeration, one a line: HOLD, BUY_INTENT.
_MEMBER: Final = re2.compile(r"^\s*(?:[-*] )?[A-Z]+_[A-Z_]+\s*$")
_BARE: Final = re2.compile(r"^\s*(?:[-*] )?[A-Z]+\s*$")
_ARROW: Final = re2.compile(r"^\s*(?:→|->|=>|➜|➔|⇒)")
# An argument by its name: make_payload(signal="short").
_KEYWORD: Final = re2.compile(r"^\s*[\w.]{1,40} = [\w.]{2,40}\([^()\n]{0,60}\b[a-z_]{2,24}=[\"']$")
_COMMAND: Final = re2.compile(
    r"^\s*(?:\$ |(?:curl|wget|http|python3?|pip3?|npm|npx|yarn|node|docker|git|bash|sh|uv|make"
    r"|go|cargo"
    r"|poetry|ssh|kubectl)\b)"
)
# "headline": "Bank keeps its Overweight rating on ..."
_TOLD: Final = re2.compile(
    r"(?i)^\s*[\"'](?:head_?lines?|title|news|article|snippet|tweet|quote|sources?|recent_changes"
    r"|competitor_activity|key_assumption|event|catalyst|description|names?|notes?|prompt|question"
    r"|system|help|doc|url|link|reasons?|reasoning|rationale|explanation|justification)[\"']\s*:\s*[\"'][^\"\n]*$"
)
_ANALYSTS: Final = re2.compile(
    r"(?i)^[^\n]{0,24}\b\d{1,3}(?:\s?[-\x{2013}/]\s?\d{1,3})? ?(?:analysts?|firms|brokers"
    r"|ratings)\b"
)
_CONSENSUS: Final = re2.compile(
    r"(?i)[\"'](?:(?:avg|average|mean|median|consensus)_(?:price_)?target(?:_price)?|analyst_count"
    r"|num(?:ber)?_(?:of_)?analysts(?:_opinions)?|analysts_count)[\"']\s*:"
)
_MAY: Final = looks.ask(
    r"^\s*[\"'][\w -]+[\"']\s*,?\s*$|^\s*[\"']?[\w -]+[\"']?\s*:\s*[\"']\s*\pL",
    r"(?:→|->|=>|➜|➔|⇒|>) ?[A-Z]{2}",
    r"--+>|==+>",
    r"^\s+[a-z_]+=",
    r"\w\([^()\n]*\w=[\"']",
    r"→|->|=>|➜|➔|⇒",
    r"\"\s*:\s*[{\[]",
    r"^\s*(?:[-*] )?[A-Z]+_[A-Z_]+\s*$",
    r"^\s*#|(?i)\banalysts?\b|\bfirms\b|\bbrokers\b|_target[\"'_]|\bratings\b",
)
_FEWEST: Final = 3
_NEAR: Final = 6


def drop(document: Document, findings: Findings) -> None:
    """Refuse what is a part of a program's text.

    Args:
        document: The text.
        findings: Its statements; those that are refused move to ``rejected``.
    """
    if not findings.statements or not document.may(_MAY):
        return
    lost: dict[tuple[str, str], list[Statement]] = {}
    drawn = ("-->" in document.folded or "==>" in document.folded) and _is_drawn(document)
    for item in findings.statements:
        why = None if item.is_row else _why_not(document, item, drawn=drawn)
        if why is not None:
            lost.setdefault(why, []).append(item)
    for (rule, reason), items in lost.items():
        findings.refuse(document, items, rule, reason)


def _why_not(  # noqa: C901, PLR0911, PLR0912 - one branch a kind
    document: Document, statement: Statement, *, drawn: bool
) -> tuple[str, str] | None:
    """Return what a statement is a part of, None where it may be a decision."""
    number = document.line_at(document.starts[statement.token])
    line = document.lines[number]
    part = document.folded[line.start : line.end]
    before = part[: document.starts[statement.token] - line.start].replace(HIDDEN, "")
    behind = part[document.ends[statement.token] - line.start :].replace(HIDDEN, "")
    part = part.replace(HIDDEN, "")
    if _STATES.search(part) is not None and statement.rank < FINAL:
        return _LADDER
    if statement.bound is None:
        if _AS_KEY.search(behind) is not None and before.count('"') % 2:
            return _NAME
        if _MEMBER.search(part) is None and _is_member(document, number):
            return _ITEM
        if _RULED_BEFORE.search(before) is not None:
            return _RULED
        if _ALONE.search(part) is not None and _is_listed(document, number):
            return _ITEM
        if drawn and _EDGES.search(part) is not None:
            return _EDGE
        if _ENTRY.search(part) is not None and not before.strip(" \t\"'"):
            return _TRANSLATED
        if "weak" in statement.rule and _CALLED.search(part) and _is_called(document, number):
            return _ARGUMENT
        if _KEYWORD.search(before) is not None:
            return _ARGUMENT
        if _ARROW.search(part) is not None and number:
            above = document.lines[number - 1]
            if _CONDITION.search(document.folded[above.start : above.end]) is not None:
                return _RULED
        if part.startswith("#") and _commands(document, number):
            return _COMMANDED
        if _TOLD.search(before) is not None:
            return _NEWS
    if _ANALYSTS.search(behind) is not None or _agreed(document, line, part):
        return _NEWS
    return None


def _near(document: Document, number: int) -> list[str]:
    """Return the lines around one, itself among them."""
    lines = document.lines[max(0, number - _NEAR) : number + _NEAR + 1]
    return [document.folded[line.start : line.end] for line in lines]


def _is_listed(document: Document, number: int) -> bool:
    """Say whether the lines beside one that is only a quoted word are such, too, or brackets."""
    beside = [
        document.folded[document.lines[at].start : document.lines[at].end]
        for at in (number - 1, number + 1)
        if 0 <= at < len(document.lines)
    ]
    return any(part.strip() and _LISTED.search(part) is not None for part in beside)


def _is_member(document: Document, number: int) -> bool:
    """Say whether a word alone on its line stands among values such as BUY_INTENT."""
    line = document.lines[number]
    if _BARE.search(document.folded[line.start : line.end]) is None:
        return False
    return sum(_MEMBER.search(part) is not None for part in _near(document, number)) > 1


def _is_drawn(document: Document) -> bool:
    """Say whether a text holds three edges of a diagram or more, one of them without an action."""
    edges = [
        line
        for line in document.lines
        if line.shape and _EDGES.search(document.folded[line.start : line.end]) is not None
    ]
    return len(edges) >= _FEWEST and not all(line.traits.acts for line in edges)


def _is_called(document: Document, number: int) -> bool:
    """Say whether several lines around one give arguments of a call."""
    return sum(_CALLED.search(part) is not None for part in _near(document, number)) >= _FEWEST


def _commands(document: Document, number: int) -> bool:
    """Say whether the line below a comment is a command."""
    for line in document.lines[number + 1 : number + 3]:
        if line.shape:
            return _COMMAND.search(document.folded[line.start : line.end]) is not None
    return False


def _agreed(document: Document, line: Line, part: str) -> bool:
    """Say whether the lines beside a rating tell that it is the mean of analysts."""
    if "rating" not in part and "recommendation" not in part and "consensus" not in part:
        return False
    return any(_CONSENSUS.search(near) is not None for near in _near(document, line.number))
