"""What the type checker inside the sandbox says of a strategy, in plain words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from trackrecord.strategies.contract import Problem

if TYPE_CHECKING:
    from pydantic_monty import MontySession

_MOST: Final = 20


def type_problems(session: MontySession, prelude: str, source: str) -> list[Problem]:
    """Check a strategy after the prelude, whose functions it may call.

    Nothing of the strategy runs: the checked text begins with a jump over it.

    Args:
        session: One that was checked out with ``type_check_format="json"``.
        prelude: Source of the functions that are there without an import.
        source: The strategy.
    """
    import pydantic_monty  # noqa: PLC0415 - an extra

    try:
        session.feed_run(prelude + "\nNone", skip_type_check=False)
        session.feed_run(source)
    except pydantic_monty.MontyTypingError as error:
        return _read(error.display())
    except pydantic_monty.MontyError:
        return []  # it was checked, and then failed in running, which the dry run tells
    return []


def _read(text: str) -> list[Problem]:
    try:
        told = json.loads(text)
    except ValueError:
        return [Problem(None, "types", text.strip().splitlines()[0])]
    problems = [_problem(each) for each in told if isinstance(each, dict)]
    return problems[:_MOST]


def _problem(told: dict[str, Any]) -> Problem:
    location = told.get("location") or {}
    message = str(told.get("message") or told.get("description") or told.get("code"))
    return Problem(location.get("row"), "types", message.splitlines()[0])
