"""What stands around a strategy inside the sandbox: its history, and the calls.

It is source of the sandbox's language. The strategy shares its names, so it can spoil them; all
that it then spoils is its own answers, for nothing but past bars is ever handed in.

Only texts come out: the last expression of whatever is fed is an f-string, which no strategy can
make into anything else. A value of another kind would be built anew in this process, and some can
be made so that building them takes for ever (a set of tuples that share their parts: hashing one
of sixty pairs takes 2**60 steps). The text is JSON, which is read within bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

PREFIX: Final = "_tr_"
"""What its names begin with; a strategy that uses such a name is refused by validation."""

LARGEST_ANSWER: Final = 200_000
"""Characters of one answer as JSON that still come out, to be refused with the right words."""

CHANGED: Final = "!"
"""Before an answer that is not the same once it has been JSON: keys that are no texts, tuples."""

SOURCE: Final = """
import collections as _tr_collections
import json as _tr_json
_tr_loads = _tr_json.loads
_tr_dumps = _tr_json.dumps
_tr_len, _tr_dict, _tr_str, _tr_type, _tr_repr = len, dict, str, type, repr
_tr_isinstance, _tr_hasattr, _tr_getattr, _tr_sorted, _tr_hash = (
    isinstance, hasattr, getattr, sorted, hash
)
_tr_ValueError, _tr_NameError, _tr_AttributeError = ValueError, NameError, AttributeError
_tr_rows = (list, tuple, _tr_collections.deque)
_tr_sets = (set, frozenset)
_tr_windows = {}

def _tr_bar(row):
    return {
        "time": row[0], "open": row[1], "high": row[2],
        "low": row[3], "close": row[4], "volume": row[5],
    }

def _tr_begin(text):
    setup = _tr_loads(text)
    for symbol, bars in setup["history"].items():
        _tr_windows[symbol] = bars
    return setup

def _tr_call(symbol, bars, held):
    answer = execute_strategy(
        {
            "symbol": symbol,
            "timeframe": _tr_setup["timeframe"],
            "bars": bars,
            "position": {
                "side": held[0], "entry_price": held[1], "quantity": held[2], "entry_time": held[3],
            },
        },
        _tr_dict(_tr_setup["parameters"]),
    )
    text = _tr_dumps(answer)
    if _tr_len(text) > _tr_setup["largest"]:
        raise _tr_ValueError("_tr_: the answer is too large")
    return text if _tr_loads(text) == answer else "!" + text

def _tr_append(rows):
    n = _tr_setup["lookback"]
    for row in rows:
        window = _tr_windows.get(row[0])
        if window is None:
            window = []
            _tr_windows[row[0]] = window
        elif _tr_len(window) >= 2 * n:
            window = window[-n:]
            _tr_windows[row[0]] = window
        window.append(_tr_bar(row[1]))

def _tr_ask(row):
    n = _tr_setup["lookback"]
    window = _tr_windows[row[0]]
    return "" if _tr_len(window) < n else _tr_call(row[0], window[-n:], row[2])

def _tr_step(rows):
    _tr_append(rows)
    return "\\n".join([_tr_ask(row) for row in rows])

def _tr_seen():
    return _tr_dumps(_tr_windows)

def _tr_shape(value, names, known):
    found, hidden, waiting = [], "", [value]
    while waiting and _tr_len(found) < 20000:
        part = waiting.pop()
        kind = _tr_str(_tr_type(part))
        if _tr_isinstance(part, _tr_dict):
            found.append(kind + _tr_str(_tr_len(part)))
            for key, inner in part.items():
                waiting.append(key)
                waiting.append(inner)
        elif _tr_isinstance(part, _tr_rows):
            found.append(kind + _tr_str(_tr_len(part)))
            for inner in part:
                waiting.append(inner)
        elif _tr_isinstance(part, _tr_sets):
            found.append(kind + _tr_str(_tr_sorted([_tr_repr(inner) for inner in part])))
        elif kind in ("<class 'str'>", "<class 'bytes'>"):
            found.append(kind + _tr_str(_tr_len(part)) + ":" + _tr_str(_tr_hash(part)))
        elif kind in _tr_plain:
            found.append(kind + _tr_repr(part))
        elif kind == "<class 'function'>":
            name = _tr_repr(part).split(" at 0x")[0]
            found.append(name)
            if name not in known:
                hidden = name
        else:
            own = [name for name in names if _tr_hasattr(part, name)]
            found.append(kind + _tr_str(own))
            for name in own:
                waiting.append(_tr_getattr(part, name))
            if kind.find(".") > 0 or kind in _tr_opaque:
                hidden = kind
    return ["\\n".join(found), hidden]

_tr_plain = (
    "<class 'int'>", "<class 'float'>", "<class 'bool'>", "<class 'NoneType'>",
    "<class 'complex'>", "<class 'ellipsis'>", "<class 'range'>", "<class 'slice'>",
    "<class 'decimal.Decimal'>", "<class 'datetime.date'>", "<class 'datetime.datetime'>",
    "<class 'datetime.time'>", "<class 'datetime.timedelta'>", "<class 'datetime.timezone'>",
    "<class 're.Pattern'>", "<class 'module'>", "<class 'builtin_function_or_method'>",
)
_tr_opaque = (
    "<class 'list_iterator'>", "<class 'tuple_iterator'>", "<class 'set_iterator'>",
    "<class 'dict_keyiterator'>", "<class 'dict_valueiterator'>", "<class 'dict_itemiterator'>",
    "<class 'range_iterator'>", "<class 'str_iterator'>", "<class 'str_ascii_iterator'>",
    "<class 'bytes_iterator'>", "<class 'callable_iterator'>", "<class 'iterator'>",
    "<class 'generator'>", "<class 'coroutine'>", "<class 'method'>",
)

def _tr_look(thunks, names, known):
    found = []
    for thunk in thunks:
        try:
            value = thunk()
        except (_tr_NameError, _tr_AttributeError):
            found.append(["unset", ""])
            continue
        found.append(_tr_shape(value, names, known))
    return _tr_dumps(found)
"""
"""Fed first, with the prelude."""

INPUT: Final = "_tr_input"
_SETUP: Final = "_tr_text"
_NAMES: Final = "_tr_names"
_KNOWN: Final = "_tr_known"
BEGIN: Final = f"_tr_setup = _tr_begin({_SETUP})"
STEP: Final = f'f"{{_tr_step({INPUT})}}"'
AGAIN: Final = f'f"{{_tr_ask({INPUT})}}"'
SEEN: Final = 'f"{_tr_seen()}"'


def opening(strategy: str, *, step: bool) -> str:
    """The strategy, and after it what begins its history, and takes a first step.

    It stands first, so that its lines are those of its file.
    """
    return f"{strategy}\n{BEGIN}\n{STEP if step else 'None'}\n"


def opening_inputs(setup: str, rows: object) -> dict[str, object]:
    """What :func:`opening` is handed: the set-up as JSON, and the rows of the first step."""
    return {_SETUP: setup, INPUT: rows}


def looking(expressions: Sequence[str]) -> str:
    """What tells the shapes of names of the module, as JSON: a text and what it hides, of each."""
    thunks = ", ".join(f"lambda: {each}" for each in expressions)
    return f'_tr_thunks = [{thunks}]\nf"{{_tr_look(_tr_thunks, {_NAMES}, {_KNOWN})}}"'


def looking_inputs(attributes: Sequence[str], functions: Sequence[str]) -> dict[str, object]:
    """What :func:`looking` is handed: names that objects may have, and functions of the module."""
    return {_NAMES: list(attributes), _KNOWN: [f"<function '{each}'" for each in functions]}
