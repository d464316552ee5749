"""What of a module could outlast a call: the names to look at, and by which names to look inside.

A strategy's module is loaded once in a session, so whatever hangs on its names is still there at
the next bar. The sandbox tells the shape of each before and after a dry run
(:meth:`trackrecord.strategies.execution.ExaminedSession.shapes`); what it cannot look into, such
as an iterator or a function that was made by a call, may hold anything.
"""

from __future__ import annotations

import ast


def kept_expressions(tree: ast.Module) -> list[str]:
    """What to look at: the module's variables, and those of its classes.

    A name for a function that is there anyway, or for a lambda, holds nothing.
    """
    found: dict[str, None] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                found.update(dict.fromkeys(f"{node.name}.{name}" for name in _assigned(inner)))
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.update(dict.fromkeys(_assigned(node)))
    return list(found)


def _assigned(node: ast.stmt) -> list[str]:
    value = getattr(node, "value", None)
    if isinstance(value, ast.Lambda | ast.Name | ast.Attribute):
        return []
    if isinstance(node, ast.FunctionDef) or (isinstance(node, ast.AnnAssign) and value is None):
        return []
    return [
        each.id
        for each in ast.walk(node)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    ]


def attribute_names(tree: ast.Module) -> list[str]:
    """All names that objects of the strategy's classes may have: whatever it sets, or declares."""
    found = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            found.update(name for inner in node.body for name in _declared(inner))
    return sorted(found)


def _declared(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    return _assigned(node)


def function_names(tree: ast.Module) -> list[str]:
    """The functions that a module defines; lambdas count where none is made inside another."""
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    inside = any(
        isinstance(inner, ast.Lambda) and inner is not node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.Lambda)
        for inner in ast.walk(node)
    )
    return names if inside else [*names, "<lambda>"]
