"""The code in a model's answer: the last Python block that is a strategy.

Fences are read as CommonMark has them, so that one inside a docstring, indented by four, ends
nothing. A model that thinks aloud writes drafts before; the last one is what it means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_FENCE: Final = re.compile(r"^(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})(?P<info>[^`]*)$")
_STRATEGY: Final = re.compile(r"^def[ \t]+execute_strategy[ \t]*\(", re.MULTILINE)
_PYTHON: Final = frozenset({"python", "python3", "py", "py3"})
_INSIDE: Final = 4
"""Columns beyond its opening from which a fence closes nothing."""


@dataclass(frozen=True)
class Found:
    """The code of an answer.

    Attributes:
        code: With line feeds only, and one at its end.
        whole: Whether its block was closed; else the answer ended in the middle of it.
    """

    code: str
    whole: bool


@dataclass(frozen=True)
class _Block:
    language: str
    text: str
    closed: bool


def find_code(answer: str) -> Found | None:
    """The last Python block with ``def execute_strategy``; None where there is none.

    A block that names no language counts where no block names Python, and so does an answer
    without any block that is nothing but code.
    """
    text = _lines(answer)
    blocks = [block for block in _blocks(text) if _STRATEGY.search(block.text)]
    named = [block for block in blocks if block.language in _PYTHON]
    unnamed = [block for block in blocks if not block.language]
    for block in reversed(named or unnamed):
        return Found(_tidy(block.text), block.closed)
    if _STRATEGY.search(text) and not any(_FENCE.match(line) for line in text.split("\n")):
        return Found(_tidy(text), whole=True)
    return None


def unfinished(answer: str) -> bool:
    """Whether an answer ends in the middle of a block of Python that has not come to its end."""
    blocks = list(_blocks(_lines(answer)))
    return bool(blocks) and not blocks[-1].closed and blocks[-1].language in _PYTHON


def _lines(answer: str) -> str:
    """With line feeds only, and nothing unseen before the first."""
    return answer.lstrip("\ufeff\u200b").replace("\r\n", "\n").replace("\r", "\n")


def _blocks(text: str) -> Iterator[_Block]:
    opening: re.Match[str] | None = None
    lines: list[str] = []
    for line in text.split("\n"):
        found = _FENCE.match(line)
        if opening is None:
            if found:
                opening, lines = found, []
        elif found and _closes(found, opening):
            yield _block(opening, lines, closed=True)
            opening = None
        elif found and _begins_anew(found, opening):
            yield _block(opening, lines, closed=False)
            opening, lines = found, []
        else:
            lines.append(line)
    if opening is not None:
        yield _block(opening, lines, closed=False)


def _closes(found: re.Match[str], opening: re.Match[str]) -> bool:
    return (
        found["fence"][0] == opening["fence"][0]
        and len(found["fence"]) >= len(opening["fence"])
        and not found["info"].strip()
        and len(found["indent"]) < len(opening["indent"]) + _INSIDE
    )


def _begins_anew(found: re.Match[str], opening: re.Match[str]) -> bool:
    """Whether a block of Python begins where the one before was never closed.

    A model that thinks aloud breaks off in the middle of a draft.
    """
    return _language(found) in _PYTHON and len(found["indent"]) <= len(opening["indent"])


def _language(fence: re.Match[str]) -> str:
    """``python`` of ``python title=x``, ``{.python}``, ``python:strategy.py`` and the like."""
    return re.split(r"[\s,:;}]", fence["info"].strip().lstrip("{.").lower(), maxsplit=1)[0]


def _block(opening: re.Match[str], lines: list[str], *, closed: bool) -> _Block:
    indent = opening["indent"]
    return _Block(
        _language(opening), "\n".join(line.removeprefix(indent) for line in lines), closed
    )


def _tidy(code: str) -> str:
    return code.strip("\n").rstrip() + "\n"
