"""Passwords: what may be one, and how one is kept and compared (argon2id).

To compare takes as long as it is meant to: 46 MiB and two passes, about 60 ms of a core. Whoever
serves requests does it beside its loop, and few at a time; see :class:`Comparisons`.
"""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from trackrecord.errors import TrackrecordError

MEMORY_KIB: Final = 47_104
PASSES: Final = 2
LANES: Final = 1
AT_ONCE: Final = 2
"""Comparisons at a time in one process: each takes 46 MiB."""

SHORTEST: Final = 10
"""Characters."""
LONGEST: Final = 256

_hasher: Final = PasswordHasher(
    time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, hash_len=32, salt_len=16
)

NOBODYS: Final = (
    "$argon2id$v=19$m=47104,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)
"""What is compared with where there is no such user: it takes as long, and no password fits."""


class PasswordRefusedError(TrackrecordError, ValueError):
    """A text may not be a password."""


def new_password() -> str:
    """A password that nobody guesses: 24 characters of 64."""
    return secrets.token_urlsafe(18)


def kept(password: str, user: str = "") -> str:
    """A new password as it is kept.

    Args:
        password: In clear.
        user: The user's name, which may not be the password.

    Raises:
        PasswordRefusedError: It may not be one.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise PasswordRefusedError(f"a password has {SHORTEST} to {LONGEST} characters")
    if user and password.strip().lower() == user:
        raise PasswordRefusedError("a password is not the user's name")
    if len(set(password)) == 1:
        raise PasswordRefusedError("a password has more than one character in it")
    try:
        return _hasher.hash(_plain(password))
    except UnicodeEncodeError:
        raise PasswordRefusedError(
            "the password holds a lone surrogate, which is not a character"
        ) from None


def fits(password: str, as_kept: str | None) -> bool:
    """Whether a password is the one that is kept; it takes the same time where none is."""
    try:
        _hasher.verify(as_kept or NOBODYS, _plain(password[: LONGEST + 1]))
    except (Argon2Error, InvalidHashError, UnicodeEncodeError):
        return False
    return as_kept is not None


def is_outdated(as_kept: str) -> bool:
    """Whether what is kept was made with other parameters than those of today."""
    return _hasher.check_needs_rehash(as_kept)


def _plain(password: str) -> str:
    # What looks the same is the same, on whichever keyboard it was typed.
    plain = unicodedata.normalize("NFKC", password)
    plain.encode()
    return plain


class Comparisons:
    """Compares passwords beside a loop, a few at a time."""

    def __init__(self) -> None:
        """Compare nothing yet."""
        self._places = asyncio.Semaphore(AT_ONCE)

    async def fits(self, password: str, as_kept: str | None) -> bool:
        """As :func:`fits`, without holding up the loop."""
        async with self._places:
            return await asyncio.to_thread(fits, password, as_kept)
