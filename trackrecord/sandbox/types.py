"""What the type checker inside the sandbox says of a strategy, in plain words.

Monty carries ty, which infers more than it can be sure of where a name may hold one of several
things: what it says of those is told, and does not refuse a strategy.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from trackrecord.strategies.contract import Problem

if TYPE_CHECKING:
    from pydantic_monty import MontySession

_MOST: Final = 20
_UNSURE: Final = (" | ", "in union", "Unknown", "`None`")
_HARMLESS: Final = frozenset({"invalid-parameter-default", "implicit-optional"})
MAYBE: Final = "types-unsure"
"""The code of a finding that may be wrong."""


def type_problems(session: MontySession, prelude: str, source: str) -> list[Problem]:
    """Check a strategy after the prelude, whose functions it may call.

    A strategy without findings is then loaded, in the sandbox; none of its functions is called.

    Args:
        session: One that was checked out with ``type_check_format="json"``.
        prelude: Source of the functions that are there without an import.
        source: The strategy.
    """
    import pydantic_monty  # noqa: PLC0415 - an extra

    try:
        session.feed_run(prelude + "\nNone")
        session.feed_run(source, print_callback=pydantic_monty.CollectString())
    except pydantic_monty.MontyTypingError as error:
        return _read(error.display())
    except Exception:  # noqa: BLE001 - types are fine; how it fails is told by the dry run
        return []
    return []


def _read(text: str) -> list[Problem]:
    try:
        told = json.loads(text)
    except ValueError:
        return [Problem(None, "types", text.strip().splitlines()[0])]
    # That import has no stub here, and stands below the prelude; it is allowed, and does nothing.
    problems = [
        _problem(each)
        for each in told
        if isinstance(each, dict) and "__future__" not in str(each.get("message"))
    ]
    return list(dict.fromkeys(problems))[:_MOST]


def _problem(told: dict[str, Any]) -> Problem:
    location = told.get("location") or {}
    message = str(told.get("message") or told.get("code")).splitlines()[0]
    unsure = told.get("code") in _HARMLESS or any(each in message for each in _UNSURE)
    return Problem(location.get("row"), MAYBE if unsure else "types", message)
