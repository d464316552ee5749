"""The least that each tested event needs."""

from __future__ import annotations

from typing import Any


def signal(**fields: Any) -> dict[str, Any]:
    return {
        "signal_id": "s-1",
        "strategy": "sma",
        "symbol": "AAPL",
        "side": "BUY",
        "price": "150.25",
        "emitted_at": "2026-03-02T14:30:00Z",
    } | fields


def exit_(**fields: Any) -> dict[str, Any]:
    return {
        "signal_id": "s-1",
        "exit_id": "x-1",
        "symbol": "AAPL",
        "price": "151.80",
        "closed_at": "2026-03-03T15:00:00Z",
        "reason": "target",
    } | fields


def bar(**fields: Any) -> dict[str, Any]:
    return {
        "symbol": "AAPL",
        "timeframe": "1d",
        "source": "csv",
        "opened_at": "2026-03-02T14:30:00Z",
        "closed_at": "2026-03-02T21:00:00Z",
        "open": "10",
        "high": "12",
        "low": "9",
        "close": "11",
        "volume": "100",
    } | fields
