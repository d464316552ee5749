"""What an error of the sandbox means for the strategy, in plain words and with its line."""

from __future__ import annotations

import re
from typing import Any, Final

from trackrecord.sandbox.limits import OUTPUT_BYTES, RECURSION, Limits
from trackrecord.strategies.contract import Fault

ENDING: Final = frozenset({"time", "memory", "died"})
"""Faults after which a session cannot go on: what it holds may be half done."""

_LONGEST: Final = 300
_NOT_HERE: Final = re.compile(r"^'?(?P<what>[\w.]+)'? is not supported in this environment$")


def fault_of(error: Exception, script: str, limits: Limits, complaints: str = "") -> Fault:
    """Tell an exception of a feed as a fault.

    Args:
        error: Whatever the client raised; its own conversions raise plain exceptions too.
        script: The name under which the strategy was fed, to find its line.
        limits: What it was allowed, for the words.
        complaints: What the worker wrote to standard error before it ended.
    """
    name = type(error).__name__
    if name == "MontyCrashedError":
        if getattr(error, "timed_out", False):
            return _time(None, limits)
        if "memory" in complaints or "allocation" in complaints:
            return _memory(None, limits)
        return Fault("died", "the sandbox ended while it ran: nothing else was touched")
    if name not in {"MontyRuntimeError", "MontySyntaxError"}:
        return Fault("contract", f"the answer cannot be read: {_first_line(str(error))}")
    return _of_running(error, script, limits)


def _of_running(error: Any, script: str, limits: Limits) -> Fault:
    """Of an error that the strategy raised, or ran into."""
    kind, words = type(error.exception()).__name__, _first_line(_message(error))
    line = line_of(error, script)
    if kind == "TimeoutError" and "time limit" in words:
        return _time(line, limits)
    if kind == "MemoryError":
        if words.endswith(f"> {OUTPUT_BYTES} bytes"):
            return Fault("output", f"{_at(line)}it prints more than {OUTPUT_BYTES // 1024} KiB")
        return _memory(line, limits)
    if _is_of_answer(error):
        return Fault("contract", _of_answer(kind, words))
    if kind == "RecursionError":
        return Fault(
            "recursion", f"{_at(line)}functions call one another more than {RECURSION} deep"
        )
    return Fault("error", f"{_at(line)}{_plain(kind, words)}")


def _plain(kind: str, words: str) -> str:
    found = _NOT_HERE.match(words)
    if found:
        return (
            f"{found['what']} is not there: a strategy has no clock, files or environment; the "
            "time of a bar is its 'time'"
        )
    if kind == "PermissionError":
        return "a strategy has no files"
    return f"{kind}: {words}" if words else kind


def line_of(error: Any, script: str) -> int | None:
    """The last line of the strategy that an error went through."""
    lines = [frame.line for frame in error.traceback() if frame.filename == script]
    return int(lines[-1]) if lines else None


def _message(error: Any) -> str:
    return str(error.display("msg"))


def _is_of_answer(error: Any) -> bool:
    """Whether it was raised by what looks at the answer, not by the strategy."""
    frames = error.traceback()
    return bool(frames) and frames[-1].function_name == "_tr_call"


def _of_answer(kind: str, words: str) -> str:
    if kind == "RecursionError":
        return "the answer is nested too deeply"
    if words.startswith("_tr_:"):
        return words.removeprefix("_tr_:").strip()
    what = re.sub(r"^Object of type (\w+) is not JSON serializable$", r"it holds a \1", words)
    return f"the answer is not JSON: {what}"


def _first_line(text: str) -> str:
    line = text.strip().splitlines()[0] if text.strip() else ""
    return line if len(line) <= _LONGEST else line[:_LONGEST] + "..."


def _at(line: int | None) -> str:
    return "" if line is None else f"line {line}: "


def _time(line: int | None, limits: Limits) -> Fault:
    return Fault("time", f"{_at(line)}it takes longer than {limits.seconds:g} s")


def _memory(line: int | None, limits: Limits) -> Fault:
    return Fault("memory", f"{_at(line)}it takes more than {limits.memory_mb} MB")
