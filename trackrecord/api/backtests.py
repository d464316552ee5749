"""Backtests for requests, each in a process of its own.

One takes seconds of the processor and the memory of all its bars, which would hold up every other
request; and one that takes too long can be ended.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson

from trackrecord.api.problems import ProblemError
from trackrecord.runtime.logs import get_logger
from trackrecord.runtime.settings import Settings

MOST_SECONDS: Final = 120.0
"""How long a backtest may take."""

_log = get_logger(__name__)


@dataclass(frozen=True)
class Job:
    """What is to be judged.

    Attributes:
        strategy_id: Which strategy.
        version: Which of its versions.
        user_id: For whom; None: nobody needs to say who they are.
        symbols: On these; None: its own.
    """

    strategy_id: UUID
    version: int
    user_id: UUID | None
    symbols: Sequence[str] | None = None


class Backtests:
    """Has strategies judged."""

    def __init__(self, settings: Settings, most_seconds: float = MOST_SECONDS) -> None:
        """Start nothing yet.

        Args:
            settings: Where the bars are, and limits of the sandbox.
            most_seconds: How long one may take.
        """
        self._settings = settings
        self._most_seconds = most_seconds
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._closed = False

    def report_of(self, job: Job) -> dict[str, Any]:
        """What a backtest came to; whoever calls waits for it.

        Raises:
            ProblemError: It cannot be judged, takes too long, or ended without an answer.
        """
        # Settings hold passwords: they are handed over where no list of processes shows them.
        given = self._settings.model_dump_json().encode() + b"\n" + orjson.dumps(job)
        with self._lock:
            if self._closed:
                raise ProblemError(503, "the API is about to end")
            process = subprocess.Popen(
                [sys.executable, "-m", "trackrecord.api.backtesting"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            self._running.add(process)
        try:
            output, _ = process.communicate(given, self._most_seconds)
        except subprocess.TimeoutExpired:
            raise ProblemError(
                409,
                f"it takes longer than {self._most_seconds:,.0f} seconds: name fewer symbols, or "
                "judge it with `trackrecord strategy backtest`",
            ) from None
        finally:
            process.kill()
            process.wait()
            with self._lock:
                self._running.discard(process)
        if process.returncode:
            _log.error("a backtest ended without an answer", exit_code=process.returncode)
            raise ProblemError(503, "the backtest ended without an answer: ask again in a moment")
        answer: dict[str, Any] = orjson.loads(output)
        if "report" not in answer:
            raise ProblemError(answer["status"], answer["detail"])
        report: dict[str, Any] = answer["report"]
        return report

    def close(self) -> None:
        """End those that are under way."""
        with self._lock:
            self._closed = True
            for each in self._running:
                each.kill()
