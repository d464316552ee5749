"""The tables of ``trackrecord report``, and the lines below them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table
from rich.text import Text

from trackrecord.performance.sums.sums import MIXED, UNKNOWN

if TYPE_CHECKING:
    from trackrecord.reports.strategies import Report

_TO: Final = "\N{EN DASH}"


def what_to_know(by: str, found: Report) -> list[str]:
    """The lines below a table: as of when, and what looks wrong.

    Args:
        by: What a record is of.
        found: The records.
    """
    from trackrecord.reports.irregularities import sentences

    lines = []
    if found.records:
        lines.append(f"as of {found.as_of:%Y-%m-%d %H:%M} UTC; PnL is net of fees")
    parts = [
        one
        for record in found.records.values()
        for one in (record.values() if by == "day" else [record])
    ]
    for kind, (single, many) in _LATE.items():
        count = sum(part[kind] for part in parts)
        if count:
            lines.append(single if count == 1 else many.format(f"{count:,}"))
    return lines + sentences(found.irregularities)


_LATE: Final[dict[str, tuple[str, str]]] = {
    "backdated": (
        "1 signal reached the broker long after the time that it names (backdated)",
        "{} signals reached the broker long after the times that they name (backdated)",
    ),
    "exits_backdated": (
        "1 exit reached the broker long after the time that it names (exits_backdated)",
        "{} exits reached the broker long after the times that they name (exits_backdated)",
    ),
    "corrected_late": (
        "1 signal or exit was changed long after it was first said (corrected_late)",
        "{} signals and exits were changed long after they were first said (corrected_late)",
    ),
    "moved_in_late": (
        "1 signal was moved to another strategy long after it was first said (moved_in_late)",
        "{} signals were moved to other strategies long after they were first said (moved_in_late)",
    ),
}
"""What a record holds that was not said in time, in words."""


def strategies_table(records: dict[str, Any], beside: dict[str, Any] | None = None) -> Table:
    """A table of strategies' records, one line per strategy and currency; 100 columns wide.

    Args:
        records: By strategy.
        beside: The ordinary records, where the others count only what was said in time.
    """
    table = Table(box=None, header_style="bold", padding=(0, 1, 0, 0))
    table.add_column("strategy", overflow="fold")
    for name in ("signals", "closed", "win rate", "total PnL"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("profit factor", justify="right", max_width=6)
    for name in ("Sharpe", "PSR", "DSR"):
        table.add_column(name, justify="right", no_wrap=True)
    for owner, record in records.items():
        for part in _by_currency(record):
            shown = Text(owner)
            if part["too_few_to_tell"]:
                shown.append("\ntoo few trades to tell", style="dim")
            if whose := _accounts(part):
                shown.append(f"\n{whose}", style="dim")
            table.add_row(shown, *_judged(part))
        for part in _by_currency(beside[owner]) if beside and owner in beside else []:
            table.add_row(Text("  on record"), *_judged(part), style="dim")
    return table


def _accounts(part: dict[str, Any]) -> str | None:
    """Of which kinds of account the signals are; None where none says so."""
    if part["account"] == UNKNOWN:
        return None
    if part["account"] != MIXED:
        return f"{part['account']} account"
    return ", ".join(f"{count} {kind}" for kind, count in part["accounts"].items())


def what_it_rests_on(records: dict[str, Any]) -> str:
    """How many strategies DSR was corrected for, and what daily returns are made of."""
    parts = [part for record in records.values() for part in _by_currency(record)]
    trials = max(part["trials"] for part in parts)
    bases = {part["basis"] for part in parts}
    if bases == {"capital"}:
        basis = "returns on capital"
    elif bases == {"mean_trade_return"}:
        basis = "mean trade returns (no TRACKRECORD_CAPITAL)"
    else:
        basis = "returns on capital where it is known, else mean trade returns"
    counted = "1 strategy" if trials == 1 else f"{trials} strategies"
    return f"DSR is corrected for {counted}; basis: {basis}"


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
                table.add_row(Text(owner), *([day] if day else []), *_cells(part))
    return table


def _by_currency(record: dict[str, Any]) -> list[dict[str, Any]]:
    if "currencies" not in record:
        return [record]
    return [{"currency": name, **part} for name, part in record["currencies"].items()]


def _judged(part: dict[str, Any]) -> list[str]:
    factor, shown_rate, shown_ratio = part["profit_factor"], "-", "-"
    if part["win_rate"] is not None:
        low, high = part["win_rate_interval"]
        rate = 100 * part["win_rate"]
        shown_rate = f"{rate:.0f} % ({100 * low:.0f}{_TO}{100 * high:.0f})"
    if part["sharpe"] is not None:
        shown_ratio = f"{part['sharpe']:.2f}"
        if part["sharpe_interval"] is not None:
            low, high = part["sharpe_interval"]
            shown_ratio += f" ({low:.1f}{_TO}{high:.1f})"
    skill, deflated = part["probabilistic_sharpe_ratio"], part["deflated_sharpe_ratio"]
    return [
        str(part["signals"]),
        str(part["closed"]),
        shown_rate,
        f"{money(part['total_pnl'])} {part['currency']}",
        "-" if factor is None else f"{factor:.2f}",
        shown_ratio,
        "-" if skill is None else f"{skill:.2f}",
        "-" if deflated is None else f"{deflated:.2f}",
    ]


def _cells(part: dict[str, Any]) -> list[str]:
    factor = part["profit_factor"]
    return [
        str(part["signals"]),
        str(part["closed"]),
        str(part["wins"]),
        str(part["losses"]),
        "-" if part["win_rate"] is None else f"{part['win_rate']:.0%}",
        f"{money(part['total_pnl'])} {part['currency']}",
        "-" if part["average_pnl"] is None else money(part["average_pnl"]),
        "-" if factor is None else f"{factor:.2f}",
        money(part["fees"]),
        str(part["open"]),
        str(part["backdated"]),
    ]


def money(text: Decimal | str) -> str:
    """An amount as people read it: two places, thousands apart."""
    return f"{Decimal(text):,.2f}"


def signals_table(signals: list[dict[str, Any]]) -> Table:
    """A table of signals and what became of them, one line each."""
    table = Table(box=None, header_style="bold")
    for name in ("signal", "strategy", "symbol", "side", "quantity", "entry", "emitted", "account",
                 "outcome"):  # fmt: skip
        table.add_column(name)
    table.add_column("PnL", justify="right")
    for signal in signals:
        table.add_row(
            Text(signal["signal_id"]),
            Text(signal["strategy"]),
            Text(signal["symbol"]),
            signal["side"],
            signal["quantity"],
            signal["entry_price"] or "next open",
            f"{signal['emitted_at']:%Y-%m-%d %H:%M}",
            signal["account"] or "-",
            signal["outcome"] or "open",
            f"{money(signal['realised_pnl'])} {signal['currency']}",
        )
    return table


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
            Text(script),
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


def outcomes_table(outcomes: dict[str, dict[str, Any]]) -> Table:
    """A table of what became of signals, a line for each strategy."""
    table = Table(box=None, header_style="bold")
    table.add_column("signals of")
    for name in ("target", "stop", "expired", "void", "ambiguous", "average return"):
        table.add_column(name, justify="right")
    for strategy, found in outcomes.items():
        mean = found["average_return"]
        table.add_row(
            Text(strategy),
            *(str(found[name]) for name in ("target", "stop", "expired", "void", "ambiguous")),
            "-" if mean is None else f"{mean:+.2%}",
        )
    return table
