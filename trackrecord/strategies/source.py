"""What a strategy says of itself, read from its source without running it.

``PARAMETERS``, ``LOOKBACK`` and ``SIDES`` are literals at the top level of the module, so they are
known before any of it runs, and no run can change them.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from trackrecord.strategies.contract import (
    DEFAULT_LOOKBACK,
    MOST_LOOKBACK,
    Problem,
    Sides,
)
from trackrecord.strategies.parameters import (
    Parameter,
    read_declarations,
    values_of,
)

__all__ = ["Parameter", "Source", "parameter_values", "parse", "read_source"]

LONGEST_SOURCE: Final = 200_000
"""Characters of a strategy's source."""
DEEPEST: Final = 150
"""Levels of nesting in a source; deeper ones are refused by every parser in its own way."""

FUNCTION: Final = "execute_strategy"
_ARGUMENTS: Final = ("market_data", "strategy_params")
_DECLARED: Final = ("PARAMETERS", "LOOKBACK", "SIDES")
_SIDES: Final[tuple[Sides, ...]] = ("long", "short", "both")


@dataclass(frozen=True)
class Source:
    """A strategy that can be run as far as its source tells.

    Attributes:
        code: The source itself.
        parameters: What can be set, by name.
        lookback: Closed bars that it is handed, 1 to 1,000.
    """

    code: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    lookback: int = DEFAULT_LOOKBACK
    sides: Sides = "long"


def read_source(source: str) -> Source | list[Problem]:
    """Read what a strategy declares; nothing of it is run.

    Returns:
        What it declares, or all that stands against the contract, by line.
    """
    tree = parse(source)
    if isinstance(tree, Problem):
        return [tree]
    problems: list[Problem] = []
    found: dict[str, ast.expr] = {}
    for name, value, line in _assigned(tree):
        if name in found:
            problems.append(_contract(line, f"{name} is set a second time: once is enough"))
        found[name] = value
    problems.extend(_hidden(tree))
    problems.extend(_function(tree))
    parameters = _parameters(found.get("PARAMETERS"), problems)
    lookback = _lookback(found.get("LOOKBACK"), problems)
    sides = _sides(found.get("SIDES"), problems)
    if problems:
        return sorted(problems, key=lambda each: each.line or 0)
    return Source(source, parameters, lookback, sides)


def parse(source: str) -> ast.Module | Problem:
    """The syntax tree of a source, or what keeps it from having one."""
    wrong = _wrong_text(source)
    if wrong is not None:
        return wrong
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape in a string is the author's
            tree = ast.parse(source)
    except SyntaxError as error:
        words = (error.msg or "cannot be read").splitlines()[0]
        return Problem(error.lineno, "syntax", f"not Python: {words}")
    except (ValueError, MemoryError, RecursionError):
        return Problem(None, "syntax", "not Python: nested too deeply, or a number too long")
    deep = _too_deep(tree)
    if deep is not None:
        return Problem(deep, "syntax", f"nested more than {DEEPEST} levels deep")
    return tree


def _wrong_text(source: str) -> Problem | None:
    """Why a text is no source, whatever it says."""
    line = None
    if not source.strip():
        words = "there is nothing in it"
    elif len(source) > LONGEST_SOURCE:
        words = f"{len(source):,} characters: a strategy has {LONGEST_SOURCE:,} at most"
    elif "\0" in source:
        line = source[: source.index("\0")].count("\n") + 1
        words = "there is a NUL character: this is not a text"
    elif any("\ud800" <= each <= "\udfff" for each in source):
        words = "there is half of a surrogate pair: this is not UTF-8"
    else:
        return None
    return Problem(line, "syntax", words)


def _too_deep(tree: ast.Module) -> int | None:
    """The line at which a tree is nested deeper than any reader of it should follow."""
    level: list[ast.AST] = [tree]
    line = 1
    for _ in range(DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return None
        line = getattr(level[0], "lineno", line)
    return line


def _contract(line: int | None, message: str) -> Problem:
    return Problem(line, "contract", message)


def _assigned(tree: ast.Module) -> list[tuple[str, ast.expr, int]]:
    found: list[tuple[str, ast.expr, int]] = []
    for node in tree.body:
        targets: list[ast.expr] = []
        value: ast.expr | None = None
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign):
            targets, value = [node.target], node.value
        found.extend(
            (target.id, value, node.lineno)
            for target in targets
            if value is not None and isinstance(target, ast.Name) and target.id in _DECLARED
        )
    return found


