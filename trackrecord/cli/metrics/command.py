"""``trackrecord metrics``: the numbers of a trade list or of a return series."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

if TYPE_CHECKING:
    from trackrecord.performance.measure import Numbers

_COULD_NOT: Final = 2

SessionsOption = Literal["weekdays", "every_day"]


def metrics_command(
    file: Annotated[
        Path | None,
        typer.Argument(help="JSON, CSV or Parquet; JSON on standard input where left out or '-'."),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")] = False,
    periods_per_year: Annotated[
        float | None, typer.Option(help="Periods of the returns in a year. (default 252)")
    ] = None,
    risk_free: Annotated[
        float | None, typer.Option(help="Risk-free return per period. (default 0)")
    ] = None,
    benchmark_sharpe: Annotated[
        float | None, typer.Option(help="Sharpe ratio to beat, per period. (default 0)")
    ] = None,
    trials: Annotated[
        int | None, typer.Option(min=1, help="How many strategies or variants were tried in all.")
    ] = None,
    starting_equity: Annotated[
        str | None, typer.Option(help="Starting capital, for returns on capital.")
    ] = None,
    sessions: Annotated[
        SessionsOption | None,
        typer.Option(help="Which days are sessions: weekdays (252 a year) or every_day (365)."),
    ] = None,
    rolling: Annotated[
        int | None,
        typer.Option(
            min=2,
            help="Also give the numbers of a moving window of this many periods, or the win rate "
            "of this many trades; with --json.",
        ),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(help="Last day of the record, YYYY-MM-DD. (default: that of the last exit)"),
    ] = None,
) -> None:
    """Compute every number of a list of closed trades or of a series of returns.

    JSON: {"returns": [...]}, {"equity": [...]} or {"trades": [...]}; CSV and Parquet: a
    column `return` or `equity`, or a row per trade. An option overrides the file's value.
    """
    from trackrecord.cli.common import InputError
    from trackrecord.cli.metrics.reading import read

    given = {
        "periods_per_year": periods_per_year,
        "risk_free": risk_free,
        "benchmark_sharpe": benchmark_sharpe,
        "trials": trials,
        "starting_equity": starting_equity,
        "sessions": sessions,
        "as_of": as_of,
        "rolling": rolling,
    }
    try:
        document = read(file) | {name: value for name, value in given.items() if value is not None}
        answer = _answer(document)
    except (InputError, ValueError) as error:
        print(f"trackrecord metrics: {error}", file=sys.stderr)  # noqa: T201 - one clear line
        raise typer.Exit(_COULD_NOT) from None
    if as_json:
        from trackrecord.cli.metrics.writing import write_json

        write_json(answer)
    else:
        from trackrecord.cli.metrics.writing import show

        show(answer)


def _answer(document: dict[str, Any]) -> dict[str, Any]:
    return _of_trades(document) if "trades" in document else _of_returns(document)


def _of_returns(document: dict[str, Any]) -> dict[str, Any]:
    from trackrecord.cli.metrics.reading import number, series, trials_of, window_of
    from trackrecord.performance.returns.statistics import CUT_OFF, PERIODS_PER_YEAR, returns_of
    from trackrecord.performance.returns.summary import summarise_returns

    levels = None
    if "returns" in document:
        returns = series(document["returns"], "returns")
    else:
        levels = series(document["equity"], "equity")
        returns = returns_of(levels)
    benchmark = document.get("benchmark_returns")
    periods_per_year = number(document, "periods_per_year", PERIODS_PER_YEAR)
    risk_free = number(document, "risk_free", 0.0)
    numbers = summarise_returns(
        returns,
        periods_per_year=periods_per_year,
        risk_free=risk_free,
        benchmark_sharpe=number(document, "benchmark_sharpe", 0.0),
        trials=trials_of(document),
        cut_off=number(document, "cut_off", CUT_OFF),
        benchmark=None if benchmark is None else series(benchmark, "benchmark_returns"),
        levels=levels,
    )
    answer = {**numbers.values, "reasons": numbers.reasons}
    if (window := window_of(document)) is not None:
        from trackrecord.performance import rolling

        moving = rolling(returns, window, periods_per_year, risk_free)
        answer["rolling"] = {"window": window, **moving}
    return answer


def _of_trades(document: dict[str, Any]) -> dict[str, Any]:
    from trackrecord.cli.common import InputError
    from trackrecord.cli.metrics.reading import identities, money, trade, window_of
    from trackrecord.performance.trades.many_trades import Trades, close
    from trackrecord.performance.trades.summary import summarise

    rows = document["trades"]
    if not isinstance(rows, list):
        raise InputError("trades is a list, one object per trade")
    trades = Trades.of([trade(row, place) for place, row in enumerate(rows, start=1)])
    equity = money(document, "starting_equity")
    closed = close(trades)
    numbers = summarise(trades, closed, equity)
    words = {1: "win", -1: "loss", 0: "breakeven"}
    each = [
        {"id": name, "pnl": pnl, "return": share, "outcome": words[outcome]}
        for name, pnl, share, outcome in zip(
            identities(rows),
            closed.net.decimals(),
            closed.exact_returns,
            closed.outcome.tolist(),
            strict=True,
        )
    ]
    answer: dict[str, Any] = {"trades": each, **numbers.values}
    reasons = dict(numbers.reasons)
    if (window := window_of(document)) is not None:
        answer["rolling"] = {"window": window, "win_rate": _win_rates(trades, closed, window)}
    if trades.entry_time is not None and trades.exit_time is not None:
        daily = _by_days(document, trades, closed)
        answer |= {name: value for name, value in daily.values.items() if name not in answer}
        reasons |= daily.reasons
    else:
        from trackrecord.performance.trades.by_day import NAMES

        for name in NAMES:
            answer[name] = None
            reasons[name] = "no_times" if rows else "no_data"
    return {**answer, "reasons": reasons}


def _win_rates(trades: Any, closed: Any, window: int) -> list[float | None]:
    """Of so many trades each, in the order in which they were closed."""
    import numpy as np

    from trackrecord.performance.returns.rolling import rolling_win_rate

    outcomes = closed.outcome
    if trades.exit_time is not None:
        outcomes = outcomes[np.argsort(trades.exit_time, kind="stable")]
    return rolling_win_rate(outcomes, window)


def _by_days(document: dict[str, Any], trades: Any, closed: Any) -> Numbers:
    from trackrecord.cli.common import InputError
    from trackrecord.cli.metrics.reading import money, number, trials_of
    from trackrecord.performance.trades.by_day import summarise_days

    sessions = document.get("sessions", "weekdays")
    if sessions not in {"weekdays", "every_day"}:
        raise InputError(f"sessions is weekdays or every_day, not {sessions!r}")
    as_of = document.get("as_of")
    try:
        last = None if as_of is None else date.fromisoformat(str(as_of)[:10])
    except ValueError:
        raise InputError(f"as_of is a day such as 2026-11-20, not {as_of!r}") from None
    return summarise_days(
        trades,
        closed,
        money(document, "starting_equity"),
        as_of=last,
        sessions=sessions,
        risk_free=number(document, "risk_free", 0.0),
        benchmark_sharpe=number(document, "benchmark_sharpe", 0.0),
        trials=trials_of(document),
    )
