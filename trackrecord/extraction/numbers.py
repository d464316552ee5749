"""Numbers as scripts print them: currencies, Indian and European separators, percent."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Final

# Begins with the comma, which the engine finds fastest (bounded repetitions only).
_DECIMAL_COMMA: Final = re.compile(r",(?<=\d,)\d{1,2}(?!\d|[.,]\d)")
_LOOKED_AT: Final = 20
_SUFFIX: Final = {"k": Decimal(1000), "m": Decimal(10**6), "b": Decimal(10**9)}
_DIGITS: Final = frozenset("0123456789.,eE+-")
_LONGEST: Final = 40
_PLAIN_LENGTH: Final = 19
_MONEY: Final = frozenset("$€£¥₹")
# What most scripts print; read without further ado.
_SIMPLE: Final = re.compile(r"\+?[$€£¥₹]?([0-9]{1,20}(?:\.[0-9]{1,18})?)%?")
_THOUSANDS: Final = re.compile(r"[0-9]{1,3}(?:,[0-9]{2,3})*,[0-9]{3}")
_LARGEST_EXPONENT: Final = 30
_GROUP: Final = 3


def is_plain(text: str) -> bool:
    """Say whether a text is digits, perhaps with a point among them, as most numbers are."""
    if len(text) > _PLAIN_LENGTH or not text.isascii():
        return False
    whole, point, part = text.partition(".")
    return whole.isdigit() and (not point or part.isdigit())


def _simple(token: str) -> str:
    """Return the digits and the point of a number without separators, empty if it is none."""
    body = token[1:] if token[:1] in _MONEY else token
    if is_plain(body):
        return body
    match = _SIMPLE.fullmatch(token)
    return "" if match is None else match[1]


def uses_decimal_comma(text: str) -> bool:
    """Say whether a text writes its decimals with a comma, as in 64,10 or 1.234,56."""
    for match in islice(_DECIMAL_COMMA.finditer(text), _LOOKED_AT):
        start = match.start()
        head = text[max(0, start - _LONGEST) : start]
        whole = len(head.rstrip("0123456789."))
        # A comma further in front makes it a list or Indian thousands: 5,10 or 1,23.
        if head[whole - 1 : whole] != "," and len(head) - whole <= _LONGEST // 2:
            return True
    return False


def _plain(body: str, *, decimal_comma: bool) -> str:
    """Drop thousands separators and make the decimal separator a point."""
    comma = body.rfind(",")
    point = body.rfind(".")
    if comma < 0:
        thousands = decimal_comma and len(body) - point - 1 == _GROUP and body[:point] != "0"
        return body.replace(".", "") if body.count(".") > 1 or thousands else body
    if point > comma:
        return body.replace(",", "") if _THOUSANDS.fullmatch(body[:point]) else ""
    if point >= 0:
        return body.replace(".", "").replace(",", ".")
    if body.count(",") == 1 and (len(body) - comma - 1 != _GROUP or body[:comma] in {"0", "-0"}):
        return body.replace(",", ".")
    if decimal_comma and body.count(",") == 1 and comma > _GROUP:
        return body.replace(",", ".")
    # Thousands as in 1,234,567 and 12,34,567; anything else is several numbers: 24500,24600.
    return body.replace(",", "") if _THOUSANDS.fullmatch(body) else ""


def parse(token: str, *, decimal_comma: bool = False) -> Decimal | None:
    """Read a printed number.

    Args:
        token: For example ``"₹-1,23,456.50"``, ``"1.234,56"``, ``"+2.5%"``, ``"1e2"``, ``"3.2k"``.
        decimal_comma: Whether the text writes decimals with a comma, so that 67.000 is 67 thousand.

    Returns:
        The number without its currency or percent sign, None if it is none (a version such
        as 1.2.3, or more digits than a price has).
    """
    if not decimal_comma:
        simple = _simple(token)
        if simple:
            return Decimal(simple)
    body = token.strip().rstrip("%").lstrip("%").strip()
    scale = _SUFFIX.get(body[-1:].lower())
    if scale is not None:
        body = body[:-1]
    negative = "-" in body.split("e")[0].split("E")[0]
    first = next((at for at, character in enumerate(body) if character in "0123456789"), -1)
    if first < 0:
        return None
    # A point in front is the number's own (-.5), unless it ends a currency (Rs.500).
    if first > 0 and body[first - 1] == "." and not body[: first - 1][-1:].isalpha():
        first -= 1
    body = "".join([character for character in body[first:] if character in _DIGITS])
    if len(body) > _LONGEST:
        return None
    mantissa, mark, exponent = body.partition("e") if "e" in body else body.partition("E")
    power = exponent.lstrip("+-")
    if mark and (not power.isdigit() or int(power) > _LARGEST_EXPONENT):
        return None
    try:
        value = Decimal(
            _plain(mantissa, decimal_comma=decimal_comma) + (f"e{exponent}" if mark else "")
        )
    except (InvalidOperation, ValueError):
        return None
    if scale is not None:
        value *= scale
    return -value if negative and value else value
