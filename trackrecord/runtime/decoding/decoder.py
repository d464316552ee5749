"""From the messages of a poll to columns, and a reason for each message that is refused.

Two paths lead to the same columns. The fast one decodes each message in C with
strict types and checks whole columns (:mod:`trackrecord.runtime.decoding.field_rules`).
A message that it does not accept goes to the event's model, which has the last word and words
the reason. The fast path accepts nothing that the model refuses.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, Literal, NamedTuple, cast

import msgspec
import polars as pl
from confluent_kafka import Message

from trackrecord.events import Event, InvalidEventError
from trackrecord.events.codec import MAX_EVENT_BYTES, decode, header, is_too_deep
from trackrecord.events.types import plain_decimal, wire_time
from trackrecord.runtime.decoding.field_rules import ACROSS
from trackrecord.runtime.decoding.field_types import Column, columns_of

_PART = 1_000
"""Messages decoded at once: few enough that their objects stay in the processor's cache."""

_ACROSS = "across fields"

_SHORT = 512
"""Bytes of a message that can be neither nested too deeply nor hold a number that is too long."""

# Python refuses to read a longer one, wherever it stands.
_LONG_INTEGER = re.compile(rb"[0-9]{4301}")

_FAST_FAILURES = (msgspec.MsgspecError, UnicodeDecodeError, TypeError, RecursionError)


ErrorClass = Literal["unreadable", "wrong_type", "invalid", "conflict", "refused"]
"""Why a message is a dead letter: no event can be read; its header names another type; it breaks a
rule; something else has the same id and revision; the database refuses it."""


@dataclass(frozen=True)
class Refusal:
    """A message that has no effect, and why.

    Attributes:
        position: The message's index in its batch.
        error_class: What kind of fault it is.
        reason: In words, for whoever published it.
    """

    position: int
    error_class: ErrorClass
    reason: str


class _Part(NamedTuple):
    """Messages that the fast path has decoded.

    A column without any value keeps its rule, and so does one that needs no more than a look.
    """

    frame: pl.DataFrame
    doubtful: frozenset[str]
    """The columns whose rules are still to be asked; ``_ACROSS`` for the rule across them."""


