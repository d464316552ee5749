"""API keys: what one looks like, and what it may be used for."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from trackrecord.access.roles import Scope
from trackrecord.access.tokens import digest
from trackrecord.errors import TrackrecordError
from trackrecord.events.types import Account

BEGINS: Final = "tr_"
"""What every key begins with, so that whoever finds one knows what it opens."""

_SHOWN: Final = 8
_KEY: Final = re.compile(r"tr_[A-Za-z0-9_-]{43}")

USE_NOTED_EVERY: Final = timedelta(minutes=1)
"""The last use of a key is kept to the minute: not every request writes."""

MOST_NAMES: Final = 100
"""Strategies and scripts that one key may be limited to."""


class KeyRefusedError(TrackrecordError, ValueError):
    """A key cannot be made as it was asked for."""


@dataclass(frozen=True)
class NewKey:
    """A key as it is shown, once.

    Attributes:
        text: The key.
        prefix: Its first characters, by which it is told from others later.
        digest: What is kept of it.
    """

    text: str
    prefix: str
    digest: bytes


def new_key() -> NewKey:
    """A key that nobody else has."""
    text = BEGINS + secrets.token_urlsafe(32)
    return NewKey(text, text[: len(BEGINS) + _SHOWN], digest(text))


def looks_like_one(text: str) -> bool:
    """Whether a text has the form of a key; else there is no need to look for it."""
    return _KEY.fullmatch(text) is not None


def check(scopes: Sequence[Scope], names: Sequence[str] | None, account: Account | None) -> None:
    """See that a key with these properties makes sense.

    Args:
        scopes: What it may be used for.
        names: The strategies and scripts that it may publish; None: any that are its user's.
        account: The kind of account that its signals are of where they do not say.

    Raises:
        KeyRefusedError: It does not.
    """
    if not scopes:
        raise KeyRefusedError("a key has one scope at least: publish, read or manage")
    if len(set(scopes)) != len(scopes):
        raise KeyRefusedError("a scope is named twice")
    if "publish" not in scopes and (names is not None or account is not None):
        raise KeyRefusedError("names and an account kind are for keys with the scope publish")
    if names is not None and not 1 <= len(names) <= MOST_NAMES:
        raise KeyRefusedError(f"a key is limited to 1 to {MOST_NAMES} names, or to none at all")


def should_note(last_used_at: datetime | None, now: datetime) -> bool:
    """Whether a use is worth writing down."""
    return last_used_at is None or now - last_used_at >= USE_NOTED_EVERY
