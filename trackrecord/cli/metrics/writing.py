"""How ``trackrecord metrics`` answers: exact JSON, or a table that says what each number is."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from rich.table import Table

from trackrecord.cli.common import screen
from trackrecord.performance.sums.written import text

DEFINITIONS: Final = {
    "periods": "returns in the series",
    "missing": "periods without an observation",
    "total_return": "product of (1 + return), less 1; of trades: PnL / starting equity",
    "cagr": "growth per year",
    "annual_return": "the same as cagr",
    "mean_return": "mean per period",
    "best_return": "largest return",
    "worst_return": "smallest return",
    "positive_periods": "share of periods above 0",
    "volatility": "standard deviation, per year",
    "downside_risk": "root mean square of shortfalls over all periods, per year",
    "skewness": "third standardised moment, biased",
    "kurtosis": "fourth standardised moment, biased; normal: 3",
    "value_at_risk": "5 % quantile of returns",
    "conditional_value_at_risk": "mean of the worst 5 % of returns",
    "omega": "sum of gains / sum of shortfalls",
    "tail_ratio": "95 % quantile / 5 % quantile, absolute",
    "stability": "R² of a line through cumulative log returns",
    "sharpe": "mean excess return / standard deviation, per year",
    "period_sharpe": "the same, per period",
    "sharpe_interval": "95 %, stationary bootstrap",
    "mean_return_interval": "95 %, stationary bootstrap",
    "sortino": "mean excess return / downside risk, per year",
    "probabilistic_sharpe_ratio": "probability that the true Sharpe ratio beats the benchmark",
    "deflated_sharpe_ratio": "the same against the luckiest of all trials",
    "trials": "how many were tried",
    "minimum_track_record_length": "periods that would make it 95 % sure",
    "too_few_to_tell": "the record is too short to tell its Sharpe ratio from the one to beat",
    "max_drawdown": "worst fall below the running peak, a fraction",
    "max_drawdown_daily": "the same from sums per day",
    "max_drawdown_abs": "worst fall below the running peak, money",
    "max_drawdown_recovery": "periods from the trough of the worst fall to its peak again",
    "calmar": "cagr / max drawdown",
    "longest_drawdown": "periods below a peak",
    "longest_recovery": "periods from a peak to the same level again",
    "beta": "covariance with the benchmark / its variance",
    "alpha": "growth per year that the benchmark does not explain",
    "excess_sharpe": "mean / standard deviation of the return above the benchmark",
    "up_capture": "cagr / benchmark's cagr while the benchmark rose",
    "down_capture": "cagr / benchmark's cagr while the benchmark fell",
    "closed": "trades",
    "wins": "return above 0 at 8 decimals",
    "losses": "return below 0 at 8 decimals",
    "breakevens": "return 0 at 8 decimals",
    "longs": "opened by buying",
    "shorts": "opened by selling",
    "win_rate": "wins / trades",
    "loss_rate": "losses / trades",
    "win_rate_interval": "95 %, Wilson",
    "gross_pnl": "before fees, interest and funding",
    "fees": "entry and exit fees",
    "carry": "interest and funding paid",
    "total_pnl": "net of fees, interest and funding",
    "gross_profit": "net PnL of wins",
    "gross_loss": "net PnL of losses",
    "average_pnl": "mean net PnL",
    "expectancy": "the same as average_pnl",
    "best_pnl": "largest net PnL",
    "worst_pnl": "smallest net PnL",
    "average_win": "mean net PnL of wins",
    "average_loss": "mean net PnL of losses",
    "largest_win": "of wins",
    "smallest_win": "of wins",
    "largest_loss": "of losses",
    "smallest_loss": "of losses, the nearest to 0",
    "profit_factor": "gross profit / gross loss, absolute",
    "expectancy_ratio": "(1 + average win / average loss) x share of wins - 1",
    "win_loss_ratio": "average win / average loss, absolute",
    "pnl_deviation": "standard deviation of net PnL",
    "sqn": "root of trades x mean / standard deviation of net PnL",
    "average_return": "mean return of trades",
    "median_return": "middle return of trades",
    "max_consecutive_wins": "longest run",
    "max_consecutive_losses": "longest run",
    "average_holding_seconds": "mean time from entry to exit",
    "profit_to_max_drawdown": "total PnL / worst fall in money",
    "basis": "what daily returns are measured on",
    "as_of": "last day of the record",
    "sessions": "days from the first entry to as_of",
}


def write_json(answer: dict[str, Any]) -> None:
    """Write an answer on stdout; decimals as JSON numbers with all their digits."""
    for piece in _encoded(answer):
        sys.stdout.write(piece)
    sys.stdout.write("\n")
    sys.stdout.flush()


def show(answer: dict[str, Any]) -> None:
    """Print a table: name, value or why there is none, and what it is."""
    table = Table(box=None)
    table.add_column("number")
    table.add_column("value", justify="right")
    table.add_column("definition", style="dim")
    for name, value in answer.items():
        if name in {"trades", "reasons", "rolling"}:
            continue
        shown = f"({answer['reasons'].get(name, '')})" if value is None else _shown(value)
        table.add_row(name, shown, DEFINITIONS.get(name, ""))
    screen.print(table)


def _shown(value: Any) -> str:
    if isinstance(value, Decimal):
        return text(value)
    if isinstance(value, float):
        return f"{value:,.6g}"
    if isinstance(value, list):
        return " to ".join(_shown(item) for item in value)
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _encoded(value: Any) -> Iterator[str]:
    if isinstance(value, Decimal):
        yield text(value)
    elif isinstance(value, dict):
        for place, (name, item) in enumerate(value.items()):
            yield ("{" if not place else ", ") + json.dumps(name) + ": "
            yield from _encoded(item)
        yield "}" if value else "{}"
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield "[" if not place else ", "
            yield from _encoded(item)
        yield "]" if value else "[]"
    else:
        yield json.dumps(value, allow_nan=False)
