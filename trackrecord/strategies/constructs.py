"""What of Python a strategy cannot use, or would use to remember something: with the substitute.

The sandbox runs a subset of Python. Where it would fail at run time, or quietly do something else,
the place is named before anything runs. State is refused here as far as it can be read from the
source; the comparisons of :mod:`trackrecord.strategies.validation` find the rest.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from trackrecord.strategies import substitutes
from trackrecord.strategies.contract import Problem

RESERVED: Final = "_tr_"
"""What names of the sandbox itself begin with."""

_CHANGING: Final = frozenset(
    {
        "append", "appendleft", "extend", "extendleft", "insert", "add", "update", "setdefault",
        "pop", "popleft", "popitem", "remove", "discard", "clear", "sort", "reverse", "rotate",
        "subtract", "difference_update", "intersection_update", "symmetric_difference_update",
        "write", "writerow", "__setitem__",
    }
)  # fmt: skip
_LASTING: Final = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
_FIXED: Final = frozenset({"float", "int", "str", "bool", "tuple", "frozenset", "Decimal", "max",
                           "min", "abs", "round", "range"})  # fmt: skip
_LONGEST_TEXT: Final = 60
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def construct_problems(tree: ast.Module) -> list[Problem]:
    """All that cannot be used, by line."""
    found = [
        *(problem for node in ast.walk(tree) for problem in _of_node(node)),
        *_main_block(tree),
        *_kept(tree),
        *_outlasting(tree),
    ]
    return sorted(set(found), key=lambda each: (each.line or 0, each.message))


def _forbidden(node: ast.AST, message: str) -> Problem:
    return Problem(getattr(node, "lineno", None), "forbidden", message)


def _of_node(node: ast.AST) -> Iterator[Problem]:  # noqa: C901, PLR0912 - one case for each kind
    name = type(node).__name__
    if name in substitutes.STATEMENTS:
        yield _forbidden(node, substitutes.STATEMENTS[name])
    elif isinstance(node, ast.Delete):
        yield _forbidden(node, _of_delete(node))
    elif isinstance(node, ast.ClassDef):
        yield from _of_class(node)
    elif isinstance(node, ast.Import):
        for each in node.names:
            yield from _of_import(node, each.name)
    elif isinstance(node, ast.ImportFrom):
        yield from _of_import_from(node)
    elif isinstance(node, ast.Name):
        if node.id.startswith(RESERVED):
            yield _forbidden(node, f"{node.id}: names that begin with {RESERVED} are the sandbox's")
        elif node.id in substitutes.NAMES and isinstance(node.ctx, ast.Load):
            yield _forbidden(node, f"{node.id}() {substitutes.NAMES[node.id]}")
        elif _dunder(node.id) and node.id not in {"__name__", "__file__"}:
            yield _forbidden(node, f"{node.id} is not there")
        elif isinstance(node.ctx, ast.Load):
            yield from _of_path(node)
    elif isinstance(node, ast.Attribute):
        if _dunder(node.attr):
            yield _forbidden(node, f".{node.attr} is not there: a strategy needs nothing of it")
        elif node.attr in substitutes.METHODS:
            yield _forbidden(node, f".{node.attr}() {substitutes.METHODS[node.attr]}")
        else:
            yield from _of_path(node)
    elif isinstance(node, ast.Call):
        yield from _of_call(node)


def _text(node: ast.AST) -> str:
    try:
        text = ast.unparse(node)
    except RecursionError:
        return "..."
    return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "..."


def _dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _of_delete(node: ast.Delete) -> str:
    target = node.targets[0]
    if isinstance(target, ast.Subscript):
        whole, part = _text(target.value), _text(target.slice)
        if isinstance(target.slice, ast.Slice):
            instead = f"keep what is wanted: `{whole} = {whole}[n:]`"
        elif isinstance(target.slice, ast.Constant) and target.slice.value == 0:
            instead = f"`{whole} = {whole}[1:]`"
        else:
            instead = f"`{whole}.pop({part})`"
        return f"`{_text(node)}` is not there: write {instead}"
    return f"`{_text(node)}` is not there: leave it out"


def _of_class(node: ast.ClassDef) -> Iterator[Problem]:
    if node.bases or node.keywords:
        base = _text(node.bases[0]) if node.bases else _text(node.keywords[0].value)
        yield _forbidden(
            node, f"class {node.name}({base}): there is no inheritance; {_instead_of(base)}"
        )
    for each in node.body:
        if isinstance(each, ast.FunctionDef):
            for decorator in each.decorator_list:
                word = _text(decorator)
                yield _forbidden(
                    each,
                    f"@{word} on a method is not there: write a plain method, or a function "
                    "outside of the class",
                )
            if each.name in substitutes.SPECIAL_METHODS:
                yield _forbidden(
                    each,
                    f"{each.name} is never called here: write a plain method and call it by name",
                )
        elif isinstance(each, ast.ClassDef):
            yield _forbidden(each, "a class inside a class is not there: put it outside")


def _instead_of(base: str) -> str:
    last = base.rpartition(".")[2]
    if last.endswith(("Exception", "Error", "Warning")):
        return 'use one that is there: `raise ValueError("...")`'
    if last in {"Enum", "IntEnum", "StrEnum", "Flag"}:
        return 'use constants: `TREND = "trend"`'
    if last in {"NamedTuple", "TypedDict"}:
        return "use a dict, `@dataclass`, or `collections.namedtuple`"
    return "use plain functions, or one class without a base"


def _of_import(node: ast.AST, module: str) -> Iterator[Problem]:
    if module in substitutes.MODULES:
        return
    top = module.partition(".")[0]
    known = substitutes.MISSING.get(module) or substitutes.MISSING.get(top)
    yield _forbidden(
        node,
        f"import {module}: "
        + (known or f"there is no such module; there are {', '.join(sorted(substitutes.MODULES))}"),
    )


def _of_import_from(node: ast.ImportFrom) -> Iterator[Problem]:
    if node.level:
        yield _forbidden(node, "a strategy is one file: there is nothing to import from beside it")
        return
    before = list(_of_import(node, node.module or ""))
    yield from before
    if before:
        return
    for each in node.names:
        if each.name == "*":
            yield _forbidden(
                node, f"`from {node.module} import *` is not there: name what you need"
            )
        elif (node.module, each.name) in substitutes.PARTS:
            instead = substitutes.PARTS[(node.module or "", each.name)]
            yield _forbidden(node, f"{node.module}.{each.name} is not there: {instead}")


def _of_call(node: ast.Call) -> Iterator[Problem]:
    if isinstance(node.func, ast.Name):
        if node.func.id == "next" and node.args and isinstance(node.args[0], ast.GeneratorExp):
            yield _forbidden(
                node,
                "next(... for ...) fails here, for a generator expression is a list at once: "
                "write `[... for ...][0]`, and look first whether it is empty",
            )
        if node.func.id == "type" and len(node.args) > 1:
            yield _forbidden(node, "type() with three arguments: write a class")


def _of_path(node: ast.Attribute | ast.Name) -> Iterator[Problem]:
    """Of a path such as ``datetime.datetime.now``, called or not."""
    path = _text(node) if _is_path(node) else ""
    for ending, instead in substitutes.PATHS.items():
        if path == ending or path.endswith("." + ending):
            yield _forbidden(node, f"{path}: {instead}")
            return


def _is_path(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _main_block(tree: ast.Module) -> Iterator[Problem]:
    for node in tree.body:
        if isinstance(node, ast.If) and "__name__" in _text(node.test):
            yield _forbidden(
                node, 'leave out `if __name__ == "__main__"`: a strategy is called, never started'
            )


# What a function changes that outlives its call.


def _kept(tree: ast.Module) -> Iterator[Problem]:
    outside = _bound(tree.body)
    for node in tree.body:
        yield from _functions(node, outside, frozenset())


def _functions(node: ast.AST, outside: set[str], around: frozenset[str]) -> Iterator[Problem]:
    if isinstance(node, _FUNCTIONS):
        body = node.body if isinstance(node.body, list) else [node.body]
        given = _arguments(node)
        inside = around | given | _bound(body)
        told = frozenset(_globals(body))
        yield from _changes(body, outside - (inside - told))
        yield from _defaults(node)
        for statement in body:
            yield from _functions(statement, outside, inside - told)
        return
    for each in ast.iter_child_nodes(node):
        yield from _functions(each, outside, around)


def _arguments(node: _Function) -> set[str]:
    given = node.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    every.extend(each for each in (given.vararg, given.kwarg) if each is not None)
    return {each.arg for each in every}


def _walk(body: list[ast.stmt] | list[ast.expr]) -> Iterator[ast.AST]:
    """All of a body but what is inside functions of its own."""
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _FUNCTIONS):
            waiting.extend(ast.iter_child_nodes(node))


def _bound(body: list[ast.stmt] | list[ast.expr]) -> set[str]:
    found = set()
    for node in _walk(body):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found.update((each.asname or each.name).partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
    return found


def _globals(body: list[ast.stmt] | list[ast.expr]) -> set[str]:
    return {name for node in _walk(body) if isinstance(node, ast.Global) for name in node.names}


def _changes(body: list[ast.stmt] | list[ast.expr], outer: set[str]) -> Iterator[Problem]:
    """Where a function changes what belongs to the module."""
    for node in _walk(body):
        if isinstance(node, ast.Global):
            yield _state(node, f"`global {', '.join(node.names)}`")
        for whole, part in _changed(node):
            if whole in outer:
                yield _state(node, f"{part} changes {whole}, which belongs to the module, and")


def _state(node: ast.AST, what: str) -> Problem:
    return Problem(
        getattr(node, "lineno", None),
        "state",
        f"{what} keeps something from one bar to the next: each bar is decided by a fresh call; "
        "compute it from market_data['bars'] and market_data['position']",
    )


def _changed(node: ast.AST) -> Iterator[tuple[str, str]]:
    """The names of whose objects a node changes a part, and how."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = list(node.targets)
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        targets = [node.target]
    for target in targets:
        for each in ast.walk(target):
            if isinstance(each, ast.Subscript | ast.Attribute) and not isinstance(
                each.ctx, ast.Load
            ):
                root = _root(each)
                if root:
                    yield root, f"`{_text(each)} = ...`"
    if isinstance(node, ast.Call):
        yield from _changed_by_call(node)


