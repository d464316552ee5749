"""What is not there in the sandbox, and what to write instead: tables for messages and documents.

Tried on pydantic-monty 1.4.0; ``tests/unit/sandbox/test_subset.py`` tries every line of them anew.
"""

from __future__ import annotations

from typing import Final

MODULES: Final = frozenset(
    {
        "__future__", "base64", "bisect", "collections", "copy", "csv", "dataclasses", "datetime",
        "decimal", "functools", "hashlib", "itertools", "json", "math", "random", "re", "typing",
        "unicodedata",
    }
)  # fmt: skip
"""What a strategy may import."""

_ARRAYS: Final = (
    "there are lists, comprehensions and the functions of the prelude (mean, stdev, sma, ema, rsi, "
    "atr, highest, lowest, crossed_above ...)"
)
_NO_HOST: Final = "a strategy has no files, no network and no system"
_NO_CLOCK: Final = "a strategy has no clock: the time of the last bar is bars[-1]['time']"

MISSING: Final = {
    "numpy": _ARRAYS,
    "pandas": _ARRAYS,
    "scipy": _ARRAYS,
    "polars": _ARRAYS,
    "talib": _ARRAYS,
    "pandas_ta": _ARRAYS,
    "ta": _ARRAYS,
    "sklearn": "a strategy is a rule: models are trained with `trackrecord train`",
    "torch": "a strategy is a rule: models are trained with `trackrecord train`",
    "statistics": "write `mean(x)` and `stdev(x)`, which are there without an import",
    "operator": "write a lambda: `key=lambda bar: bar['close']`",
    "heapq": "write `sorted(x)[:n]`, or `sorted(x, reverse=True)[:n]` for the largest",
    "fractions": "use floats, or decimal.Decimal",
    "cmath": "use math",
    "array": "use a list",
    "string": "write the letters out",
    "enum": 'use constants: `TREND = "trend"`',
    "abc": "there is no inheritance: use plain functions",
    "logging": 'give the "reason" of the decision instead',
    "warnings": 'give the "reason" of the decision instead',
    "traceback": 'give the "reason" of the decision instead',
    "pprint": "use print, whose output is thrown away",
    "calendar": "datetime.date has weekday(), replace() and the rest",
    "zoneinfo": "times are in UTC; use datetime.timezone with a fixed offset",
    "pytz": "times are in UTC; use datetime.timezone with a fixed offset",
    "dateutil": "use datetime.datetime.fromisoformat",
    "time": _NO_CLOCK,
    "os": _NO_HOST,
    "sys": _NO_HOST,
    "io": _NO_HOST,
    "pathlib": _NO_HOST,
    "subprocess": _NO_HOST,
    "socket": _NO_HOST,
    "requests": _NO_HOST,
    "urllib": _NO_HOST,
    "http": _NO_HOST,
    "shutil": _NO_HOST,
    "ctypes": _NO_HOST,
    "builtins": _NO_HOST,
    "importlib": _NO_HOST,
    "inspect": _NO_HOST,
    "gc": _NO_HOST,
    "pickle": _NO_HOST,
    "yfinance": "bars are handed in: market_data['bars']",
    "asyncio": "a strategy waits for nothing: write plain functions",
    "threading": "a strategy is one call: write plain functions",
    "multiprocessing": "a strategy is one call: write plain functions",
    "concurrent": "a strategy is one call: write plain functions",
    "contextlib": "use try ... finally",
    "collections.abc": "leave it out, or import from typing",
    "types": "leave it out",
    "uuid": "a decision needs no id",
    "secrets": "a decision must be the same when it is made again",
}
"""Modules that are not there, or that a strategy has no use for, and what to use."""

