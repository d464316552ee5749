"""What a strategy says of itself, read from its source without running it.

``PARAMETERS``, ``LOOKBACK`` and ``SIDES`` are literals at the top level of the module, so they are
known before any of it runs, and no run can change them.
"""

from __future__ import annotations

import ast
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from trackrecord.strategies.contract import (
    DEFAULT_LOOKBACK,
    MOST_LOOKBACK,
    Problem,
    Sides,
)

LONGEST_SOURCE: Final = 200_000
"""Characters of a strategy's source."""
MOST_PARAMETERS: Final = 100
DEEPEST: Final = 150
"""Levels of nesting in a source; deeper ones are refused by every parser in its own way."""

FUNCTION: Final = "execute_strategy"
_ARGUMENTS: Final = ("market_data", "strategy_params")
_DECLARED: Final = ("PARAMETERS", "LOOKBACK", "SIDES")
_SIDES: Final = ("long", "short", "both")
_LARGEST: Final = 1e15

Kind = Literal["int", "float", "bool", "str"]
_KINDS: Final[dict[str, type]] = {"int": int, "float": float, "bool": bool, "str": str}


@dataclass(frozen=True)
class Parameter:
    """A number, word or switch of a strategy that can be set from outside.

    Attributes:
        least: The smallest value allowed, or None where there is no such.
        most: The largest value allowed, or None.
        choices: For words, those that there are; empty allows any.
    """

    kind: Kind
    default: int | float | bool | str
    least: int | float | None = None
    most: int | float | None = None
    description: str = ""
    choices: tuple[str, ...] = ()


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
    if not source.strip():
        return Problem(None, "syntax", "there is nothing in it")
    if len(source) > LONGEST_SOURCE:
        return Problem(
            None,
            "syntax",
            f"{len(source):,} characters: a strategy has {LONGEST_SOURCE:,} at most",
        )
    if "\0" in source:
        line = source[: source.index("\0")].count("\n") + 1
        return Problem(line, "syntax", "there is a NUL character: this is not a text")
    if any("\ud800" <= each <= "\udfff" for each in source):
        return Problem(None, "syntax", "there is half of a surrogate pair: this is not UTF-8")
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
    found = []
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
    if value == "long" or value == "short" or value == "both":  # noqa: PLR1714 - mypy narrows this
        return value
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
    if len(value) > MOST_PARAMETERS:
        problems.append(
            _contract(node.lineno, f"{len(value)} parameters: {MOST_PARAMETERS} at most")
        )
        return {}
    lines = _lines(node)
    found = {}
    for name, told in value.items():
        line = lines.get(name, node.lineno)
        read = _parameter(name, told)
        if isinstance(read, str):
            problems.append(_contract(line, read))
        else:
            found[name] = read
    return found


def _lines(node: ast.expr) -> dict[Any, int]:
    if not isinstance(node, ast.Dict):
        return {}
    return {key.value: key.lineno for key in node.keys if isinstance(key, ast.Constant)}