def _changed_by_call(node: ast.Call) -> Iterator[tuple[str, str]]:
    if isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGING:
        root = _root(node.func.value)
        if root:
            yield root, f"`{_text(node.func)}()`"
    elif isinstance(node.func, ast.Name) and node.func.id == "next":
        for each in node.args[:1]:
            if isinstance(each, ast.Name):
                yield each.id, "`next()`"


def _root(node: ast.expr) -> str | None:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _defaults(function: _Function) -> Iterator[Problem]:
    """Arguments whose default is one object for all calls, that could be changed."""
    given = function.args
    names = [each.arg for each in (*given.posonlyargs, *given.args)]
    pairs = [
        *zip(names[len(names) - len(given.defaults) :], given.defaults, strict=True),
        *(
            (each.arg, default)
            for each, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)
        ),
    ]
    for name, default in pairs:
        if isinstance(default, _LASTING) or (
            isinstance(default, ast.Call)
            and isinstance(default.func, ast.Name)
            and default.func.id not in _FIXED
        ):
            yield Problem(
                default.lineno,
                "state",
                f"the default of {name} is one object for all calls, and keeps what is put into "
                f"it: write `{name}=None`, and make it inside",
            )


def _outlasting(tree: ast.Module) -> Iterator[Problem]:
    """Functions that are called while the module is loaded, and return something that changes.

    A decorator, or ``tick = counter()``: what a function inside of those changes stays.
    """
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    waiting = [name for node in tree.body for name in _called_on_loading(node)]
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in functions and name not in reached:
            reached.add(name)
            waiting.extend(_names_read(functions[name]))
    for name in reached:
        outer = _arguments(functions[name]) | _bound(functions[name].body)
        for inner in ast.walk(functions[name]):
            if not isinstance(inner, _FUNCTIONS) or inner is functions[name]:
                continue
            body = inner.body if isinstance(inner.body, list) else [inner.body]
            own = _arguments(inner) | _bound(body)
            told = {each for node in _walk(body) if isinstance(node, ast.Nonlocal)
                    for each in node.names}  # fmt: skip
            if told:
                yield _state(inner, f"`nonlocal {', '.join(sorted(told))}`, in a function that "
                             "is made while the module is loaded,")  # fmt: skip
            for node in _walk(body):
                for whole, part in _changed(node):
                    if whole in outer - own:
                        yield _state(node, f"{part} changes {whole} of the function around it, and")


def _called_on_loading(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef):
        return {name for each in node.decorator_list for name in _names_read(each)}
    if isinstance(node, ast.ClassDef):
        return set()
    return {
        name for each in ast.walk(node) if isinstance(each, ast.Call) for name in _names_read(each)
    }


def _names_read(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
