"""Whose confidence a printed one is: the decision's, or that of a regime, a mood or a headline."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

import re2

from trackrecord.extraction.document import Document

# Regime: SIDEWAYS (Confidence: 0.60); Sentiment: POSITIVE (84.4% confidence).
_OF_STATE: Final = re2.compile(r"^(?:\[[Sw]\])?[-|>.]*[wfVU]{1,4}[:=][wfVU]{1,3}[(][fwP]{0,2}$")

_IN_WORDS: Final = frozenset({"C:w", "-C:w", "C:f", "-C:f", "C:Z", "-C:Z"})
_IN_PERCENT: Final = frozenset({"C:P", "-C:P"})
_OF_THREE: Final = 3
"""Tokens of a label, its colon and its value."""
_DEGREES: Final = frozenset({
    "high", "low", "medium", "moderate", "strong", "weak", "very", "extreme", "good", "excellent",
})  # fmt: skip


def is_of_state(document: Document, label: int, token: int) -> bool:
    """Say whether a confidence in brackets is that of what its own line states.

    Args:
        document: The text.
        label: The confidence's label.
        token: The action that a confidence is looked for; on its own line, it is the action's.
    """
    start = document.folded.rfind("\n", 0, document.starts[label]) + 1
    end = document.folded.find("\n", document.ends[label])
    if start <= document.starts[token] and (end < 0 or document.starts[token] < end):
        return False
    first = bisect_left(document.starts, start, 0, label + 1)
    before = document.letters[first:label].rpartition("|")[2]
    return "(" in before and _OF_STATE.search(before) is not None


def are_apart(document: Document, left: int, right: int) -> bool:
    """Say whether a blank line stands between two tokens, the left one first."""
    between = document.folded[document.ends[left] : document.starts[right]]
    return any(not line.strip() for line in between.split("\n")[1:-1])


def of_a_vote(document: Document, label: int, token: int) -> bool:
    """Say whether a confidence stands on the line of a vote, and the statement below it."""
    folded = document.folded
    start = folded.rfind("\n", 0, document.starts[label]) + 1
    if start <= document.starts[token] < max(document.ends[label], start + 1):
        return False
    first = bisect_left(document.starts, start, 0, label + 1)
    before = document.letters[first:label]
    # Another action on its own line has its own confidence.
    term = document.terms[token]
    other = any(
        document.letters[at] == "A"
        and document.terms[at] is not None
        and document.terms[at] != term
        for at in range(first, label)
    )
    voted = "V" in before or other
    return voted and folded.find("\n", start) < document.starts[token]


def in_words(document: Document, label: int) -> bool:
    """Say whether a confidence is given as a word, or as points that are added up (+15)."""
    letters = document.letters
    if letters[label + 1 : label + 2] not in (":", "=") or label + 2 >= len(letters):
        return False
    value = document.raw(label + 2)
    return value[:1] == "+" or value.lower() in _DEGREES


def number_below(document: Document, label: int) -> int | None:
    """Return the label below one whose value is a word, where it gives a percentage.

    ``Confidence: HIGH`` over ``Probability: 80.9 %`` of the same block.
    """
    at = document.line_at(document.starts[label])
    lines = document.lines
    if not 0 <= at < len(lines) - 1 or lines[at].shape not in _IN_WORDS:
        return None
    below = lines[at + 1]
    return below.last - _OF_THREE if below.shape in _IN_PERCENT else None


def stands_below_words(document: Document, label: int) -> bool:
    """Say whether a label is the one that :func:`number_below` finds."""
    at = document.line_at(document.starts[label])
    above = document.lines[at - 1] if at > 0 else None
    if above is None or above.shape not in _IN_WORDS:
        return False
    return number_below(document, above.last - _OF_THREE) == label
