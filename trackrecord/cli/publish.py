"""``trackrecord publish`` and ``run-script``: events from a file or a script."""

from __future__ import annotations

import codecs
import json
import sys
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import typer

from trackrecord.cli.common import DEFAULT_HOME, HomeOption, JsonOption, answer, load, notes, screen
from trackrecord.events import EVENTS, Event, InvalidEventError
from trackrecord.events.codec import encode, validate


def publish(
    file: Annotated[
        Path | None, typer.Argument(help="JSON lines; standard input if left out")
    ] = None,
    skip_invalid: Annotated[
        bool,
        typer.Option("--skip-invalid", help="Send the valid lines even if others are invalid."),
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Publish events from JSON lines: {"type": "signal_emitted", "data": {...}, "id"?: "..."}.

    All lines are checked before the first is sent. A bad one is named by its
    number and reason, and then nothing is sent, unless --skip-invalid.
    """
    events, refused, warnings = _read(file)
    for problem in refused:
        notes.print(f"line {problem['line']}: {problem['reason']}", style="red", markup=False)
    for warning in warnings:
        notes.print(f"line {warning['line']}: {warning['reason']}", style="yellow", markup=False)
    published = 0
    if events and (skip_invalid or not refused):
        from trackrecord.publishing.send import send

        published = send(load(home, broker=True), events, source="/cli", progress=not as_json)
    if as_json:
        answer({"published": published, "refused": refused, "warnings": warnings})
    else:
        screen.print(f"published {published}, refused {len(refused)}")
    if refused:
        raise typer.Exit(1)


def _read(
    file: Path | None,
) -> tuple[list[tuple[Event, str | None]], list[dict[str, Any]], list[dict[str, Any]]]:
    try:
        raw = sys.stdin.buffer.read() if file is None else file.read_bytes()
    except OSError as error:
        raise InvalidEventError(f"cannot read {file}: {error.strerror}") from None
    raw = raw.removeprefix(codecs.BOM_UTF8)
    if spread := spread_over_lines(raw):
        return [], [spread], []
    events: list[tuple[Event, str | None]] = []
    refused: list[dict[str, Any]] = []
    warnings: list[dict[str, Any]] = []
    for number, line in enumerate(raw.splitlines(), 1):
        if not line.strip():
            continue
        try:
            event, event_id, unknown = _event(line)
        except InvalidEventError as error:
            refused.append({"line": number, "reason": str(error)})
            continue
        events.append((event, event_id))
        if unknown:
            warnings.append({"line": number, "reason": unknown})
    return events, refused, warnings


def spread_over_lines(raw: bytes) -> dict[str, Any] | None:
    """What is wrong where one JSON value takes several lines: a pretty-printed event, or a list."""
    begin = len(raw) - len(raw.lstrip())
    number = raw.count(b"\n", 0, begin) + 1
    first, _, rest = raw[begin:].partition(b"\n")
    if not rest.strip() or not first.startswith((b"{", b"[")):
        return None
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        pass
    else:
        return None  # the first line stands for itself
    try:
        value, _ = json.JSONDecoder().raw_decode(raw[begin:].decode())
    except (ValueError, RecursionError):
        return None  # merely broken: each line says why
    kind = "a list" if isinstance(value, list) else "one object"
    return {
        "line": number,
        "reason": f"{kind} over several lines, and an event is one line: write each as "
        '{"type": "...", "data": {...}} on a line of its own (`jq -c` does it)',
    }


def _event(line: bytes) -> tuple[Event, str | None, str | None]:
    try:
        # Numbers are taken as they are written, so that 150.25 is 150.25 to the last digit.
        said = json.loads(line.decode(), parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise InvalidEventError(f"not readable JSON: {error}") from None
    if not isinstance(said, dict) or not isinstance(said.get("data"), dict):
        raise InvalidEventError('not an event: write {"type": "...", "data": {...}}')
    name = said.get("type")
    model = EVENTS.get(name) if isinstance(name, str) else None
    if model is None:
        raise InvalidEventError(_unknown_type(name))
    event_id = said.get("id")
    if event_id is not None and not (isinstance(event_id, str) and 0 < len(event_id) <= 128):  # noqa: PLR2004
        raise InvalidEventError("id: must be a text of 1 to 128 characters")
    event = validate(model, _native(model, said["data"]))
    encode(event)
    return event, event_id, _unknown_fields(model, said["data"])


def _native(model: type[Event], data: dict[str, Any]) -> dict[str, Any]:
    """Data as the model reads it: money exact, ratios as doubles."""
    exact = {
        name for name, field in model.model_fields.items() if "Decimal" in str(field.annotation)
    }
    return {name: value if name in exact else _floats(value) for name, value in data.items()}


def _floats(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {name: _floats(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_floats(item) for item in value]
    return value


def _unknown_type(name: object) -> str:
    if name is None:
        return f"type: is missing; the types are {', '.join(EVENTS)}"
    close = get_close_matches(str(name), EVENTS, 1)
    hint = f"did you mean {close[0]!r}?" if close else f"the types are {', '.join(EVENTS)}"
    return f"type: there is no event type {name!r}; {hint}"


def _unknown_fields(model: type[Event], data: dict[str, Any]) -> str | None:
    known = {field.alias or name for name, field in model.model_fields.items()}
    unknown = sorted(set(data) - known)
    if not unknown:
        return None
    words = []
    for name in unknown:
        close = get_close_matches(name, known, 1)
        words.append(f"{name!r}" + (f" (did you mean {close[0]!r}?)" if close else ""))
    return f"{model.event_type} has no field {', '.join(words)}: not published"
