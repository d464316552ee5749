"""A backtest of a strategy that is kept, on the bars of the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackrecord.cli.common import InputError, PolicyOption, load, notes

if TYPE_CHECKING:
    from trackrecord.runtime.database import Cursor
    from trackrecord.strategies.backtest import Settings


def judged(
    stored: str,
    home: Path,
    settings: Settings,
    symbols: Sequence[str] | None,
    universe: str | None,
    policy: PolicyOption,
) -> dict[str, Any]:
    """Judge a kept strategy, keep the verdict with it, and answer as for a file.

    Args:
        stored: Its id or name.
        home: Of the local stack.
        settings: Capital, costs, windows, search.
        symbols: On these; None: its own.
        universe: What they are, where they are all of something.
        policy: Which level counts when one bar reaches both target and stop.

    Raises:
        InputError: There is no such strategy, it has nothing to judge, or there are no bars.
        StrategyFaultError: It gave no decision on a bar.
    """
    from trackrecord.catalogue.judging import How, judge_kept
    from trackrecord.catalogue.life import NoStrategyError, StrategyRefusedError
    from trackrecord.catalogue.store import strategies
    from trackrecord.cli.progress import shown
    from trackrecord.cli.strategy.kept import meant
    from trackrecord.clock import SYSTEM_CLOCK
    from trackrecord.runtime.database import session
    from trackrecord.sandbox.from_settings import executor_of
    from trackrecord.sandbox.isolation import SandboxError
    from trackrecord.strategies.history import BadBarsError
    from trackrecord.strategies.source import Source, read_source
    from trackrecord.strategies.tries import code_identity

    known = load(home, database=True)

    @contextmanager
    def connect() -> Iterator[Cursor]:
        with session(known, application="trackrecord strategy") as cursor:
            yield cursor

    try:
        with connect() as cursor:
            found = meant(cursor, stored, None)
            version = strategies.version(cursor, found.strategy_id)
        with executor_of(known) as executor, shown(notes) as progress:
            how = How(symbols, universe, settings, policy, progress)
            now = SYSTEM_CLOCK.now()
            report = judge_kept(connect, found.strategy_id, lambda: executor, now, how=how)
    except (NoStrategyError, StrategyRefusedError, BadBarsError, SandboxError) as error:
        raise InputError(str(error)) from None
    source = read_source(version.code or "")
    assert isinstance(source, Source)  # noqa: S101 - it has just been judged
    return {
        "strategy": {
            "file": f"{found.name} (version {version.version})",
            "strategy_id": str(found.strategy_id),
            "version": version.version,
            "code": code_identity(source.code),
            "sides": source.sides,
            "lookback": source.lookback,
            "way": "code" if version.rule is None else "rule",
            "reads_as": version.reads_as or None,
        },
        **report,
    }
