"""What of a module could outlast a call, and whether it did.

A strategy's module is loaded once in a session, so whatever hangs on its names is still there at
the next bar. Values are compared from outside; what cannot be looked into is refused.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any, Final

_MOST_PARTS: Final = 200_000
_LEAVES: Final = (
    str, bytes, int, float, complex, Decimal, date, time, timedelta, type(None), type(...), type,
)  # fmt: skip
_OBJECT: Final = re.compile(r"^<.+>$", re.DOTALL)
_FUNCTION: Final = re.compile(r"^<function '?(?P<name>[\w<>]+)'? at 0x[0-9a-f]+>$")
_HARMLESS: Final = re.compile(r"^<(class|module|built-in function) ")


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
    if isinstance(node, ast.AnnAssign) and value is None:
        return []
    return [
        each.id
        for each in ast.walk(node)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    ]


def shape(value: object) -> tuple[object, ...]:
    """A value as something that can be compared, walked as far as a budget goes.

    What is larger than anything a strategy has a reason to keep counts by its size only. Nothing
    is printed whole: parts may be shared, and sixty lists of two are then 2**60 to print.
    """
    found: list[object] = []
    waiting: list[object] = [value]
    while waiting and len(found) < _MOST_PARTS:
        part = waiting.pop()
        inside = _inside(part)
        if inside is None:
            found.append(_leaf(part))
        elif isinstance(part, set | frozenset):
            found.append(("set", len(part), tuple(sorted(map(repr, map(_leaf, part))))))
        else:
            found.append((type(part).__name__, len(inside)))
            waiting.extend(inside)
    return tuple(found)


def _inside(part: Any) -> Sequence[object] | None:
    """The parts of a value that has some."""
    if isinstance(part, dict):
        return (*part.keys(), *part.values())
    if isinstance(part, list | tuple | set | frozenset):
        return tuple(part)
    attributes = getattr(part, "attributes", None)  # of an object of a class of the strategy
    return None if attributes is None else (dict(attributes),)


def _leaf(part: object) -> tuple[str, str]:
    name = type(part).__name__
    return (name, repr(part) if isinstance(part, _LEAVES) else "")


def unseen(value: object, source: str, functions: frozenset[str]) -> str | None:
    """A part of a value that cannot be looked into, and may hold anything; None if there is none.

    Args:
        value: As it came out of the sandbox: what is no data comes as a text such as
            ``<list_iterator object>``.
        source: The strategy: a text that stands in it is a text.
        functions: The names of functions that its module defines.
    """
    waiting, seen = [value], 0
    while waiting and seen < _MOST_PARTS:
        seen += 1
        part = waiting.pop()
        inside = _inside(part)
        if inside is not None:
            waiting.extend(inside)
        elif type(part) is str and _OBJECT.match(part) and part not in source:
            function = _FUNCTION.match(part)
            known = function is not None and function["name"] in functions
            if not known and not _HARMLESS.match(part):
                return part
    return None


def function_names(tree: ast.Module) -> frozenset[str]:
    """The functions that a module defines; lambdas count where none is made inside another."""
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    inside = any(
        isinstance(inner, ast.Lambda) and inner is not node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.Lambda)
        for inner in ast.walk(node)
    )
    return frozenset(names if inside else names | {"<lambda>"})
