"""Whether a language model wrote a strategy, as the log of attempts under the home folder knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final

from trackrecord.strategies.tries import code_identity
from trackrecord.times import read_time

LOG: Final = Path("strategies") / "attempts.jsonl"


def requested_on(home: Path, code: str) -> date | None:
    """The date on which a model was last asked for a strategy; None where none was.

    A line that is damaged or of another kind is passed over: who wants to hide where a strategy
    comes from can do so by other means, and the log is not what decides a verdict alone.

    Args:
        home: The home folder.
        code: The strategy's, as :func:`code_identity` gives it.
    """
    asked: dict[str, date] = {}
    found: list[date] = []
    for row in _rows(home / LOG):
        attempt = str(row.get("attempt_id"))
        if row.get("row") == "asking":
            try:
                asked[attempt] = read_time(str(row.get("asked_at"))).date()
            except ValueError:
                continue
        elif isinstance(row.get("code"), str) and code_identity(row["code"]) == code:
            found += [asked[attempt]] if attempt in asked else []
    return max(found, default=None)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            yield row
