"""From a recommendation to the signal that it means, if it means one."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from trackrecord.events import SignalClosed, SignalEmitted, derived_id
from trackrecord.events.types import FRACTION_DIGITS, INTEGER_DIGITS
from trackrecord.extraction import Recommendation

SOURCE = "/extractor"
"""Who publishes what a run becomes."""

_SIDES = {
    "BUY": "BUY",
    "STRONG_BUY": "BUY",
    "BTST_BUY": "BUY",
    "SELL": "SELL",
    "STRONG_SELL": "SELL",
}
_LONGEST_SYMBOL = 64
_SIGNAL = SignalEmitted(
    signal_id="-",
    strategy="-",
    symbol="-",
    side="BUY",
    price=Decimal(1),
    emitted_at=datetime.fromtimestamp(0, UTC),
    exits="barriers",
    source="extractor",
)
"""What all signals of the extractor share."""
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


def refusal_to_signal(
    recommendation: Recommendation, symbol: str | None, *, exits: bool = False
) -> str | None:
    """Why a recommendation becomes no signal; None if it becomes one.

    Args:
        recommendation: What was said.
        symbol: In which instrument, from the text or from the run.
        exits: Whether a SELL closes a long instead of opening a short.

    Returns:
        ``not_actionable`` (HOLD), ``closes`` (a SELL that exits), ``no_symbol``,
        ``no_price``: a signal without an entry price would need one made up.
    """
    side = _SIDES.get(recommendation.action)
    if side is None:
        return "not_actionable"
    if exits and side == "SELL":
        return "closes"
    if symbol is None or not 0 < len(symbol) <= _LONGEST_SYMBOL or _UNPRINTABLE.search(symbol):
        return "no_symbol"
    if not _usable(recommendation.entry_price):
        return "no_price"
    return None


def signal_event(
    run: dict[str, Any],
    number: int,
    recommendation: Recommendation,
    said_at: datetime,
    *,
    currency: str = "USD",
) -> SignalEmitted:
    """The signal of a recommendation that :func:`refusal_to_signal` lets pass.

    Its id follows from run and number. Nobody manages what a script recommends, so the outcome
    on bars closes it. BTST (buy today, sell tomorrow) enters at the next open and has one bar.
    Its currency is the one printed with its prices, else ``currency``.

    Raises:
        ValueError: It names no price.
    """
    price = recommendation.entry_price
    if price is None:
        raise ValueError("a recommendation without an entry price is no signal")
    btst = recommendation.action == "BTST_BUY"
    # Every value was checked when the run was read, or is checked here: to have the model check
    # them again takes as long as all else that is done for a signal.
    return _SIGNAL.model_copy(
        update={
            "signal_id": derived_id("signal", run["execution_id"], number),
            "strategy": run["script"],
            "symbol": recommendation.symbol or run["symbol"],
            "side": _SIDES[recommendation.action],
            "price": price,
            "currency": recommendation.currency or currency,
            "emitted_at": said_at,
            "target_price": _if_usable(recommendation.target_price),
            "stop_loss": _if_usable(recommendation.stop_loss),
            "horizon_bars": 1 if btst else None,
            "entry": "next_open" if btst else "filled",
            "confidence": recommendation.confidence,
            "execution_id": run["execution_id"],
        }
    )


def close_event(
    signal_id: str,
    run: dict[str, Any],
    symbol: str,
    recommendation: Recommendation,
    said_at: datetime,
) -> SignalClosed:
    """The exit of an open long that a SELL closes, where ``sell_means`` is ``exit``."""
    return SignalClosed(
        signal_id=signal_id,
        exit_id=derived_id("exit", signal_id, run["execution_id"]),
        symbol=symbol,
        strategy=run["script"],
        price=recommendation.entry_price,
        closed_at=said_at,
        reason=recommendation.action.lower(),
    )


def _usable(price: Decimal | None) -> bool:
    """Whether a price that was read fits what an event can hold."""
    if price is None or not price.is_finite():
        return False
    return price.adjusted() < INTEGER_DIGITS and (
        _fraction_digits(price) <= FRACTION_DIGITS
        # Zeros at the end do not count.
        or _fraction_digits(price.normalize()) <= FRACTION_DIGITS
    )


def _fraction_digits(price: Decimal) -> int:
    return -int(price.as_tuple().exponent)


def _if_usable(price: Decimal | None) -> Decimal | None:
    return price if _usable(price) else None
