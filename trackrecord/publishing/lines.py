"""The lines of a file as events that were checked, by columns where that is quicker.

Two ways lead to the same verdict. Ordinary lines are decoded in C and their rules asked of whole
columns (:mod:`trackrecord.runtime.decoding`). Each line that is not taken there is shown to the
event's model (:mod:`trackrecord.publishing.one_line`), which words the reason.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import IO, Annotated, Any, Final, NamedTuple

import msgspec
import polars as pl

from trackrecord.events import EVENTS, Event, InvalidEventError, SignalClosed, SignalEmitted
from trackrecord.events.base import derived_id
from trackrecord.events.codec import decode
from trackrecord.events.reading import kinds_of
from trackrecord.events.types import SIDES
from trackrecord.publishing.doubts import Together, doubts_of, may_be_doubtful
from trackrecord.publishing.one_line import event_of
from trackrecord.publishing.outgoing import Outgoing, Shelf
from trackrecord.runtime.decoding.decoder import Decoder

LONGEST_LINE: Final = 1_048_576
"""Bytes; four times what the largest event may have, as a line may be written with spaces."""

_LINES: Final = 4_000
_BYTES: Final = 4_000_000
"""As many lines, or as many bytes of them, are checked together."""


class _Envelope(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    type: str
    data: msgspec.Raw
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)] | None = None


_envelope = msgspec.json.Decoder(_Envelope).decode

# A key and its value, in an object that holds no other. In a text such a key would have a
# backslash before its closing quote, so none is found there.
_SIDE: Final = re.compile(
    rb'("side"\s*:\s*)"(%s)"' % b"|".join(name.encode() for name in SIDES), re.IGNORECASE
)
_FORMS: Final = frozenset(side.encode() for side in SIDES.values())
_SPACED_TIME: Final = re.compile(
    rb'("[a-z]+_at"\s*:\s*"[0-9]{4}-[0-9]{2}-[0-9]{2})[ T]'
    rb'([0-9:.]{8,15})(?:Z|[+]00:00)"'
)


class Checked(NamedTuple):
    """What a file holds, kept in files of its own.

    Attributes:
        events: To be sent, in order: :class:`~trackrecord.publishing.outgoing.Outgoing`.
        refused: Of each bad line ``{"line", "reason"}``.
        warnings: Likewise of what is sent and looks like a mistake.
        types: The types of the events.
    """

    events: Shelf
    refused: Shelf
    warnings: Shelf
    types: set[str]


class _Result(NamedTuple):
    """What was found of one line of several."""

    message: Outgoing | None
    refused: str | None
    warnings: list[str]


def nothing() -> Checked:
    """What an empty file holds."""
    return Checked(Shelf(), Shelf(), Shelf(), set())


def check(
    source: IO[bytes], now: datetime, advance: Callable[[int], None] = lambda _: None
) -> Checked:
    """Check every line of a file.

    Args:
        source: Its lines; blank ones are passed over.
        now: The time, for what lies in the future.
        advance: Called with the bytes that were read, as they are read.
    """
    checked = nothing()
    checker = _Checker(now)
    for lines in _chunks(source, checked, advance):
        messages, refused, warnings = [], [], []
        for (number, _), result in zip(lines, checker.check(lines), strict=True):
            if result.message is not None:
                messages.append(result.message)
                checked.types.add(result.message.event_type)
            if result.refused is not None:
                refused.append({"line": number, "reason": result.refused})
            warnings += [{"line": number, "reason": words} for words in result.warnings]
        checked.events.put(messages)
        checked.refused.put(refused)
        checked.warnings.put(warnings)
    if strays := checker.together.strays():
        checked.warnings.put([{"line": strays[0], "reason": strays[1]}])
    return checked


def _chunks(
    source: IO[bytes], checked: Checked, advance: Callable[[int], None]
) -> Iterator[list[tuple[int, bytes]]]:
    lines: list[tuple[int, bytes]] = []
    held, number = 0, 0
    while line := source.readline(LONGEST_LINE + 1):
        number += 1
        read = len(line)
        if len(line) > LONGEST_LINE:
            while not line.endswith(b"\n") and (line := source.readline(LONGEST_LINE)):
                read += len(line)
            reason = f"the line is longer than {LONGEST_LINE:,} bytes"
            checked.refused.put([{"line": number, "reason": reason}])
        elif line.strip():
            lines.append((number, line))
        held += read
        if len(lines) >= _LINES or held >= _BYTES:
            yield lines
            advance(held)
            lines, held = [], 0
    yield lines
    advance(held)


class _Checker:
    """Checks lines, some at a time."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._fast: dict[str, _Fast] = {}
        self.together = Together()

    def check(self, lines: Sequence[tuple[int, bytes]]) -> list[_Result]:
        """What is found of each line."""
        results: list[_Result | None] = [None] * len(lines)
        by_type: dict[str, list[tuple[int, bytes, str | None]]] = defaultdict(list)
        for place, (_, line) in enumerate(lines):
            try:
                envelope = _envelope(line)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                continue
            if envelope.type in EVENTS:
                by_type[envelope.type].append((place, bytes(envelope.data), envelope.id))
        for name, given in by_type.items():
            fast = self._fast.setdefault(name, _Fast(EVENTS[name]))
            for place, result in fast.check(given, lines, self._now, self.together):
                results[place] = result
        return [
            self._by_model(*line) if result is None else result
            for line, result in zip(lines, results, strict=True)
        ]

    def _by_model(self, number: int, line: bytes) -> _Result:
        try:
            event, event_id, unknown = event_of(line)
            message = Outgoing.of(event, event_id)
        except InvalidEventError as error:
            return _Result(None, str(error), [])
        warnings = [unknown] if unknown else []
        warnings += doubts_of(event, self._now)
        if (symbol := getattr(event, "symbol", None)) is not None:
            warnings += [words for _, words in self.together.spellings([symbol])]
        if isinstance(event, SignalEmitted):
            self.together.opened(pl.Series([event.signal_id]))
        elif isinstance(event, SignalClosed):
            self.together.closed(pl.Series([event.signal_id]), pl.Series([number]))
        return _Result(message, None, warnings)


