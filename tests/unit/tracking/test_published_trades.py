"""Trades and summaries that freqtrade published, recomputed by our definitions."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.support.corpora import needed
from trackrecord.tracking import Entry, Exit, Position, fold


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(needed("trades/dev.json").read_text(), parse_float=Decimal)
    return data


def number(value: Any) -> Decimal:
    return Decimal(str(value))


def interest_of(trade: dict[str, Any]) -> Decimal:
    """Interest in money; a short owes it in units, which it buys back at the close, with fee."""
    interest = number(trade.get("interest", 0))
    if trade["side"] == "LONG":
        return interest
    return interest * number(trade["close_price"]) * (1 + number(trade["fee_close_rate"]))


def position_of(trade: dict[str, Any]) -> Position:
    entry = Entry(
        "BUY" if trade["side"] == "LONG" else "SELL",
        number(trade["open_price"]),
        number(trade["quantity"]),
        fee_rate=number(trade["fee_open_rate"]),
        leverage=number(trade["leverage"]) if "leverage" in trade else None,
    )
    return fold(
        entry,
        [
            Exit(
                "x",
                number(trade["close_price"]),
                datetime.fromisoformat(trade.get("close_time", "2026-03-02T00:00:00Z")),
                fee_rate=number(trade["fee_close_rate"]),
                interest=interest_of(trade),
                # Theirs is money received, ours money paid.
                funding=-number(trade.get("funding_fee", 0)),
            )
        ],
    )


def test_every_trade_earns_what_was_published_to_its_eighth_decimal(
    published: dict[str, Any],
) -> None:
    eighth = Decimal("0.00000001")
    for group in published["groups"]:
        for trade in group["trades"]:
            position = position_of(trade)
            expected = trade["expected"]
            said = expected.get("profit_abs_published")
            if said is not None and "net" in expected["profit_abs_basis"]:
                assert abs(position.realised_pnl - number(said)) <= eighth
            if expected.get("profit_ratio") is not None:
                assert position.return_ is not None
                assert abs(position.return_ - number(expected["profit_ratio"])) <= eighth


def test_wins_losses_and_breakevens_are_those_of_the_published_summary(
    published: dict[str, Any],
) -> None:
    compared = 0
    for group in published["groups"]:
        said = group["expected_aggregates"]
        if "draws" not in said:
            continue
        outcomes = [position_of(trade).outcome for trade in group["trades"]]
        counted = tuple(outcomes.count(name) for name in ("win", "loss", "breakeven"))
        assert counted == (said["wins"], said["losses"], said["draws"])
        compared += 1
    assert compared


def test_fees_leverage_interest_and_funding_count_as_in_the_published_cases(
    published: dict[str, Any],
) -> None:
    for case in published["fee_cases"]:
        position = position_of(case)
        tolerance = number(case["abs_tol"])
        assert position.return_ is not None
        if case["expected_profit_abs"] is not None:
            assert abs(position.realised_pnl - number(case["expected_profit_abs"])) <= tolerance
        assert abs(position.return_ - number(case["expected_profit_ratio"])) <= tolerance, case
