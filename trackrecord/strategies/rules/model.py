"""What a rule is: conditions on closed bars, what is done when they hold, and how it ends.

Everything is a frozen value, so two rules are the same exactly when they compare equal. Periods
count bars, percents are 5.0 for 5 %. A rule is decided at the close of a bar and acts at the next
bar's open; see :mod:`trackrecord.strategies.contract` for what follows from a decision.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from trackrecord.strategies.contract import Sides

FieldName = Literal["open", "high", "low", "close", "volume"]
Comparison = Literal[">", ">=", "<", "<="]
Direction = Literal["above", "below"]

FLIPPED: Final[dict[Comparison, Comparison]] = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
"""The same comparison with its sides exchanged."""
OPPOSITE: Final[dict[Comparison, Comparison]] = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}
"""What holds where a comparison does not."""


@dataclass(frozen=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True)
class Field:
    """A field of the bar."""

    name: FieldName


@dataclass(frozen=True)
class Indicator:
    """An indicator of the catalogue.

    Attributes:
        name: One of :data:`trackrecord.strategies.rules.catalogue.CATALOGUE`.
        settings: Its periods and factors, in the catalogue's order.
        source: What it is worked out of; None where it takes fields of its own.
    """

    name: str
    settings: tuple[float, ...] = ()
    source: Operand | None = None


@dataclass(frozen=True)
class Ago:
    """What an operand was some bars before."""

    operand: Operand
    bars: int


@dataclass(frozen=True)
class Multiple:
    """A factor times an operand."""

    factor: float
    operand: Operand


@dataclass(frozen=True)
class Away:
    """An operand plus a percentage of it; -5 is 5 % below."""

    operand: Operand
    percent: float


@dataclass(frozen=True)
class Apart:
    """An operand plus a multiple of another: the average minus two ranges."""

    operand: Operand
    factor: float
    width: Operand


Operand = Number | Field | Indicator | Ago | Multiple | Away | Apart


@dataclass(frozen=True)
class Compare:
    """One operand against another; false where either is undefined."""

    left: Operand
    op: Comparison
    right: Operand


@dataclass(frozen=True)
class Cross:
    """``left`` is beyond ``right`` now, and was not one bar before."""

    left: Operand
    direction: Direction
    right: Operand


@dataclass(frozen=True)
class Within:
    """True on at least one of the last ``bars`` bars, this one included."""

    bars: int
    condition: Condition


@dataclass(frozen=True)
class InARow:
    """True on each of the last ``bars`` bars, this one included."""

    bars: int
    condition: Condition


@dataclass(frozen=True)
class And:
    """All of them."""

    items: tuple[Condition, ...]


@dataclass(frozen=True)
class Or:
    """At least one of them."""

    items: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    """The opposite."""

    item: Condition


@dataclass(frozen=True)
class Always:
    """True on every bar: what the schedule alone decides."""


Condition = Compare | Cross | Within | InARow | And | Or | Not | Always


@dataclass(frozen=True)
class Percent:
    """A distance as a percentage of the decision bar's close; 5.0 is 5 %."""

    size: float


@dataclass(frozen=True)
class Ranges:
    """A distance as a multiple of the average true range."""

    multiple: float
    days: int


@dataclass(frozen=True)
class Risk:
    """A target as far away as a multiple of the stop's distance."""

    multiple: float


@dataclass(frozen=True)
class Level:
    """A price that is worked out at the decision, and then stays."""

    operand: Operand


Stop = Percent | Ranges | Level
Target = Percent | Ranges | Risk | Level
Trail = Percent | Ranges


@dataclass(frozen=True)
class Schedule:
    """On which bars an entry may be decided, by the UTC date on which the bar opened.

    Attributes:
        weekdays: 0 Monday to 6 Sunday; empty is any.
        months: 1 to 12; empty is any.
        first_of: Only on the first bar of each ``week`` or ``month``.
    """

    weekdays: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    first_of: Literal["week", "month"] | None = None


ALWAYS: Final = Schedule()


@dataclass(frozen=True)
class Rule:
    """A whole strategy.

    A rule of one side enters when it is flat and ``entry`` (or ``short_entry``), every filter and
    the schedule allow it, and leaves when its exit holds, its trail is met, or by its stop,
    target or horizon. A rule of both sides holds a long until ``short_entry`` turns it into a
    short, and the other way round: the contract of a strategy has no decision that only closes
    where both sides are allowed, so such a rule has neither exits nor a trail.

    Attributes:
        entry: When a long is entered; None where it takes no longs.
        exit: When a long is left.
        short_entry: When a short is entered.
        short_exit: When a short is left.
        filters: What must hold besides, for an entry of either side.
        trail: How far from its best close since the entry a position is given up.
        horizon_bars: Bars after which it ends, the entry bar included.
        lookback: Closed bars that a decision is worked out of, exactly. Averages that never
            forget begin anew at the first of them.
    """

    entry: Condition | None = None
    exit: Condition | None = None
    short_entry: Condition | None = None
    short_exit: Condition | None = None
    filters: tuple[Condition, ...] = ()
    stop: Stop | None = None
    target: Target | None = None
    trail: Trail | None = None
    horizon_bars: int | None = None
    schedule: Schedule = field(default=ALWAYS)
    lookback: int = 1

    @property
    def sides(self) -> Sides:
        """Which sides it takes."""
        if self.short_entry is None:
            return "long"
        return "both" if self.entry is not None else "short"
