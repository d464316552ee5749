"""A look at a whole column against the condition on each of its values."""

from __future__ import annotations

import random
from collections.abc import Callable

import polars as pl
import pytest

from trackrecord.runtime.decoding import field_rules
from trackrecord.runtime.decoding.field_rules import Rule

ODD = [
    "", " ", "-", "-1", "0", "-0.0", "0.0", "1.", ".1", "1e5", "1 2", "1\n", "9" * 21, "abc",
    "a\x00b", "a\nb", "a\x7fb", "é", "0.5", "2026-02-29T00:00:00Z", "2024-02-29T00:00:00Z",
    "2026-04-31T00:00:00Z", "0000-01-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01",
]  # fmt: skip


def decimal(rng: random.Random) -> str:
    whole = str(rng.randrange(1, 10 ** rng.randint(1, 20)))
    return whole + (f".{rng.randrange(10**18)}" if rng.random() < 0.5 else "")


def rate(rng: random.Random) -> str:
    return f"{rng.choice(['', '-'])}0.{rng.randrange(10**9)}"


def time(rng: random.Random) -> str:
    day = f"{rng.randint(1, 9999):04}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    second = f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}"
    return f"{day}T{second}{rng.choice(['', '.5', '.123456'])}Z"


def word(rng: random.Random) -> str:
    return "".join(rng.choices("abc XYZ-09:~", k=rng.randint(1, 40)))


ORDINARY: list[tuple[str, Rule, Callable[[random.Random], str]]] = [
    ("no control character", field_rules.NO_CONTROL, word),
    ("no NUL", field_rules.NO_NUL, word),
    ("positive", field_rules.POSITIVE, decimal),
    ("not negative", field_rules.NOT_NEGATIVE, decimal),
    ("decimal", field_rules.DECIMAL, decimal),
    ("rate", field_rules.RATE, rate),
    ("time", field_rules.UTC_TIME, time),
    ("pattern", field_rules.pattern("[A-Z]{3}"), lambda rng: rng.choice(["USD", "EUR"])),
]


def all_keep(rule: Rule, values: list[str]) -> bool:
    return bool(pl.DataFrame({"a": values}).select(rule.condition(pl.col("a")).all()).item())


@pytest.mark.parametrize(
    ("rule", "ordinary"), [case[1:] for case in ORDINARY], ids=[case[0] for case in ORDINARY]
)
def test_a_look_is_satisfied_by_ordinary_values_and_by_none_that_breaks_the_rule(
    rule: Rule, ordinary: Callable[[random.Random], str]
) -> None:
    rng = random.Random(1)
    for size in [1, 2, 3, 10, 100, 1_000] * 5:
        values = [ordinary(rng) for _ in range(size)]
        assert rule.look(values)
        assert all_keep(rule, values)
        for odd in ODD:
            values[rng.randrange(size)] = odd
            assert all_keep(rule, values) or not rule.look(values), odd
            values = [ordinary(rng) for _ in range(size)]