def _parameter(name: object, told: object) -> Parameter | str:
    """A declaration, or what is wrong with it."""
    if not (isinstance(name, str) and name.isidentifier()):
        return f"a parameter's name is a word such as fast, not {name!r:.60}"
    if not isinstance(told, dict):
        return f'{name} is declared as {{"type": ..., "default": ...}}'
    unknown = [repr(key) for key in told if key not in _FIELDS]
    if unknown:
        return f"{name} has {', '.join(unknown)}: there are {', '.join(_FIELDS)}"
    kind = told.get("type")
    if not isinstance(kind, str) or kind not in _KINDS:
        return f'{name}\'s "type" is one of {", ".join(_KINDS)}, not {kind!r:.60}'
    if "default" not in told:
        return f'{name} has no "default"'
    description = told.get("description", "")
    if not isinstance(description, str):
        return f"{name}'s \"description\" is a text"
    choices = told.get("choices", ())
    if choices and kind != "str":
        return f"{name} is no word, so it has no \"choices\""
    if not isinstance(choices, list | tuple) or not all(isinstance(each, str) for each in choices):
        return f"{name}'s \"choices\" are a list of words"
    bounds = [told.get("min"), told.get("max")]
    for word, bound in zip(("min", "max"), bounds, strict=True):
        if bound is None:
            continue
        if kind not in {"int", "float"}:
            return f"{name} is no number, so it has no {word!r}"
        wrong = _wrong_number(bound, whole=kind == "int")
        if wrong:
            return f"{name}'s {word!r} {wrong}"
    least, most = bounds
    if least is not None and most is not None and least > most:
        return f"{name}'s \"min\" {least} is above its \"max\" {most}"
    parameter = Parameter(
        kind=kind,  # type: ignore[arg-type] # one of _KINDS, as was looked at
        default=told["default"],
        least=least,
        most=most,
        description=description,
        choices=tuple(choices),
    )
    value = _checked(name, told["default"], parameter)
    if isinstance(value, Problem):
        return f"the default of {value.message}"
    return parameter


_FIELDS: Final = ("type", "default", "min", "max", "description", "choices")


def _wrong_number(value: object, *, whole: bool) -> str | None:
    if type(value) not in ({int} if whole else {int, float}):
        return f"is a {'whole ' if whole else ''}number, not {_shown(value)}"
    if isinstance(value, float) and not math.isfinite(value):
        return f"is a number, not {value}"
    if isinstance(value, int | float) and abs(value) > _LARGEST:
        return "is too large"
    return None


def _shown(value: object) -> str:
    """A value in a message; never long, and never by code of its own."""
    if value is None or type(value) in {bool, float}:
        return str(value)
    if type(value) is int:
        return str(value) if abs(value) < 10**20 else "so large a number"
    if type(value) is str:
        return repr(value if len(value) <= 40 else value[:37] + "...")
    return f"a {type(value).__name__}"


def _checked(name: str, value: object, parameter: Parameter) -> int | float | bool | str | Problem:
    def wrong(words: str) -> Problem:
        return _contract(None, f"{name} {words}")

    if parameter.kind in {"int", "float"}:
        said = _wrong_number(value, whole=parameter.kind == "int")
        if said:
            return wrong(said)
        number: int | float = value  # type: ignore[assignment] # a number, as was looked at
        if parameter.least is not None and number < parameter.least:
            return wrong(f"is {parameter.least} at least, not {number}")
        if parameter.most is not None and number > parameter.most:
            return wrong(f"is {parameter.most} at most, not {number}")
        return float(number) if parameter.kind == "float" else number
    if type(value) is not _KINDS[parameter.kind]:
        kind = "True or False" if parameter.kind == "bool" else "a text"
        return wrong(f"is {kind}, not {_shown(value)}")
    if isinstance(value, str):
        if len(value) > 1_000 or "\0" in value:
            return wrong("is too long a text, or none")
        if parameter.choices and value not in parameter.choices:
            return wrong(f"is one of {', '.join(parameter.choices)}, not {_shown(value)}")
    return value  # type: ignore[return-value] # a bool or a str


def parameter_values(
    source: Source, given: Mapping[str, Any]
) -> dict[str, int | float | bool | str] | list[Problem]:
    """What a strategy is handed: its defaults, and over them what was given.

    Returns:
        The values by name, floats for ``float`` parameters; or what is wrong: an unknown name, a
        value of another type or outside the range that was declared. Nothing is clamped.
    """
    problems = []
    values: dict[str, int | float | bool | str] = {}
    for name in given:
        if name not in source.parameters:
            known = ", ".join(source.parameters) or "none"
            problems.append(
                _contract(None, f"there is no parameter {_shown(name)}; there are: {known}")
            )
    for name, parameter in source.parameters.items():
        value = _checked(name, given.get(name, parameter.default), parameter)
        if isinstance(value, Problem):
            problems.append(value)
        else:
            values[name] = value
    return problems or values
