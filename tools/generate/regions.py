"""Parts of a file that are written by ``make generate``, between two marks."""

from __future__ import annotations

import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The checkout."""

YAML_BEGIN = "# written by `make generate`: {}"
YAML_END = "# end of what is written"
DOCUMENT_BEGIN = "<!-- written by `make generate`: {} -->"
DOCUMENT_END = "<!-- end -->"


class NoPlaceError(Exception):
    """A file lacks the marks between which a part is to be written; the message says which."""


def put_lines(text: str, part: str, lines: str) -> str:
    """Put lines into YAML or TOML, indented as the mark is.

    Args:
        text: What stands in the file; the mark may stand in it several times.
        part: What the mark names.
        lines: What belongs between the marks.

    Raises:
        NoPlaceError: There is no such mark.
    """
    begin = YAML_BEGIN.format(part)
    result: list[str] = []
    inside = found = False
    for line in text.splitlines(keepends=True):
        if line.strip() == begin:
            found = inside = True
            indent = line[: len(line) - len(line.lstrip())]
            result += [line, textwrap.indent(lines, indent)]
        elif inside and line.strip() == YAML_END:
            inside = False
        if not inside:
            result.append(line)
    if not found or inside:
        raise NoPlaceError(f"needs these two lines: {begin} | {YAML_END}")
    return "".join(result)


def put_passage(text: str, part: str, passage: str) -> str:
    """Put a passage into a Markdown document.

    Args:
        text: What stands in the file.
        part: What the mark names.
        passage: What belongs between the marks, without blank lines around it.

    Raises:
        NoPlaceError: The mark does not stand there once.
    """
    begin = DOCUMENT_BEGIN.format(part)
    if text.count(begin) != 1 or DOCUMENT_END not in text.split(begin)[1]:
        raise NoPlaceError(f"needs these two lines, once: {begin} | {DOCUMENT_END}")
    before, rest = text.split(begin)
    return f"{before}{begin}\n\n{passage}\n\n{DOCUMENT_END}{rest.split(DOCUMENT_END, 1)[1]}"