class _Fast:
    """Checks lines of one type in columns."""

    def __init__(self, model: type[Event]) -> None:
        self._model = model
        self._decoder = Decoder(model)
        names = [name for name, kind in kinds_of(model).items() if kind == "decimal"]
        self._money = (
            re.compile(
                rb'("(?:%s)"\s*:\s*)(-?(?:0|[1-9][0-9]*)(?:[.][0-9]+)?)(?=[\s,}])'
                % b"|".join(name.encode() for name in names)
            )
            if names
            else None
        )
        times = {name for name, hint in model.__annotations__.items() if "UtcTime" in str(hint)}
        self._identity = [(name, name in times) for name in model.identity]

    def check(
        self,
        given: list[tuple[int, bytes, str | None]],
        lines: Sequence[tuple[int, bytes]],
        now: datetime,
        together: Together,
    ) -> list[tuple[int, _Result]]:
        """The lines that are taken, each with its place and what is found of it.

        Args:
            given: Place of the line, data, and the publisher's own id.
            lines: All lines, by place.
            now: The time.
            together: What other lines held.
        """
        values = [self._ordinary(data) for _, data, _ in given]
        frame = self._decoder.accept(values)
        taken = frame["position"].to_list()
        places = [given[position][0] for position in taken]
        numbers = pl.Series([lines[place][0] for place in places], dtype=pl.Int64)
        warnings: dict[int, list[str]] = defaultdict(list)
        for row in may_be_doubtful(self._model, frame, now).arg_true().to_list():
            warnings[row] += doubts_of(decode(self._model, values[taken[row]]), now)
        if "symbol" in frame.columns:
            symbols = frame["symbol"]
            spelled = symbols.drop_nulls().unique(maintain_order=True).to_list()
            for symbol, words in together.spellings(spelled):
                row = int((symbols == symbol).arg_true()[0])
                warnings[row].append(words)
        if self._model is SignalEmitted:
            together.opened(frame["signal_id"])
        elif self._model is SignalClosed:
            together.closed(frame["signal_id"], numbers)
        keys = frame[self._model.key_field].to_list()
        ids = self._ids(frame)
        name = self._model.event_type
        return [
            (
                place,
                _Result(
                    Outgoing(name, key.encode(), given[position][2] or own, values[position]),
                    None,
                    warnings.get(row, []),
                ),
            )
            for row, (place, position, key, own) in enumerate(
                zip(places, taken, keys, ids, strict=True)
            )
        ]

    def _ordinary(self, data: bytes) -> bytes:
        """Data as it is written on the wire, where one look is enough to bring it there."""
        if data.count(b"{") != 1:
            # What is inside must not be touched; the model writes the side as it is written.
            return data if all(found[2] in _FORMS for found in _SIDE.finditer(data)) else b""
        if self._money is not None:
            data = self._money.sub(rb'\1"\2"', data)
        data = _SIDE.sub(_canonical_side, data)
        return _SPACED_TIME.sub(rb'\1T\2Z"', data)

    def _ids(self, frame: pl.DataFrame) -> list[str]:
        """The ids that the events have of themselves."""
        columns: list[list[Any]] = []
        for name, is_time in self._identity:
            values = frame[name].to_list()
            columns.append([_moment(value) for value in values] if is_time else values)
        if "revision" in frame.columns:
            columns.append(frame["revision"].to_list())
        else:
            columns.append([0] * frame.height)
        return [derived_id(self._model.event_type, *parts) for parts in zip(*columns, strict=True)]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _canonical_side(found: re.Match[bytes]) -> bytes:
    return found[1] + b'"' + SIDES[found[2].decode().upper()].encode() + b'"'
