"""Assessments and outcomes as the outcome_scorer leaves them, of which the truth is known."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import polars as pl

from services.trainer.handler.training import run
from services.trainer.rows import Ended, Job
from services.trainer.store import runs
from tests.support.compare import session
from tests.unit.learning.worlds import DAY, world
from trackrecord.runtime import database
from trackrecord.runtime.settings import Settings
from trackrecord.times import microseconds, moment

BEGIN: Final = microseconds(datetime(2020, 1, 1, tzinfo=UTC))
YEARS: Final = 1_100 * DAY
"""The time that one world takes, and a little more."""

_TABLES = ("assessments", "outcomes")


def fill(
    settings: Settings,
    seed: int,
    rows: int,
    strength: float,
    *,
    after: int = 0,
    only: int | None = None,
    elapsed: bool = True,
) -> None:
    """Write a world's rows.

    Args:
        settings: Of the test.
        seed: Random seed.
        rows: How many, over three years.
        strength: Of what is to be found; 0 is noise.
        after: Microseconds after :data:`BEGIN` at which the three years begin.
        only: Make all of them successes (1) or failures (0).
        elapsed: Whether their horizons have ended.
    """
    data = world(seed, rows, strength)
    won = data.success if only is None else data.success * 0 + only
    returned = abs(data.returned) * (2 * won - 1)
    ids = [f"s{seed}-{number}" for number in range(rows)]
    emitted_at = [moment(int(at) + BEGIN + after) for at in data.span.emitted_at]
    shared = {
        "signal_id": ids,
        "strategy": ["planted"] * rows,
        "symbol": [f"S{number}" for number in data.symbol],
        "emitted_at": emitted_at,
    }
    assessments = pl.DataFrame(
        {
            **shared,
            "timeframe": ["1d"] * rows,
            "feature_set": ["eight"] * rows,
            "features": ["{" + ",".join(map(str, row)) + "}" for row in data.features.tolist()],
            "assessed_at": emitted_at,
        }
    )
    ends_at = [moment(int(at) + BEGIN + after) for at in data.span.ends_at]
    outcomes = pl.DataFrame(
        {
            **shared,
            "policy": ["stop_first"] * rows,
            "revision": [0] * rows,
            "outcome": ["target" if each else "stop" for each in won],
            "return": returned,
            "ambiguous": [False] * rows,
            "delisted": [False] * rows,
            # Known at once, as if each had met its level in its first bar.
            "known_at": emitted_at,
            "ends_at": ends_at if elapsed else pl.Series([None] * rows, dtype=pl.Datetime),
            "scored_at": ends_at,
        }
    )
    with session(settings) as cursor:
        cursor.execute(
            "INSERT INTO feature_sets VALUES ('eight', %s) ON CONFLICT DO NOTHING",
            (list(data.names),),
        )
        for table, frame in zip(_TABLES, (assessments, outcomes), strict=True):
            database.copy_rows(cursor, table, database.CopyRows.of(frame))


def claim(settings: Settings, **options: object) -> Job:
    """Ask for a run and take it up."""
    with session(settings) as cursor:
        assert runs.request(cursor, settings.model, "request", "a test", options)
        job = runs.claim(cursor, settings.model, "test", stale_seconds=60, outcomes=0)
    assert job is not None
    return job


def train(settings: Settings, **options: object) -> Ended:
    """One run, from its request to its end."""
    return run(settings, claim(settings, **options))
