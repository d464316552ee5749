"""Messages that no stage should swallow, and good ones with a few bytes changed."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from typing import Any

from tests.support import wire
from trackrecord.events import Event
from trackrecord.events.codec import InvalidEventError, decode, header
from trackrecord.runtime.settings import Settings

_VALUES: tuple[bytes | None, ...] = (
    None,
    b"",
    b"null",
    b"[]",
    b"{}",
    b'"BUY"',
    b"1e999",
    b"NaN",
    b"\x00",
    b"\xff\xfe{}",
    b"\xef\xbb\xbf{}",
    b"{" * 50,
    b"[" * 100_000,
    b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    b"{}" * 1000,
    b'{"signal_id": "\xed\xa0\x80"}',
    b" " * 900_000,
)

_FIELDS: tuple[tuple[str, Any], ...] = (
    ("signal_id", "NUL\x00inside"),
    ("signal_id", "lone \ud800 surrogate"),
    ("signal_id", "x" * 129),
    ("signal_id", ""),
    ("signal_id", 7),
    ("symbol", None),
    ("symbol", "line\nbreak"),
    ("strategy", ["a", "list"]),
    ("price", "1" * 40),
    ("price", "0." + "1" * 40),
    ("price", "123456789012345678901234567890.5"),
    ("price", 1e308),
    ("price", True),
    ("price", "NaN"),
    ("price", "Infinity"),
    ("price", "-1"),
    ("price", "1e9999999"),
    ("quantity", "0"),
    ("quantity", {"a": 1}),
    ("fee", "\u0661"),
    ("side", "HOLD"),
    ("reason", "r" * 201),
    ("revision", 2**31),
    ("revision", -1),
    ("revision", 1.5),
    ("emitted_at", "yesterday"),
    ("emitted_at", "2026-02-30T00:00:00Z"),
    ("emitted_at", "99999-01-01T00:00:00Z"),
    ("emitted_at", 1e300),
    ("closed_at", "2026-01-01T00:00:00"),
    ("metadata", {"NUL": "\x00"}),
    ("metadata", {"\ud800": 1}),
    ("metadata", {"deep": "\udfff"}),
    ("metadata", "m" * 300_000),
)

_HEADERS: tuple[wire.Headers, ...] = (
    [("ce_type", b"trackrecord.market_bar.v1")],
    [("ce_type", b"trackrecord.signal_emitted.v99")],
    [("ce_type", b"\xff\xfe")],
    [("ce_type", b"")],
    [("ce_type", b"\x00")],
    [("ce_type", b"x" * 10_000)],
    [("ce_id", b"\xff"), ("traceparent", b"\xff-\x00-"), ("n\x00ame", b"v"), ("ce_type", b"no")],
    [("ce_type", b"no"), ("dlq_attempt", "\u0663".encode()), ("empty", None), ("dlq_id", b"\x00")],
    [("ce_type", b"no"), ("dlq_attempt", b"9" * 50)],
)


def _changed(data: Mapping[str, Any], field: str, value: Any) -> bytes:
    return json.dumps({**data, field: value}).encode()


def _flipped(rng: random.Random, value: bytes) -> bytes:
    raw = bytearray(value)
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(raw))
        match rng.randrange(3):
            case 0:
                raw[place] = rng.randrange(256)
            case 1:
                del raw[place]
            case _:
                raw[place:place] = rng.randbytes(rng.randint(1, 4))
    return bytes(raw)


def parcels(settings: Settings, rng: random.Random, good: Event) -> Iterator[wire.Parcel]:
    """Poison made from a good event, and some that may be good in spite of it all."""
    base = wire.parcel(settings, good)
    data = json.loads(good.to_json())
    for value in _VALUES:
        yield wire.Parcel(base.topic, base.key, value, base.headers)
    for field, value in _FIELDS:
        yield wire.Parcel(base.topic, base.key, _changed(data, field, value), base.headers)
    for headers in _HEADERS:
        yield wire.Parcel(base.topic, base.key, base.value, headers)
    for name in data:
        less = {key: value for key, value in data.items() if key != name}
        yield wire.Parcel(base.topic, base.key, json.dumps(less).encode(), base.headers)
    for _ in range(40):
        yield wire.Parcel(base.topic, base.key, _flipped(rng, good.to_json()), base.headers)


def read(model: type[Event], parcel: wire.Parcel) -> Event | None:
    """What the event's model makes of a message: it has the last word on what is valid."""
    said = header(list(parcel.headers), "ce_type")
    if said is not None and said != model.ce_type():
        return None
    try:
        return decode(model, parcel.value)
    except InvalidEventError:
        return None
