"""The return of a strategy that stands, without a label, beside what holding brought."""

from __future__ import annotations

from typing import Final

import re2

from trackrecord.extraction import looks
from trackrecord.extraction.document import Document
from trackrecord.extraction.result_values import Candidate
from trackrecord.extraction.ruleset import matcher

_HELD: Final = matcher(
    r"(?i)^\W*(?:buy ?(?:&|and|n) ?hold|b&h|hodl|benchmark)(?: returns?)?\W*[:=|]\W*?"
    r"[+-]?\d[\d,.]* ?%"
)
_OWN: Final = re2.compile(
    r"(?i)^[^\w\n]*(?:(?:my|our|the|this) )?((?:[a-z0-9]{1,12}[ _-]){0,2}(?:strategy|strat|bot|algo"
    r"|algorithm|system|portfolio|model|agent)|long[ /-]?short|long[ -]only|momentum|mean reversion"
    r"|策略)[*_]{0,2}\s{0,12}[:=|][^\w\n+-]{0,8}([+-]?\d[\d,]*(?:\.\d+)?) ?%[^\w\n]*$"
)
_NOT_MADE: Final = matcher(r"(?i)expect|target|max|avg|average|confidence|accuracy|risk|win")


def find(document: Document) -> list[Candidate]:
    """Return the one return that a strategy is said to have beside the benchmark's.

    Returns:
        One candidate, or none where no line next to the benchmark's, or several, name a strategy.
    """
    if not document.may(_MAY_TELL):
        return []
    text = document.folded
    lines = [line for line in document.lines if line.shape]
    found: dict[int, Candidate] = {}
    for at, line in enumerate(lines):
        if not _HELD(text[line.start : line.end]):
            continue
        for beside in lines[max(0, at - 1) : at] + lines[at + 1 : at + 2]:
            match = _OWN.search(text[beside.start : beside.end])
            value = None if match is None else document.parse(match.group(2))
            if match is None or value is None or _NOT_MADE(match.group(1)):
                continue
            found[beside.number] = Candidate(
                "total", value, None, (), "code/beside-benchmark", match.group(1).lower(),
                beside.start + match.start(1), beside.end, beside.number,
            )  # fmt: skip
    return list(found.values()) if len(found) == 1 else []


_MAY_TELL: Final = looks.ask(r"(?i)buy ?(?:&|and|n) ?hold|b&h|hodl|benchmark")
