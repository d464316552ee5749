"""Examples, schemas and a validator that asserts formats, for the contract tests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.validators import extend

from trackrecord.events import EVENTS
from trackrecord.events.documents import DIALECT

SCHEMAS: Final = Path(__file__).parents[2] / "schemas"
EXAMPLES: Final = sorted((SCHEMAS / "examples").glob("*/*.json"))

_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?"
    r"([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)

formats = FormatChecker(formats=())


@formats.checks("date-time")
def is_rfc3339(value: object) -> bool:
    """Our own, so that the check does not depend on the models it is held against."""
    if not isinstance(value, str):
        return True
    match = _RFC3339.fullmatch(value)
    if match is None:
        return False
    try:
        date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return False
    return True


@formats.checks("uri-reference")
def is_uri_reference(value: object) -> bool:
    return not isinstance(value, str) or re.search(r"[\s<>\"{}|\\^`]", value) is None


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    """``pattern`` as ECMA 262 means it: ``$`` is the end of the text, not of its last line."""
    ecma = re.sub(r"(?<!\\)\$", r"\\Z", pattern)
    if isinstance(instance, str) and re.search(ecma, instance) is None:
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


_extend: Any = extend  # the stubs leave it untyped
_Validator: Any = _extend(Draft202012Validator, {"pattern": _pattern})


def validator(schema: dict[str, Any]) -> Any:
    assert schema.get("$schema", DIALECT) == DIALECT
    Draft202012Validator.check_schema(schema)
    return _Validator(schema, format_checker=formats)


def schema_of(event_type: str) -> dict[str, Any]:
    version = EVENTS[event_type].schema_version
    schema: dict[str, Any] = load(SCHEMAS / "events" / f"{event_type}.v{version}.json")
    return schema


def load(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"
