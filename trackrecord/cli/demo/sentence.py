"""A strategy from a sentence: asked for over Kafka, judged on the first years, and put to work."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from trackrecord.runtime.errors import FatalError

if TYPE_CHECKING:
    from trackrecord.catalogue.store.requests import Request
    from trackrecord.runtime.settings import Settings

SENTENCE: Final = (
    "buy when the 20 day average crosses above the 50 day average, sell when it crosses back "
    "below, stop 5 %"
)
NAME: Final = "crossing_averages"
"""What its record is called."""
STAGES: Final = frozenset({"strategy_gen", "strategy_runner"})
"""What makes it, and what runs it."""

_OWNER: Final = "demo"
_SECONDS: Final = 60.0
_GLANCE: Final = 0.1


@dataclass(frozen=True)
class FromSentence:
    """What became of the sentence.

    Attributes:
        name: Of the strategy's record.
        reads_as: How the sentence was understood.
        assumptions: What it left open.
        verdict: Of the backtest on the years before it was put to work.
        why: In one sentence.
    """

    name: str
    reads_as: str
    assumptions: Sequence[str]
    verdict: str
    why: str

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"sentence": SENTENCE, **vars(self), "assumptions": list(self.assumptions)}


def put_to_work(settings: Settings, symbols: Sequence[str]) -> FromSentence:
    """Ask for the strategy, wait until it is made and judged, and activate it.

    It decides on bars that come from then on.

    Args:
        settings: Of the stack, which runs.
        symbols: What it trades.

    Raises:
        FatalError: It is not made in time, or is no more than a draft.
    """
    from trackrecord.access.store.audit import COMMAND_LINE
    from trackrecord.catalogue.store import strategies
    from trackrecord.clock import SYSTEM_CLOCK
    from trackrecord.events import StrategyRequested
    from trackrecord.publishing.send import send
    from trackrecord.runtime import database

    asked = StrategyRequested(
        request_id="demo-1", owner=_OWNER, prompt=SENTENCE, name=NAME, symbols=list(symbols)
    )
    send(settings, [(asked, None)], source="/demo")
    ended = _await(settings, asked.request_id)
    with database.session(settings, application="trackrecord demo") as cursor:
        if ended.strategy_id is None:
            raise FatalError(f"the sentence became no strategy: {ended.error or ended.answer}")
        found = strategies.activate(cursor, COMMAND_LINE, ended.strategy_id, SYSTEM_CLOCK.now())
        version = strategies.version(cursor, found.strategy_id)
    judged = version.backtest or {}
    return FromSentence(
        found.record_name or found.name,
        version.reads_as,
        version.assumptions,
        judged.get("verdict", "not judged"),
        judged.get("why", ""),
    )


def _await(settings: Settings, request_id: str) -> Request:
    from trackrecord.catalogue.store import requests
    from trackrecord.runtime import database

    until = time.monotonic() + _SECONDS
    while time.monotonic() < until:
        with database.session(settings, application="trackrecord demo") as cursor:
            found = requests.of(cursor, request_id)
        if found is not None and found.ended_at is not None:
            return found
        time.sleep(_GLANCE)
    raise FatalError("the stage strategy_gen did not answer in time: see its log")
