"""Broken versions of the pipeline, which the torture must find.

Each takes away one thing that the promise rests on. A mutant is the real stage in a process
of its own in which this module has changed the code or the statements, just before it
starts; the product has no switch for any of it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg2
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - it is a class

from services.outcome_scorer.handler.outcomes import Judging
from services.signal_tracker.tables import SUMS
from services.strategy_runner.store import positions
from trackrecord.runtime import database
from trackrecord.runtime.decoding.batch import Partition
from trackrecord.runtime.loop import offsets
from trackrecord.runtime.outbox import Outbox, Row
from trackrecord.runtime.settings import load_settings

MARK = "this is a mutant: "
"""A mutant says so in its log, once, when it does what it was made for."""

Rewriting = Sequence[tuple[str, str]]
"""Patterns in statements, and what stands in their place."""


@dataclass(frozen=True)
class Mutant:
    """One way to break the pipeline.

    Attributes:
        meaning: What is broken, in a line.
        break_it: Breaks it, in the process that calls it.
        repeats: Whether histories keep what is published twice. What would already be found
            by that is to be found without it.
        shown_by: Faults that show it soonest, for a hunt that must be short; all if empty.
        judged: Whether it is the outcome_scorer or the strategy_runner that is broken; else there
            is none.
    """

    meaning: str
    break_it: Callable[[], None]
    repeats: bool = True
    shown_by: tuple[str, ...] = ()
    judged: bool = False


_said: set[str] = set()


def _say(name: str) -> None:
    if name not in _said:
        _said.add(name)
        sys.stderr.write(f"{MARK}{name}\n")
        sys.stderr.flush()


def _rewrite(name: str, rewriting: Rewriting) -> None:
    """Change statements on their way to the database."""

    class Rewritten(Cursor):
        def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - its name there
            if isinstance(query, str):
                for pattern, instead in rewriting:
                    query, found = re.subn(pattern, instead, query)
                    if found:
                        _say(f"{name}: {pattern[:40]}")
            super().execute(query, vars)

    connect = psycopg2.connect
    database.psycopg2.connect = lambda *args, **more: connect(  # type: ignore[attr-defined]
        *args, **{"cursor_factory": Rewritten, **more}
    )


def _offsets_before_effects() -> None:
    session: list[database.Connection] = []
    advance = offsets.advance

    def alone(
        effects: database.Cursor,
        stage: str,
        claims: Mapping[Partition, offsets.Claim],
        moves: Mapping[Partition, int],
        **more: Any,
    ) -> None:
        del effects
        if not session or session[0].closed:
            session[:] = [database.connect(load_settings(), application=f"trackrecord {stage}")]
        try:
            with session[0], session[0].cursor() as cursor:
                advance(cursor, stage, claims, moves, **more)
        except psycopg2.Error:
            session[0].close()
            raise
        _say("offsets_before_effects")

    offsets.advance = alone  # type: ignore[assignment]


def _without_fence_and_key() -> None:
    _rewrite(
        "no_fence_no_key",
        (
            # The fence: whoever comes moves the position, and nobody's session is ended.
            (r"AND o\.epoch = new\.epoch AND o\.next_offset = new\.expected", ""),
            (r"AND o\.epoch = mine\.epoch", ""),
            (r"WHERE a\.xact_start IS NOT NULL", "WHERE false"),
            # The key: what is known already counts once more.
            (r"(?=\nDELETE FROM new_entries AS n USING old_signals)", _COUNT_REPEATS),
        ),
    )


def _once_more(**of: str) -> str:
    return ", ".join(of.get(name, "0") for name in SUMS)


_COUNT_REPEATS = f"""
INSERT INTO deltas
SELECT o.strategy, o.symbol, o.currency, (o.emitted_at AT TIME ZONE 'UTC')::date,
       {_once_more(signals="1")}
FROM new_entries AS n JOIN old_signals AS o USING (signal_id, revision);
INSERT INTO deltas
SELECT o.strategy, o.symbol, o.currency, (x.closed_at AT TIME ZONE 'UTC')::date,
       {_once_more(exits="1", realised_pnl="x.realised_pnl", fees="x.fees", carry="x.carry")}
FROM new_exits AS n JOIN old_exits AS x USING (signal_id, exit_id, revision)
JOIN old_signals AS o USING (signal_id)
WHERE o.revision >= 0 AND x.closed_quantity > 0;
"""


def _outbox_before_acknowledgement() -> None:
    send = Outbox.send

    def forgetful(self: Outbox, messages: Any) -> None:
        known: list[tuple[int, Row]] = list(messages)
        send(self, known)
        if known and self.backlog:
            _say("outbox_before_acknowledgement")
        for row_id, _ in known:
            self.note_acknowledged(row_id)

    Outbox.send = forgetful  # type: ignore[method-assign]


def _without_row_lock() -> None:
    _rewrite("no_row_lock", ((r"(?s)(INSERT INTO old_signals\b.*?)FOR UPDATE( OF \w+)?", r"\1"),))


def _by_arrival() -> None:
    _rewrite(
        "by_arrival",
        (
            # What is in the table came before what is in the batch.
            (r"ORDER BY x\.closed_at, x\.exit_id", "ORDER BY x.position NULLS FIRST, x.closed_at"),
            (r"ORDER BY closed_at, exit_id", "ORDER BY position NULLS FIRST, closed_at"),
        ),
    )


def _no_second_look() -> None:
    def look_away(_self: Judging, late: Mapping[Any, int]) -> None:
        if late:
            _say("no_second_look")

    Judging.revisit = look_away  # type: ignore[method-assign]


def _empty_handed() -> None:
    def read(_cursor: Cursor, keys: Sequence[Any]) -> dict[Any, dict[Any, Any]]:
        if keys:
            _say("empty_handed")
        return {key: {} for key in keys}

    positions.read = read  # type: ignore[assignment]


MUTANTS: dict[str, Mutant] = {
    "offsets_before_effects": Mutant(
        "offsets are committed before the effects, in a transaction of their own",
        _offsets_before_effects,
    ),
    "no_fence_no_key": Mutant(
        "neither is the position fenced, nor does an id keep a repeat from counting",
        _without_fence_and_key,
        repeats=False,
    ),
    "outbox_before_acknowledgement": Mutant(
        "rows leave the outbox before the broker has acknowledged them",
        _outbox_before_acknowledgement,
        shown_by=("kill_unacknowledged",),
    ),
    "no_row_lock": Mutant(
        "an entry and an exit do not lock the row at which they meet", _without_row_lock
    ),
    "no_second_look": Mutant(
        "a late or corrected bar changes no outcome whose horizon had elapsed",
        _no_second_look,
        judged=True,
    ),
    "empty_handed": Mutant(
        "who takes up a symbol does not know what strategies hold of it",
        _empty_handed,
        shown_by=("kill", "join", "stop"),
        judged=True,
    ),
    "by_arrival": Mutant("exits are folded in the order of their arrival", _by_arrival),
}
