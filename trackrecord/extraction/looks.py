"""What a line may tell, by its words: questions that one pass over the line answers together.

Most texts hold nothing of what a reader of results or of blocks looks for, so it asks first
whether any line may. The answers are remembered with the line (see line_cache), so that most
lines are not even looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, final

from trackrecord.extraction import ruleset
from trackrecord.extraction.ruleset import pattern_set

ALL: Final = ruleset.ALL
"""Every bit: the answers of a look that failed, which rules nothing out."""

# Found in every line, at its end: without it, the look failed and says nothing.
_ALWAYS: Final = r"\z"


@final
class Questions:
    """The patterns of all questions, and the bit that stands for each."""

    __slots__ = ("asked", "bits", "patterns", "together")

    def __init__(self) -> None:
        self.asked = 0
        self.patterns = [_ALWAYS]
        self.bits = [0]
        self.together: Any = None


QUESTIONS: Final = Questions()
"""All that are asked of each line."""


def ask(*patterns: str) -> int:
    """Register a question, when the module that asks it is loaded.

    Args:
        patterns: RE2 patterns, ``^`` and ``$`` being the ends of a line. Each is looked for in
            a line by itself, whose digits may all be 0, or in a text of several lines. They
            count nothing (``{0,24}``): all that could be begun at once would be kept apart.

    Returns:
        The bit that is set in the answers of a line that holds one of them.
    """
    bit = 1 << QUESTIONS.asked
    QUESTIONS.asked += 1
    QUESTIONS.patterns += [f"(?m){pattern}" for pattern in patterns]
    QUESTIONS.bits += [bit] * len(patterns)
    QUESTIONS.together = None
    return bit


_LATER: Final[dict[int, Callable[[str], bool]]] = {}


def later(answer: Callable[[str], bool]) -> int:
    """Register a question that is asked of few lines, when the module that asks it is loaded.

    It is answered when it is asked first, and remembered for all lines of the same words
    (Document.tells), so that it may be dear.

    Args:
        answer: Says yes or no of a line by its text, and says the same whatever digits stand in
            it.

    Returns:
        The bit that stands for it among all that are asked later.
    """
    bit = 1 << len(_LATER)
    _LATER[bit] = answer
    return bit


def answer(question: int, line: str) -> bool:
    """Answer a question that was registered to be asked later."""
    return _LATER[question](line)


def asked_later() -> list[Callable[[str], bool]]:
    """Return what answers the questions that are asked later."""
    return list(_LATER.values())


def registered() -> list[tuple[int, str]]:
    """Return the patterns of all questions, each behind the bit of its question."""
    return list(zip(QUESTIONS.bits, QUESTIONS.patterns, strict=True))[1:]


def answers(text: str) -> int:
    """Return the bits of all questions that a line, or any line of a text, answers with yes."""
    if QUESTIONS.together is None:
        QUESTIONS.together = pattern_set(QUESTIONS.patterns)
    found: list[int] = QUESTIONS.together.Match(text.encode("utf-8", "replace")) or []
    return bits_of(found, QUESTIONS.bits)


def bits_of(found: list[int], bits: list[int]) -> int:
    """Return the bits of the patterns that were found, all where the look failed.

    Args:
        found: Places of patterns; 0 is that of the one every line holds.
        bits: The bit of each pattern.
    """
    if 0 not in found:
        return ALL
    answered = 0
    for at in found:
        answered |= bits[at]
    return answered
