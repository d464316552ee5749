"""Whether a reader with a new schema still reads what was written under an old one.

A comparison of two JSON Schemas, keyword by keyword, for the subset that
:mod:`trackrecord.events.documents` exports. It is careful: what it cannot judge
(another pattern, another ``not``) counts as a break. Of patterns it knows one widening: the same
with an optional minus in front.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

Schema = dict[str, Any]

_ANNOTATIONS: Final = frozenset(
    {"$schema", "$id", "$comment", "title", "description", "examples", "deprecated"}
)
_LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_EXACT: Final = ("pattern", "format", "not", "multipleOf", "uniqueItems")
_NESTED: Final = ("items", "additionalProperties", "propertyNames")
_COMPARED: Final = frozenset(
    {"type", "enum", "const", "anyOf", "properties", "required", "default"}
    | {*_LOWER, *_UPPER, *_EXACT, *_NESTED}
)


def breaks(old: Schema, new: Schema) -> list[str]:
    """Find what a reader of ``new`` would refuse, lose or misread of documents of ``old``.

    Args:
        old: The schema that documents were written under.
        new: The schema of today's readers.

    Returns:
        One line for each break, beginning with the field; empty when compatible.
    """
    return list(_compare(old, new, ""))


def _compare(old: Schema, new: Schema, where: str) -> Iterator[str]:
    at = where or "the event"
    alternatives = _alternatives(old), _alternatives(new)
    if len(alternatives[0]) > 1 or len(alternatives[1]) > 1:
        yield from _compare_alternatives(*alternatives, at)
        yield from _compare_default(old, new, at)
        return
    old, new = alternatives[0][0] | _default_of(old), alternatives[1][0] | _default_of(new)
    unknown = {
        key for key in {*old, *new} - _ANNOTATIONS - _COMPARED if old.get(key) != new.get(key)
    }
    for key in sorted(unknown):
        yield f"{at}: {key} changed, which this comparison cannot judge"
    yield from _compare_type(old, new, at)
    yield from _compare_limits(old, new, at)
    yield from _compare_default(old, new, at)
    yield from _compare_properties(old, new, where)
    for key in _NESTED:
        yield from _compare_nested(old.get(key, True), new.get(key, True), f"{where}[{key}]")


def _alternatives(schema: Schema) -> list[Schema]:
    """The schemas of which one must hold; ``type: [a, b]`` is written out."""
    if "anyOf" in schema:
        shared = {key: value for key, value in schema.items() if key not in {"anyOf", "default"}}
        return [one for each in schema["anyOf"] for one in _alternatives(shared | each)]
    types = schema.get("type")
    if isinstance(types, list):
        return [schema | {"type": each} for each in types]
    return [schema]


def _default_of(schema: Schema) -> Schema:
    return {"default": schema["default"]} if "default" in schema else {}


def _compare_alternatives(old: list[Schema], new: list[Schema], at: str) -> Iterator[str]:
    for before in old:
        found = [list(_compare(_bare(before), _bare(after), at)) for after in new]
        if all(found):
            kind = before.get("type", "any value")
            closest = min(found, key=len)
            yield f"{at}: {kind} is no longer read as it was ({'; '.join(closest)})"


def _bare(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key != "default"}


def _compare_type(old: Schema, new: Schema, at: str) -> Iterator[str]:
    before, after = old.get("type"), new.get("type")
    if after not in {None, before} and (before, after) != ("integer", "number"):
        yield f"{at}: type changed from {before or 'any'} to {after}"
    allowed = _values(new)
    if allowed is not None:
        written = _values(old)
        if written is None:
            yield f"{at}: restricted to {allowed}"
        else:
            gone = [value for value in written if value not in allowed]
            if gone:
                yield f"{at}: no longer allows {gone}"


def _values(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    values: list[Any] | None = schema.get("enum")
    return values


def _compare_limits(old: Schema, new: Schema, at: str) -> Iterator[str]:
    for key in (*_LOWER, *_UPPER):
        if key in new:
            tighter = key not in old or (
                new[key] > old[key] if key in _LOWER else new[key] < old[key]
            )
            if tighter:
                yield f"{at}: {key} narrowed from {old.get(key, 'none')} to {new[key]}"
    for key in _EXACT:
        if key in new and new[key] != old.get(key) and not _may_be_negative(key, old, new):
            yield f"{at}: {key} changed from {old.get(key, 'none')} to {new[key]}"


def _may_be_negative(key: str, old: Schema, new: Schema) -> bool:
    """Whether a pattern has only gained an optional minus in front."""
    before = old.get(key)
    return (
        key == "pattern"
        and isinstance(before, str)
        and new[key] == f"^-?{before[1:]}"
        and (before.startswith("^"))
    )


def _compare_default(old: Schema, new: Schema, at: str) -> Iterator[str]:
    """A default is what old documents meant by leaving the field out."""
    if old.get("default") != new.get("default"):
        yield f"{at}: default changed from {old.get('default')!r} to {new.get('default')!r}"


def _compare_properties(old: Schema, new: Schema, where: str) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    for name in sorted({*new.get("required", ())} - {*old.get("required", ())}):
        yield f"{_join(where, name)}: newly required"
    for name, schema in before.items():
        if name in after:
            yield from _compare(schema, after[name], _join(where, name))
        else:
            yield f"{_join(where, name)}: removed"


def _compare_nested(old: Schema | bool, new: Schema | bool, where: str) -> Iterator[str]:
    if new is True or old is False:
        return
    if new is False:
        yield f"{where}: no longer allowed"
        return
    yield from _compare({} if old is True else old, new, where)


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
