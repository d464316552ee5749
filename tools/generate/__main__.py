"""``python -m tools.generate``: write what follows from the code, or check that it is written.

For those who add a stage, a metric, an event or a setting. Without options it writes every file
that follows from the code, and names what only a person can write. ``--check`` writes nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from tools import schemas, sql
from tools.generate import (
    by_hand,
    contracts,
    dashboard,
    decisions,
    deployment,
    documents,
    record_boards,
)
from tools.generate.regions import ROOT, NoPlaceError


def writers() -> dict[Path, Callable[[str], str]]:
    """By file, relative to the checkout: its text as it should be, from its text as it is."""
    return {
        **contracts.writers(),
        **deployment.writers(),
        **dashboard.writers(),
        **record_boards.writers(),
        **documents.writers(),
        **decisions.writers(),
    }


def stale(root: Path = ROOT, *, write: bool = False) -> list[str]:
    """The files that differ from what the code says, one line for each.

    Args:
        root: The checkout.
        write: Whether to write them anew; then only what could not be written is named.
    """
    problems: list[str] = []
    for path, completed in writers().items():
        try:
            text = (root / path).read_text("utf-8")
            wanted = completed(text)
        except FileNotFoundError:
            problems.append(f"{path}: missing")
            continue
        except NoPlaceError as error:
            problems.append(f"{path}: {error}")
            continue
        if wanted != text and write:
            (root / path).write_text(wanted, "utf-8")
            sys.stdout.write(f"{path}: written\n")
        elif wanted != text:
            problems.append(f"{path}: differs from the code, write it anew with: make generate")
    return problems


def main(arguments: list[str] | None = None) -> int:
    """Run the command.

    Returns:
        0 done; 1 stale, or something is to be written by hand: each named on standard error.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if stale")
    options = parser.parse_args(arguments)
    problems = stale(write=not options.check) + by_hand.problems(ROOT)
    for problem in problems:
        sys.stderr.write(problem + "\n")
    mode = ["--check"] if options.check else []
    others = [
        tool.main(["--out", str(ROOT / folder), *mode])
        for tool, folder in ((schemas, schemas.DEFAULT_DIRECTORY), (sql, sql.DIRECTORY))
    ]
    return 1 if problems else max(others)


if __name__ == "__main__":
    sys.exit(main())
