"""Payloads that somebody's broken or hostile publisher could send, from a seed.

Most begin as an example of ``schemas/examples`` and are bent at the level of
JSON text, where two keys may be equal and a number may be anything; some are
then bent as bytes; some were never JSON.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.fuzz import fragments
from tests.fuzz.fragments import Fragment, quoted
from trackrecord.events import EVENTS
from trackrecord.events.codec import MAX_EVENT_BYTES, decode, encode

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"

Members = list[tuple[Fragment, Fragment]]
"""A JSON object as texts: pairs of key and value, in order, equal keys allowed."""

Headers = list[tuple[str, bytes | None]]

_GROWN = re.compile(rb'"-?[0-9]+[.0-9]*(-[0-9]{2}-[0-9]{2}T[0-9:.]*Z)?"$')
"""A decimal or a time, quoted."""


@dataclass(frozen=True)
class Payload:
    """What is sent to the topic of an event type.

    Attributes:
        event_type: The topic, without a prefix.
        kind: The last bend that was made, to tell what was tried.
        key: The message's key.
        value: Its bytes.
        headers: Its headers, wrong ones among them.
    """

    event_type: str
    kind: str
    key: bytes | None
    value: bytes | None
    headers: Headers


@cache
def examples(event_type: str) -> tuple[Members, ...]:
    """The examples of an event type as members."""
    found = []
    for path in sorted((EXAMPLES / event_type).glob("*.json")):
        data = json.loads(path.read_bytes())
        found.append([(quoted(k), json.dumps(v).encode()) for k, v in data.items()])
    assert found, f"no examples of {event_type} under {EXAMPLES}"
    return tuple(found)


@cache
def names(event_type: str) -> tuple[Fragment, ...]:
    """The names that the fields of an event type have on the wire."""
    fields = EVENTS[event_type].model_fields
    return tuple(quoted(field.alias or name) for name, field in fields.items())


# -- bending members --------------------------------------------------------------------------


def _put(members: Members, name: Fragment, value: Fragment) -> None:
    for index, (key, _) in enumerate(members):
        if key == name:
            members[index] = (key, value)
            return
    members.append((name, value))


def drop(rng: random.Random, members: Members, _event_type: str) -> None:
    if members:
        del members[rng.randrange(len(members))]


def duplicate(rng: random.Random, members: Members, _event_type: str) -> None:
    if members:
        key, value = rng.choice(members)
        again = rng.choice([value, rng.choice(fragments.HOSTILE)])
        members.insert(rng.randint(0, len(members)), (key, again))


def shadow(rng: random.Random, members: Members, event_type: str) -> None:
    """Put a bad value before a good one of the same name: it is skipped, but it was there."""
    name = rng.choice(names(event_type))
    bad = fragments.nested(rng) if rng.random() < 0.2 else rng.choice(fragments.HOSTILE)
    members.insert(0, (name, bad))
    if all(key != name for key, _ in members[1:]):
        members.append((name, rng.choice([b'{"a": 1}', b"null"])))


def retype(rng: random.Random, members: Members, event_type: str) -> None:
    _put(members, rng.choice(names(event_type)), rng.choice(fragments.HOSTILE))


def randomise(rng: random.Random, members: Members, event_type: str) -> None:
    _put(members, rng.choice(names(event_type)), rng.choice(fragments.MAKERS)(rng))


def exchange(rng: random.Random, members: Members, _event_type: str) -> None:
    """Swap the values of two fields."""
    if len(members) > 1:
        a, b = rng.sample(range(len(members)), 2)
        members[a], members[b] = (
            (members[a][0], members[b][1]),
            (members[b][0], members[a][1]),
        )


def requote(rng: random.Random, members: Members, _event_type: str) -> None:
    """Put a value in quotes, or take them off: "1" for 1 and 1 for "1"."""
    if members:
        index = rng.randrange(len(members))
        key, value = members[index]
        is_text = value[:1] == b'"'
        members[index] = (key, value[1:-1] if is_text else b'"' + value.strip(b'"') + b'"')


def rename(rng: random.Random, members: Members, _event_type: str) -> None:
    if members:
        index = rng.randrange(len(members))
        key, value = members[index]
        bare = key[1:-1]
        members[index] = (
            rng.choice(
                [
                    b'"' + bare.upper() + b'"',
                    b'"' + bare + b' "',
                    b'"' + bare + b'_"',
                    b'"' + bare + b'\\u0000"',
                    b'"\\u%04x' % (bare[0] if bare else 0) + bare[1:] + b'"',
                    b'"' + bare + b"\xc2\xad" + b'"',
                    b'"return_"',
                    b'"__class__"',
                    b'"\\ud800"',
                    b'""',
                    bare,
                ]
            ),
            value,
        )


def add(rng: random.Random, members: Members, _event_type: str) -> None:
    key = rng.choice([b'"extra"', b'"ce_id"', b'"Price"', b'"return_"', quoted("k" * 300)])
    value = rng.choice([b"1", b'"x"', rng.choice(fragments.HOSTILE), fragments.random_json(rng)])
    members.insert(rng.randint(0, len(members)), (key, value))


def regrow(rng: random.Random, members: Members, _event_type: str) -> None:
    """Put another decimal or time where one stood: most are valid, some just not."""
    found = [index for index, (_, value) in enumerate(members) if _GROWN.match(value)]
    if found:
        index = rng.choice(found)
        key, value = members[index]
        make = fragments.time_text if b":" in value else fragments.decimal_text
        members[index] = (key, make(rng))


def shuffle(rng: random.Random, members: Members, _event_type: str) -> None:
    rng.shuffle(members)


def edit_text(rng: random.Random, members: Members, _event_type: str) -> None:
    """Insert into a text, or cut it: most stays as the example had it."""
    texts = [index for index, (_, value) in enumerate(members) if value[:1] == b'"']
    if texts:
        index = rng.choice(texts)
        key, value = members[index]
        at = rng.randint(1, max(1, len(value) - 1))
        inserted = rng.choice(
            [b"0", b"9", b"\\u0000", b"\xc3\xa9", b".", b"-", b" ", b"\\n", b"e", b"", b"\\ud800"]
        )
        members[index] = (key, value[:at] + inserted + value[at + (not inserted) :])


_BENDS: Sequence[Callable[[random.Random, Members, str], None]] = (
    drop, duplicate, shadow, retype, retype, retype, randomise, randomise, randomise, regrow,
    regrow, regrow, regrow, exchange, requote, rename, add, shuffle, edit_text, edit_text,
)  # fmt: skip


def _large(rng: random.Random, members: Members, event_type: str) -> None:
    """Grow to around the limit of a message's bytes, or nest to around that of depth."""
    how = rng.randrange(4)
    name = rng.choice([*names(event_type), b'"extra"'])
    if how == 0:
        _put(members, name, fragments.deep(rng))
    elif how == 1:
        _put(members, name, fragments.wide(rng))
    else:
        room = MAX_EVENT_BYTES - len(_written(members, b":", b",")) - len(b',"padding":""')
        members.append((b'"padding"', b'"' + b"x" * (room + rng.choice([-1, 0, 0, 1, 2])) + b'"'))


