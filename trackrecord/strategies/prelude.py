"""The prelude as text: what a sandbox loads before a strategy."""

from __future__ import annotations

import ast
from functools import lru_cache
from importlib import resources
from typing import Final

PRELUDE: Final = (
    resources.files("trackrecord.strategies").joinpath("prelude_functions.py").read_text("utf-8")
)
"""Python source in the sandbox's subset; the functions are those of
:mod:`trackrecord.strategies.prelude_functions`."""


def _pieces() -> tuple[str, dict[str, str]]:
    """What stands before the functions, and each function's source."""
    lines = PRELUDE.splitlines(keepends=True)
    functions = {}
    first = len(lines)
    for node in ast.parse(PRELUDE).body:
        if isinstance(node, ast.FunctionDef):
            first = min(first, node.lineno - 1)
            functions[node.name] = "".join(lines[node.lineno - 1 : node.end_lineno])
    return "".join(lines[:first]), functions


_HEAD, FUNCTIONS = _pieces()
"""The source of each function, by name."""


def _calls(source: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}


_CALLS: Final = {name: _calls(source) & set(FUNCTIONS) for name, source in FUNCTIONS.items()}


@lru_cache(maxsize=64)
def prelude_for(source: str) -> str:
    """The part of the prelude that a strategy calls, and what that calls: less to load.

    Raises:
        SyntaxError: The source is no Python.
    """
    wanted: set[str] = set()
    new = _calls(source) & set(FUNCTIONS)
    while new:
        wanted |= new
        new = {called for name in new for called in _CALLS[name]} - wanted
    return _HEAD + "\n\n".join(FUNCTIONS[name] for name in FUNCTIONS if name in wanted)