def _hidden(tree: ast.Module) -> list[Problem]:
    """Declarations in any place where a reader would not see them."""
    plain = {
        id(target)
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    }
    return [
        _contract(
            node.lineno,
            f"{node.id} is written as `{node.id} = ...` at the beginning of a line, once, and "
            "never changed",
        )
        for node in ast.walk(tree)
        if isinstance(node, ast.Name)
        and node.id in _DECLARED
        and not isinstance(node.ctx, ast.Load)
        and id(node) not in plain
    ]


def _function(tree: ast.Module) -> list[Problem]:
    found = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and node.name == FUNCTION
    ]
    wanted = f"def {FUNCTION}({', '.join(_ARGUMENTS)})"
    if not found:
        return [_contract(None, f"there is no `{wanted}` at the top level")]
    last = found[-1]
    problems = []
    if len(found) > 1:
        problems.append(_contract(last.lineno, f"{FUNCTION} is defined {len(found)} times"))
    if not isinstance(last, ast.FunctionDef):
        return [*problems, _contract(last.lineno, f"{FUNCTION} is a plain function: `{wanted}`")]
    if last.decorator_list:
        problems.append(_contract(last.lineno, f"{FUNCTION} has no decorators"))
    given = last.args
    names = [each.arg for each in (*given.posonlyargs, *given.args)]
    if len(names) != len(_ARGUMENTS) or given.vararg or given.kwarg or given.kwonlyargs:
        shown = ", ".join(names) or "none"
        problems.append(
            _contract(last.lineno, f"{FUNCTION} takes two arguments, `{wanted}`, not {shown}")
        )
    return problems


_NOT_LITERAL: Final = object()


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return _NOT_LITERAL


def _lookback(node: ast.expr | None, problems: list[Problem]) -> int:
    if node is None:
        return DEFAULT_LOOKBACK
    value = _literal(node)
    if type(value) is int and 1 <= value <= MOST_LOOKBACK:
        return value
    problems.append(
        _contract(
            node.lineno,
            f"LOOKBACK is a whole number of bars from 1 to {MOST_LOOKBACK:,}, written out: "
            "`LOOKBACK = 60`",
        )
    )
    return DEFAULT_LOOKBACK


def _sides(node: ast.expr | None, problems: list[Problem]) -> Sides:
    if node is None:
        return "long"
    value = _literal(node)
    for sides in _SIDES:
        if value == sides:
            return sides
    problems.append(_contract(node.lineno, 'SIDES is "long", "short" or "both"'))
    return "long"


def _parameters(node: ast.expr | None, problems: list[Problem]) -> dict[str, Parameter]:
    if node is None:
        return {}
    value = _literal(node)
    if not isinstance(value, dict):
        problems.append(
            _contract(
                node.lineno,
                'PARAMETERS is written out: `PARAMETERS = {"fast": {"type": "int", "default": 20, '
                '"min": 2, "max": 200, "description": "..."}}`',
            )
        )
        return {}
    found, wrong = read_declarations(value)
    lines = _lines(node)
    problems.extend(_contract(lines.get(name, node.lineno), words) for name, words in wrong)
    return found


def _lines(node: ast.expr) -> dict[Any, int]:
    if not isinstance(node, ast.Dict):
        return {}
    return {key.value: key.lineno for key in node.keys if isinstance(key, ast.Constant)}


def parameter_values(
    source: Source, given: Mapping[str, Any]
) -> dict[str, int | float | bool | str] | list[Problem]:
    """What a strategy is handed: its defaults, and over them what was given.

    Returns:
        The values by name, floats for ``float`` parameters; or what is wrong: an unknown name, a
        value of another type or outside the range that was declared. Nothing is clamped.
    """
    values, wrong = values_of(source.parameters, given)
    return [_contract(None, words) for words in wrong] or values
