"""What stands around a strategy inside the sandbox: its history, and the calls.

It is source of the sandbox's language. The strategy shares its names, so it can spoil them; all
that it then spoils is its own answers, for nothing but past bars is ever handed in.
"""

from __future__ import annotations

from typing import Final

PREFIX: Final = "_tr_"
"""What its names begin with; a strategy that uses such a name is refused by validation."""

LARGEST_ANSWER: Final = 200_000
"""Characters of one answer as JSON that still come out, to be refused with the right words."""

SOURCE: Final = """
import json as _tr_json
_tr_loads = _tr_json.loads
_tr_dumps = _tr_json.dumps
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
        dict(_tr_setup["parameters"]),
    )
    # What is not JSON would come out as some text about it.
    if len(_tr_dumps(answer)) > _tr_setup["largest"]:
        raise ValueError("_tr_: the answer is too large")
    return answer

def _tr_append(rows):
    n = _tr_setup["lookback"]
    for row in rows:
        window = _tr_windows.get(row[0])
        if window is None:
            window = []
            _tr_windows[row[0]] = window
        elif len(window) >= 2 * n:
            window = window[-n:]
            _tr_windows[row[0]] = window
        window.append(_tr_bar(row[1]))

def _tr_ask(row):
    n = _tr_setup["lookback"]
    window = _tr_windows[row[0]]
    if len(window) < n:
        return None
    return [_tr_call(row[0], window[-n:], row[2])]

def _tr_step(rows):
    _tr_append(rows)
    return [_tr_ask(row) for row in rows]

def _tr_seen():
    return _tr_dumps(_tr_windows)
"""
"""Fed first, with the prelude."""

INPUT: Final = "_tr_input"
_SETUP: Final = "_tr_text"
BEGIN: Final = f"_tr_setup = _tr_begin({_SETUP})"
STEP: Final = f"_tr_step({INPUT})"
AGAIN: Final = f"_tr_ask({INPUT})"
SEEN: Final = "_tr_seen()"


def opening(strategy: str, *, step: bool) -> str:
    """The strategy, and after it what begins its history, and takes a first step.

    It stands first, so that its lines are those of its file.
    """
    return f"{strategy}\n{BEGIN}\n{STEP if step else 'None'}\n"


def opening_inputs(setup: str, rows: object) -> dict[str, object]:
    """What :func:`opening` is handed: the set-up as JSON, and the rows of the first step."""
    return {_SETUP: setup, INPUT: rows}
