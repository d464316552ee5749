"""The import contracts of pyproject.toml that name every stage, and its rules."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tools.generate.regions import NoPlaceError
from trackrecord.stages import STAGES

PYPROJECT = Path("pyproject.toml")

RULES_BELOW = "trackrecord.accuracy"
"""The layer of the contract ``layers`` under which the rules lie."""


def writers() -> dict[Path, Callable[[str], str]]:
    """By file: what makes its text as it should be from its text as it is."""
    return {PYPROJECT: completed}


def completed(text: str) -> str:
    """The contracts with all stages in them.

    A package of rules that no layer names goes into the highest layer of rules; where it is
    to lie lower, move it by hand.

    Raises:
        NoPlaceError: A contract, or a key of it, is missing.
    """
    stages = _list([f"services.{name}" for name in STAGES])
    text = _set(text, "stages-apart", "modules", stages)
    text = _set(text, "inside-a-stage", "containers", stages)
    for package in sorted(
        {f"trackrecord.{name}" for each in STAGES.values() for name in each.rules}
    ):
        pure = _get(text, "pure-rules", "source_modules")
        if f'"{package}"' not in pure:
            text = _set(text, "pure-rules", "source_modules", f'{pure[:-1]}, "{package}"]')
        layers = _get(text, "layers", "layers")
        if not re.search(rf"\b{re.escape(package)}\b", layers):
            # The line below the one that names RULES_BELOW is the highest layer of rules.
            lines = layers.splitlines(keepends=True)
            at = next(at for at, line in enumerate(lines) if RULES_BELOW in line) + 1
            lines[at] = lines[at].replace('",', f' | {package}",')
            text = _set(text, "layers", "layers", "".join(lines))
    return text


def _list(names: list[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def _found(text: str, contract: str, key: str) -> re.Match[str]:
    found = re.search(
        rf'^id = "{contract}"\n(?:(?!\[\[).*\n)*?{key} = (\[[^\]]*\])', text, re.MULTILINE
    )
    if found is None:
        raise NoPlaceError(f"has no import contract {contract!r} with a list {key!r}")
    return found


def _get(text: str, contract: str, key: str) -> str:
    return _found(text, contract, key)[1]


def _set(text: str, contract: str, key: str, value: str) -> str:
    found = _found(text, contract, key)
    return text[: found.start(1)] + value + text[found.end(1) :]
