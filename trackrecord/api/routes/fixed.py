"""Paths that others rely on as they are: plain numbers, with and without the last slash."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from trackrecord.api.answers import answer, unchanged
from trackrecord.api.parts import parts_of
from trackrecord.api.problems import not_found
from trackrecord.api.routes.asking import Asked, PathName
from trackrecord.api.shapes import Performance, ScriptAnalytics
from trackrecord.api.standing import standing_of, standings_of
from trackrecord.api.who import Who
from trackrecord.performance.sums.sums import (
    Sums,
    account,
    average_pnl,
    average_return,
    profit_factor,
    win_rate,
)
from trackrecord.reports.model_lists import read_last_trainings

router = APIRouter(tags=["fixed paths"])

DEFAULT_CURRENCY: Final = "USD"
"""Stands on top where a strategy has several, as it is what events have that name none."""


@router.get("/api/ml-performance", response_model=Performance, operation_id="ml_performance")
@router.get("/api/ml-performance/", include_in_schema=False)
def ml_performance(request: Request, who: Who, asked: Annotated[Asked, Query()]) -> Response:
    """What strategies came to, and how their models were last trained."""
    del asked
    parts = parts_of(request)
    with parts.pool.reading() as cursor:
        version = parts.reading.version(cursor, "signals", "models", view=who.view)
        if same := unchanged(request, version):
            return same
        totals = parts.reading.totals(cursor, hidden=who.hidden)
        training = read_last_trainings(cursor)
        known = standings_of(cursor, who, list(totals))
        as_of = parts.clock.now()
    content = {
        "performance": {
            name: {**_numbers(found), "standing": known[name]} for name, found in totals.items()
        },
        "training_status": training,
    }
    return answer(content, as_of=as_of, version=version)


@router.get(
    "/api/investor/script_analytics/{script_name}",
    response_model=ScriptAnalytics,
    operation_id="script_analytics",
)
@router.get("/api/investor/script_analytics/{script_name}/", include_in_schema=False)
def script_analytics(
    request: Request, who: Who, script_name: PathName, asked: Annotated[Asked, Query()]
) -> Response:
    """One script: its distribution, its latest runs against earlier ones, trend and summary."""
    del asked
    parts = parts_of(request)
    with parts.pool.reading() as cursor:
        as_of = parts.clock.now()
        version = parts.reading.version(cursor, "scripts", view=who.view)
        found = parts.reading.script_analytics(cursor, script_name, who.hidden)
        standing = standing_of(cursor, who, script_name)
    if found is None:
        raise not_found(f"no script {script_name!r} has run")
    content = {"script_name": script_name, **found, "standing": standing}
    return unchanged(request, version) or answer(content, as_of=as_of, version=version)


def _numbers(found: dict[str, Sums]) -> dict[str, Any]:
    plain = {currency: _plain(sums) for currency, sums in found.items()}
    top = DEFAULT_CURRENCY if DEFAULT_CURRENCY in plain else min(plain)
    others = {currency: each for currency, each in plain.items() if currency != top}
    return {"currency": top, **plain[top], "currencies": others}


def _plain(sums: Sums) -> dict[str, Any]:
    """What is told of a strategy; of all that follows from its sums only this is worked out."""
    average = average_pnl(sums)
    return {
        "account": account(sums),
        "signals": sums.signals,
        "open": sums.signals - sums.closed,
        "closed": sums.closed,
        "wins": sums.wins,
        "losses": sums.losses,
        "breakevens": sums.breakevens,
        "win_rate": win_rate(sums),
        "total_pnl": float(sums.total_pnl),
        "avg_pnl": None if average is None else float(average),
        "avg_return": average_return(sums)[0],
        "profit_factor": profit_factor(sums)[0],
        "realised_pnl": float(sums.realised_pnl),
        "fees": float(sums.fees),
    }