class Decoder:
    """Reads the messages of one event type."""

    def __init__(self, model: type[Event]) -> None:
        """Derive the fast path from the model."""
        self.model = model
        self.columns = columns_of(model)
        fields = [self._field(column) for column in self.columns]
        self._struct = msgspec.defstruct(
            model.__name__, fields, kw_only=True, gc=False, forbid_unknown_fields=True
        )
        self._decode = msgspec.json.Decoder(self._struct).decode
        self._get = attrgetter(*(column.name for column in self.columns))
        self._schema = {column.name: column.dtype for column in self.columns}
        self._type = model.ce_type().encode()
        self._skips = any(column.decoder is msgspec.Raw for column in self.columns)
        self._across = ACROSS.get(model.event_type)
        self._nulls = [
            pl.Series(column.name, [None] * _PART, dtype=column.dtype) for column in self.columns
        ]
        self._conditions: dict[frozenset[str], pl.Expr] = {}

    @staticmethod
    def _field(column: Column) -> tuple[Any, ...]:
        name = msgspec.field(default=column.default, name=column.wire)
        return (column.name, column.decoder, name)

    def _condition(self, doubtful: frozenset[str]) -> pl.Expr:
        """True for the rows that keep the rules of some columns, and the rule across them."""
        if doubtful not in self._conditions:
            conditions = [
                column.rule.condition(pl.col(column.name))
                for column in self.columns
                if column.rule is not None and column.name in doubtful
            ]
            if self._across is not None and _ACROSS in doubtful:
                conditions.append(self._across.condition())
            # What is null keeps a rule, and null and false is false.
            self._conditions[doubtful] = pl.all_horizontal(conditions).fill_null(value=True)
        return self._conditions[doubtful]

    def read(
        self, messages: Sequence[Message], positions: Sequence[int]
    ) -> tuple[pl.DataFrame, list[Refusal]]:
        """Read messages into columns.

        Args:
            messages: Messages of one topic.
            positions: Their indices in the batch.

        Returns:
            A frame with ``position`` and the event's fields, ordered by
            position: decimals and times as texts that Postgres reads; and the
            messages that were refused.
        """
        parts = [
            self._read_part(messages[at : at + _PART], positions[at : at + _PART])
            for at in range(0, len(messages), _PART)
        ] or [self._frame([], [])]
        accepted = self._accepted(parts)
        if accepted.height == len(messages):
            return accepted, []
        done = set(accepted["position"].to_list())
        slow_rows: list[dict[str, Any]] = []
        refused: list[Refusal] = []
        for message, position in zip(messages, positions, strict=True):
            if position in done:
                continue
            outcome = self.read_by_model(message, position)
            if isinstance(outcome, Refusal):
                refused.append(outcome)
            else:
                slow_rows.append(outcome)
        if slow_rows:
            slow = pl.DataFrame(slow_rows, schema={"position": pl.Int64, **self._schema})
            accepted = pl.concat([accepted, slow]).sort("position")
        return accepted, refused

    def accept(self, values: Sequence[bytes]) -> pl.DataFrame:
        """The values that the fast path takes, in the columns of :meth:`read`, by position.

        What is not there is for :func:`trackrecord.events.codec.decode` to judge.
        """
        parts = [self._frame([], [])]
        for at in range(0, len(values), _PART):
            fast = self._read_fast(list(values[at : at + _PART]))
            kept = [(place, row) for place, row in enumerate(fast, at) if row is not None]
            parts.append(self._frame([row for _, row in kept], [place for place, _ in kept]))
        return self._accepted(parts)

    def _accepted(self, parts: Sequence[_Part]) -> pl.DataFrame:
        """The rows of some parts that keep every rule."""
        accepted = pl.concat([part.frame for part in parts])
        if doubtful := frozenset[str]().union(*(part.doubtful for part in parts)):
            accepted = accepted.filter(self._condition(doubtful))
        return accepted

    def _read_part(self, messages: Sequence[Message], positions: Sequence[int]) -> _Part:
        fast = self._read_fast([message.value() for message in messages])
        own = [said in (None, self._type) for said in map(_ce_type, messages)]
        if all(own) and None not in fast:
            return self._frame(fast, positions)
        kept = [
            (place, row)
            for place, row, mine in zip(positions, fast, own, strict=True)
            if mine and row is not None
        ]
        return self._frame([row for _, row in kept], [place for place, _ in kept])

    def _read_fast(self, values: list[bytes | None]) -> list[Any]:
        decoded = map(self._decode, values)  # type: ignore[arg-type]
        result: list[Any] = []
        while True:
            # A failure ends only the message it happened in: the map goes on with the next.
            try:
                result.extend(decoded)
            except _FAST_FAILURES:
                result.append(None)
            else:
                break
        for index, value in enumerate(values):
            if value is None or (len(value) <= _SHORT and value.isascii()):
                continue  # as most events are
            if len(value) > MAX_EVENT_BYTES or (self._skips and _hides_something(value)):
                result[index] = None
        return result

    def _frame(self, structs: list[Any], positions: Sequence[int]) -> _Part:
        taken = list(zip(*map(self._get, structs), strict=True)) or [()] * len(self.columns)
        data = [pl.Series("position", positions, dtype=pl.Int64)]
        filled: set[str] = set()
        doubtful: set[str] = set()
        for column, nulls, found in zip(self.columns, self._nulls, taken, strict=True):
            values: Sequence[Any] = found
            if column.decoder is msgspec.Raw:
                values = [_raw_text(value) for value in values]
            if column.canonical is not None:
                values = column.canonical(values)
            missing = values.count(None)
            if missing == len(values):
                data.append(nulls.head(missing))
                continue
            filled.add(column.name)
            data.append(pl.Series(column.name, values, dtype=column.dtype))
            if column.rule is None:
                continue
            there = [value for value in values if value is not None] if missing else values
            if not column.rule.look(there):
                doubtful.add(column.name)
        if self._across is not None and not self._across.look(filled):
            doubtful.add(_ACROSS)
        return _Part(pl.DataFrame(data), frozenset(doubtful))

    def read_by_model(self, message: Message, position: int) -> Refusal | dict[str, Any]:
        """Read a message that the fast path does not accept; the model has the last word."""
        said = header(headers_of(message), "ce_type")
        if said is not None and said != self.model.ce_type():
            return Refusal(
                position,
                "wrong_type",
                f"the header ce_type says {said[:200]!r}; this topic holds "
                f"{self.model.ce_type()!r}",
            )
        try:
            event = decode(self.model, message.value())
        except InvalidEventError as error:
            unreadable = str(error).startswith(("not readable", "not UTF-8", "the message has no"))
            return Refusal(position, "unreadable" if unreadable else "invalid", str(error)[:2000])
        return {"position": position, **self._canonical_row(event)}

    def _canonical_row(self, event: Event) -> dict[str, Any]:
        return {column.name: _canonical(getattr(event, column.name)) for column in self.columns}


def _hides_something(value: bytes) -> bool:
    """Whether a message may hold what only the model would see in a value that is skipped.

    Free JSON is skipped, not read. Of a field that is there twice the last value
    counts, and what the first one held is gone before any column is checked.
    """
    try:
        value.decode()
    except UnicodeDecodeError:
        return True
    return _LONG_INTEGER.search(value) is not None or is_too_deep(value)


def _raw_text(value: msgspec.Raw) -> str:
    try:
        return bytes(value).decode()
    except UnicodeDecodeError:
        return ""  # which is no JSON, so that the model reads the message and words the reason


def _canonical(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain_decimal(value)
    if isinstance(value, datetime):
        return wire_time(value)
    if isinstance(value, dict | list):
        return msgspec.json.encode(value).decode()
    return value


def headers_of(message: Message) -> list[tuple[str, bytes | None]]:
    """A message's headers as the broker gives them: pairs, in order, in bytes.

    Where a name is not UTF-8 there are none: the message is judged by its content.
    """
    try:
        return cast("list[tuple[str, bytes | None]]", message.headers() or [])
    except SystemError:
        # The client keeps the list half made, with a hole where the name should be: whoever
        # asks it a second time and looks crashes the process.
        message.set_headers([])
        return []


def _ce_type(message: Message) -> bytes | None:
    for name, value in headers_of(message):
        if name == "ce_type":
            return value
    return None
