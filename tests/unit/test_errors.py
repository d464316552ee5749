"""All errors of ours have one root, and its module draws each of them where it belongs."""

from __future__ import annotations

import ast
import builtins
import re
from pathlib import Path

import trackrecord
from trackrecord import errors

ROOT = Path(trackrecord.__file__).parent.parent


def declared() -> dict[str, list[str]]:
    """Every class that is an exception, with its bases, as the sources declare them."""
    bases: dict[str, list[str]] = {}
    for package in ("trackrecord", "services"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef):
                    bases[node.name] = [ast.unparse(base).split(".")[-1] for base in node.bases]

    def is_exception(name: str) -> bool:
        built_in = getattr(builtins, name, None)
        if isinstance(built_in, type):
            # Not what ends a process by a signal, which nobody catches as an error.
            return issubclass(built_in, Exception)
        return any(is_exception(base) for base in bases.get(name, []))

    public = {name: of for name, of in bases.items() if not name.startswith("_")}
    return {name: of for name, of in public.items() if is_exception(name)}


def drawn() -> dict[str, str]:
    """By name, the error that the drawing has above it."""
    found: dict[str, str] = {}
    above: list[str] = ["TrackrecordError"]
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"    ((?:│   |    )*)[├└]── (\w+) ", line):
            depth = len(match[1]) // 4 + 1
            above[depth:] = [match[2]]
            found[match[2]] = above[depth - 1]
    return found


def test_every_error_is_drawn_under_the_one_it_derives_from() -> None:
    classes = declared()
    assert {"InvalidEventError", "StackFailed", "HaltedError"} <= classes.keys()
    ours = {
        name: next(base for base in bases if base == "TrackrecordError" or base in classes)
        for name, bases in classes.items()
        if name != "TrackrecordError"
    }
    assert drawn() == ours
