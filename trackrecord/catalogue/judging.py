"""A backtest of a kept strategy on the bars that came over Kafka."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from trackrecord.catalogue.bars import read_history
from trackrecord.catalogue.life import EVERY_SYMBOL, StrategyRefusedError
from trackrecord.catalogue.store import strategies, tries
from trackrecord.catalogue.store.attempts import Connect
from trackrecord.catalogue.store.rows import Made, Strategy, Version
from trackrecord.events.types import wire_time
from trackrecord.outcomes import Policy
from trackrecord.strategies import drive
from trackrecord.strategies.backtest import Counted, Settings, backtest
from trackrecord.strategies.execution import Executor
from trackrecord.strategies.history import History
from trackrecord.strategies.report import report_of
from trackrecord.strategies.rule_answers import columnar
from trackrecord.strategies.rules.as_json import from_json
from trackrecord.strategies.rules.parameters import with_parameters
from trackrecord.strategies.source import parameter_values, read_source
from trackrecord.strategies.tries import Run, code_identity
from trackrecord.strategies.walk import Told, untold
from trackrecord.times import day_number

_NOT_KEPT: Final = ("trades", "trades_in_sample", "equity", "assumptions", "seconds")
"""What of a report is worked out anew where somebody wants it: it is as long as the history."""


@dataclass(frozen=True)
class How:
    """How a kept strategy is judged, where that is not as usual.

    Attributes:
        symbols: On these; None: on the strategy's own.
        universe: What the symbols are, where they are all of something.
        settings: Capital, costs, windows, search; None: the usual ones.
        policy: Which level counts when one bar reaches both target and stop.
        told: Told how far it is.
    """

    symbols: Sequence[str] | None = None
    universe: str | None = None
    settings: Settings | None = None
    policy: Policy = "stop_first"
    told: Told = untold


def judge_kept(
    connect: Connect,
    strategy_id: UUID,
    executor: Callable[[], Executor],
    now: datetime,
    *,
    version: int | None = None,
    how: How | None = None,
) -> dict[str, Any]:
    """Backtest a version of a kept strategy, and keep the verdict with it.

    What is tried counts for the strategy's owner, also where it is broken off; no transaction is
    open while it is worked out.

    Args:
        connect: Opens a transaction that sees the strategy.
        strategy_id: Of the strategy.
        executor: Gives the sandbox, for code that no rule made.
        now: The time.
        version: Which; None: the present one.
        how: Where it is not as usual.

    Returns:
        The report, as ``trackrecord strategy backtest --json`` answers it.

    Raises:
        NoStrategyError: There is no such strategy or version, for this session to see.
        StrategyRefusedError: It has no code that may be run, or no symbols.
        BadBarsError: There are no bars, or of one session only.
        StrategyFaultError: It gave no decision on a bar.
    """
    how = how or How()
    with connect() as cursor:
        found = strategies.find(cursor, strategy_id)
        present = strategies.version(cursor, strategy_id, version)
        _require(found, present, how)
        history = read_history(
            cursor, how.symbols or found.symbols, found.timeframe, source=found.source
        )

    def counted(parameters: Sequence[str]) -> int:
        run = Run(found.owner, code_identity(present.code or ""), tuple(parameters))
        with connect() as cursor:
            return tries.note_and_count(cursor, run, now)

    values = dict(found.parameters) if present.version == found.version else {}
    report = judge(present, values, history, counted, executor, how)
    with connect() as cursor:
        strategies.keep_backtest(cursor, strategy_id, present.version, kept_of(report, now))
    return report


def judge(
    version: Version | Made,
    values: Mapping[str, Any],
    history: History,
    counted: Counted,
    executor: Callable[[], Executor],
    how: How,
) -> dict[str, Any]:
    """Backtest a version on bars; see :func:`judge_kept`.

    Args:
        version: With code.
        values: Of its parameters, where they are not the defaults.
        history: The bars.
        counted: Notes what was tried, and answers how many tries stand behind the strategy.
        executor: Gives the sandbox.
        how: Capital, costs, windows.
    """
    source = read_source(version.code or "")
    if isinstance(source, list):
        raise StrategyRefusedError("; ".join(each.message for each in source))
    checked = parameter_values(source, values)
    if isinstance(checked, list):
        raise StrategyRefusedError("; ".join(each.message for each in checked))
    given = {name: checked[name] for name in values}
    strategy: drive.Strategy
    if version.rule is None:
        strategy = drive.Code(executor(), source.code, source.sides, how.policy)
    else:
        rule = from_json(dict(version.rule))
        strategy = columnar(lambda wanted: with_parameters(rule, wanted), given, how.policy)
    settings = how.settings or Settings()
    if version.model:
        # What the model learnt before it was asked may hold these very bars.
        asked = None if version.asked_at is None else day_number(version.asked_at.date())
        settings = replace(settings, by_model=True, known_until=asked)
    made = backtest(strategy, history, source.parameters, given, counted, settings, how.told)
    return report_of(made, universe=how.universe)


def kept_of(report: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What is kept of a report: the verdict and the numbers, and when it was made."""
    kept = {name: value for name, value in report.items() if name not in _NOT_KEPT}
    return {"at": wire_time(now), **kept}


def _require(found: Strategy, version: Version, how: How) -> None:
    if version.code is None:
        raise StrategyRefusedError(f"{found.name!r} has no code that could be judged")
    if version.rule is None and not version.is_valid:
        raise StrategyRefusedError(
            f"{found.name!r} is not valid, so that its decisions may come from something else than "
            "the bars, and a backtest says nothing of it"
        )
    if not (how.symbols or found.symbols):
        raise StrategyRefusedError(
            f"{found.name!r} has no symbols: say on which it is to be judged, or {EVERY_SYMBOL} "
            "for whatever has bars"
        )
