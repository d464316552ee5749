"""A backtest that freqtrade published, recomputed by our definitions."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal as D
from typing import Any

import pytest

from tests.support.corpora import needed
from trackrecord.performance.trades.many_trades import Trade, Trades, close
from trackrecord.performance.trades.summary import summarise
from trackrecord.times import microseconds


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(needed("trades/dev.json").read_text(), parse_float=D)
    return data


def moment(text: str | None) -> int | None:
    if text is None:
        return None
    return microseconds(datetime.fromisoformat(text))


def trade_of(row: dict[str, Any]) -> Trade:
    interest = D(str(row.get("interest", 0)))
    if row["side"] == "SHORT":
        # Owed in units, which are bought back at the close, with fee.
        interest *= D(row["close_price"]) * (1 + D(row["fee_close_rate"]))
    return Trade(
        row["side"], D(row["quantity"]), D(row["open_price"]), D(row["close_price"]),
        entry_fee_rate=D(row["fee_open_rate"]), exit_fee_rate=D(row["fee_close_rate"]),
        interest=interest, funding=-D(str(row.get("funding_fee", 0))),
        leverage=D(row.get("leverage", 1)), entry_time=moment(row.get("open_time")),
        exit_time=moment(row.get("close_time")),
    )  # fmt: skip


def test_a_published_backtest_is_reproduced(published: dict[str, Any]) -> None:
    for group in published["groups"]:
        trades = Trades.of([trade_of(row) for row in group["trades"]])
        said = group["expected_aggregates"]
        found = summarise(trades, starting_equity=D(str(said["starting_balance"]))).values
        assert found["closed"] == said["total_trades"]
        assert (found["wins"], found["losses"]) == (said["wins"], said["losses"])
        assert found["breakevens"] == said["draws"]
        assert float(found["total_pnl"]) == pytest.approx(
            float(said["profit_total_abs"]), rel=0, abs=1e-8
        )
        assert found["total_return"] == pytest.approx(float(said["profit_total"]), rel=0, abs=1e-8)
        assert found["average_return"] == pytest.approx(float(said["profit_mean"]), rel=0, abs=1e-8)
        assert found["median_return"] == pytest.approx(
            float(said["profit_median"]), rel=0, abs=1e-8
        )
        worst = float(said["max_drawdown_abs"])
        assert float(found["max_drawdown_abs"]) == pytest.approx(worst, rel=0, abs=1e-8)
        recomputed = group["recomputed_by_us"]["values"]["net"]
        for ours, theirs in (
            ("profit_factor", "profit_factor"),
            ("max_drawdown", "max_drawdown_pct_of_peak_equity"),
        ):
            expected = abs(float(recomputed[theirs]))
            assert abs(found[ours]) == pytest.approx(expected, rel=1e-6), ours


def test_each_case_of_fees_leverage_interest_and_funding_agrees(published: dict[str, Any]) -> None:
    for case in published["fee_cases"]:
        closed = close(Trades.of([trade_of(case)]))
        near = float(case["abs_tol"])
        if case["expected_profit_abs"] is not None:
            assert float(closed.net.total()) == pytest.approx(
                float(case["expected_profit_abs"]), abs=near
            )
        assert closed.returns[0] == pytest.approx(float(case["expected_profit_ratio"]), abs=near)
