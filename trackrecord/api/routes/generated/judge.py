"""Strategies that were made here, judged on the bars that are kept here."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from uuid import UUID

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request, Response

from trackrecord.api.answers import answer
from trackrecord.api.backtests import Job
from trackrecord.api.parts import Parts, parts_of
from trackrecord.api.routes.asking import Asked
from trackrecord.api.routes.generated.asking import Tried
from trackrecord.api.routes.generated.common import (
    PATH,
    StrategyId,
    found_own,
    reading,
    route,
)
from trackrecord.api.strategy_shapes import Backtested
from trackrecord.api.who import Publisher, Reader
from trackrecord.catalogue.judging import kept_of

router = APIRouter(prefix=PATH, tags=["made strategies"])


@route(
    router, "POST", "/{strategy_id:uuid}/backtest/", operation_id="backtest_strategy",
    answers=Backtested,
)  # fmt: skip
async def backtest_strategy(
    request: Request,
    who: Publisher,
    strategy_id: StrategyId,
    asked: Annotated[Asked, Query()],
    body: Tried,
) -> Response:
    """Judge a strategy on the bars that are kept here: out of sample only, net of costs.

    The answer waits for it, two minutes at most. What is tried counts for its user, whatever
    comes out: the best of many looks good by luck. The verdict stays with the version.
    """
    del asked
    parts = parts_of(request)
    version = await run_sync(_version_of, parts, who, strategy_id)
    job = Job(strategy_id, version, who.user_id, body.symbols)
    report = await parts.workshop.judging.work(
        who.whose, partial(parts.workshop.backtests.report_of, job)
    )
    now = parts.clock.now()
    shown = report if body.whole else kept_of(report, now)
    content = {"strategy_id": strategy_id, "version": version, "backtest": shown}
    return answer(content, as_of=now)


def _version_of(parts: Parts, who: Reader, strategy_id: UUID) -> int:
    """See, before anything is worked out, that a strategy is there and theirs."""
    with reading(parts, who) as cursor:
        return found_own(cursor, strategy_id, who).version
