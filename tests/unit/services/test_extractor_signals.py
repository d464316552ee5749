"""Which recommendation becomes a signal, and which."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from services.extractor.rows.signals import close_event, refusal_to_signal, signal_event
from trackrecord.events import derived_id
from trackrecord.extraction import Recommendation

SAID = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
RUN: dict[str, Any] = {"execution_id": "run-1", "script": "btst.py", "symbol": "MSFT"}


def said(action: str = "BUY", price: str | None = "150.25", **fields: Any) -> Recommendation:
    return Recommendation(action, entry_price=None if price is None else Decimal(price), **fields)


@pytest.mark.parametrize(
    ("action", "side"),
    [("BUY", "BUY"), ("STRONG_BUY", "BUY"), ("BTST_BUY", "BUY"), ("SELL", "SELL"),
     ("STRONG_SELL", "SELL")],
)  # fmt: skip
def test_an_action_has_a_side(action: str, side: str) -> None:
    assert refusal_to_signal(said(action), "AAPL") is None
    assert signal_event(RUN, 0, said(action, symbol="AAPL"), SAID).side == side


@pytest.mark.parametrize(
    ("recommendation", "symbol", "exits", "why"),
    [
        (said("HOLD"), "AAPL", False, "not_actionable"),
        (said("SELL"), "AAPL", True, "closes"),
        (said("BUY"), "AAPL", True, None),
        (said(), None, False, "no_symbol"),
        (said(), "", False, "no_symbol"),
        (said(), "X" * 65, False, "no_symbol"),
        (said(price=None), "AAPL", False, "no_price"),
        (said(price="0"), "AAPL", False, None),
        (said(price="-37.63"), "CL=F", False, None),
        (said(price="NaN"), "AAPL", False, "no_price"),
        (said(price="1e20"), "AAPL", False, "no_price"),
        (said(price="1e19"), "AAPL", False, None),
        (said(price="1e-18"), "AAPL", False, None),
        (said(price="1e-19"), "AAPL", False, "no_price"),
    ],
)
def test_what_does_not_say_enough_is_no_signal(
    recommendation: Recommendation, symbol: str | None, exits: bool, why: str | None
) -> None:
    assert refusal_to_signal(recommendation, symbol, exits=exits) == why


def test_a_signal_is_that_of_its_run_and_number() -> None:
    signal = signal_event(RUN, 2, said(confidence=0.8, target_price=Decimal(160)), SAID)
    assert signal.signal_id == derived_id("signal", "run-1", 2)
    assert (signal.strategy, signal.symbol, signal.execution_id) == ("btst.py", "MSFT", "run-1")
    assert (signal.exits, signal.entry, signal.horizon_bars) == ("barriers", "filled", None)
    assert signal.confidence == 0.8
    assert signal.target_price == 160
    assert signal.emitted_at == SAID


def test_buy_today_sell_tomorrow_enters_at_the_next_open_and_has_one_bar() -> None:
    signal = signal_event(RUN, 0, said("BTST_BUY"), SAID)
    assert (signal.entry, signal.horizon_bars) == ("next_open", 1)


def test_a_level_that_no_event_can_hold_is_left_out() -> None:
    far = said(target_price=Decimal("1e20"), stop_loss=Decimal("1e-30"))
    signal = signal_event(RUN, 0, far, SAID)
    assert signal.target_price is None
    assert signal.stop_loss is None


def test_a_signal_bears_the_currency_that_is_printed_else_that_of_the_setting() -> None:
    assert signal_event(RUN, 0, said(currency="INR"), SAID, currency="EUR").currency == "INR"
    assert signal_event(RUN, 0, said(), SAID, currency="EUR").currency == "EUR"
    assert signal_event(RUN, 0, said(), SAID).currency == "USD"


def test_a_level_below_0_is_kept() -> None:
    low = said(price="-2.5", target_price=Decimal(0), stop_loss=Decimal(-4))
    signal = signal_event(RUN, 0, low, SAID)
    assert (signal.price, signal.target_price, signal.stop_loss) == (Decimal("-2.5"), 0, -4)


def test_an_exit_follows_from_the_signal_and_the_run_that_closes_it() -> None:
    event = close_event("s-1", RUN, "AAPL", said("STRONG_SELL"), SAID)
    assert event.exit_id == derived_id("exit", "s-1", "run-1")
    assert (event.signal_id, event.symbol, event.reason) == ("s-1", "AAPL", "strong_sell")
    assert event.quantity is None
    assert event.closed_at == SAID
