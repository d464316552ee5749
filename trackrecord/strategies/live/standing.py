"""What a strategy holds of a symbol between two bars: one bar further, and as exact text."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any, Final

from trackrecord.outcomes import Bar, Policy
from trackrecord.strategies.contract import Decision, Sides
from trackrecord.strategies.simulate import (
    NOTHING,
    Entered,
    Exited,
    Held,
    Order,
    State,
    Voided,
    advance,
    cease,
    decide,
)

_EXACT: Final = frozenset(
    {"entry_price", "stop", "target", "scale", "worst", "best", "close"}
)  # fmt: skip
"""Fields that hold decimals."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Of one strategy and symbol, after a bar.

    Attributes:
        state: What it holds, and what waits for the next open.
        signal: The id of the signal that the position was entered by; None where nothing is held.
        coming: The id of the signal that waits for the next open; None where none does.
    """

    state: State = NOTHING
    signal: str | None = None
    coming: str | None = None

    @property
    def is_flat(self) -> bool:
        """Whether nothing is held and nothing waits: then the next bar finds all as new."""
        return self.state.held is None and self.state.order is None

    def to_text(self) -> str:
        """As JSON in which every decimal keeps its digits."""
        state = self.state
        return json.dumps(
            {
                "held": None if state.held is None else _plain(state.held),
                "order": None if state.order is None else _plain(state.order),
                "close": None if state.close is None else str(state.close),
                "signal": self.signal,
                "coming": self.coming,
            }
        )

    @classmethod
    def from_text(cls, text: str) -> Standing:
        """What :meth:`to_text` wrote, to the last digit."""
        given = json.loads(text)
        held, order, close = given["held"], given["order"], given["close"]
        state = State(
            None if held is None else Held(**_exact(held)),
            None if order is None else Order(**_exact(order)),
            None if close is None else Decimal(close),
        )
        return cls(state, given["signal"], given["coming"])


FLAT: Final = Standing()
"""Holds nothing, and waits for nothing."""


_NAMES: Final = {kind: tuple(each.name for each in fields(kind)) for kind in (Held, Order)}


def _plain(part: Held | Order) -> dict[str, Any]:
    return {
        name: str(value) if isinstance(value := getattr(part, name), Decimal) else value
        for name in _NAMES[type(part)]
    }


def _exact(given: dict[str, Any]) -> dict[str, Any]:
    return {
        name: Decimal(value) if name in _EXACT and value is not None else value
        for name, value in given.items()
    }


@dataclass(frozen=True, slots=True)
class Left:
    """A signal has ended.

    Attributes:
        signal: Its id.
        price: Of the exit, per share as it was at the decision to enter.
        entry_price: At which it was entered, likewise.
        reason: ``target``, ``stop``, ``expired``, ``decision``, ``delisted`` or ``void``, and for
            the last two and a decision the words that go with it.
        at_open: Whether it ended at the bar's open; else at or before its close.
    """

    signal: str
    price: Decimal
    entry_price: Decimal
    reason: str
    at_open: bool


@dataclass(frozen=True, slots=True)
class Emitted:
    """A signal was decided, to be entered at the next open; levels count at the entry.

    Attributes:
        signal: Its id.
        direction: +1 for a long, -1 for a short.
        decision: What was answered.
        stop: Where it gives up; None for nowhere.
        target: Where it takes its profit; likewise.
        horizon: Bars that it has, the entry bar included; None is no limit.
    """

    signal: str
    direction: int
    decision: Decision
    stop: Decimal | None
    target: Decimal | None
    horizon: int | None


def follow(
    standing: Standing, bar: Bar, opened_at: str, policy: Policy = "stop_first"
) -> tuple[Standing, list[Left]]:
    """Let a bar happen to what is held and to what waits for its open.

    Args:
        standing: Before the bar.
        bar: The next one of the symbol.
        opened_at: When it opened, as strategies see times.
        policy: Which level counts when one bar reaches both target and stop.

    Returns:
        The standing after it, on which nothing is decided yet, and which signals have ended.
    """
    state, events = advance(standing.state, bar, policy, opened_at=opened_at)
    held, coming, left = standing.signal, standing.coming, []
    for event in events:
        if isinstance(event, Entered):
            held, coming = coming, None
        elif isinstance(event, Exited):
            left.append(_exit(_named(held), event))
            held = None
        elif event.held is None:
            # Never entered: leaving at the price of the entry earns nothing and costs nothing.
            price = bar.open * bar.split_ratio
            left.append(Left(_named(coming), price, price, f"void: {event.why}", at_open=True))
            coming = None
        else:
            left.append(_voided(_named(held), event))
            held = None
    return Standing(state, held, coming), left


def end(standing: Standing) -> tuple[Standing, list[Left]]:
    """The symbol has ceased to trade: what is held expires at its last close.

    A signal that waits for an open that never comes ends at the price that it was decided at.
    """
    state, events = cease(standing.state)
    left = [
        replace(_exit(_named(standing.signal), event), reason="expired: delisted")
        for event in events
        if isinstance(event, Exited)
    ]
    if standing.coming is not None and standing.state.close is not None:
        price = standing.state.close
        left.append(Left(standing.coming, price, price, "void: delisted", at_open=False))
    return Standing(state), left


def conclude(
    standing: Standing, decision: Decision, sides: Sides, signal: str, *, may_enter: bool = True
) -> tuple[Standing, Emitted | None]:
    """What waits for the next open, once a strategy has decided on the last bar.

    Args:
        standing: After the bar.
        decision: What it answered.
        sides: What it may hold.
        signal: The id that a signal of this decision has.
        may_enter: Whether a new position may be entered; else it only leaves what it holds.
    """
    state = decide(standing.state, decision, sides)
    order = state.order
    if order is not None and order.opens and not may_enter:
        order = Order(closes=True, opens=0, reason=order.reason) if order.closes else None
        state = replace(state, order=order)
    if order is None or not order.opens:
        return replace(standing, state=state), None
    emitted = Emitted(signal, order.opens, decision, order.stop, order.target, order.horizon)
    return replace(standing, state=state, coming=signal), emitted


def _exit(signal: str, event: Exited) -> Left:
    reason: str = event.left
    if event.left == "decision" and event.reason:
        reason = f"decision: {event.reason}"
    return Left(
        signal, event.price, event.held.entry_price, reason, at_open=event.how in ("gap", "open")
    )


def _voided(signal: str, event: Voided) -> Left:
    """What cannot be judged ends where it began: it has neither won nor lost."""
    assert event.held is not None  # noqa: S101 - who calls has looked
    price = event.held.entry_price
    return Left(signal, price, price, f"void: {event.why}", at_open=True)


def _named(signal: str | None) -> str:
    assert signal is not None  # noqa: S101 - what is held, or waits, was said to others
    return signal
