"""What has been understood of a sentence so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from trackrecord.strategies.rules.model import Condition, Stop, Target, Trail

Role = Literal["long", "exit", "short", "cover", "filter", "either"]


@dataclass
class Said:
    """What has been understood of a sentence.

    Attributes:
        conditions: Each with what it is for.
        sides: ``long`` or ``short`` only, or ``both``; None where it was not said.
        reverse: Whether the exit is the entry's cross the other way round.
        sold: How many of the exits were said with the verb to sell, which covers nothing.
        covered: Whether something was said to be covered, as only what was sold short is.
        unread: Spans of the text that nothing claimed.
    """

    conditions: list[tuple[Role, Condition]] = field(default_factory=list)
    sides: Literal["long", "short", "both"] | None = None
    stop: Stop | None = None
    target: Target | None = None
    trail: Trail | None = None
    horizon: int | None = None
    weekdays: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    first_of: Literal["week", "month"] | None = None
    reverse: bool = False
    named_cross: bool = False
    unread: list[tuple[int, int]] = field(default_factory=list)
    covered: bool = False
    sold: int = 0
    actions: list[str] = field(default_factory=list)
    operands: int = 0
    bare: list[tuple[str, int, int]] = field(default_factory=list)
