"""The process that judges one strategy for a request.

It reads settings and a job from standard input, a line of JSON each, and writes one line of JSON:
the report, or the status and words of the problem.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

import orjson

from trackrecord.access.store.session import act_for
from trackrecord.api.answers import as_json
from trackrecord.catalogue.judging import How, judge_kept
from trackrecord.catalogue.life import NoStrategyError, StrategyRefusedError
from trackrecord.clock import SYSTEM_CLOCK
from trackrecord.errors import TrackrecordError
from trackrecord.redaction import remember_url
from trackrecord.runtime import logs
from trackrecord.runtime.database import Cursor, session
from trackrecord.runtime.settings import Settings
from trackrecord.sandbox.from_settings import executor_of
from trackrecord.sandbox.isolation import SandboxError
from trackrecord.strategies.drive import StrategyFaultError
from trackrecord.strategies.history import BadBarsError

_NICENESS: Final = 5
"""Requests and stages come first."""


def main() -> int:
    """Judge what is asked for."""
    settings = Settings.model_validate_json(sys.stdin.readline(), by_alias=False, by_name=True)
    job = orjson.loads(sys.stdin.readline())
    remember_url(settings.database_url)
    logs.configure("api", level=settings.log_level, style=settings.log_format)
    os.nice(_NICENESS)
    sys.stdout.buffer.write(as_json(_answer(settings, job)) + b"\n")
    return 0


def _answer(settings: Settings, job: dict[str, Any]) -> dict[str, Any]:
    user_id = None if job["user_id"] is None else UUID(job["user_id"])

    @contextmanager
    def connect() -> Iterator[Cursor]:
        with session(settings, application="trackrecord api backtest") as cursor:
            act_for(cursor, user_id)
            yield cursor

    try:
        with executor_of(settings) as executor:
            report = judge_kept(
                connect,
                UUID(job["strategy_id"]),
                lambda: executor,
                SYSTEM_CLOCK.now(),
                version=job["version"],
                how=How(symbols=job["symbols"]),
            )
    except NoStrategyError as error:
        return _problem(404, error)
    except (StrategyRefusedError, BadBarsError, StrategyFaultError) as error:
        return _problem(409, error)
    except SandboxError as error:
        return _problem(503, error)
    except TrackrecordError as error:
        return _problem(503, error)
    return {"report": report}


def _problem(status: int, error: TrackrecordError) -> dict[str, Any]:
    return {"status": status, "detail": str(error)}


if __name__ == "__main__":
    sys.exit(main())
