"""Answers: JSON in which amounts are texts, their version as an ETag, and 304 where it is known."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import orjson
from fastapi import Request, Response

from trackrecord.events.types import plain_decimal, wire_time

JSON: Final = "application/json"

_OPTIONS: Final = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


def as_json(content: Any) -> bytes:
    """Plain values as JSON: decimals as texts without trailing zeros, times in UTC with a Z."""
    return orjson.dumps(content, default=_written, option=_OPTIONS)


def _written(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain_decimal(value) if value.is_finite() else None
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def answer(
    content: Mapping[str, Any],
    *,
    as_of: datetime,
    version: str | None = None,
    status: int = 200,
) -> Response:
    """An answer.

    Args:
        content: Its fields.
        as_of: Up to when it is known.
        version: Of what it tells of; it becomes the ETag.
        status: Of HTTP.
    """
    head: dict[str, Any] = {"as_of": wire_time(as_of)}
    if version is not None:
        head["version"] = version
    response = Response(as_json({**head, **content}), status, media_type=JSON)
    _cached(response, version)
    return response


def unchanged(request: Request, version: str) -> Response | None:
    """The answer 304 where the client has this version, else None."""
    known = request.headers.get("if-none-match")
    if known is None:
        return None
    tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
    if tags.isdisjoint({"*", f'"{version}"'}):
        return None
    response = Response(status_code=304)
    _cached(response, version)
    return response


def _cached(response: Response, version: str | None) -> None:
    # It may be kept, and is asked about before each use; never for others than who asked.
    response.headers["Cache-Control"] = "no-store" if version is None else "private, no-cache"
    if version is not None:
        response.headers["ETag"] = f'W/"{version}"'


def version_of(*parts: object) -> str:
    """A short text that is another one as soon as any part is."""
    said = "\x1f".join(map(str, parts)).encode()
    return hashlib.blake2b(said, digest_size=9).hexdigest()
