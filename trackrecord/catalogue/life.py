"""What may become of a strategy: draft, validated, active, archived.

A strategy begins as a draft, or validated where its code passed. Only a validated one, or one that
was archived, becomes active, and only an active one is asked for decisions. Whatever is refused
here is said in words for its owner, with what to do instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from trackrecord.errors import TrackrecordError

Status = Literal["draft", "validated", "active", "archived"]
"""Where a strategy stands."""
STATUSES: Final[tuple[Status, ...]] = ("draft", "validated", "active", "archived")

EVERY_SYMBOL: Final = "*"
"""Alone in a strategy's list of symbols: whatever has bars."""
MOST_SYMBOLS: Final = 1_000
LONGEST_NAME: Final = 128
LONGEST_DESCRIPTION: Final = 5_000

_FOLLOWS: Final[Mapping[Status, frozenset[Status]]] = {
    "draft": frozenset({"validated"}),
    "validated": frozenset({"active", "archived"}),
    "active": frozenset({"archived"}),
    "archived": frozenset({"active"}),
}
_TIMEFRAME: Final = re.compile(r"[1-9][0-9]{0,3}[smhdwM]")


class StrategyRefusedError(TrackrecordError):
    """Something that was asked for a strategy is not done; the message says what to do instead."""


class NoStrategyError(TrackrecordError):
    """There is no such strategy, or it is not for this session to know of."""


@dataclass(frozen=True)
class Standing:
    """What decides whether a strategy may become active.

    Attributes:
        name: What it is called.
        status: Where it stands.
        is_valid: Whether its present version passed.
        symbols: What it is to trade.
        timeframe: The bars that it decides on.
    """

    name: str
    status: Status
    is_valid: bool
    symbols: Sequence[str]
    timeframe: str


def may_follow(before: Status, after: Status) -> bool:
    """Whether a strategy may go from one status to another; staying is not going."""
    return after in _FOLLOWS[before]


def first_status(*, is_valid: bool) -> Status:
    """Where a strategy stands with its first version."""
    return "validated" if is_valid else "draft"


def status_with(name: str, before: Status, *, is_valid: bool) -> Status:
    """Where a strategy stands with a new version.

    Raises:
        StrategyRefusedError: It is active, and this version is not valid.
    """
    if before == "active":
        if not is_valid:
            raise StrategyRefusedError(
                f"{name!r} is active, and what it is to do instead is not valid: nothing is changed"
            )
        return before
    return before if before == "archived" else first_status(is_valid=is_valid)


def require_activable(found: Standing) -> None:
    """Check that a strategy may become active, as far as it alone tells.

    Raises:
        StrategyRefusedError: It may not; says why.
    """
    if found.status == "active":
        raise StrategyRefusedError(f"{found.name!r} is active already")
    if not found.is_valid:
        raise StrategyRefusedError(
            f"{found.name!r} is a draft: make a version of it that is valid, and activate that"
        )
    if not may_follow(found.status, "active"):
        raise StrategyRefusedError(f"{found.name!r} is {found.status}, and cannot become active")
    if not found.symbols:
        raise StrategyRefusedError(
            f"{found.name!r} has no symbols: say which it is to trade, or {EVERY_SYMBOL} for "
            "whatever has bars"
        )
    require_timeframe(found.timeframe)


def require_archivable(name: str, status: Status) -> None:
    """Check that a strategy may be archived.

    Raises:
        StrategyRefusedError: It may not; says why.
    """
    if status == "archived":
        raise StrategyRefusedError(f"{name!r} is archived already")
    if not may_follow(status, "archived"):
        raise StrategyRefusedError(f"{name!r} is a {status}, which can be deleted but not archived")


def require_timeframe(timeframe: str) -> None:
    """Check that a timeframe can be that of bars.

    Raises:
        StrategyRefusedError: It cannot.
    """
    if not _TIMEFRAME.fullmatch(timeframe):
        raise StrategyRefusedError(
            f"{timeframe[:20]!r} is no timeframe: write a number and s, m, h, d, w or M, such as "
            "15m or 1d"
        )


def require_symbols(symbols: Sequence[str]) -> None:
    """Check a list of symbols; an empty one is fine until the strategy is to become active.

    Raises:
        StrategyRefusedError: One cannot be a symbol, or there are too many.
    """
    if len(symbols) > MOST_SYMBOLS:
        raise StrategyRefusedError(
            f"{len(symbols):,} symbols: name at most {MOST_SYMBOLS:,}, or {EVERY_SYMBOL} for "
            "whatever has bars"
        )
    if EVERY_SYMBOL in symbols and len(symbols) > 1:
        raise StrategyRefusedError(f"{EVERY_SYMBOL} is all symbols: name no other beside it")
    for symbol in symbols:
        if not (0 < len(symbol) <= 64 and is_one_line(symbol)):  # noqa: PLR2004 - as in events
            raise StrategyRefusedError(f"{symbol[:64]!r} is no symbol: it has 1 to 64 characters")


def require_name(name: str) -> None:
    """Check what a strategy is to be called.

    Raises:
        StrategyRefusedError: It may not be called so.
    """
    if not (0 < len(name) <= LONGEST_NAME and is_one_line(name) and name.strip() == name):
        raise StrategyRefusedError(
            f"a strategy's name has 1 to {LONGEST_NAME} characters on one line, no blanks around "
            "them"
        )


def is_one_line(text: str) -> bool:
    """Whether a text can stand in an event as an identifier: no control characters."""
    return all(each >= " " and each != "\x7f" and not "\ud800" <= each <= "\udfff" for each in text)


def name_of(words: str, taken: Sequence[str] = ()) -> str:
    """A name for a strategy that nobody has named, from the words that it was asked for with.

    Args:
        words: Such as the sentence.
        taken: Names that its owner has already.
    """
    found = "-".join(re.findall(r"[a-z0-9]+", words.lower()))[:_MADE_NAME].rstrip("-")
    found = found or "strategy"
    name, number = found, 1
    known = set(taken)
    while name in known:
        number += 1
        name = f"{found}-{number}"
    return name


_MADE_NAME: Final = 60
"""Characters of a name that is made from words."""
