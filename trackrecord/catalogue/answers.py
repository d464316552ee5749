"""What came of a request, as its row's answer and as the event that tells of it.

Whoever answers a request says so in the same words: the stage strategy_gen, or the HTTP API.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from trackrecord.catalogue.making import Refused
from trackrecord.catalogue.store.rows import Made
from trackrecord.events import StrategyGenerated, StrategyRequested
from trackrecord.events.base import derived_id

Outcome = Literal["validated", "draft", "refused", "failed"]

_MOST: Final = 100
"""Problems, assumptions and words that an event names; the tables hold all."""
_LONGEST: Final = 2_000


@dataclass(frozen=True)
class Ended:
    """What came of a request.

    Attributes:
        made: The version, or why there is none.
        provider: Who was asked, or was to be.
    """

    made: Made | Refused
    provider: str

    @property
    def outcome(self) -> Outcome:
        """In one word."""
        if isinstance(self.made, Refused):
            return "failed" if self.made.failed else "refused"
        return "validated" if self.made.is_valid else "draft"


def strategy_id_of(request_id: str) -> UUID:
    """The id of the strategy that a request makes: the same however often it is tried."""
    return UUID(derived_id("strategy", request_id))


def event_of(
    request: StrategyRequested, ended: Ended, *, name: str | None, version: int | None
) -> StrategyGenerated:
    """The event that tells of it.

    Args:
        request: What was asked for.
        ended: What came of it.
        name: What the strategy is called; None: there is none.
        version: Which version it is; None: there is none.
    """
    made = ended.made
    backtest: Mapping[str, Any] = {}
    if isinstance(made, Made):
        backtest = made.backtest or {}
    return StrategyGenerated(
        request_id=request.request_id,
        owner=request.owner,
        prompt=request.prompt,
        provider=ended.provider,
        model_version=request.model_version,
        strategy_id=str(strategy_id_of(request.request_id)),
        status="refused"
        if isinstance(made, Refused)
        else "validated"
        if made.is_valid
        else "draft",
        problems=[_short(each) for each in made.problems[:_MOST]],
        metrics=dict(backtest.get("metrics") or {}),
        name=name,
        version=version,
        code_digest=None if isinstance(made, Refused) else made.code_digest,
        reads_as="" if isinstance(made, Refused) else made.reads_as[:20_000],
        assumptions=[each[:_LONGEST] for each in made.assumptions[:_MOST]],
        not_understood=[each[:_LONGEST] for each in made.not_understood[:_MOST]],
        verdict=backtest.get("verdict"),
    )


def answer_of(event: StrategyGenerated) -> dict[str, Any]:
    """What the row of a request keeps of its event."""
    found = event.model_dump(mode="json", exclude_none=True)
    for field in ("request_id", "owner", "prompt", "strategy_id"):
        del found[field]
    # Beside those that say nothing and are left out on the wire.
    return {"reads_as": "", "assumptions": [], "not_understood": [], **found}


def _short(problem: Mapping[str, Any]) -> dict[str, Any]:
    return {**problem, "message": str(problem.get("message", ""))[:_LONGEST]}
