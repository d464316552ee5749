"""A backtest as data: what ``trackrecord strategy backtest --json`` answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from trackrecord.events.types import plain_decimal
from trackrecord.performance.exact import exact
from trackrecord.performance.measure import Numbers
from trackrecord.performance.returns.drawdown import max_drawdown_of
from trackrecord.strategies.backtest import Backtest, Window
from trackrecord.strategies.history import History
from trackrecord.strategies.record import Curve, Record, annual_sharpe
from trackrecord.strategies.trades import Trade, exit_time
from trackrecord.times import date_of, moment

SIDE_BY_SIDE: Final = (
    "closed", "win_rate", "profit_factor", "total_return", "sharpe", "sortino", "max_drawdown",
    "cagr", "average_return",
)  # fmt: skip
"""Numbers that are shown in and out of sample."""

ASSUMED: Final = (
    "decided at a close, filled at the next bar's open",
    "an open at or beyond a level leaves at that open; of stop and target in one bar, the stop",
    "an entry that opens beyond one of its own levels is void",
    "what is held over an unexplained jump is void",
    "the capital is divided by the symbols; an entry is worth what its symbol's share has become",
    "no interest, no borrowing costs for shorts, no taxes, no limit on what the market takes",
)

HAND_PICKED: Final = "hand-picked"
SURVIVORS: Final = "survivors"


def report_of(
    found: Backtest, *, universe: str | None = None, notes: Sequence[str] = ()
) -> dict[str, Any]:
    """Everything that is known of a backtest; decimals as strings, undefined numbers null.

    Args:
        found: The backtest.
        universe: What the symbols are, where they are not just those that somebody chose.
        notes: What there is to say of the bars.
    """
    history, settings = found.history, found.settings
    labels = labels_of(history, universe)
    record = found.outside
    return {
        "verdict": found.verdict,
        "why": found.why,
        "tries": found.judged.tries,
        "written_by_model": settings.by_model,
        "may_be_remembered": _remembered(found),
        "labels": labels,
        "metrics": plain(found.numbers.values),
        "reasons": found.numbers.reasons,
        "gross": _of_curve(record.gross, history.sessions_per_year)
        | {"total_pnl": _text(record.account.earned.gross.total())},
        "net": _of_curve(record.curve, history.sessions_per_year)
        | {
            "total_pnl": _text(record.account.earned.net.total()),
            "costs": _text(record.account.earned.fees.total()),
        },
        "holding": _of_curve(record.holding, history.sessions_per_year),
        "in_sample": _sample(found.inside, found.numbers_inside),
        "out_of_sample": _sample(record, found.numbers),
        "windows": [_window(each) for each in found.windows],
        "cost_per_side": _text(settings.cost),
        "capital": _text(settings.capital),
        "equity_end": _text(record.account.equity),
        "open_pnl": _text(record.account.open_pnl),
        "counts": counts_of(record.account.trades),
        "bars": {
            "symbols": list(history.series),
            "universe": universe,
            "timeframe": history.timeframe,
            "bars": history.bars,
            "sessions": len(history.sessions),
            "first": _date(int(history.sessions[0])),
            "last": _date(int(history.sessions[-1])),
            "sessions_per_year": history.sessions_per_year,
        },
        "notes": [*notes, *_words(labels, history)],
        "assumptions": list(ASSUMED),
        "trades": trades_of(history, record, found),
        "trades_in_sample": trades_of(found.known, found.inside, found),
        "equity": _equity(record, settings.capital),
    }


def labels_of(history: History, universe: str | None) -> list[str]:
    """Why these symbols may flatter every strategy."""
    labels = [] if universe else [HAND_PICKED]
    if not any(history.ceased[name][-1] for name in history.series):
        labels.append(SURVIVORS)
    return labels


def _words(labels: Sequence[str], history: History) -> list[str]:
    words = []
    count = len(history.series)
    symbols = "the symbol was" if count == 1 else f"the {count} symbols were"
    if HAND_PICKED in labels:
        words.append(
            f"{symbols} chosen by hand: who knows how they did since, chooses well (--universe "
            "says what they are, where they are all of something)"
        )
    if SURVIVORS in labels:
        words.append("no symbol ceases to trade before the end: these are survivors")
    return words


def trades_of(history: History, record: Record, found: Backtest) -> list[dict[str, Any]]:
    """Trades by exit, with times in UTC and money as strings."""
    account = record.account
    earned = account.earned
    net, gross, fees = (
        column.decimals() if len(account.closed) else []
        for column in (earned.net, earned.gross, earned.fees)
    )
    place_of = {row: place for place, row in enumerate(account.closed)}
    rows = []
    for row, (trade, quantity) in enumerate(zip(account.trades, account.quantities, strict=True)):
        series = history.series[trade.symbol]
        place = place_of.get(row)
        ended = trade.is_closed
        rows.append(
            {
                "symbol": trade.symbol,
                "side": "LONG" if trade.direction > 0 else "SHORT",
                "decided_at": _time(int(series.closed_at[trade.entry_row - 1])),
                "entry_time": _time(int(series.opened_at[trade.entry_row])),
                "entry_price": _text(trade.entry_price) if quantity else None,
                "quantity": _text(quantity),
                "stop_loss": _text(trade.stop),
                "target_price": _text(trade.target),
                "horizon_bars": trade.horizon,
                "outcome": trade.outcome,
                "how": trade.how,
                "exit_time": _time(exit_time(series, trade)) if trade.outcome != "open" else None,
                "exit_price": _text(trade.exit_price) if ended else None,
                "ambiguous": trade.ambiguous,
                "delisted": trade.delisted,
                "bars_held": trade.bars,
                "gross_pnl": None if place is None else _text(gross[place]),
                "fees": None if place is None else _text(fees[place]),
                "pnl": None if place is None else _text(net[place]),
                "return": None if place is None else float(earned.returns[place]),
                "gross_return": _text(trade.returned),
                "mae": _text(trade.mae),
                "mfe": _text(trade.mfe),
                "may_be_remembered": _may_be(found, int(series.day[trade.entry_row])),
                "reason": trade.reason,
                "exit_reason": trade.exit_reason,
            }
        )
    return rows


def counts_of(trades: Sequence[Trade]) -> dict[str, Any]:
    """How many ended how."""
    outcomes = Counter(trade.outcome for trade in trades)
    return {
        "closed": sum(trade.is_closed for trade in trades),
        "open": outcomes["open"],
        "void": outcomes["void"],
        "ambiguous": sum(trade.ambiguous for trade in trades),
        "delisted": sum(trade.delisted for trade in trades),
        "by_outcome": {name: outcomes[name] for name in ("target", "stop", "expired", "decision")},
    }


def plain(values: dict[str, Any]) -> dict[str, Any]:
    """Numbers as JSON holds them: decimals as strings."""
    return {
        name: plain_decimal(value) if isinstance(value, Decimal) else value
        for name, value in values.items()
    }


def _sample(record: Record, numbers: Numbers) -> dict[str, Any]:
    sessions = record.curve.sessions
    return {
        "first": _date(int(sessions[0])),
        "last": _date(int(sessions[-1])),
        "sessions": len(sessions),
        **{name: plain(numbers.values).get(name) for name in SIDE_BY_SIDE},
    }


def _window(window: Window) -> dict[str, Any]:
    return {
        "first": _date(window.first),
        "last": _date(window.last),
        "parameters": dict(window.parameters),
        "in_sample_sharpe": window.in_sample_sharpe,
        "sharpe": window.sharpe,
        "total_return": window.returned,
        "closed": window.closed,
    }


def _of_curve(curve: Curve, sessions_per_year: float) -> dict[str, Any]:
    return {
        "total_return": curve.total,
        "sharpe": annual_sharpe(curve, sessions_per_year),
        "max_drawdown": max_drawdown_of(curve.levels).value,
    }


def _equity(record: Record, capital: Decimal) -> dict[str, Any]:
    scale = float(capital)
    return {
        "sessions": [_date(day) for day in record.curve.sessions.tolist()],
        "net": [round(scale * level, 2) for level in record.curve.levels[1:].tolist()],
        "gross": [round(scale * level, 2) for level in record.gross.levels[1:].tolist()],
        "holding": [round(scale * level, 2) for level in record.holding.levels[1:].tolist()],
    }


def _remembered(found: Backtest) -> dict[str, Any] | None:
    if not found.judged.remembered:
        return None
    until = found.settings.known_until
    return {
        "sessions": found.judged.remembered,
        "of": found.judged.sessions,
        "until": None if until is None else _date(until),
    }


def _may_be(found: Backtest, day: int) -> bool:
    settings = found.settings
    return settings.by_model and (settings.known_until is None or day <= settings.known_until)


def _text(value: Decimal | None) -> str | None:
    if value is None:
        return None
    with exact():
        return plain_decimal(value)


def _time(at: int) -> str:
    return moment(at).isoformat().replace("+00:00", "Z")


def _date(day: int) -> str:
    return date_of(day).isoformat()
