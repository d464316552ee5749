"""Signals: by pages, and all that is known of one."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from trackrecord.api.answers import answer, unchanged
from trackrecord.api.cursors import time_of
from trackrecord.api.parts import parts_of
from trackrecord.api.problems import not_found
from trackrecord.api.routes.asking import VERSION_ONE, Asked, Paged, PathId, Text, Time
from trackrecord.api.shapes import OneSignal, Signals
from trackrecord.api.who import Reader, Who
from trackrecord.reports.one_signal import read_signal
from trackrecord.reports.signal_pages import Outcome, SignalFilter, read_page

router = APIRouter(prefix=VERSION_ONE, tags=["signals"])


class WhichSignals(Asked):
    """Which signals; what is left out does not matter."""

    strategy: Text | None = None
    """Whose."""
    symbol: Text | None = None
    """Of which instrument."""
    side: Literal["BUY", "SELL"] | None = None
    """BUY opens a long position, SELL a short one."""
    outcome: Outcome | None = None
    """What became of it."""
    from_: Annotated[Time | None, Field(alias="from")] = None
    """Emitted then or later."""
    to: Time | None = None
    """Emitted before."""

    def chosen(self, who: Reader) -> SignalFilter:
        """The same for those who read, as far as somebody may see them."""
        return SignalFilter(
            self.strategy, self.symbol, self.side, self.outcome, self.from_, self.to, who.hidden
        )


class _Listed(WhichSignals, Paged):
    pass


@router.get("/signals", response_model=Signals, operation_id="list_signals")
def list_signals(request: Request, who: Who, asked: Annotated[_Listed, Query()]) -> Response:
    """Signals and what became of them, the newest first."""
    parts = parts_of(request)
    after = None
    if asked.cursor is not None:
        at, signal_id = parts.cursors.of(who.whose).read(
            "signals", asked.filters(), asked.cursor, 2
        )
        after = (time_of(at), str(signal_id))
    with parts.pool.reading() as cursor:
        as_of = parts.clock.now()
        version = parts.reading.version(cursor, "signals", view=who.view)
        if same := unchanged(request, version):
            return same
        found = read_page(cursor, asked.chosen(who), after, asked.limit + 1)
    following = None
    if len(found) > asked.limit:
        last = found[asked.limit - 1]
        keys = (last["emitted_at"], last["signal_id"])
        following = parts.cursors.of(who.whose).written("signals", asked.filters(), keys)
    content = {"signals": found[: asked.limit], "next": following}
    return answer(content, as_of=as_of, version=version)


@router.get("/signals/{signal_id}", response_model=OneSignal, operation_id="show_signal")
def show_signal(
    request: Request, who: Who, signal_id: PathId, asked: Annotated[Asked, Query()]
) -> Response:
    """One signal: what was said of it, its revisions, exits, assessment and outcomes."""
    del asked
    parts = parts_of(request)
    with parts.pool.reading() as cursor:
        as_of = parts.clock.now()
        version = parts.reading.version(cursor, "signals", "outcomes", view=who.view)
        found = read_signal(cursor, signal_id, who.hidden)
    if found is None:
        raise not_found(f"there is no signal {signal_id!r} on record")
    return unchanged(request, version) or answer(found, as_of=as_of, version=version)
