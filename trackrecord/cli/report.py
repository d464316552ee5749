"""``trackrecord report``: the records of strategies, scripts and outcomes."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

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
from trackrecord.cli.report_tables import (
    outcomes_table,
    records_table,
    scripts_table,
    signals_table,
    strategies_table,
    what_it_rests_on,
    what_to_know,
)

if TYPE_CHECKING:
    from trackrecord.runtime.settings import Settings

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
    screen.print(signals_table(signals))


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
