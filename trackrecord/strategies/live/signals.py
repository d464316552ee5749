"""What decisions say to others: signals as they are made, exits when a bar has shown the price."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any, Final

from trackrecord.events import SignalClosed, SignalEmitted, derived_id
from trackrecord.events.types import FRACTION_DIGITS
from trackrecord.strategies.live.lines import Came, shown_time
from trackrecord.strategies.live.standing import Emitted, Left
from trackrecord.times import moment

LONGEST_REASON: Final = 200
"""Characters of an exit's reason, as events hold it."""

_DIGITS: Final = 400
_LAST_PLACE: Final = Decimal(1).scaleb(-FRACTION_DIGITS)
_SIDES: Final = {1: "BUY", -1: "SELL"}


@dataclass(frozen=True, slots=True)
class Speaker:
    """Whose signals these are.

    Attributes:
        name: That the signals bear, as on record.
        quantity: Units of each signal.
        currency: Of the prices.
    """

    strategy_id: str
    version: int
    name: str
    timeframe: str
    quantity: Decimal
    currency: str


def signal_id(speaker: Speaker, symbol: str, opened_at: int) -> str:
    """The id of a signal: the same however often its bar is read.

    Args:
        speaker: Whose it is.
        symbol: Of the bar.
        opened_at: When the bar opened that it was decided on; microseconds since 1970 UTC.
    """
    return derived_id(
        "strategy", speaker.strategy_id, speaker.version, symbol, speaker.timeframe,
        shown_time(opened_at),
    )  # fmt: skip


def exit_id(signal: str, opened_at: int) -> str:
    """The id of an exit, by its signal and when the exit bar opened."""
    return derived_id("strategy exit", signal, shown_time(opened_at))


def emitted(speaker: Speaker, symbol: str, bar: Came, said: Emitted) -> SignalEmitted:
    """The event of a signal that was decided on a bar.

    Raises:
        ValueError: A level has more digits before the point than an event holds.
    """
    decision = said.decision
    metadata: dict[str, Any] = {
        **decision.metadata,
        "strategy_id": speaker.strategy_id,
        "version": speaker.version,
    }
    if decision.reason:
        metadata["reason"] = decision.reason
    return SignalEmitted(
        signal_id=said.signal,
        strategy=speaker.name,
        symbol=symbol,
        side=_SIDES[said.direction],
        price=bar.prices.close,
        quantity=speaker.quantity,
        currency=speaker.currency,
        emitted_at=moment(bar.closed_at),
        timeframe=speaker.timeframe,
        target_price=_price(said.target),
        stop_loss=_price(said.stop),
        horizon_bars=said.horizon,
        exits="own",
        entry="next_open",
        confidence=decision.confidence,
        source="strategy_runner",
        account="paper",
        metadata=metadata,
    )


def closed(name: str | None, symbol: str, bar: Came, left: Left) -> SignalClosed:
    """The event of an exit that a bar showed.

    Args:
        name: That the signal bears, for readers of the topic.
        symbol: Of the signal.
        bar: Which showed it.
        left: What it showed.

    Raises:
        ValueError: A price has more digits before the point than an event holds.
    """
    return SignalClosed(
        signal_id=left.signal,
        exit_id=exit_id(left.signal, bar.opened_at),
        symbol=symbol,
        strategy=name,
        price=_price(left.price),
        entry_price=_price(left.entry_price),
        closed_at=moment(bar.opened_at if left.at_open else bar.closed_at),
        reason=_one_line(left.reason)[:LONGEST_REASON],
    )


def _one_line(text: str) -> str:
    """Without the characters that no reason may hold: it may be a strategy's own words."""
    return "".join(each if each.isprintable() else " " for each in text)


def _price(value: Decimal | None) -> Decimal | None:
    """With as many digits behind the point as events hold: splits and doubles bring more."""
    if value is None or value.as_tuple().exponent >= -FRACTION_DIGITS:  # type: ignore[operator]
        return value
    with localcontext(prec=_DIGITS):
        return value.quantize(_LAST_PLACE, ROUND_HALF_EVEN)
