"""``trackrecord report``: the records of strategies, scripts and outcomes."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.table import Table
from rich.text import Text

from trackrecord.cli.common import (
    DEFAULT_HOME,
    HomeOption,
    JsonOption,
    PolicyOption,
    answer,
    load,
    notes,
    screen,
)
from trackrecord.cli.refused import show_refused

if TYPE_CHECKING:
    from trackrecord.reports.strategies import Report
    from trackrecord.runtime.settings import Settings

_TO = "\N{EN DASH}"
_SHOWN = 50
"""Signals that are shown unless another number is asked for."""
_MOST_NAMES = 20
"""Strategies that are listed where none is like the one that was asked for."""


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
        str | None, typer.Option("--strategy", help="Show only this strategy.")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            help="Leave out what was emitted or closed after this time (UTC, by the events' own "
            "times).",
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option("--by", help="Group by strategy, symbol, day or signal. (default strategy)"),
    ] = None,
    scripts: Annotated[
        bool, typer.Option("--scripts", help="Show scripts instead of strategies.")
    ] = False,
    refused: Annotated[
        bool,
        typer.Option(
            "--refused",
            help="With --scripts: show why outputs recommend nothing, by reason, with examples.",
        ),
    ] = False,
    outcomes: Annotated[
        bool,
        typer.Option(
            "--outcomes",
            help="Show what signals would have made on the bars that "
            "followed, for each policy on record.",
        ),
    ] = False,
    policy: Annotated[
        PolicyOption | None,
        typer.Option("--policy", help="With --outcomes: show only this policy."),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            "--trials",
            min=1,
            help="How many strategies or variants were tried in all, for DSR; never fewer than "
            "those on record. (default TRACKRECORD_TRIALS)",
        ),
    ] = None,
    verified: Annotated[
        bool,
        typer.Option(
            "--verified",
            help="Count only what was said in time: first revisions, and nothing told after the "
            "fact. The ordinary records stand beside.",
        ),
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, help="How many signals --by signal shows. (default 50)"),
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Show the record of each strategy, symbol, day, signal or script.

    Money is exact and per currency; PnL is net of fees, interest and funding.
    total_pnl, wins and losses count signals closed in full; realised_pnl
    counts all exits. The Sharpe ratio and the numbers made from it use daily
    returns from the first entry to --as-of. Intervals are 95 % intervals. PSR
    is the probability that the true Sharpe ratio is above 0; DSR that it is
    above what the best of all strategies would reach by luck. "-" means not
    defined: --json says why.
    """
    from trackrecord.runtime.errors import PassingError, UnreachableError

    if by not in {None, "strategy", "symbol", "day", "signal"}:
        raise typer.BadParameter("--by takes strategy, symbol, day or signal")
    kind = "scripts" if scripts else "outcomes" if outcomes else by or "strategy"
    for given, kinds, words in (
        (outcomes, {"outcomes"}, "--outcomes goes without --scripts"),
        (outcomes and by is not None, set(), "--outcomes goes without --by"),
        (scripts and by is not None, set(), "--scripts goes without --by"),
        (refused, {"scripts"}, "--refused goes with --scripts"),
        (policy is not None, {"outcomes"}, "--policy goes with --outcomes"),
        (as_of is not None, {"strategy", "symbol", "day"},
         "--as-of goes with --by strategy, symbol or day"),
        (strategy is not None, {"strategy", "day", "signal", "outcomes"},
         "--strategy goes with --by strategy, day or signal, or --outcomes"),
        (verified, {"strategy", "symbol", "day"},
         "--verified goes with --by strategy, symbol or day"),
        (trials is not None, {"strategy"}, "--trials goes with --by strategy"),
        (limit is not None, {"signal"}, "--limit goes with --by signal"),
    ):  # fmt: skip
        if given and kind not in kinds:
            raise typer.BadParameter(words)
    instant = _instant(as_of)
    try:
        if refused:
            show_refused(home, as_json=as_json)
        elif scripts:
            _scripts(home, as_json)
        elif outcomes:
            _outcomes(home, policy, strategy, as_json)
        elif kind == "signal":
            _signals(home, strategy, limit or _SHOWN, as_json)
        else:
            _records(home, kind, strategy, instant, trials, as_json, verified=verified)
    except PassingError as error:
        raise UnreachableError(str(error)) from None


