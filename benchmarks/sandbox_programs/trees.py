"""Programs mutated on their syntax trees: they parse, run, and do things nobody means to do."""

from __future__ import annotations

import ast
import copy
import random
import warnings
from functools import lru_cache
from typing import Final

from benchmarks.sandbox_programs.seeds import attempts, parsed, strategies

# What the sandbox does not read at all would only be counted as unread.
_UNREAD: Final = (
    ast.Yield, ast.YieldFrom, ast.Delete, ast.AsyncFor, ast.AsyncWith, ast.Nonlocal, ast.Global,
    ast.AsyncFunctionDef, ast.Await,
    *((ast.TryStar,) if hasattr(ast, "TryStar") else ()),
)  # fmt: skip
_NAMES: Final = (
    "eval", "exec", "open", "print", "len", "list", "dict", "set", "tuple", "str", "int", "float",
    "bytes", "type", "isinstance", "getattr", "setattr", "hasattr", "id", "hash", "repr", "sorted",
    "map", "filter", "zip", "range", "enumerate", "iter", "next", "max", "min", "sum", "any",
    "all", "abs", "round", "divmod", "pow", "chr", "ord", "format", "slice", "reversed", "object",
    "execute_strategy", "market_data", "strategy_params", "bars", "closes", "box", "band", "bar",
    "math", "json", "re", "random", "itertools", "functools", "datetime", "decimal", "copy", "os",
    "sys", "CANARY", "FOLDER", "PORT", "__name__", "__file__", "Exception", "BaseException",
    "_tr_windows", "locals", "complex", "frozenset", "bool",
)  # fmt: skip
_ATTRIBUTES: Final = (
    "__class__", "__dict__", "__globals__", "__code__", "__init__", "__self__", "__mro__",
    "__bases__", "__subclasses__", "__builtins__", "__import__", "__loader__", "__getattribute__",
    "__reduce__", "__name__", "__doc__", "append", "extend", "insert", "pop", "sort", "clear",
    "update", "items", "keys", "values", "get", "setdefault", "join", "split", "replace",
    "format", "encode", "decode", "strip", "count", "index", "copy", "reverse", "sqrt", "dumps",
    "loads", "sub", "match", "compile", "seed", "getrandbits", "sample", "count", "cycle",
    "repeat", "product", "accumulate", "reduce", "partial", "fromisoformat", "now", "today",
    "strftime", "strptime", "getcontext", "deepcopy", "system", "environ", "path", "read",
    "real", "imag", "hex", "ljust", "zfill", "maxlen", "rotate", "most_common", "factorial",
)  # fmt: skip
_VALUES: Final = (
    0, 1, -1, 2, 255, 10**6, 2**31, 2**63, -(2**63), 2**64, 10**30, 0.0, -0.0, 1.5, 1e308, 5e-324,
    "", "a", "\0", "é", "\U0010ffff", "x" * 300, "{0.__class__}", "%s%n", "/etc/passwd", "../..",
    b"", b"\0\xff", None, True, False, ..., 1j,
)  # fmt: skip
_BINARY: Final = (
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.LShift, ast.RShift,
    ast.BitAnd, ast.BitOr, ast.BitXor,
)  # fmt: skip
_COMPARE: Final = (
    ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Is, ast.IsNot, ast.In, ast.NotIn,
)  # fmt: skip
_TRIES: Final = 8
_MOST_CHANGES: Final = 7
_LARGEST: Final = 6_000


def _readable(tree: ast.AST) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, _UNREAD):
            return False
        if isinstance(node, ast.ClassDef) and not _readable_class(node):
            return False
        if isinstance(node, ast.ImportFrom) and (
            node.level or any(each.name == "*" for each in node.names)
        ):
            return False
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.MatMult):
            return False
        if isinstance(node, ast.comprehension) and node.is_async:
            return False
    return True


def _readable_class(node: ast.ClassDef) -> bool:
    if node.bases or node.keywords:
        return False
    return all(
        isinstance(each, ast.FunctionDef | ast.Pass | ast.Assign | ast.AnnAssign)
        for each in node.body
    ) and not any(isinstance(each, ast.FunctionDef) and each.decorator_list for each in node.body)


@lru_cache(maxsize=1)
def _pool() -> tuple[list[str], list[ast.stmt], list[ast.expr]]:
    """Whole programs as text (read anew sooner than copied), statements and expressions."""
    whole = [tree for each in strategies() if (tree := parsed(each)) and _readable(tree)]
    snippets = [tree for each in attempts() if (tree := parsed(each.source)) and _readable(tree)]
    statements: list[ast.stmt] = []
    expressions: list[ast.expr] = []
    for tree in (*whole, *snippets):
        for node in ast.walk(tree):
            if isinstance(node, ast.stmt) and not isinstance(
                node, ast.Return | ast.Break | ast.Continue
            ):
                statements.append(node)
            elif (
                isinstance(node, ast.expr)
                and not isinstance(node, ast.Starred | ast.FormattedValue)
                and isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
            ):
                expressions.append(node)
    for snippet in snippets:
        body = copy.deepcopy(snippet.body)
        function = ast.parse("def execute_strategy(market_data, strategy_params):\n    pass").body[
            0
        ]
        assert isinstance(function, ast.FunctionDef)  # noqa: S101 - what was just written
        function.body = [*body, *ast.parse('{"action": "hold"}').body]
        whole.append(ast.Module([function], []))
    return [_written(each) for each in whole], statements, expressions