PARTS: Final = {
    ("collections", "OrderedDict"): "a dict keeps its order",
    ("collections", "ChainMap"): "merge dicts: `{**a, **b}`",
    ("collections", "UserDict"): "use a dict",
    ("functools", "lru_cache"): "it keeps results from one bar to the next: compute them anew",
    ("functools", "cache"): "it keeps results from one bar to the next: compute them anew",
    ("functools", "wraps"): "leave it out",
    ("functools", "singledispatch"): "use isinstance",
    ("functools", "cached_property"): "compute it once and pass it on",
    ("typing", "NamedTuple"): "use a dict, `@dataclass`, or `collections.namedtuple`",
    ("typing", "TypedDict"): "use `dict`",
}
"""Parts of modules that are not there."""

STATEMENTS: Final = {
    "AsyncFunctionDef": "a strategy waits for nothing: write `def`",
    "Await": "a strategy waits for nothing: leave out `await`",
    "AsyncFor": "a strategy waits for nothing: write `for`",
    "AsyncWith": "a strategy waits for nothing: write `with`",
    "Yield": "yield is not there: collect a list and return it",
    "YieldFrom": "yield is not there: collect a list and return it",
    "TryStar": "except* is not there: write `except`",
    "TypeAlias": "`type X = ...` is not there: write `X = ...`",
}
"""Statements and expressions that are not there, by their name in ast."""

_NO_CODE: Final = "is not for strategies: what runs is what can be read"

NAMES: Final = {
    "hasattr": "answers wrongly here (False for methods): use `key in x`, or isinstance",
    "getattr": "fails here for methods: write `x.name`, or `x.get(key)` for a dict",
    "setattr": "is not for strategies: write `x.name = value`",
    "delattr": "is not there",
    "eval": _NO_CODE,
    "exec": _NO_CODE,
    "compile": _NO_CODE,
    "__import__": _NO_CODE,
    "globals": "is not there",
    "locals": "is not for strategies",
    "vars": "is not there",
    "dir": "is not there",
    "open": "opens nothing: a strategy has no files",
    "input": "is not there: what can be set is a parameter",
    "id": "differs between calls: compare by value",
    "callable": "is not there",
    "issubclass": "is not there: there is no inheritance",
    "super": "is not there: there is no inheritance",
    "object": "is not there: use None, or a dict",
    "bytearray": "is not there: use a list",
    "memoryview": "is not there: use a slice",
    "ascii": "is not there: use repr",
    "breakpoint": "is not there",
    "help": "is not there",
    "exit": 'is not there: return {"action": "hold"}',
    "quit": 'is not there: return {"action": "hold"}',
}
"""Builtins that are not there, or that do something else."""

METHODS: Final = {
    "fromtimestamp": "is not there: a bar's time is text, read by datetime.fromisoformat",
    "utcfromtimestamp": "is not there: a bar's time is text, read by datetime.fromisoformat",
    "utcnow": f"is not there: {_NO_CLOCK}",
    "bit_length": "is not there",
    "fromhex": "is not there: write the number out",
    "__getattribute__": "is not there",
}
"""Methods that are not there."""

_KEPT_CONTEXT: Final = (
    "what it sets stays set at the next bar: round each result, or use decimal.localcontext()"
)

PATHS: Final = {
    "lru_cache": "it keeps results from one bar to the next: compute them anew",
    "functools.cache": "it keeps results from one bar to the next: compute them anew",
    "getcontext": _KEPT_CONTEXT,
    "setcontext": _KEPT_CONTEXT,
    "datetime.now": _NO_CLOCK,
    "datetime.today": _NO_CLOCK,
    "date.today": _NO_CLOCK,
}
"""What fails or keeps something, by the end of its path."""

SPECIAL_METHODS: Final = frozenset(
    {
        "__len__", "__lt__", "__le__", "__gt__", "__ge__", "__format__", "__getattr__",
        "__setattr__", "__getattribute__", "__iadd__", "__new__", "__del__", "__reversed__",
        "__init_subclass__",
    }
)  # fmt: skip
"""Methods with a meaning in Python that the sandbox does not call."""
