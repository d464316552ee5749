"""The kinds of value that event fields hold, each with its unit and its limits.

Every limit stands here once; the JSON Schemas under ``schemas/`` and the column
rules of the services follow from it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from trackrecord.times import NO_NUMBER, is_number

INTEGER_DIGITS: Final = 20
"""Digits that a decimal may have before the point."""

FRACTION_DIGITS: Final = 18
"""Digits that a decimal may have after the point."""

DECIMAL_TEXT: Final = rf"-?[0-9]{{1,{INTEGER_DIGITS}}}(\.[0-9]{{1,{FRACTION_DIGITS}}})?"
"""Regular expression of a decimal on the wire: plain digits, no exponent."""

TIME_TEXT: Final = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
    r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)
"""Regular expression of a time on the wire: ISO 8601 with an offset.

Hours, minutes and offsets have their limits here, because what the standard
library lets pass (24:00, +05:60) differs between versions of Python.
"""

_DECIMAL = re.compile(DECIMAL_TEXT)
# As pandas and Postgres write it, with a space; what is written again has a T.
_TIME = re.compile(TIME_TEXT.replace("T(", "[T ](", 1))

SIDES: Final = {"BUY": "BUY", "LONG": "BUY", "SELL": "SELL", "SHORT": "SELL"}
"""What a side may be called, in capitals, and its one form."""


def plain_decimal(value: Decimal) -> str:
    """Write a decimal with plain digits: no exponent, no trailing zeros after the point.

    Args:
        value: A finite decimal.

    Returns:
        For example ``"150.25"``; equal decimals give equal texts.
    """
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"", "-0"} else text


def _read_decimal(value: Any) -> Decimal:
    if isinstance(value, bool | float):
        raise ValueError(  # noqa: TRY004 - pydantic turns a ValueError into its own error
            'write it as a decimal string such as "150.25": a JSON number with a fraction '
            "does not hold money exactly"
        )
    if isinstance(value, int):
        value = Decimal(value)
    if isinstance(value, str):
        if not _DECIMAL.fullmatch(value):
            raise ValueError(
                f"not a plain decimal with at most {INTEGER_DIGITS} digits before the point "
                f"and {FRACTION_DIGITS} after it"
            )
        return Decimal(value)
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError("not a finite number")
        if not _DECIMAL.fullmatch(plain_decimal(value)):
            raise ValueError(
                f"more than {INTEGER_DIGITS} digits before the point or {FRACTION_DIGITS} after it"
            )
        return value
    raise ValueError("not a decimal string")


def _read_time(value: Any) -> datetime:
    if isinstance(value, str):
        if not _TIME.fullmatch(value):
            if is_number(value):
                raise ValueError(NO_NUMBER)
            raise ValueError(
                "not a time such as 2026-01-31T09:30:00Z (ISO 8601 with an offset, "
                "at most microseconds)"
            )
        value = datetime.fromisoformat(value)
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        raise ValueError(NO_NUMBER)  # noqa: TRY004 - see above
    if not isinstance(value, datetime):
        raise ValueError("not a time")  # noqa: TRY004 - see above
    if value.tzinfo is None:
        raise ValueError("has no time zone: add Z or an offset such as +05:30")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("outside the years 1 to 9999") from None


def wire_time(value: datetime) -> str:
    """Write a time as it stands on the wire: UTC, ISO 8601, ``Z``, microseconds if any."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _no_nul(value: str) -> str:
    if "\x00" in value:
        raise ValueError("holds a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("holds a lone surrogate, which is not a character") from None
    return value


def _printable(value: str) -> str:
    if any(character < " " or character == "\x7f" for character in value):
        raise ValueError("holds a control character")
    return value


def side_of(text: str) -> str | None:
    """BUY or SELL, of any of the names in :data:`SIDES` in capitals or small letters, or None."""
    return SIDES.get(text.upper()) if text.isascii() else None


def _side(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    side = side_of(value)
    if side is None:
        raise ValueError("is none of BUY, SELL, LONG and SHORT (small letters are taken as well)")
    return side


def _json_depth(value: Any, left: int = 32) -> None:
    if left == 0 and isinstance(value, dict | list):
        raise ValueError("is nested more than 32 levels deep")
    if isinstance(value, dict):
        for key, item in value.items():
            _no_nul(key)
            _json_depth(item, left - 1)
    elif isinstance(value, list):
        for item in value:
            _json_depth(item, left - 1)
    elif isinstance(value, str):
        _no_nul(value)
    elif isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - NaN
            raise ValueError("holds NaN or Infinity, which JSON has no word for")
    elif isinstance(value, int) and abs(value) > 1 << 63:
        raise ValueError("holds an integer of more than 64 bits")


def _free_json(value: dict[str, Any]) -> dict[str, Any]:
    _json_depth(value)
    return value


def _decimal_schema(pattern: str, but_not: str | None = None) -> WithJsonSchema:
    # "not" and no lookahead: several regular expression engines have none.
    schema: dict[str, Any] = {"type": "string", "pattern": f"^{pattern}$"}
    if but_not is not None:
        schema["not"] = {"pattern": but_not}
    return WithJsonSchema(schema)


_ANY_SCHEMA = _decimal_schema(DECIMAL_TEXT)
_POSITIVE_SCHEMA = _decimal_schema(DECIMAL_TEXT.removeprefix("-?"), but_not=r"^[0.]*$")
_NOT_NEGATIVE_SCHEMA = _decimal_schema(DECIMAL_TEXT, but_not="^-.*[1-9]")
_RATE_SCHEMA = _decimal_schema(rf"-?0{{1,{INTEGER_DIGITS}}}(\.[0-9]{{1,{FRACTION_DIGITS}}})?")

DECIMAL_PATTERNS: Final = frozenset(
    str((each.json_schema or {})["pattern"])
    for each in (_ANY_SCHEMA, _POSITIVE_SCHEMA, _NOT_NEGATIVE_SCHEMA, _RATE_SCHEMA)
)
"""How schemas of events describe a decimal."""

# What the validators refuse in a text, for readers of the schema. Stated beside
# them and not as a pydantic pattern, whose message would show the expression.
_NO_NUL_SCHEMA: dict[str, Any] = {"pattern": r"^[^\x00]*$"}
_ONE_LINE_SCHEMA: dict[str, Any] = {"pattern": r"^[^\x00-\x1f\x7f]*$"}


def _above_zero(value: Decimal) -> Decimal:
    if value <= 0:
        raise ValueError("must be above 0")
    return value


def _not_negative(value: Decimal) -> Decimal:
    if value < 0:
        raise ValueError("must not be negative")
    return value


def _is_rate(value: Decimal) -> Decimal:
    if abs(value) >= 1:
        raise ValueError("must be a fraction between -1 and 1: 0.001 is a tenth of a percent")
    return value


ExactDecimal = Annotated[
    Decimal,
    BeforeValidator(_read_decimal),
    PlainSerializer(plain_decimal, return_type=str, when_used="json"),
    _ANY_SCHEMA,
]
"""An exact decimal: a string on the wire, ``Decimal`` in memory, ``NUMERIC`` in Postgres."""

PositiveDecimal = Annotated[ExactDecimal, AfterValidator(_above_zero), _POSITIVE_SCHEMA]
NonNegativeDecimal = Annotated[ExactDecimal, AfterValidator(_not_negative), _NOT_NEGATIVE_SCHEMA]

Price = ExactDecimal
"""Money per unit of the instrument, in the event's currency. Of any sign: the prices of futures
and spreads may be 0 or negative, and an option that expired worthless ends at 0."""

Quantity = PositiveDecimal
"""Units of the instrument; above 0 (the side says the direction)."""

Amount = ExactDecimal
"""Money in the signal's currency; of either sign (a negative fee is a rebate)."""

Rate = Annotated[ExactDecimal, AfterValidator(_is_rate), _RATE_SCHEMA]
"""A fraction of the notional, between -1 and 1: 0.001 is a tenth of a percent."""

UtcTime = Annotated[
    datetime,
    BeforeValidator(_read_time),
    PlainSerializer(wire_time, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": f"^{TIME_TEXT}$"}),
]
"""An instant: UTC, to the microsecond. An offset is accepted and converted, none is refused."""

Side = Annotated[
    str,
    Field(strict=True),
    BeforeValidator(_side),
    WithJsonSchema({"type": "string", "enum": ["BUY", "SELL", "LONG", "SHORT"]}),
]
"""BUY opens a long position, SELL a short one; LONG and SHORT, and small letters, are read as
the same."""


Identifier = Annotated[
    str,
    Field(strict=True, min_length=1, max_length=128, json_schema_extra=_ONE_LINE_SCHEMA),
    AfterValidator(_no_nul),
    AfterValidator(_printable),
]
"""A globally unique id, chosen by whoever publishes: 1 to 128 characters."""

Name = Identifier
"""The name of a strategy, script, model or owner: 1 to 128 characters."""

Account = Literal["live", "paper", "backtest", "imported"]
"""Where the trades of a signal are made."""

Symbol = Annotated[
    str,
    Field(strict=True, min_length=1, max_length=64, json_schema_extra=_ONE_LINE_SCHEMA),
    AfterValidator(_no_nul),
    AfterValidator(_printable),
]
"""An instrument as the publisher calls it: 1 to 64 characters."""

Currency = Annotated[str, Field(strict=True, pattern="^[A-Z0-9]{2,12}$")]
"""The currency of all money of a signal: USD, INR, USDT … Never summed with another."""

Timeframe = Annotated[str, Field(strict=True, pattern="^[1-9][0-9]{0,3}(s|m|h|d|w|M)$")]
"""The length of a bar: 1m, 4h, 1d, 1w, 1M."""

Reason = Annotated[
    str,
    Field(strict=True, max_length=200, json_schema_extra=_ONE_LINE_SCHEMA),
    AfterValidator(_no_nul),
    AfterValidator(_printable),
]
"""Why: free text of up to 200 characters."""

Text = Annotated[str, Field(strict=True, json_schema_extra=_NO_NUL_SCHEMA), AfterValidator(_no_nul)]
"""Free text of any number of lines, without NUL."""

Prompt = Annotated[
    str,
    Field(strict=True, min_length=1, max_length=20_000, json_schema_extra=_NO_NUL_SCHEMA),
    AfterValidator(_no_nul),
]
"""What is asked for: 1 to 20,000 characters on any number of lines, without NUL."""

Revision = Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)]
"""0 for what was said first; a correction carries a higher number, and the highest wins."""

Count = Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)]
PositiveCount = Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)]

Fraction = Annotated[float, Field(strict=True, ge=0, le=1)]
"""A probability or confidence, 0 to 1."""

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""A ratio or statistic, as a double."""

FreeJson = Annotated[dict[str, Any], AfterValidator(_free_json)]
"""What the publisher adds for itself: a JSON object of at most 32 levels."""
