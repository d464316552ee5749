"""Cases from other tools' own tests: equal within their tolerance, or listed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest

from tests.support.corpora import corpus
from tests.unit.performance.conventions_that_differ import DIFFERENT, ZERO_FOR_NONE
from trackrecord.performance.returns import benchmark, drawdown, statistics
from trackrecord.performance.returns.summary import summarise_returns
from trackrecord.performance.trades.many_trades import Trade, Trades
from trackrecord.performance.trades.summary import summarise

PERIODS = {"daily": 252, "weekly": 52, "monthly": 12, "yearly": 1}

OF_SERIES = {
    "cagr": "cagr",
    "annual_return": "cagr",
    "annual_volatility": "volatility",
    "calmar_ratio": "calmar",
    "conditional_value_at_risk": "conditional_value_at_risk",
    "cum_returns_final": "total_return",
    "downside_risk": "downside_risk",
    "max_drawdown": "max_drawdown",
    "omega_ratio": "omega",
    "sharpe_ratio": "sharpe",
    "sharpe_ratio_252_ddof1": "sharpe",
    "sortino_ratio": "sortino",
    "stability_of_timeseries": "stability",
    "tail_ratio": "tail_ratio",
    "value_at_risk": "value_at_risk",
    **{name: name for name in ("alpha", "beta", "excess_sharpe", "up_capture", "down_capture")},
}
OF_TRADES = {
    "avg_loser": "average_loss",
    "avg_winner": "average_win",
    "expectancy": "expectancy",
    "expectancy_ratio": "expectancy_ratio",
    "max_drawdown_abs": "max_drawdown_abs",
    "max_drawdown_abs_first_trade_is_first_peak": "max_drawdown_abs",
    "max_drawdown_account_at_abs_max": "max_drawdown",
    "max_loser": "largest_loss",
    "max_winner": "largest_win",
    "min_loser": "smallest_loss",
    "min_winner": "smallest_win",
    "profit_factor": "profit_factor",
    "win_rate": "win_rate",
    "lean.AverageLoss": "average_loss",
    "lean.AverageProfit": "average_win",
    "lean.AverageProfitLoss": "average_pnl",
    "lean.LargestLoss": "largest_loss",
    "lean.LargestProfit": "largest_win",
    "lean.LossRate": "loss_rate",
    "lean.MaxConsecutiveLosingTrades": "max_consecutive_losses",
    "lean.MaxConsecutiveWinningTrades": "max_consecutive_wins",
    "lean.MaximumClosedTradeDrawdown": "max_drawdown_abs",
    "lean.NumberOfLosingTrades": "losses",
    "lean.NumberOfWinningTrades": "wins",
    "lean.ProfitFactor": "profit_factor",
    "lean.ProfitLossStandardDeviation": "pnl_deviation",
    "lean.ProfitToMaxDrawdownRatio": "profit_to_max_drawdown",
    "lean.SharpeRatio": "sharpe",
    "lean.TotalLoss": "gross_loss",
    "lean.TotalNumberOfTrades": "closed",
    "lean.TotalProfit": "gross_profit",
    "lean.TotalProfitLoss": "total_pnl",
    "lean.WinLossRatio": "win_loss_ratio",
    "lean.WinRate": "win_rate",
}


def cases() -> list[Any]:
    path = corpus("metrics/dev.json")
    if path is None:
        reason = "no cases of other tools (*/data/metrics/dev.json) lie beside the checkout"
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason))]
    listed = json.loads(path.read_text())["cases"]
    return [pytest.param(case, id=f"{case['id']}-{case['metric']}") for case in listed]


@pytest.mark.parametrize("case", cases())
def test_a_case_agrees_or_is_listed(case: dict[str, Any]) -> None:
    peer, metric = case["peer"], case["metric"]
    ours = HOW[case["input_kind"]](metric, case["input"])
    expected = math.nan if case["expected"] == "NaN" else float(case["expected"])
    tolerance = case["abs_tol"]
    if ours is None:
        agrees = math.isnan(expected) or (peer in ZERO_FOR_NONE and expected == 0)
    else:
        agrees = not math.isnan(expected) and abs(float(ours) - expected) <= tolerance
    assert agrees or (peer, metric) in DIFFERENT, f"{ours} is not {expected}"


def numbers_of(values: Any) -> Any:
    if isinstance(values, list):
        return [numbers_of(value) for value in values]
    return math.nan if values == "NaN" else float(values)


def of_series(metric: str, given: dict[str, Any]) -> Any:
    series = numbers_of(given["returns"])
    periods = PERIODS[given.get("period", "daily")]
    benchmark = given.get("factor_returns")
    if benchmark is not None:
        benchmark = numbers_of(benchmark)
        benchmark = benchmark if isinstance(benchmark, list) else [benchmark] * len(series)
    required = numbers_of(given.get("required_return", 0.0))
    if metric == "downside_risk" and isinstance(required, list):
        series = [value - floor for value, floor in zip(series, required, strict=True)]
        required = 0.0
    if metric == "omega_ratio":
        if required <= -1:
            return None
        risk_free = given.get("risk_free", 0.0) + (1 + required) ** (1 / periods) - 1
    else:
        risk_free = given.get("risk_free", required)
    if metric == "alpha" and benchmark is not None and len(series) != len(benchmark):
        return None
    found = summarise_returns(
        series,
        periods_per_year=periods,
        risk_free=risk_free,
        cut_off=given.get("cutoff", 0.05),
        benchmark=benchmark,
        resamples=0,
    )
    return found.values[OF_SERIES[metric]]


def of_pnl(metric: str, given: dict[str, Any]) -> Any:
    equity = given.get("starting_balance")
    return of_trades(metric, given["pnl"], None if equity is None else D(str(equity)))


def of_trades(metric: str, pnls: list[float], equity: D | None) -> Any:
    listed = [Trade("LONG", D(1), D(10**6), D(10**6) + D(str(pnl))) for pnl in pnls]
    found = summarise(Trades.of(listed), starting_equity=equity).values
    return found.get(OF_TRADES.get(metric, ""))


def of_lean(metric: str, given: dict[str, Any]) -> Any:
    """Lean's PnL of a trade is before fees, which it sums apart."""
    trades = given["trades"]
    fees = "entry_fee" if metric == "lean.TotalFees" else None
    listed = [
        Trade(
            trade["side"], D(str(trade["quantity"])), D(str(trade["entry_price"])),
            D(str(trade["exit_price"])), entry_fee=D(trade["fees"]) if fees else None,
            entry_time=trade["entry_min"], exit_time=trade["exit_min"],
        )
        for trade in trades
    ]  # fmt: skip
    found = summarise(Trades.of(listed)).values
    return found["fees"] if fees else found.get(OF_TRADES.get(metric, ""))


