"""What becomes of a strategy's decisions, bar by bar: one pure fold for backtest and live.

A bar first fills what was decided before it (:func:`advance`), then the strategy decides upon it
(:func:`decide`), and what it decided waits for the open of the next. So nothing is ever filled at
a price that was known when it was decided. Who folds a history has a backtest, who folds what
comes has a runner, and both come to the same.

Within a bar, in this order: an unexplained jump makes void; an open at or beyond a level leaves
there; what was decided leaves and enters at the open, where an entry beyond one of its own levels
is void; the stop, then the target inside the bar; the horizon, at the close. The entry bar's high
and low count. Levels are prices of the share as it was at the decision's close: a split that a bar
tells scales what follows, as in :mod:`trackrecord.outcomes`, whose rules these are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from typing import Final, Literal

from trackrecord.outcomes import JUMP_LIMITS, Bar, Policy
from trackrecord.outcomes.label_one import jumps, opens_beyond, touch
from trackrecord.outcomes.model import ENTRY_NOT_POSITIVE
from trackrecord.strategies.contract import FLAT, Decision, Position, Side, Sides

Left = Literal["target", "stop", "expired", "decision"]
"""Why a position was left: a level, its horizon (or the symbol's end), or what was decided."""
Where = Literal["gap", "intrabar", "expiry", "open"]
"""Where in the bar: ``gap`` and ``open`` are at its open, ``expiry`` at its close."""
Limits = tuple[Decimal, Decimal] | None

BEYOND_LEVEL: Final = "beyond_level"
JUMP: Final = "jump"

_DIGITS: Final = 400
"""Of intermediate results: more than prices times the ratios of several splits have."""
_RETURN_PLACES: Final = Decimal(1).scaleb(-18)
_SIDES: Final[dict[int, Side]] = {1: "LONG", -1: "SHORT"}
_DIRECTIONS: Final = {"buy": 1, "sell": -1, "hold": 0}


@dataclass(frozen=True, slots=True)
class Order:
    """What was decided at a close and waits for the next open.

    Attributes:
        closes: Whether it leaves what is held.
        opens: +1 enters a long, -1 a short, 0 nothing; where it closes too, it is a reversal.
        stop: Counts at the entry, as do the next two.
        target: A price.
        horizon: Bars, the entry bar included; None is until something else ends it.
        reason: The strategy's.
    """

    closes: bool
    opens: int
    stop: Decimal | None = None
    target: Decimal | None = None
    horizon: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """A position.

    Attributes:
        direction: +1 for a long, -1 for a short.
        entry_price: Of a share as it was at the decision, as are stop and target.
        stop: None where there is none.
        target: Likewise.
        horizon: Bars, the entry bar included.
        bars: That it has lived through.
        scale: Shares of now for one of the decision.
        worst: Lowest price seen, as a long sees it (a short's prices are negative).
        best: Highest, likewise.
        reason: Why it was entered, in the strategy's words.
        entry_time: When the entry bar opened, as strategies see times.
    """

    direction: int
    entry_price: Decimal
    stop: Decimal | None
    target: Decimal | None
    horizon: int | None
    bars: int
    scale: Decimal
    worst: Decimal
    best: Decimal
    reason: str = ""
    entry_time: str | None = None


@dataclass(frozen=True, slots=True)
class State:
    """Of one strategy and symbol after a bar.

    Attributes:
        held: What it holds.
        order: What waits for the next open.
        close: Of the last bar.
    """

    held: Held | None = None
    order: Order | None = None
    close: Decimal | None = None

    @property
    def position(self) -> Position:
        """As a strategy sees it: the entry price per share of now, and a quantity of 1."""
        if self.held is None:
            return FLAT
        held = self.held
        price = held.entry_price if held.scale == 1 else held.entry_price / held.scale
        return Position(_SIDES[held.direction], float(price), 1.0, held.entry_time)


NOTHING: Final = State()


@dataclass(frozen=True, slots=True)
class Entered:
    """A position was opened, at the bar's open."""

    held: Held


@dataclass(frozen=True, slots=True)
class Exited:
    """A position was closed.

    Attributes:
        held: As it was.
        price: Of a share as it was at the decision that entered.
        left: Why.
        how: Where in the bar.
        ambiguous: Target and stop lay inside that one bar, so that the policy decided.
        bars: Lived through, entry and exit bar included.
        returned: Gross, as a fraction of the entry price.
        mae: Maximum adverse excursion, as a fraction of the entry price; at most 0.
        mfe: Maximum favourable excursion; at least 0.
        delisted: The symbol had ceased to trade.
        reason: Of the decision that closed it.
    """

    held: Held
    price: Decimal
    left: Left
    how: Where
    ambiguous: bool
    bars: int
    returned: Decimal
    mae: Decimal
    mfe: Decimal
    delisted: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Voided:
    """What was held, or was to be entered, counts for nothing: its prices cannot be believed.

    Attributes:
        direction: Of it.
        why: ``beyond_level``, ``jump`` or ``entry_not_positive``.
        held: None where it was not entered at all.
    """

    direction: int
    why: str
    held: Held | None = None


Event = Entered | Exited | Voided


def decide(state: State, decision: Decision, sides: Sides) -> State:
    """What waits for the next open, once a strategy has decided upon the last bar.

    buy when flat opens a long, when short closes it, and opens a long where ``sides`` is both;
    sell mirrors. The same side again changes nothing, whatever levels it brings.
    """
    direction = _DIRECTIONS[decision.action]
    holds = 0 if state.held is None else state.held.direction
    order = None
    if direction not in (0, holds):
        allowed = sides == "both" or (sides == "long") == (direction > 0)
        if holds and sides != "both":
            order = Order(closes=True, opens=0, reason=decision.reason)
        elif allowed:
            order = Order(
                closes=holds != 0,
                opens=direction,
                stop=exact_level(decision.stop_loss),
                target=exact_level(decision.target_price),
                horizon=decision.horizon_bars,
                reason=decision.reason,
            )
    return state if order is state.order else replace(state, order=order)


def exact_level(price: float | None) -> Decimal | None:
    """A level as a decimal: the shortest that is this double."""
    return None if price is None else Decimal(repr(float(price)))


def advance(
    state: State,
    bar: Bar,
    policy: Policy = "stop_first",
    jump_limits: Limits = JUMP_LIMITS,
    opened_at: str | None = None,
) -> tuple[State, tuple[Event, ...]]:
    """Let a bar happen.

    Args:
        state: Before it.
        bar: The next one of the symbol.
        policy: Which level counts when one bar reaches both target and stop.
        jump_limits: An open outside these multiples of the close before, beyond what a split
            explains, makes what is held void; None to believe every price.
        opened_at: When it opened, as strategies see it; what is entered in it remembers that.

    Returns:
        The state after it, in which nothing is decided yet, and what happened, in order.
    """
    held, order = state.held, state.order
    if held is None and order is None:
        return State(close=bar.close), ()
    events: list[Event] = []
    with localcontext(prec=_DIGITS):
        if held is not None:
            held, found = _open(held, order, bar, state.close, jump_limits)
            events += found
        entered = held is None and order is not None and order.opens != 0
        if entered and order is not None:
            held, event = _enter(order, bar, opened_at)
            events.append(event)
        if held is not None:
            held, event_of_bar = _inside(held, bar, policy, is_entry=entered)
            if event_of_bar is not None:
                events.append(event_of_bar)
    return State(held, None, bar.close), tuple(events)


def cease(state: State) -> tuple[State, tuple[Event, ...]]:
    """The symbol has ceased to trade: what is held expires at its last close, ``delisted``.

    What waits for a next open is dropped.
    """
    held = state.held
    if held is None or state.close is None:
        return State(close=state.close), ()
    with localcontext(prec=_DIGITS):
        at = held.direction * held.scale * state.close
        exited = _exited(held, at, "expired", "expiry", (), bars=held.bars)
    return State(close=state.close), (replace(exited, delisted=True),)


def _open(
    held: Held, order: Order | None, bar: Bar, before: Decimal | None, limits: Limits
) -> tuple[Held | None, list[Event]]:
    """What the open of a bar does to a position."""
    if limits is not None and before is not None and jumps(before, bar, limits):
        return None, [Voided(held.direction, JUMP, held)]
    held = replace(held, scale=held.scale * bar.split_ratio)
    opened = held.direction * held.scale * bar.open
    target, stop = _seen(held)
    left: Left
    if target is not None and opened >= target:
        left = "target"
    elif stop is not None and opened <= stop:
        left = "stop"
    elif order is not None and order.closes:
        exited = _exited(held, opened, "decision", "open", (opened,), bars=held.bars + 1)
        return None, [replace(exited, reason=order.reason)]
    else:
        return held, []
    return None, [_exited(held, opened, left, "gap", (opened,), bars=held.bars + 1)]


def _enter(order: Order, bar: Bar, opened_at: str | None) -> tuple[Held | None, Event]:
    price = bar.open * bar.split_ratio
    held = Held(
        order.opens, price, order.stop, order.target, order.horizon, 0, bar.split_ratio,
        order.opens * price, order.opens * price, order.reason, opened_at,
    )  # fmt: skip
    if price <= 0:
        return None, Voided(order.opens, ENTRY_NOT_POSITIVE)
    if opens_beyond(order.opens * price, *_seen(held)):
        return None, Voided(order.opens, BEYOND_LEVEL)
    return held, Entered(held)


def _inside(
    held: Held, bar: Bar, policy: Policy, *, is_entry: bool
) -> tuple[Held | None, Exited | None]:
    """What happens to a position between open and close."""
    scale = held.direction * held.scale
    opened, close = scale * bar.open, scale * bar.close
    one, other = scale * bar.high, scale * bar.low
    high, low = max(one, other), min(one, other)
    bars = held.bars + 1
    # Of a later bar the open has been looked at already, and changes nothing.
    found = touch(opened, high, low, *_seen(held), policy, is_entry=is_entry)
    if found is not None:
        outcome, at, how, ambiguous = found
        left: Left = "target" if outcome == "target" else "stop"
        return None, _exited(held, at, left, how, (opened, at), bars=bars, ambiguous=ambiguous)
    if held.horizon is not None and bars >= held.horizon:
        return None, _exited(held, close, "expired", "expiry", (low, high), bars=bars)
    return replace(held, bars=bars, worst=min(held.worst, low), best=max(held.best, high)), None


def _seen(held: Held) -> tuple[Decimal | None, Decimal | None]:
    """Target and stop as a long sees them."""
    return (
        None if held.target is None else held.direction * held.target,
        None if held.stop is None else held.direction * held.stop,
    )


def _exited(
    held: Held,
    at: Decimal,
    left: Left,
    how: Where,
    seen: tuple[Decimal, ...],
    *,
    bars: int,
    ambiguous: bool = False,
) -> Exited:
    """An exit ``at`` a price as a long sees it; ``seen`` are those of the exit bar that count."""
    entry = held.direction * held.entry_price

    def fraction(price: Decimal) -> Decimal:
        return ((price - entry) / held.entry_price).quantize(_RETURN_PLACES)

    return Exited(
        held,
        held.direction * at,
        left,
        how,
        ambiguous,
        bars,
        fraction(at),
        fraction(min(held.worst, *seen) if seen else held.worst),
        fraction(max(held.best, *seen) if seen else held.best),
        reason="",
    )
