"""The same payloads through the real decode path, the fast path alone and the model alone.

The model is the contract. The fast path may leave a message to it, but where it
decides it must decide alike, and what it reads must be the same value.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from confluent_kafka import Message

from tests.fuzz.payloads import Payload
from trackrecord.clock import SYSTEM_CLOCK
from trackrecord.events import EVENTS, Event, InvalidEventError
from trackrecord.events.codec import decode, header
from trackrecord.runtime import dead_letters
from trackrecord.runtime.decoding.batch import Reader
from trackrecord.runtime.decoding.decoder import Decoder, Refusal

_SHOWN = 20


@dataclass
class Verdict:
    """What a batch of payloads came to.

    Attributes:
        payloads: How many were read.
        applied: How many became rows.
        refused: How many became dead letters, by error class.
        fast: How many of the applied the fast path reads without the model.
        differences: What the paths disagree about: payload, and in words.
    """

    payloads: int = 0
    applied: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    fast: int = 0
    differences: list[tuple[Payload, str]] = field(default_factory=list)


class Judge:
    """Holds the ways of reading against one another."""

    def __init__(self) -> None:
        """Make the stages' reader for all event types, and a decoder of each that asks no model."""
        self.reader = Reader(EVENTS.values())
        self._fast = {name: _without_model(model) for name, model in EVENTS.items()}

    def judge(self, payloads: Sequence[Payload]) -> Verdict:
        """Read payloads each way, as one batch of many topics.

        Raises:
            Exception: Whatever the decode path lets out, which should be nothing.
        """
        messages = [as_message(each, offset) for offset, each in enumerate(payloads)]
        verdict = Verdict(payloads=len(payloads))
        batch = self.reader.read(messages)
        read = {
            row["position"]: row
            for frame in batch.frames.values()
            for row in frame.iter_rows(named=True)
        }
        refused = {each.position: each for each in batch.refused}
        alone = self._read_fast(payloads, messages)
        for position, each in enumerate(payloads):
            said = _by_model(EVENTS[each.event_type], each)
            row, refusal = read.get(position), refused.get(position)
            for problem in (
                *_compare(said, row, refusal),
                *_compare_alone(said, alone.get(position)),
            ):
                verdict.differences.append((each, problem))
            if refusal is not None:
                verdict.refused[refusal.error_class] += 1
                verdict.differences += [
                    (each, problem) for problem in _letter_problems(messages[position], refusal)
                ]
            verdict.applied += row is not None
        verdict.fast = len(alone)
        if len(read) + len(batch.refused) != len(payloads):
            verdict.differences.append((payloads[0], "a payload was read twice, or never"))
        return verdict

    def _read_fast(
        self, payloads: Sequence[Payload], messages: Sequence[Message]
    ) -> dict[int, dict[str, Any]]:
        positions: dict[str, list[int]] = {name: [] for name in self._fast}
        for position, each in enumerate(payloads):
            positions[each.event_type].append(position)
        found = {}
        for name, decoder in self._fast.items():
            chosen = positions[name]
            frame, _ = decoder.read([messages[position] for position in chosen], chosen)
            found.update({row["position"]: row for row in frame.iter_rows(named=True)})
        return found


def as_message(payload: Payload, offset: int) -> Message:
    """A payload as the client hands it over."""
    return Message(
        topic=payload.event_type,
        partition=0,
        offset=offset,
        key=payload.key,
        value=payload.value,
        headers=payload.headers,  # type: ignore[arg-type]
        timestamp=(2, 1_770_000_000_000),
    )


def _without_model(model: type[Event]) -> Decoder:
    decoder = Decoder(model)

    def left(_message: Message, position: int) -> Refusal:
        return Refusal(position, "left", "to the model")

    decoder.read_by_model = left  # type: ignore[method-assign, assignment]
    return decoder


def _by_model(model: type[Event], payload: Payload) -> Event | str:
    said = header(payload.headers, "ce_type")
    if said is not None and said != model.ce_type():
        return "the header names another type"
    try:
        return decode(model, payload.value)
    except InvalidEventError as error:
        return str(error) or "refused without a word"


def _compare(said: Event | str, row: dict[str, Any] | None, refusal: Refusal | None) -> list[str]:
    """What the real path did, against the model."""
    if (row is None) == (refusal is None):
        return ["neither applied nor refused" if row is None else "applied and refused"]
    if refusal is not None:
        if isinstance(said, Event):
            return [f"refused ({refusal.reason}), and the model accepts it"]
        return [] if refusal.reason and refusal.error_class else ["refused without a reason"]
    return _values(said, row or {}, "applied")


def _compare_alone(said: Event | str, row: dict[str, Any] | None) -> list[str]:
    return [] if row is None else _values(said, row, "accepted by the fast path")


def _values(said: Event | str, row: dict[str, Any], what: str) -> list[str]:
    if isinstance(said, str):
        return [f"{what}, and the model refuses it: {said}"]
    return [
        f"{what} with {name}={row[name]!r}, and the model reads {getattr(said, name)!r}"
        for name in type(said).model_fields
        if not same(row[name], getattr(said, name))
    ]


def same(got: Any, wanted: Any) -> bool:
    """Whether a column's value is what the model has, to the last digit and microsecond."""
    if wanted is None or got is None:
        return wanted is got
    if isinstance(wanted, Decimal):
        return isinstance(got, str) and Decimal(got) == wanted
    if isinstance(wanted, datetime):
        return isinstance(got, str) and datetime.fromisoformat(got) == wanted
    if isinstance(wanted, dict | list):
        return isinstance(got, str) and bool(json.loads(got) == wanted)
    if isinstance(wanted, float):
        is_same_sign = math.copysign(1, wanted) == math.copysign(1, got)
        return type(got) is float and got == wanted and is_same_sign
    return bool(got == wanted and type(got) is type(wanted))


def _letter_problems(message: Message, refusal: Refusal) -> list[str]:
    """Whether the dead letter keeps the message as it was, and can be written."""
    letter = dead_letters.make("fuzz", message, refusal, SYSTEM_CLOCK.now())
    letter.outgoing_headers()
    problems = []
    if (letter.value, letter.key) != (message.value(), message.key()):
        problems.append("the dead letter has other bytes")
    if "\x00" in letter.reason:
        problems.append("the reason holds a NUL, which the database refuses")
    try:
        letter.reason.encode()
    except UnicodeEncodeError:
        problems.append("the reason holds a lone surrogate, which the database refuses")
    return problems


def explained(verdict: Verdict) -> str:
    """The first differences, for a person."""
    return "\n".join(
        f"{each.event_type} ({each.kind}), headers {each.headers}: {problem}\n"
        f"  {(each.value or b'')[:600]!r}"
        for each, problem in verdict.differences[:_SHOWN]
    )