def of_equity(_metric: str, given: dict[str, Any]) -> Any:
    return drawdown.longest_recovery(drawdown.drawdowns(given["equity"])).value


def of_prices(_metric: str, given: dict[str, Any]) -> Any:
    return drawdown.max_drawdown_of(given["prices"]).value


def of_balances(_metric: str, given: dict[str, Any]) -> Any:
    total = given["final_balance"] / given["starting_balance"] - 1
    return statistics.growth_per_year(total, given["days"] / given["year_days"]).value


def of_price_pair(_metric: str, given: dict[str, Any]) -> Any:
    (first, low), (last, high) = given["first"], given["last"]
    years = (date.fromisoformat(last) - date.fromisoformat(first)).days / 365.25
    return statistics.growth_per_year(high / low - 1, years).value


HOW: dict[str, Callable[[str, dict[str, Any]], Any]] = {
    "returns": of_series,
    "returns_timestamped": of_series,
    "trade_pnl": of_pnl,
    "trades": of_lean,
    "equity_daily": of_equity,
    "prices": of_prices,
    "prices_ref": of_price_pair,
    "scalars": of_balances,
}


def test_a_benchmark_has_a_return_for_each_period() -> None:
    with pytest.raises(ValueError, match="2 returns and 1 of the benchmark"):
        benchmark.beta([0.1, 0.2], [0.1])
