"""Names that a template has left unfilled: ``{{ticker}}``, ``{name}``.

Tools that send what happened fill in a template. A placeholder that they do not know stays as it
is, and is then as good a name as any; all that is told under it would be one record of nothing.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

import msgspec

from trackrecord.events import Event

_KINDS: Final = re.compile(r"\b(Name|Identifier|Symbol|Currency|Timeframe)\b")
_UNFILLED: Final = re.compile(r"\{\{[^{}]*\}\}|\$?\{\s*[A-Za-z_][\w.\- ]*\s*\}|%\([A-Za-z_]\w*\)s")


@cache
def names_of(model: type[Event]) -> tuple[str, ...]:
    """The fields of an event that hold a name: ids, strategies, scripts, symbols."""
    return tuple(
        name
        for name, hint in model.__annotations__.items()
        if not str(hint).startswith(("dict", "ClassVar")) and _KINDS.search(str(hint))
    )


def unfilled(model: type[Event], data: bytes) -> tuple[str, str] | None:
    """The first name of an event that is a placeholder, and the placeholder.

    Args:
        model: The event.
        data: As JSON; what cannot be read has none.
    """
    if data.count(b"{") <= 1 and b"\\u00" not in data and b"%(" not in data:
        return None
    try:
        fields: Any = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    for name in names_of(model):
        value = fields.get(name)
        if isinstance(value, str) and (found := _UNFILLED.search(value)):
            return name, found[0]
    return None