# -- writing, and bending bytes ---------------------------------------------------------------


def _written(members: Members, colon: bytes, comma: bytes) -> bytes:
    return b"{" + comma.join(key + colon + value for key, value in members) + b"}"


_COLONS = (b":", b": ", b" : ", b"\t:\r\n", b":\x0c", b":\xc2\xa0")
_COMMAS = (b",", b", ", b" ,", b",\n\t", b",,", b";")


_BEFORE = (b"\xef\xbb\xbf", b"\xff\xfe", b"\x00", b" ", b"\n\t\r ", b"\x0b")
_BEHIND = (b" \r\n\t", b",", b"\x00", b"}", b"null", b"{}", b"\xef\xbb\xbf", b"\xc2\x85")
_ENCODINGS = ("utf-16", "utf-16-le", "utf-32", "utf-7", "latin-1")

_BYTE_BENDS: Sequence[Callable[[random.Random, bytes, int], bytes]] = (
    lambda _rng, value, at: value[:at],
    lambda rng, value, at: value[:at] + rng.randbytes(1) + value[at + 1 :],
    lambda rng, value, at: value[:at] + rng.randbytes(rng.randint(1, 4)) + value[at:],
    lambda rng, value, at: value[:at] + value[at + rng.randint(1, 8) :],
    lambda rng, value, _at: rng.choice(_BEFORE) + value,
    lambda rng, value, _at: value + rng.choice(_BEHIND),
    lambda _rng, value, _at: value + value,
    lambda rng, value, _at: value.decode(errors="replace").encode(
        rng.choice(_ENCODINGS), errors="replace"
    ),
    lambda _rng, value, _at: b"[" + value + b"]",
    lambda _rng, value, _at: quoted(value.decode(errors="replace")),
)
"""Each takes a payload and a place in it."""


def _bend_bytes(rng: random.Random, value: bytes) -> bytes:
    if not value:
        return rng.randbytes(3)
    return rng.choice(_BYTE_BENDS)(rng, value, rng.randrange(len(value)))


