"""How often somebody has tried: every distinct code with every distinct set of parameters.

The best of many strategies looks good by luck. What luck gives grows with the number of tries, so
each one that was ever backtested counts, whether it was shown, kept or deleted. A try has no name,
only what was tried: renaming a strategy or formatting its code is not another try, and deleting
it takes none away.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

_DIGITS: Final = 32
"""Hexadecimal digits of an identity: 128 bits."""


@dataclass(frozen=True)
class Run:
    """One backtest, as far as it counts.

    Attributes:
        owner: Who ran it.
        code: Identity of the strategy, as :func:`code_identity` gives it.
        parameters: Identities of the sets of parameters that it tried.
        copied_from: Identities of the strategies that it says it was made from.
    """

    owner: str
    code: str
    parameters: tuple[str, ...]
    copied_from: tuple[str, ...] = ()


def code_identity(source: str) -> str:
    """What a strategy does, as one word: the same however it is laid out and commented.

    Texts that only document (a docstring, a comment) are left out; a source that is no Python
    is taken as it stands.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _identity(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and len(body) > 1 and _is_text(body[0]):
            del body[0]
    return _identity(ast.dump(tree))


def _is_text(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def parameters_identity(parameters: Mapping[str, Any]) -> str:
    """A set of parameters, defaults included, as one word; 5 and 5.0 are the same."""
    plain = {
        name: float(value) if isinstance(value, int) and not isinstance(value, bool) else value
        for name, value in parameters.items()
    }
    return _identity(json.dumps(plain, sort_keys=True, default=str))


def _identity(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


def tries_of(owner: str, code: str, runs: Iterable[Run], copied_from: Iterable[str] = ()) -> int:
    """N: how many distinct tries stand behind a strategy of somebody's.

    All that its owner ever tried; and where others had tried the same code before its owner
    first did, or a strategy that it was copied from, all that they had tried by then: they may
    have chosen it among those. What they inherited in the same way comes along.

    Args:
        owner: Whose strategy it is.
        code: Its identity.
        runs: Everybody's, in order of time.
        copied_from: Identities of the strategies that this one says it was made from.
    """
    everything = list(runs)
    counted: set[tuple[str, str]] = set()
    # Each owner counts up to a place in time; asked again only for a later one.
    reached: dict[str, int] = {}
    waiting = [(owner, len(everything))]
    told = frozenset(copied_from)
    while waiting:
        who, end = waiting.pop()
        if end <= reached.get(who, 0):
            continue
        reached[who] = end
        first: dict[str, int] = {}
        for place, run in enumerate(everything[:end]):
            if run.owner == who:
                counted.update((run.code, parameters) for parameters in run.parameters)
                for each in (run.code, *run.copied_from):
                    first.setdefault(each, place)
        if who == owner:
            first.setdefault(code, end)
            for each in told:
                first[each] = end
        for place, run in enumerate(everything[:end]):
            if run.owner != who and place < first.get(run.code, 0):
                # All that this other had tried by the time the code was taken over.
                waiting.append((run.owner, first[run.code]))
    return len(counted)
