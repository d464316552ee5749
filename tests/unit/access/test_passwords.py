"""Passwords: how they are kept and compared."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type

from trackrecord.access import passwords
from trackrecord.access.passwords import Comparisons, PasswordRefusedError, fits, kept


def test_a_password_is_kept_with_the_stated_parameters_and_a_salt_of_its_own() -> None:
    first, second = kept("correct horse"), kept("correct horse")
    assert first != second
    assert "correct" not in first
    found = extract_parameters(first)
    assert (found.type, found.memory_cost, found.time_cost, found.parallelism) == (
        Type.ID,
        47_104,
        2,
        1,
    )
    assert not passwords.is_outdated(first)
    assert passwords.is_outdated(first.replace("t=2", "t=1"))


def test_only_the_same_password_fits() -> None:
    hashed = kept("correct horse")
    assert fits("correct horse", hashed)
    assert not fits("correct horse ", hashed)
    assert not fits("", hashed)
    assert not fits("\ud800", hashed)
    assert not fits("x" * 100_000, hashed)
    assert not fits("correct horse", "no hash at all")


def test_what_looks_the_same_is_the_same_password() -> None:
    assert fits("cafe\u0301 au lait", kept("caf\u00e9 au lait"))


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("short", "10 to 256"),
        ("x" * 257, "10 to 256"),
        ("aaaaaaaaaaaa", "more than one character"),
        ("alice.smith", "not the user's name"),
        (" ALICE.SMITH", "not the user's name"),
        ("correct \ud800 horse", "lone surrogate"),
    ],
)
def test_what_may_not_be_a_password_is_refused_with_the_reason(password: str, words: str) -> None:
    with pytest.raises(PasswordRefusedError, match=words):
        kept(password, "alice.smith")


def test_nobody_s_password_is_compared_for_as_long_and_never_fits() -> None:
    hashed = kept("correct horse")

    def least(as_kept: str | None) -> float:
        took = []
        for _ in range(5):
            began = time.process_time()
            assert not fits("wrong password", as_kept)
            took.append(time.process_time() - began)
        return min(took)

    assert least(None) == pytest.approx(least(hashed), rel=0.5)


def test_passwords_are_compared_two_at_a_time_beside_the_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, most, lock = 0, 0, threading.Lock()

    def slow(_password: str, _kept: str | None) -> bool:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.02)
        with lock:
            now -= 1
        return True

    monkeypatch.setattr(passwords, "fits", slow)

    async def many() -> int:
        comparisons, turns = Comparisons(), 0

        async def turn() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0.001)

        turning = asyncio.create_task(turn())
        assert all(await asyncio.gather(*(comparisons.fits("x", None) for _ in range(8))))
        turning.cancel()
        return turns

    assert asyncio.run(many()) > 10
    assert most == 2
