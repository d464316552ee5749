"""The index of the decision records, from their heads."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tools.generate.regions import ROOT

_FOLDER: Final = ROOT / "docs" / "decisions"
_HEAD: Final = """# Decisions

These are short records of decisions that somebody may question later: context, decision,
consequences, and alternatives. A record is not changed once it is accepted. If a later record
replaces it, its status names that record. Write the date and the status below the title:
`Date: 2026-11-28. Status: accepted.` `make generate` writes the table.

| | decision | date | status |
|---|---|---|---|
"""
_FORM: Final = re.compile(
    r"# (?P<number>\d+)\. (?P<title>.+)\n\n"
    r"Date: (?P<date>\d{4}-\d\d-\d\d)\. Status: (?P<status>[^.\n]+)\."
)


def index() -> str:
    """The index, from the heads of the records.

    Raises:
        ValueError: A record does not begin with number, title, date and status, or its number
            is not its file's.
    """
    rows = []
    for record in sorted(_FOLDER.glob("[0-9]*.md")):
        head = _FORM.match(record.read_text(encoding="utf-8"))
        if head is None or int(head["number"]) != int(record.name[:4]):
            raise ValueError(
                f"{record.name} does not begin with `# {int(record.name[:4])}. Title`, an empty "
                "line and `Date: YYYY-MM-DD. Status: accepted.`"
            )
        link = f"[{head['title']}]({record.name})"
        rows.append(f"| {head['number']} | {link} | {head['date']} | {head['status']} |")
    return _HEAD + "\n".join(rows) + "\n"


def writers() -> dict[Path, Callable[[str], str]]:
    """The index, whatever it says now."""
    return {Path("docs/decisions/README.md"): lambda _now: index()}
