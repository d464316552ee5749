"""The API on a port of its own, in a thread of the test's process, and a record to ask about."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx

from services.extractor.service import STAGE as EXTRACTOR
from services.signal_tracker.service import STAGE as TRACKER
from tests.support.pipeline import until
from tests.support.scorer import Scorer, bar
from trackrecord.api.server import ApiServer, listening, serving
from trackrecord.events import ScriptExecuted, SignalClosed, SignalEmitted
from trackrecord.runtime import database
from trackrecord.runtime.settings import Settings
from trackrecord.testing import StageRun

START = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
FORMULA = "=HYPERLINK(1)"
"""A strategy whose name a spreadsheet would run."""
SLASH = "desk/euro"
"""A strategy whose name would end a path."""


class Served:
    """A running API.

    Attributes:
        client: Asks it.
        server: Serves it.
    """

    def __init__(self, server: ApiServer, port: int) -> None:
        self.server = server
        self.url = f"http://127.0.0.1:{port}"
        self.client = httpx.Client(base_url=self.url, timeout=30)

    def get(self, path: str, status: int = 200, **headers: str) -> httpx.Response:
        """Ask, and see that the answer is of a status."""
        answer = self.client.get(path, headers=headers)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:2000])
        return answer

    def worked_out(self) -> None:
        """Wait for the first numbers that are worked out beside, on a busy machine too."""
        path = "/api/v1/leaderboard?limit=1"
        until(lambda: self.client.get(path).status_code != 503, "numbers are worked out", 60)

    def problem(self, answer: httpx.Response, status: int) -> dict[str, object]:
        """See that an answer is a problem of a status."""
        assert answer.status_code == status, (answer.status_code, answer.text[:2000])
        assert answer.headers["content-type"] == "application/problem+json"
        content: dict[str, object] = answer.json()
        assert {"type", "title", "status", "detail"} <= set(content)
        assert content["status"] == status
        assert "Traceback" not in answer.text
        if status == 503:
            assert int(answer.headers["retry-after"]) > 0
        return content


@contextmanager
def served(settings: Settings) -> Iterator[Served]:
    """The API with some settings, until the context ends; streams end with it."""
    server = serving(settings)
    # Only the main thread may take signals, and that is the tests'.
    server.capture_signals = nullcontext  # type: ignore[method-assign,assignment]
    with listening("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            until(lambda: server.started or not thread.is_alive(), "the API is up")
            result = Served(server, listener.getsockname()[1])
            with result.client:
                yield result
        finally:
            server.should_exit = True
            thread.join(30)
            assert not thread.is_alive(), "the API does not end"


def signal(number: int, strategy: str = "momentum", **more: object) -> SignalEmitted:
    """A signal, each a day after the one before."""
    fields = {
        "signal_id": f"{strategy}-{number}",
        "strategy": strategy,
        "symbol": f"SYM{number % 3}",
        "side": "BUY" if number % 2 else "SELL",
        "price": Decimal(100),
        "emitted_at": START + number * DAY,
    }
    return SignalEmitted.model_validate(fields | more)


def exit_of(entry: SignalEmitted, price: str, **more: object) -> SignalClosed:
    """An exit of all of it, half a day later."""
    fields = {
        "signal_id": entry.signal_id,
        "exit_id": "x",
        "symbol": entry.symbol,
        "price": Decimal(price),
        "closed_at": entry.emitted_at + DAY / 2,
        "reason": "target",
    }
    return SignalClosed.model_validate(fields | more)


def fill(settings: Settings) -> None:
    """Put a record together by the stages' own handlers."""
    entries = [signal(number, horizon_bars=2) for number in range(40)]
    events: list[SignalEmitted | SignalClosed] = [*entries]
    events += [exit_of(each, f"{100 + number % 7 - 2}.25") for number, each in enumerate(entries)]
    # One that is open, one that was corrected, others in another currency and under odd names.
    events += [signal(40), signal(0, revision=1, horizon_bars=2, price=Decimal("99.50"))]
    for strategy, currency in (("trend", "INR"), (SLASH, "EUR"), (FORMULA, "USD")):
        entry = signal(3, strategy, currency=currency)
        events += [entry, exit_of(entry, "104"), signal(4, strategy, currency=currency)]
    two = [signal(n, "both", currency="USD" if n % 2 else "INR") for n in range(6)]
    events += [*two, *(exit_of(each, "101.5") for each in two)]
    StageRun(TRACKER, settings).of(events)
    runs = [
        ScriptExecuted(
            execution_id=f"run-{number}",
            script="scanners/gap.py",
            started_at=START + number * DAY,
            finished_at=START + number * DAY + timedelta(minutes=1),
            exit_code=0,
            output=f"Recommendation: BUY\nTotal return: {number - 3}.5%\n",
        )
        for number in range(14)
    ]
    StageRun(EXTRACTOR, settings).of(runs)
    Scorer(settings).apply(
        [
            *entries[:3],
            *(bar(f"SYM{n % 3}", n // 3, (100, 104, 98, 101)) for n in range(40)),
        ]
    )
    with database.session(settings, application="test") as cursor:
        _models(cursor)
        for stage in ("signal_tracker", "extractor", "outcome_scorer"):
            move(cursor, settings, stage, 10)


def move(cursor: database.Cursor, settings: Settings, stage: str, offset: int) -> None:
    """Have a stage be somewhere, as if it had read so far."""
    cursor.execute(
        "INSERT INTO consumer_offsets (stage, topic, partition, topic_id, next_offset, epoch)"
        " VALUES (%s, %s, 0, 't', %s, 1) ON CONFLICT (stage, topic, partition)"
        " DO UPDATE SET next_offset = excluded.next_offset, updated_at = now()",
        (stage, settings.topic("signal_emitted"), offset),
    )


def _models(cursor: database.Cursor) -> None:
    report = {
        "judged_on": 100,
        "blocks": 5,
        "metrics": {"auc": 0.61, "brier": 0.2, "accuracy": 0.64},
        "baseline": {"brier": 0.25},
        "gain": {"mean": 0.05},
        "reliability": [],
    }
    for number in range(3):
        cursor.execute(
            "INSERT INTO models VALUES (%s, 'default', %s, %s, %s, '{}', %s, %s)",
            (
                f"v{number}",
                f"training-{number}",
                START + number * DAY,
                START,
                json.dumps(report["metrics"]),
                json.dumps(report),
            ),
        )
        cursor.execute(
            "INSERT INTO ml_training_log VALUES (%s, 'default', 'completed', 'manual', %s, %s,"
            " NULL, %s, %s, 3.5, 100, %s, 'better', NULL)",
            (
                f"training-{number}",
                f"v{number}",
                number == 2,
                START + number * DAY,
                START + number * DAY,
                json.dumps(report["metrics"]),
            ),
        )
    cursor.execute(
        "INSERT INTO champions (model, live_from, version, reason) VALUES"
        " ('default', %s, 'v2', 'better')",
        (START + 2 * DAY,),
    )
