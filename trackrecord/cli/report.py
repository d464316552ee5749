"""Reading records."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.table import Table

from trackrecord.cli.common import DEFAULT_HOME, HomeOption, JsonOption, answer, load, screen


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a time such as 2026-01-31T16:00:00Z") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def report(
    strategy: Annotated[
        str | None, typer.Option("--strategy", help="Only this strategy's.")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of", help="Event time: leave out what was emitted or closed later (UTC)."
        ),
    ] = None,
    by: Annotated[
        str, typer.Option("--by", help="One record per: strategy, symbol, day, signal.")
    ] = "strategy",
    scripts: Annotated[
        bool, typer.Option("--scripts", help="The records of scripts instead of strategies.")
    ] = False,
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="Signals shown by --by signal.")
    ] = 50,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """What each strategy (symbol, day, signal, script) said and what it came to.

    Money is exact and per currency; PnL is net of fees, interest and funding.
    total_pnl, wins and losses are over signals closed in full, realised_pnl
    over all exits. Trailing "-" means not defined: --json says why.
    """
    from trackrecord.runtime.errors import PassingError, UnreachableError

    if by not in {"strategy", "symbol", "day", "signal"}:
        raise typer.BadParameter("--by takes strategy, symbol, day or signal")
    if as_of is not None and (scripts or by == "signal"):
        raise typer.BadParameter("--as-of goes with --by strategy, symbol or day")
    if strategy is not None and (scripts or by == "symbol"):
        raise typer.BadParameter("--strategy goes with --by strategy, day or signal")
    instant = _instant(as_of)
    try:
        if scripts:
            _scripts(home, as_json)
        elif by == "signal":
            _signals(home, strategy, limit, as_json)
        else:
            _records(home, by, strategy, instant, as_json)
    except PassingError as error:
        raise UnreachableError(str(error)) from None


def _records(
    home: Any, by: Any, strategy: str | None, as_of: datetime | None, as_json: bool
) -> None:
    from trackrecord.runtime.records import read_report

    found = read_report(load(home), by=by, strategy=strategy, as_of=as_of)
    if as_json:
        key = {"strategy": "strategies", "symbol": "symbols", "day": "days"}[by]
        answer({"as_of": found.as_of.isoformat(), key: found.records})
        return
    if not found.records:
        screen.print("nothing is on record yet: publish signals, or try `trackrecord demo`")
        return
    screen.print(records_table(by, found.records))
    screen.print(f"as of {found.as_of:%Y-%m-%d %H:%M} UTC; PnL is net of fees")


def records_table(by: str, records: dict[str, Any]) -> Table:
    """A table of records, one line per owner, day and currency."""
    table = Table(box=None, header_style="bold")
    names = [by] if by != "day" else ["strategy", "day"]
    for name in names:
        table.add_column(name)
    for name in (
        "signals", "closed", "wins", "losses", "win rate", "total PnL", "average", "profit factor",
        "fees", "open", "backdated",
    ):  # fmt: skip
        table.add_column(name, justify="right")
    for owner, record in records.items():
        days = record.items() if by == "day" else [(None, record)]
        for day, one in days:
            for part in _by_currency(one):
                table.add_row(owner, *([day] if day else []), *_cells(part))
    return table


def _by_currency(record: dict[str, Any]) -> list[dict[str, Any]]:
    if "currencies" not in record:
        return [record]
    return [{"currency": name, **part} for name, part in record["currencies"].items()]


def _cells(part: dict[str, Any]) -> list[str]:
    factor = part["profit_factor"]
    return [
        str(part["signals"]),
        str(part["closed"]),
        str(part["wins"]),
        str(part["losses"]),
        "-" if part["win_rate"] is None else f"{part['win_rate']:.0%}",
        f"{_money(part['total_pnl'])} {part['currency']}",
        "-" if part["average_pnl"] is None else _money(part["average_pnl"]),
        "-" if factor is None else f"{factor:.2f}",
        _money(part["fees"]),
        str(part["open"]),
        str(part["backdated"]),
    ]


def _money(text: str) -> str:
    return f"{Decimal(text):,.2f}"


def _signals(home: Any, strategy: str | None, limit: int, as_json: bool) -> None:
    from trackrecord.events.types import plain_decimal
    from trackrecord.runtime.database import connect
    from trackrecord.runtime.records import read_signals

    connection = connect(load(home), application="trackrecord report")
    try:
        signals = read_signals(connection, strategy, limit)
    finally:
        connection.close()
    for signal in signals:
        signal["outcome"] = {1: "win", 0: "breakeven", -1: "loss", None: None}[signal["outcome"]]
        for name, value in signal.items():
            if isinstance(value, Decimal):
                signal[name] = plain_decimal(value)
    if as_json:
        answer({"signals": signals})
        return
    table = Table(box=None, header_style="bold")
    for name in ("signal", "strategy", "symbol", "side", "quantity", "price", "emitted", "outcome"):
        table.add_column(name)
    table.add_column("PnL", justify="right")
    for signal in signals:
        table.add_row(
            signal["signal_id"],
            signal["strategy"],
            signal["symbol"],
            signal["side"],
            signal["quantity"],
            signal["price"],
            f"{signal['emitted_at']:%Y-%m-%d %H:%M}",
            signal["outcome"] or "open",
            f"{_money(signal['realised_pnl'])} {signal['currency']}",
        )
    screen.print(table)


def _scripts(home: Any, as_json: bool) -> None:
    from trackrecord.runtime.script_records import read_scripts

    found = read_scripts(load(home))
    if as_json:
        answer({"scripts": found})
    elif not found:
        screen.print("no script has run yet: try `trackrecord run-script PATH`")
    else:
        screen.print(scripts_table(found))
        screen.print()
        for script, record in found.items():
            screen.print(f"{script}: {record['insight']}", markup=False)


def scripts_table(records: dict[str, dict[str, Any]]) -> Table:
    """A table of scripts' records, one line each."""
    table = Table(box=None, header_style="bold")
    table.add_column("script")
    for name in (
        "runs", "failed", "buy", "sell", "hold", "none", "success rate", "average return",
        "trend", "last run",
    ):  # fmt: skip
        table.add_column(name, justify="right")
    for script, record in records.items():
        rate, mean = record["success_rate"], record["average_return_pct"]
        table.add_row(
            script,
            *(
                str(record[name])
                for name in ("runs", "failures", "buys", "sells", "holds", "undecided")
            ),
            "-" if rate is None else f"{rate:.0%}",
            "-" if mean is None else f"{mean:+.2f} %",
            record["trend"] or "-",
            record["last_run"][:16].replace("T", " "),
        )
    return table
