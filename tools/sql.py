"""``python -m tools.sql``: write the SQL that the signal_tracker runs, one file a statement.

The statements are composed in Python, as they share parts; what a reader wants is each of them
whole. With ``--check`` nothing is written, and each file that is stale is named.
"""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from services.signal_tracker.store.rendered import STATEMENTS, Statement

DIRECTORY: Final = Path("services/signal_tracker/sql")
_WRITTEN_BY: Final = "-- Written by python -m tools.sql from services/signal_tracker/store."
_WIDTH: Final = 100
_BETWEEN: Final = r", | (?=(?:FROM|WHERE|GROUP|AND|OR|UNION|WHEN|ELSE|END|JOIN|FILTER) )"
"""Where a line is broken rather than anywhere else."""


def rendered(statements: Mapping[str, Statement] = STATEMENTS) -> dict[str, str]:
    """The text of each file by its name."""
    return {f"{name}.sql": render(statement) for name, statement in statements.items()}


def render(statement: Statement) -> str:
    """A statement as a file: what it does, then the SQL, its lines broken at blanks.

    Nothing but white space differs from what runs.
    """
    purpose = textwrap.fill(
        statement.purpose, _WIDTH, initial_indent="-- ", subsequent_indent="-- "
    )
    lines = [
        part
        for line in statement.sql.strip().splitlines()
        if line.strip()
        for part in _broken(line)
    ]
    return "\n".join((purpose, _WRITTEN_BY, "", *lines)) + "\n"


def _broken(line: str) -> list[str]:
    """A line in parts that fit, each broken where the fewest brackets are open."""
    indent = " " * (len(line) - len(line.lstrip()))
    rest, parts = line.strip(), []
    while len(indent) + len(rest) > _WIDTH:
        at = _place(rest, _WIDTH - len(indent))
        parts.append(indent + rest[:at].rstrip())
        if len(parts) == 1:
            indent += "    "
        rest = rest[at:].lstrip()
    return [*parts, indent + rest]


def _place(text: str, most: int) -> int:
    """Where to break a text so that at most so many characters stand before."""
    depths, depth = [], 0
    for character in text:
        depth += (character == "(") - (character == ")")
        depths.append(depth)
    for pattern in (_BETWEEN, " "):
        places = [
            found.end() for found in re.finditer(pattern, text) if 0 < found.start() <= most - 1
        ]
        if places:
            return min(places, key=lambda place: (depths[place - 1], -place))
    return len(text)


def stale(directory: Path, texts: Mapping[str, str]) -> list[str]:
    """One line for each file that is missing, differs, or belongs to no statement."""
    problems = []
    for name, text in texts.items():
        file = directory / name
        if not file.is_file():
            problems.append(f"{file}: missing")
        elif file.read_text("utf-8") != text:
            problems.append(f"{file}: differs from what runs")
    problems += [
        f"{file}: no such statement, delete it"
        for file in sorted(directory.glob("*.sql"))
        if file.name not in texts
    ]
    return problems


def main(arguments: list[str] | None = None) -> int:
    """Run the command.

    Returns:
        0 done; 1 stale, each file named on standard error; 2 the folder cannot be written.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.sql", description=__doc__)
    parser.add_argument("--out", type=Path, default=DIRECTORY, metavar="DIR")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if stale")
    options = parser.parse_args(arguments)
    directory: Path = options.out
    texts = rendered()
    if options.check:
        problems = stale(directory, texts)
        if problems:
            problems.append("write them anew with: python -m tools.sql")
        sys.stderr.writelines(f"{problem}\n" for problem in problems)
        return 1 if problems else 0
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for file in directory.glob("*.sql"):
            file.unlink()
        for name, text in texts.items():
            (directory / name).write_text(text, "utf-8")
    except OSError as error:
        sys.stderr.write(f"cannot write {directory}: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
