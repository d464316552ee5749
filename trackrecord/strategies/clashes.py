"""Where a strategy gives a name of the prelude to something of its own, and breaks the rest of it.

The functions of the prelude share the strategy's names. One that a strategy defines itself takes
the place of the prelude's, for the prelude's own functions too.
"""

from __future__ import annotations

import ast
from functools import lru_cache

from trackrecord.strategies.contract import Problem
from trackrecord.strategies.prelude import FUNCTIONS


def clashing_names(tree: ast.Module) -> list[Problem]:
    """The names of its own that functions of the prelude, which the strategy calls, need."""
    own = {name: node.lineno for node in tree.body for name in _defined(node) if name in FUNCTIONS}
    if not own:
        return []
    called = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    problems = []
    for user in sorted((called & set(FUNCTIONS)) - set(own)):
        problems.extend(
            Problem(
                own[name],
                "forbidden",
                f"{name} is a function of the prelude too, and {user}(), which is called here, "
                "needs that one: give this one another name",
            )
            for name in sorted(_needed(user) & set(own))
        )
    return problems


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    return [
        each.id
        for each in ast.walk(node)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    ]


@lru_cache(maxsize=256)
def _needed(name: str) -> frozenset[str]:
    """All functions of the prelude that one of them comes to call."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        called = {
            node.id
            for node in ast.walk(ast.parse(FUNCTIONS[waiting.pop()]))
            if isinstance(node, ast.Name) and node.id in FUNCTIONS
        }
        waiting.extend(called - found)
        found |= called
    return frozenset(found)
