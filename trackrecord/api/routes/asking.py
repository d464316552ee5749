"""What requests may ask with: names in paths, limits, cursors, times."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from trackrecord.api.limits import SLASH
from trackrecord.events.types import Currency, Identifier, Name, UtcTime

VERSION_ONE: Final = "/api/v1"
"""What the paths begin with."""

_DIGITS: Final = re.compile(r"[0-9]{1,9}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        if not _DIGITS.fullmatch(value):
            raise ValueError("is not a whole number")
        return int(value)
    return value


def _day(value: Any) -> Any:
    if isinstance(value, str) and not _DATE.fullmatch(value):
        raise ValueError("is not a day such as 2026-01-31")
    return value


def _with_slashes(value: Any) -> Any:
    return value.replace(SLASH, "/") if isinstance(value, str) else value


def _time(value: Any) -> Any:
    # A plus that was not escaped arrives as a space.
    return re.sub(r" (\d\d:\d\d)$", r"+\1", value) if isinstance(value, str) else value


PathName = Annotated[Name, BeforeValidator(_with_slashes)]
"""A name in a path; slashes in it are written as %2F."""

PathId = Annotated[Identifier, BeforeValidator(_with_slashes)]

Limit = Annotated[int, Field(ge=1, le=500), BeforeValidator(_whole)]
"""How many rows a page has at most."""

Time = Annotated[UtcTime, BeforeValidator(_time)]

Day = Annotated[
    date,
    BeforeValidator(_day),
    WithJsonSchema({"type": "string", "format": "date", "pattern": f"^{_DATE.pattern}$"}),
]

Text = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Asked(BaseModel):
    """A query: what it does not name is refused."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Paged(Asked):
    """A query for one page of a list."""

    limit: Limit = 50
    """How many rows."""
    cursor: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    """`next` of the page before; everything else must be as it was there."""

    def filters(self) -> dict[str, Any]:
        """What all pages of the list share."""
        return self.model_dump(exclude={"limit", "cursor"})


__all__ = [
    "VERSION_ONE",
    "Asked",
    "Currency",
    "Day",
    "Limit",
    "Paged",
    "PathId",
    "PathName",
    "Text",
    "Time",
]
