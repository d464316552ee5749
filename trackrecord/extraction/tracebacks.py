"""Tracebacks in what a script printed: only their own lines are no statement of its."""

from __future__ import annotations

from typing import Final

from trackrecord.extraction.document import Document

_BEGINS: Final = "Traceback (most recent call last)"
_GOES_ON: Final = ("During handling of", "The above exception")
_FRAME: Final = frozenset("╭┌+│|╰└❱")


def lines_of(document: Document) -> set[int]:
    """Return the lines of tracebacks: from their first line to the error they end with."""
    found: set[int] = set()
    if _BEGINS not in document.folded:
        return found
    inside = framed = ended = False
    for line in document.lines:
        text = document.folded[line.start : line.end]
        if _BEGINS in text:
            inside, ended, framed = True, False, text.lstrip()[:1] in _FRAME
        elif inside and text.startswith(_GOES_ON):
            ended = False
        elif inside and text.strip() and not _inner(text, framed):
            # The first line that is not indented is the error itself.
            inside, ended = not ended, True
        if inside:
            found.add(line.number)
    return found


def _inner(text: str, framed: bool) -> bool:
    """Say whether a line stands within a traceback: indented, or in its frame."""
    return text[0] in " \t" or (framed and text.lstrip()[:1] in _FRAME)


def without(document: Document, lines: set[int]) -> str:
    """Return the folded text with some lines made blank."""
    if not lines:
        return document.folded
    parts: list[str] = []
    behind = 0
    for number in sorted(lines):
        line = document.lines[number]
        parts.append(document.folded[behind : line.start])
        behind = line.end
    parts.append(document.folded[behind:])
    return "".join(parts)