_NEVER_JSON: Sequence[bytes | None] = (
    None, b"", b" ", b"null", b"true", b"0", b"[]", b"{}", b'""', b"{", b"}", b'"', b"\x00",
    b"{}{}", b"not json", b"\xff\xfe", b"\xef\xbb\xbf", b"NaN", b"-", b"\\", b"[" * 100_000,
    b'{"a":' * 50_000, b" " * MAX_EVENT_BYTES, b" " * (MAX_EVENT_BYTES + 1), b'"' + b"\\" * 1001,
    b"-" * 1000, b"1" * 5000, b"1" * MAX_EVENT_BYTES, b"\x1f\x8b\x08\x00", b"PK\x03\x04",
)  # fmt: skip


def _bytes_at_random(rng: random.Random) -> bytes | None:
    kind = rng.randrange(10)
    if kind == 0:
        return rng.choice(_NEVER_JSON)
    if kind <= 4:
        return rng.randbytes(rng.choice([1, 2, 5, 20, 300]))
    if kind <= 7:
        return bytes(rng.choice(b'{}[]:,"\\ \n0123456789-+.eEtrufalsn\x00\xc3\xa9')
                     for _ in range(rng.randint(1, 60)))  # fmt: skip
    return fragments.random_json(rng)


# -- keys and headers -------------------------------------------------------------------------

_KEYS: Sequence[bytes | None] = (
    None, b"", b"AAPL", b"\x00", b"\xff\xfe", b"k" * 10_000, "🔑".encode(), b'{"a":1}',
)  # fmt: skip


def _headers(rng: random.Random, event_type: str) -> Headers:
    own = EVENTS[event_type].ce_type().encode()
    kind = rng.randrange(40)
    if kind < 28:
        return [("ce_type", own)]
    if kind < 31:
        return []
    other = rng.choice(list(EVENTS.values())).ce_type().encode()
    wrong: bytes | None = rng.choice(
        [other, own[:-1] + b"2", own + b" ", own.upper(), b"", None, b"\xff", b"\x00", b"x" * 5000]
    )
    if kind < 36:
        return [("ce_type", wrong)]
    noise: Headers = [
        ("traceparent", rng.choice([b"", b"00-0-0-00", b"\xff", b"a-b-c-d", None])),
        ("dlq_attempt", rng.choice([b"2", b"-1", b"9" * 50, "٣".encode(), b"\xff", None])),
        (rng.choice(["", "n\x00ame", "é", "x" * 2000, "dlq_id"]), rng.randbytes(5)),
        ("ce_type", rng.choice([own, wrong])),
        ("ce_id", rng.choice([b"\xff", b"", None, b"\x00"])),
    ]
    rng.shuffle(noise)
    return noise


_COLUMNAR = ("signal_emitted", "signal_closed", "script_executed", "market_bar")
_TYPES = (*EVENTS, *_COLUMNAR * 4)
"""What a payload is sent as: the types that come in volume are likelier."""

# -- all together -----------------------------------------------------------------------------


def payload(rng: random.Random) -> Payload:
    """One payload; a few in a hundred are valid as they are."""
    event_type = rng.choice(_TYPES)
    chance = rng.random()
    value: bytes | None
    if chance < 0.03:
        kind, value = "bytes", _bytes_at_random(rng)
    else:
        members = list(rng.choice(examples(event_type)))
        kind = "example"
        for _ in range(rng.choice((0, 1, 1, 1, 1, 2, 2, 3))):
            bend = rng.choice(_BENDS)
            bend(rng, members, event_type)
            kind = bend.__name__
        if chance < 0.033:
            _large(rng, members, event_type)
            kind = "large"
        odd = rng.random() < 0.06
        colon = rng.choice(_COLONS) if odd else rng.choice(_COLONS[:2])
        comma = rng.choice(_COMMAS) if odd else rng.choice(_COMMAS[:2])
        value = _written(members, colon, comma)
        if rng.random() < 0.12:
            kind, value = "bytes of JSON", _bend_bytes(rng, value)
    key = rng.choice(_KEYS) if rng.random() < 0.1 else b"AAPL"
    return Payload(event_type, kind, key, value, _headers(rng, event_type))


def payloads(seed: int | str, count: int) -> Iterator[Payload]:
    """So many payloads; the same seed gives the same ones."""
    rng = random.Random(seed)
    for _ in range(count):
        yield payload(rng)


def clean(seed: int | str, count: int) -> Iterator[Payload]:
    """So many payloads as the SDK writes them."""
    rng = random.Random(seed)
    for _ in range(count):
        event_type = rng.choice(_TYPES)
        own: Headers = [("ce_type", EVENTS[event_type].ce_type().encode())]
        yield Payload(event_type, "clean", b"AAPL", rng.choice(_as_sent(event_type)), own)


@cache
def _as_sent(event_type: str) -> tuple[bytes, ...]:
    paths = sorted((EXAMPLES / event_type).glob("*.json"))
    return tuple(encode(decode(EVENTS[event_type], path.read_bytes())) for path in paths)
