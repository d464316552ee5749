"""A stage with one fault built in: run as ``python -m tests.faults.faulty_stage STAGE FAULT N``.

The stage and the runtime are the real ones. One of their collaborators is
wrapped here so that its N-th use (or a use that N describes) ends, freezes or
cheats the process at a point that no signal from outside would hit reliably.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from services.outcome_scorer import store as scorer_store
from services.signal_tracker.store import batch as tracker_store
from tests.support.clocks import ShiftedClock
from tests.support.pipeline import stage_named
from trackrecord.clock import SYSTEM_CLOCK, Clock
from trackrecord.runtime import database
from trackrecord.runtime.database import CopyRows, Cursor
from trackrecord.runtime.decoding.batch import Batch
from trackrecord.runtime.decoding.decoder import Refusal
from trackrecord.runtime.outbox import Outbox, Row
from trackrecord.runtime.process.run import run
from trackrecord.runtime.settings import load_settings
from trackrecord.runtime.stage import Effects, Stage


def _end() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _freeze() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _nth(number: int, then: Callable[[], None]) -> Callable[[], None]:
    uses = 0

    def use() -> None:
        nonlocal uses
        uses += 1
        if uses == number:
            then()

    return use


def die_before_sending(_stage: Stage, number: int) -> None:
    """End after the N-th commit with outgoing events, before any of them is sent."""
    send, use = Outbox.send, _nth(number, _end)

    def wrapped(self: Outbox, messages: Iterable[tuple[int, Row]]) -> None:
        messages = list(messages)
        if messages:
            use()
        send(self, messages)

    Outbox.send = wrapped  # type: ignore[method-assign]


def die_halfway_through_sending(_stage: Stage, number: int) -> None:
    """End when the broker has acknowledged one half of the N-th commit's events."""
    send = Outbox.send
    seen = 0

    def wrapped(self: Outbox, messages: Iterable[tuple[int, Row]]) -> None:
        nonlocal seen
        messages = list(messages)
        seen += bool(messages)
        if messages and seen == number:
            send(self, messages[: len(messages) // 2])
            self.drain(10)
            _end()
        send(self, messages)

    Outbox.send = wrapped  # type: ignore[method-assign]


def die_before_deleting(_stage: Stage, number: int) -> None:
    """End when acknowledged rows are about to be deleted from the outbox for the N-th time."""
    delete, use = Outbox.delete_acknowledged, _nth(number, _end)

    def wrapped(self: Outbox, cursor: Cursor) -> Callable[[], None]:
        if self.acknowledged:
            use()
        return delete(self, cursor)

    Outbox.delete_acknowledged = wrapped  # type: ignore[method-assign]


def lose_the_commit_reply(stage: Stage, number: int) -> None:
    """Break the session after the N-th batch is committed, before the reply is seen."""
    armed = False

    def arm() -> None:
        nonlocal armed
        armed = True

    class Lossy(Connection):
        def commit(self) -> None:
            nonlocal armed
            super().commit()
            if armed:
                armed = False
                self.close()
                raise psycopg2.OperationalError("server closed the connection unexpectedly")

    connect = psycopg2.connect
    database.psycopg2.connect = lambda *args, **more: connect(  # type: ignore[attr-defined]
        *args, connection_factory=Lossy, **more
    )
    _after_apply(stage, _nth(number, arm))


class _Halting(io.BytesIO):
    """A file that freezes the process, once, when half of it is read."""

    is_halfway = False

    def read(self, size: int | None = -1, /) -> bytes:
        if not self.is_halfway and self.tell() >= len(self.getbuffer()) // 2:
            self.is_halfway = True
            _freeze()
        return super().read(max(1, min(size or 1, 1024)))


def freeze_inside_copy(_stage: Stage, number: int) -> None:
    """Freeze halfway through the N-th COPY."""
    copy, uses = database.copy_rows, 0

    def wrapped(cursor: Cursor, table: str, rows: CopyRows) -> None:
        nonlocal uses
        uses += rows.count > 0
        if uses != number:
            copy(cursor, table, rows)
            return
        real = io.BytesIO
        io.BytesIO = _Halting  # type: ignore[misc]
        try:
            copy(cursor, table, rows)
        finally:
            io.BytesIO = real  # type: ignore[misc]

    for store in (tracker_store, scorer_store):
        store.copy_rows = wrapped  # type: ignore[attr-defined]


def _after_apply(stage: Stage, then: Callable[[], None]) -> None:
    handler: Any = stage.handler
    apply = handler.apply

    def wrapped(self: Any, batch: Batch, cursor: Cursor) -> Effects:
        effects: Effects = apply(self, batch, cursor)
        then()
        return effects

    handler.apply = wrapped


def freeze_before_loading(stage: Stage, number: int) -> None:
    """Freeze with the N-th batch in hand, before a transaction is open."""
    handler: Any = stage.handler
    load, use = handler.load, _nth(number, _freeze)

    def wrapped(self: Any, batch: Batch, cursor: Cursor) -> None:
        use()
        load(self, batch, cursor)

    handler.load = wrapped


def freeze_holding_locks(stage: Stage, number: int) -> None:
    """Freeze inside the N-th transaction, when all its rows are written and locked."""
    _after_apply(stage, _nth(number, _freeze))


def die_holding_locks(stage: Stage, number: int) -> None:
    """End inside the N-th transaction, when all its rows are written and locked."""
    _after_apply(stage, _nth(number, _end))


def dawdle(stage: Stage, number: int) -> None:
    """Take N seconds over the first batch."""
    _after_apply(stage, _nth(1, lambda: time.sleep(number)))


def shift_clock(_stage: Stage, seconds: int) -> Clock:
    """Be N seconds off; a negative N is late."""
    return ShiftedClock(seconds)


def refuse_everything(stage: Stage, _number: int) -> None:
    """Refuse every message, as a bad deploy would."""
    handler: Any = stage.handler

    def refuse(_self: Any, batch: Batch, _cursor: Cursor) -> Effects:
        read = {each.position for each in batch.refused}
        valid = [n for n in range(len(batch.messages)) if n not in read]
        return Effects([Refusal(n, "invalid", "a rule that nobody asked for") for n in valid])

    handler.apply = refuse


FAULTS: dict[str, Callable[[Stage, int], Clock | None]] = {
    each.__name__: each
    for each in (
        die_before_sending,
        die_halfway_through_sending,
        die_before_deleting,
        die_holding_locks,
        lose_the_commit_reply,
        freeze_before_loading,
        freeze_inside_copy,
        freeze_holding_locks,
        dawdle,
        shift_clock,
        refuse_everything,
    )
}


def main(stage_name: str, fault: str, number: str) -> int:
    """Run a stage with a fault."""
    stage = stage_named(stage_name)
    clock = FAULTS[fault](stage, int(number))
    return run(stage, load_settings(), clock or SYSTEM_CLOCK)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