def _records(
    home: Any,
    by: Any,
    strategy: str | None,
    as_of: datetime | None,
    trials: int | None,
    as_json: bool,
    *,
    verified: bool,
) -> None:
    from trackrecord.reports.irregularities import as_fields
    from trackrecord.reports.strategies import read_report

    settings = load(home, database=True)
    found = read_report(
        settings, by=by, strategy=strategy, as_of=as_of, trials=trials, verified=verified
    )
    if as_json:
        key = {"strategy": "strategies", "symbol": "symbols", "day": "days"}[by]
        fields = as_fields(found.irregularities)
        if found.beside is not None:
            fields |= {"verified": True, "ordinary": found.beside}
        answer({"as_of": found.as_of.isoformat(), **fields, key: found.records})
    if strategy is not None and not found.records and not found.irregularities.by_strategy:
        _missing(settings, strategy, found.as_of)
    if as_json:
        return
    if not found.records and strategy is None:
        screen.print("nothing is on record yet: publish signals, or try `trackrecord demo`")
    elif found.records and by == "strategy":
        screen.print(strategies_table(found.records, found.beside))
        screen.print(what_it_rests_on(found.records))
    elif found.records:
        screen.print(records_table(by, found.records))
    if found.records and verified:
        screen.print(
            "counted is only what was said in time: of each signal and exit the last revision "
            "within the tolerance of its first, and nothing told after the fact"
        )
    for line in what_to_know(by, found):
        screen.print(line, markup=False)


def _missing(settings: Settings, strategy: str, as_of: datetime | None = None) -> None:
    """Say what is on record where a strategy that was asked for is not.

    Raises:
        Exit: Code 1, unless the strategy is on record, only later than asked for.
    """
    from difflib import get_close_matches

    from trackrecord.reports.strategies import read_names

    names = read_names(settings)
    if strategy in names:
        if as_of is not None:
            words = f"{strategy} has nothing on record as of {as_of:%Y-%m-%d %H:%M} UTC"
            notes.print(words, markup=False)
        return
    if not names:
        words = "nothing is on record yet: publish signals, or try `trackrecord demo`"
    else:
        folded = {name.casefold(): name for name in names}
        close = [folded[one] for one in get_close_matches(strategy.casefold(), folded)]
        if close:
            offered = f"did you mean {' or '.join(close)}?"
        elif len(names) > _MOST_NAMES:
            offered = f"{len(names):,} others are; `trackrecord report` lists them"
        else:
            offered = f"on record: {', '.join(names)}"
        words = f"no strategy named {strategy} is on record: {offered}"
    notes.print(words, markup=False)
    raise typer.Exit(1)


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
            table.add_row(shown, *_judged(part))
        for part in _by_currency(beside[owner]) if beside and owner in beside else []:
            table.add_row(Text("  on record"), *_judged(part), style="dim")
    return table


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
        f"{_money(part['total_pnl'])} {part['currency']}",
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
    from trackrecord.reports.strategies import read_signals

    settings = load(home, database=True)
    signals = read_signals(settings, strategy, limit)
    for signal in signals:
        signal["outcome"] = {1: "win", 0: "breakeven", -1: "loss", None: None}[signal["outcome"]]
        for name, value in signal.items():
            if isinstance(value, Decimal):
                signal[name] = plain_decimal(value)
    if as_json:
        answer({"signals": signals})
    if strategy is not None and not signals:
        _missing(settings, strategy)
    if as_json:
        return
    if not signals:
        screen.print("nothing is on record yet: publish signals, or try `trackrecord demo`")
        return
    table = Table(box=None, header_style="bold")
    for name in ("signal", "strategy", "symbol", "side", "quantity", "entry", "emitted", "outcome"):
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
            signal["outcome"] or "open",
            f"{_money(signal['realised_pnl'])} {signal['currency']}",
        )
    screen.print(table)


def _scripts(home: Any, as_json: bool) -> None:
    from trackrecord.reports.scripts import read_scripts

    found = read_scripts(load(home, database=True))
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


def _outcomes(home: Any, policy: str | None, strategy: str | None, as_json: bool) -> None:
    from trackrecord.reports.outcomes import read_outcomes

    settings = load(home, database=True)
    found = {
        name: {owner: row for owner, row in rows.items() if strategy in {None, owner}}
        for name, rows in read_outcomes(settings).items()
        if policy in {None, name}
    }
    if as_json:
        answer({"policy": settings.outcome_policy, "outcomes": found})
    if strategy is not None and not any(found.values()):
        _missing(settings, strategy)
    if as_json:
        return
    if not any(found.values()):
        screen.print("no outcome is on record yet: they follow from signals and market_bar events")
    else:
        for name, rows in found.items():
            is_set = name == settings.outcome_policy
            screen.print(f"{name}, which is set and learnt from" if is_set else name)
            screen.print(outcomes_table(rows))


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