def _written(tree: ast.Module) -> str:
    return ast.unparse(ast.fix_missing_locations(tree))


class _Change(ast.NodeTransformer):
    """Replaces one expression by its number in the order of the walk."""

    def __init__(self, place: int, dice: random.Random) -> None:
        self._place = place
        self._dice = dice

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Change the node whose turn it is, or look inside it."""
        if isinstance(node, ast.expr) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            self._place -= 1
            if self._place == 0:
                return _changed(node, self._dice)
        return super().generic_visit(node)


def _changed(node: ast.expr, dice: random.Random) -> ast.expr:  # noqa: PLR0911 - one a kind
    _, _, expressions = _pool()
    if isinstance(node, ast.JoinedStr | ast.FormattedValue):
        return node
    kind = dice.randrange(9)
    if kind == 0 and isinstance(node, ast.Name):
        return ast.Name(dice.choice(_NAMES), ast.Load())
    if kind == 1 and isinstance(node, ast.Attribute):
        return ast.Attribute(node.value, dice.choice(_ATTRIBUTES), ast.Load())
    if kind == 2 and isinstance(node, ast.BinOp):  # noqa: PLR2004
        return ast.BinOp(node.right, dice.choice(_BINARY)(), node.left)
    if kind == 3 and isinstance(node, ast.Compare):  # noqa: PLR2004
        return ast.Compare(node.left, [dice.choice(_COMPARE)()], [node.comparators[0]])
    if kind == 4:  # noqa: PLR2004
        return ast.Constant(dice.choice(_VALUES))
    if kind == 5:  # noqa: PLR2004
        given = [node, copy.deepcopy(dice.choice(expressions))][: dice.randrange(1, 3)]
        return ast.Call(ast.Name(dice.choice(_NAMES), ast.Load()), given, [])
    if kind == 6:  # noqa: PLR2004
        return ast.Attribute(node, dice.choice(_ATTRIBUTES), ast.Load())
    if kind == 7:  # noqa: PLR2004
        return ast.BinOp(node, dice.choice(_BINARY)(), ast.Constant(dice.choice(_VALUES)))
    return copy.deepcopy(dice.choice(expressions))


def _bodies(tree: ast.Module) -> list[list[ast.stmt]]:
    found = [tree.body]
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            inner = getattr(node, name, None)
            if (
                isinstance(inner, list)
                and inner
                and not isinstance(node, ast.ClassDef | ast.Module)
            ):
                found.append(inner)
    return found


def _change_statements(tree: ast.Module, dice: random.Random) -> None:
    _, statements, _ = _pool()
    body = dice.choice(_bodies(tree))
    place = dice.randrange(len(body))
    kind = dice.randrange(5)
    if kind == 0:
        body.insert(place, copy.deepcopy(dice.choice(statements)))
    elif kind == 1 and not isinstance(body[place], ast.FunctionDef):
        body[place] = ast.Pass()
    elif kind == 2:  # noqa: PLR2004
        other = dice.randrange(len(body))
        body[place], body[other] = body[other], body[place]
    elif kind == 3:  # noqa: PLR2004
        handler = ast.ExceptHandler(ast.Name("BaseException", ast.Load()), None, [ast.Pass()])
        body[place] = ast.Try([body[place]], [handler], [], [])
    else:
        turns = ast.Call(ast.Name("range", ast.Load()), [ast.Constant(dice.randrange(1, 9))], [])
        body[place] = ast.For(ast.Name("turn", ast.Store()), turns, [body[place]], [], None)


def tree_program(seed: int, index: int) -> str:
    """The program of a number: the same for the same seed, whatever ran before."""
    dice = random.Random(f"tree:{seed}:{index}")
    whole, _, _ = _pool()
    for _ in range(_TRIES):
        # Half of them whole strategies, which have most to be changed.
        tree = ast.parse(dice.choice(whole[: len(strategies())] if dice.random() < 0.5 else whole))  # noqa: PLR2004
        for _ in range(dice.randint(1, _MOST_CHANGES)):
            if dice.random() < 0.4:  # noqa: PLR2004
                _change_statements(tree, dice)
            else:
                number = sum(isinstance(node, ast.expr) for node in ast.walk(tree))
                tree = _Change(dice.randint(1, max(1, number)), dice).visit(tree)
        try:
            ast.fix_missing_locations(tree)
            source = ast.unparse(tree)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compile(source, "program", "exec")
        except (SyntaxError, ValueError, TypeError, AttributeError, RecursionError, MemoryError):
            continue
        if len(source) <= _LARGEST and _readable(tree):
            return f"leaked_state = {index}\n{source}\n"
    return f"leaked_state = {index}\n{strategies()[0]}\n"
