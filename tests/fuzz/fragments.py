"""Pieces of JSON text that lie on, next to or far beyond some limit, and random ones."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence

Fragment = bytes
"""The text of one JSON value, or of what only looks like one."""

_TEXTS = (
    "", " ", "0", "-0", "00", "0.0", "1", "-1", "01.50", "1.50", "+1", " 1", "1 ", "1\n", ".5",
    "5.", "1e3", "1E-3", "NaN", "Infinity", "-Infinity", "\u0661", "\uff11", "1_000", "1,5",
    "9" * 20, "9" * 21, "9" * 400, "1." + "0" * 18, "1." + "0" * 19, "0." + "0" * 17 + "1",
    "-0.000000000000000001", "0.999999999999999999", "1.0", "-0.99", "0x10", "٣",
    "2026-03-02T14:30:00Z", "2026-03-02T14:30:00z", "2026-03-02t14:30:00Z", "2026-03-02 14:30:00Z",
    "2026-03-02T14:30:00", "2026-03-02T14:30:00+05:30", "2026-03-02T14:30:00-00:00",
    "2026-03-02T14:30:00+23:59", "2026-03-02T14:30:00+24:00", "2026-03-02T14:30:00.1Z",
    "2026-03-02T14:30:00.120000Z", "2026-03-02T14:30:00.1234567Z", "2026-02-30T14:30:00Z",
    "2024-02-29T00:00:00Z", "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-05:00", "10000-01-01T00:00:00Z", "2026-03-02T24:00:00Z",
    "2026-03-02T14:60:00Z", "2026-03-02T14:30:60Z", "2026-03-02T14:30:00Z\n", "2026-03-02",
    "20260302T143000Z", "2026-W10-1T00:00:00Z", "BUY", "SELL", "LONG", "SHORT", "buy", "BUY\n",
    "USD", "usd", "U", "USD\n", "A" * 12, "A" * 13, "1d", "0d", "1D", "1M", "9999m", "10000m",
    "1d\n", "own", "barriers", "filled", "next_open", "completed", "failed", "draft", "validated",
    "target", "stop", "expired", "void", "pending", "stop_first", "x" * 64, "x" * 65, "x" * 128,
    "x" * 129, "x" * 200, "x" * 201, "x" * 1024, "x" * 1025, "é" * 64, "é" * 128, "é" * 129,
    "\U0001f4c8" * 64, "\U0001f4c8" * 128, "a\nb", "a\tb", "a\x1fb", "a\x7fb", "a\x80b", "a\u2028b",
    "a\u0085b", "a\ufeffb", "\u202e", "e\u0301", "Ünïcode ✓", '"quoted", \\ and, commas', "\\N",
    "\\.", "null", "true", "'; DROP TABLE signals; --", "%s", "{}", "\\x00", "\\u0000",
)  # fmt: skip

_NUMBERS = (
    b"0", b"-0", b"1", b"-1", b"2", b"150", b"150.25", b"0.0", b"-0.0", b"1.0", b"0.5", b"1.5",
    b"2147483647", b"2147483648", b"-2147483648", b"-2147483649", b"9223372036854775807",
    b"9223372036854775808", b"-9223372036854775808", b"-9223372036854775809",
    b"18446744073709551615", b"18446744073709551616", b"9" * 20, b"9" * 21, b"1" + b"0" * 400,
    b"1" + b"0" * 4299, b"1" + b"0" * 4300, b"1" + b"0" * 10_000, b"1e0", b"1E2", b"1e+2", b"1e-2",
    b"1e308", b"1e309", b"-1e309", b"1e400", b"1e-400", b"1e99999999999", b"1.0e0", b"0e0",
    b"0.1e1", b"0.30000000000000004", b"1.0000000000000000001", b"0.99999999999999999999",
    b"5e-324", b"2.2250738585072011e-308", b"1.7976931348623159e308", b"0." + b"3" * 500,
    b"123456789012345678901234567890.5", b"9007199254740993", b"9007199254740993.0",
)  # fmt: skip

_NOT_JSON = (
    b"NaN", b"Infinity", b"-Infinity", b"nan", b"inf", b"+1", b"01", b"-01", b"00", b".5", b"5.",
    b"1e", b"1e+", b"-", b"--1", b"0x1F", b"0b1", b"1_000", b"1,", b",1", b"'x'", b"x", b"True",
    b"None", b"undefined", b"nul", b"tru", b'"', b'"x', b'"\\"', b'"\\x41"', b'"\\u12"',
    b'"\\uZZZZ"', b'"\\ud8"', b'"\x00"', b'"\n"', b'"\t"', b'"\x1f"', b'"\xff"', b'"\xc0\x80"',
    b'"\xed\xa0\x80"', b'"\xed\xb0\x80"', b'"\xf4\x90\x80\x80"', b'"\xe2\x82"', b'"\x80"', b"[",
    b"]", b"{", b"}", b"[1,]", b"[,1]", b'{"a":1,}', b'{"a"}', b"{1:2}", b"{a:1}", b'{"a" 1}',
    b"/* c */ 1", b"1 // c", b"", b" ", b"\xa0", b"\xef\xbb\xbf1", b"[1 2]", b"1 2",
)  # fmt: skip

_ESCAPED = (
    b'"\\ud800"', b'"\\udfff"', b'"\\udc00\\ud800"', b'"x\\ud83d"', b'"\\ud83d\\ude00"',
    b'"\\uD83D\\uDE00"', b'"\\ud800\\ud800\\udc00"', b'"\\u0000"', b'"a\\u0000b"', b'"\\u001f"',
    b'"\\n"', b'"\\/"', b'"\\u0042\\u0055\\u0059"', b'"\\u0031"', b'"1\\u002e5"', b'"\\u00e9"',
    b'"\\ud800x\\udc00"', b'"\\ufeff"', b'"\\uffff"',
)  # fmt: skip

_NESTED = (
    b"[]", b"{}", b"[1]", b'["x"]', b"[null]", b"[[]]", b"[{}]", b'[{"a": 1}]', b'{"a": 1}',
    b'{"a": 1.0}', b'{"a": null}', b'{"": ""}', b'{"a": {"b": [null, "x"]}}', b'{"a":1,"a":2}',
    b'{"a": "x", "a" : "y"}', b'{"a": "\\u0000"}', b'{"\\u0000": 1}', b'{"\\ud800": 1}',
    b'{"a": "\\udfff"}', b'{"a": 99999999999999999999}', b'{"a": 9223372036854775808}',
    b'{"a": 1e999}', b'{"a": NaN}', b'{"a": -0}', b'{"a": 1e2}', b'{"a": 1.10}', b'{"a": 01}',
    b'{"a": 123456789012345}', b'{"a": 1234567890123456}', b'{"a": 0.123456789012}',
    b'{"a": 0.1234567890123}', b'{"a":  1}', b'{"a" :1}', b'{ "a":1}', b'{"a":1 }',
    b'{"a":1,"b":2}', b'{"a":1, "b":2}', b'{"a":1,  "b":2}', b'{"a": true, "b": false}',
    b'{"a": "\x7f"}', b'{"a": "\xc3\xa9"}', b'{"a": "\xff"}', b'{"a\xed\xa0\x80": 1}',
    b'{"a\\"b": 1}', b'{"a": "\xe2\x80\xa8"}', b'{"a": "\\u2028"}', b'{"a": {}}', b'{"a": []}',
)  # fmt: skip


def quoted(text: str) -> Fragment:
    """A text as JSON; a lone surrogate stays an escape."""
    return json.dumps(text).encode()


HOSTILE: Sequence[Fragment] = (
    *(quoted(text) for text in _TEXTS),
    *(json.dumps(text, ensure_ascii=False).encode() for text in _TEXTS),
    *_NUMBERS,
    *_NOT_JSON,
    *_ESCAPED,
    *_NESTED,
    b"null", b"true", b"false",
)  # fmt: skip
"""Values for any field: each breaks a rule of some field and keeps those of another."""


def decimal_text(rng: random.Random) -> Fragment:
    """A decimal of up to 22 digits before the point and 20 after it, plain or nearly so."""
    whole = str(rng.randrange(10 ** rng.randint(1, 22)))
    text = rng.choice(["", "", "", "-", "+", "0", "00"]) + whole
    if rng.random() < 0.7:
        places = rng.randint(0, 20)
        text += "." + (str(rng.randrange(10**places)).zfill(places) if places else "")
    if rng.random() < 0.05:
        text += rng.choice(["e0", "E5", "e-3", "e+18", "f", "d", " ", "\u0660", "%"])
    return quoted(text)


def time_text(rng: random.Random) -> Fragment:
    """A time, on the calendar or just off it."""
    year = rng.choice([rng.randint(1990, 2040), rng.randint(0, 9999), 1, 9999, 1900, 2000])
    text = (
        f"{year:04}-{rng.randint(0, 13):02}-{rng.randint(0, 32):02}"
        f"{rng.choice('TTTTTTTTt ')}{rng.randint(0, 24):02}:{rng.randint(0, 60):02}"
        f":{rng.randint(0, 60):02}"
    )
    if rng.random() < 0.5:
        places = rng.randint(0, 8)
        text += "." + "".join(rng.choice("0123456789") for _ in range(places))
    text += rng.choice(["Z", "Z", "Z", "Z", "z", "", "+00:00", "-00:00", "+05:30", "-23:59",
                        "+24:00", "+0530", "+05", "+05:30:15", "ZZ", " Z"])  # fmt: skip
    return quoted(text)


def number_text(rng: random.Random) -> Fragment:
    """A JSON number of any length, with or without an exponent."""
    text = rng.choice(["", "-"]) + str(rng.randrange(10 ** rng.randint(1, 30)))
    if rng.random() < 0.6:
        text += "." + str(rng.randrange(10 ** rng.randint(1, 30)))
    if rng.random() < 0.3:
        text += rng.choice("eE") + rng.choice(["", "+", "-"]) + str(rng.randint(0, 400))
    return text.encode()


def fraction_text(rng: random.Random) -> Fragment:
    """A number between 0 and 1 of up to 40 digits: two decoders may round it apart."""
    return b"0." + str(rng.randrange(10 ** rng.randint(1, 40))).encode()


def text_of_any_characters(rng: random.Random) -> Fragment:
    """A text of characters from every plane, surrogates among them, escaped or raw."""
    ranges = [
        (32, 126),
        (0, 31),
        (127, 255),
        (0x2000, 0x206F),
        (0xD7F0, 0xE010),
        (0x1F300, 0x1FFFF),
    ]
    characters = []
    for _ in range(rng.choice([1, 3, 10, 63, 64, 65, 127, 128, 129, 200, 201])):
        low, high = ranges[0] if rng.random() < 0.8 else rng.choice(ranges)
        characters.append(chr(rng.randint(low, high)))
    text = "".join(characters)
    if rng.random() < 0.5:
        return quoted(text)
    return json.dumps(text, ensure_ascii=False).encode(errors="surrogatepass")


def random_json(rng: random.Random, depth: int = 0) -> Fragment:
    """A JSON value of any shape, a few levels deep."""
    kind = rng.randrange(8 if depth < 4 else 5)
    if kind <= 1:
        return rng.choice(HOSTILE)
    if kind == 2:
        return number_text(rng)
    if kind == 3:
        return text_of_any_characters(rng)
    if kind == 4:
        return rng.choice([b"null", b"true", b"false", b"1", b'"x"'])
    between = rng.choice([b",", b", ", b" ,\n"])
    items = [random_json(rng, depth + 1) for _ in range(rng.randint(0, 4))]
    if kind == 5:
        return b"[" + between.join(items) + b"]"
    colon = rng.choice([b":", b": ", b" : "])
    keys = [rng.choice([b'"a"', b'"b"', b'""', quoted(str(n)), b'"k\\u00e9"']) for n in range(5)]
    return b"{" + between.join(k + colon + v for k, v in zip(keys, items, strict=False)) + b"}"


def deep(rng: random.Random) -> Fragment:
    """Nesting around each limit that some parser has, and far beyond; closed or not."""
    levels = rng.choice([30, 31, 32, 33, 34, 64, 128, 255, 256, 500, 990, 1000, 1024, 5000, 40_000])
    left, right = rng.choice([(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
    core = rng.choice([b"1", b"null", b'"x"', left + right])
    closing = right * (levels - rng.choice([0, 0, 0, 1, levels]))
    return left * levels + core + closing


def nested(rng: random.Random) -> Fragment:
    """Nesting that is closed, of up to about a thousand levels."""
    levels = rng.choice([2, 32, 33, 200, 254, 255, 256, 257, 300, 500, rng.randint(900, 1010)])
    left, right = rng.choice([(b"[", b"]"), (b'{"a":', b"}")])
    return left * levels + b"1" + right * levels


def wide(rng: random.Random) -> Fragment:
    """Many keys or items, each small."""
    count = rng.choice([100, 1000, 5000])
    if rng.random() < 0.5:
        return b"[" + b",".join([rng.choice(HOSTILE[:40])] * count) + b"]"
    return b"{" + b",".join(b'"%d":%d' % (n, n) for n in range(count)) + b"}"


MAKERS: Sequence[Callable[[random.Random], Fragment]] = (
    decimal_text,
    decimal_text,
    time_text,
    time_text,
    number_text,
    fraction_text,
    text_of_any_characters,
    random_json,
)
"""Makers of random values, the likelier ones named twice."""
