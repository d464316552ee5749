"""What a line says of a position that was left: closed: -$3, TP hit: +45 pips, SL hit (-1R)."""

from __future__ import annotations

from typing import Final

import re2

from trackrecord.extraction import endings, numbers
from trackrecord.extraction.document import Line
from trackrecord.extraction.result_values import Candidate
from trackrecord.extraction.ruleset import matcher

RULE: Final = "code/told-ending"
"""The rule of what an ending is said to have brought."""

_AMOUNT: Final = re2.compile(
    r"(?i)(?:^|[^\w.+-])((?:[+-](?:Rs\.? ?)?[$€£¥₹]?|(?:Rs\.? ?|[$€£¥₹])[+-])"
    r"\d[\d,]*(?:\.\d+)?)( ?%)?"
    r"(?:(?: ?(?:[A-Za-z]{1,6}|[元円]))?[ ]?[(\[/|,=][ ]?([+-]?\d[\d,]*(?:\.\d+)?) ?%)?"
)
_NEAR: Final = 48
# A level, a part that is left or a price that moves stands before the amount: it is not what
# the position brought.
_ELSEWHERE: Final = matcher(
    r"(?i)\b(?:sl|tp\d?|stop|target|next|trail\w*|current|entry|entered|drawdown|from|remaining|left"
    r"|saved|vs|moved?|balance|equity|change|24h|risk|unreal\w*|open)\b|→|->|\d"
)
_AT_PRICE: Final = re2.compile(
    r"(?i)(?:at|@|price:?|for)\s?[$€£¥₹]?\s?\d[\d,]*(?:\.\d+)?(?: ?[A-Z]{3,4}\b)?"
    r"|\b\d+(?:\.\d+)? ?(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|bars?"
    r"|candles?)\b"
)
_ONLY_FILLED: Final = matcher(r"(?i)(?:filled|executed|completed|成交)\W*$")


def read(line: Line, text: str) -> Candidate | None:
    """Return what the end of a position brought, where a line says it with a sign.

    Args:
        line: The line.
        text: Its folded text.

    Returns:
        Its percentage, or the amount that tells gain from loss: money, points or multiples of
        the risk. None for a line that ends nothing, or that tells another amount only.
    """
    end = endings.end_of_event(text)
    if end < 0 or _ONLY_FILLED(text[:end]):
        return None
    rest = _AT_PRICE.sub("", text[end:])
    match = _AMOUNT.search(rest)
    if match is None or match.start(1) > _NEAR or _ELSEWHERE(rest[: match.start(1)]):
        return None
    value = numbers.parse(match.group(1))
    if value is None:
        return None
    percent, money = (value, None) if match.group(2) else (None, value)
    if percent is None and match.group(3) is not None:
        percent = numbers.parse(match.group(3))
        if percent is not None and value < 0 < percent:
            percent = -percent
    return Candidate("trade", percent, money, (), RULE, RULE, line.start, line.end, line.number)
