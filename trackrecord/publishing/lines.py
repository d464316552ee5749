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
from itertools import repeat
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


_NOT_PLAIN: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

_envelope = msgspec.json.Decoder(_Envelope).decode

# A key and its value, in an object that holds no other. In a text such a key would have a
# backslash before its closing quote, so none is found there.
_SIDE: Final = re.compile(
    rb'("side"\s*:\s*)"(%s)"' % b"|".join(name.encode() for name in SIDES), re.IGNORECASE
)
_CANONICAL_SIDE: Final = re.compile(
    rb'"side"\s*:\s*"(?:%s)"' % b"|".join(side.encode() for side in set(SIDES.values()))
)
_FORMS: Final = frozenset(side.encode() for side in SIDES.values())
_SPACED_TIME: Final = re.compile(
    rb'("[a-z]+_at"\s*:\s*"[0-9]{4}-[0-9]{2}-[0-9]{2})[ T]'
    rb'([0-9:.]{8,15})(?:Z|[+]00:00)"'
)


Message = tuple[str, bytes, str, bytes]
"""The parts of an :class:`~trackrecord.publishing.outgoing.Outgoing`."""


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
    checker = Checker(now)
    for lines in _chunks(source, checked, advance):
        found = checker.check(lines)
        checked.events.put([each for each in found if isinstance(each, tuple)])
        checked.refused.put(
            [
                {"line": number, "reason": each}
                for (number, _), each in zip(lines, found, strict=True)
                if isinstance(each, str)
            ]
        )
        checked.warnings.put(
            [{"line": number, "reason": words} for number, words in sorted(checker.warnings)]
        )
    checked.types.update(checker.types)
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


class Checker:
    """Checks lines, some at a time.

    Attributes:
        warnings: Of the last ones: number of the line, and what is said of it.
        types: Of all events so far.
        together: What all of them held.
    """

    def __init__(self, now: datetime, columns: dict[str, Columns] | None = None) -> None:
        """Have checked nothing yet.

        Args:
            now: The time, for what lies in the future.
            columns: What an earlier one has learnt of types, by their name; of one thread.
        """
        self._now = now
        self._fast = {} if columns is None else columns
        self.warnings: list[tuple[int, str]] = []
        self.types: set[str] = set()
        self.together = Together()

    def check(self, lines: Sequence[tuple[int, bytes]]) -> list[Message | str]:
        """A message of each line, or why it is refused."""
        self.warnings = []
        by_type: dict[str, list[Given]] = defaultdict(list)
        for place, (number, line) in enumerate(lines):
            try:
                envelope = _envelope(line)
            except _NOT_PLAIN:
                continue
            data = bytes(envelope.data)
            by_type[envelope.type].append(Given(place, number, data, envelope.id))
        found: list[Message | str | None] = [None] * len(lines)
        for name, given in by_type.items():
            if name not in EVENTS:
                continue
            if name not in self._fast:
                self._fast[name] = Columns(EVENTS[name])
            for place, message in self._fast[name].check(given, self._now, self):
                found[place] = message
            self.types.add(name)
        return [
            self._by_model(*line) if each is None else each
            for line, each in zip(lines, found, strict=True)
        ]

    def _by_model(self, number: int, line: bytes) -> Message | str:
        try:
            event, event_id, unknown = event_of(line)
            message = Outgoing.of(event, event_id)[:]  # a plain tuple
        except InvalidEventError as error:
            return str(error)
        said = [unknown] if unknown else []
        said += doubts_of(event, self._now)
        if (symbol := getattr(event, "symbol", None)) is not None:
            said += [words for _, words in self.together.spellings([symbol])]
        self.warnings += [(number, words) for words in said]
        if isinstance(event, SignalEmitted):
            self.together.opened(pl.Series([event.signal_id]))
        elif isinstance(event, SignalClosed):
            self.together.closed(pl.Series([event.signal_id]), pl.Series([number]))
        self.types.add(event.event_type)
        return message


class Given(NamedTuple):
    """A line that is an envelope: its place among others, its number, and what it holds."""

    place: int
    number: int
    data: bytes
    event_id: str | None


class Columns:
    """Checks lines of one type in columns."""

    def __init__(self, model: type[Event]) -> None:
        """Derive the columns from the model."""
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
        self._canonical = _CANONICAL_SIDE if "side" in model.model_fields else None
        self._rewrites = False
        times = {name for name, hint in model.__annotations__.items() if "UtcTime" in str(hint)}
        self._identity = [(name, name in times) for name in model.identity]

    def check(
        self, given: list[Given], now: datetime, checker: Checker
    ) -> Iterator[tuple[int, Message]]:
        """The lines that are taken: the place of each, and the message that it makes."""
        values = [each.data for each in given]
        if self._rewrites:
            values = list(map(self._ordinary, values))
        frame = self._decoder.accept(values)
        if self._canonical is not None:
            # What is written otherwise is for readers of the contract, not for the topic.
            good = [self._canonical.search(values[at]) is not None for at in frame["position"]]
            frame = frame.filter(pl.Series(good, dtype=pl.Boolean))
        if frame.height < len(given) and not self._rewrites:
            # Files are alike throughout: from here on each line is brought into form first.
            self._rewrites = True
            yield from self.check(given, now, checker)
            return
        self._rewrites = self._rewrites and frame.height > 0
        taken = frame["position"].to_list()
        numbers = [given[at].number for at in taken]
        for row in may_be_doubtful(self._model, frame, now).arg_true().to_list():
            event = decode(self._model, values[taken[row]])
            checker.warnings += [(numbers[row], words) for words in doubts_of(event, now)]
        self._note_together(frame, numbers, checker)
        yield from zip(
            [given[at].place for at in taken],
            zip(
                repeat(self._model.event_type),
                [key.encode() for key in frame[self._model.key_field]],
                [
                    given[at].event_id or own
                    for at, own in zip(taken, self._ids(frame), strict=True)
                ],
                [values[at] for at in taken],
                strict=False,
            ),
            strict=True,
        )

    def _note_together(self, frame: pl.DataFrame, numbers: list[int], checker: Checker) -> None:
        if "symbol" in frame.columns:
            symbols = frame["symbol"]
            spelled = symbols.drop_nulls().unique(maintain_order=True).to_list()
            for symbol, words in checker.together.spellings(spelled):
                row = int((symbols == symbol).arg_true()[0])
                checker.warnings.append((numbers[row], words))
        if self._model is SignalEmitted:
            checker.together.opened(frame["signal_id"])
        elif self._model is SignalClosed:
            lines = pl.Series(numbers, dtype=pl.Int64)
            checker.together.closed(frame["signal_id"], lines)

    def _ordinary(self, data: bytes) -> bytes:
        """Data as it is written on the wire, where one look is enough to bring it there."""
        if data.count(b"{") != 1:
            # What is inside must not be touched; the model writes the side as it is written.
            return data if all(found[2] in _FORMS for found in _SIDE.finditer(data)) else b""
        if self._money is not None:
            data = self._money.sub(_quoted, data)
        data = _SIDE.sub(_canonical_side, data)
        return _SPACED_TIME.sub(_wire_time, data)

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


def _quoted(found: re.Match[bytes]) -> bytes:
    return found[1] + b'"' + found[2] + b'"'


def _wire_time(found: re.Match[bytes]) -> bytes:
    return found[1] + b"T" + found[2] + b'Z"'


def _canonical_side(found: re.Match[bytes]) -> bytes:
    return found[1] + b'"' + SIDES[found[2].decode().upper()].encode() + b'"'
