"""``python -m tools.decisions``: write the index of the decisions; ``--check`` only compares."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "docs" / "decisions"
_HEAD = """# Decisions

Short records of decisions that somebody may question later: context, decision, consequences, and
what else was considered. A record is not changed once it is accepted; a later one replaces it,
and its status then says which. Below its title stand `Date: 2026-11-28. Status: accepted.`
`make generate` writes this table.

| | decision | date | status |
|---|---|---|---|
"""
_FORM = re.compile(
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


def main() -> int:
    """Write the index, or say that it is stale.

    Returns:
        0, or 1 where ``--check`` finds it stale or a record has no proper head.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.decisions", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if stale")
    arguments = parser.parse_args()
    target = _FOLDER / "README.md"
    try:
        wanted = index()
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if arguments.check:
        if target.read_text(encoding="utf-8") == wanted:
            return 0
        sys.stderr.write("docs/decisions/README.md is stale: run `make generate`\n")
        return 1
    target.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
