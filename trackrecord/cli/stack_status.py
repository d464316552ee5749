"""How the stages of a stack fare, by the broker's, the database's and their own word."""

from __future__ import annotations

import json
import urllib.request
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trackrecord.local.state import ProcessState, StackState
    from trackrecord.runtime.settings import Settings

_SECONDS = 2.0

# A proxy of the user's is for the world; what is asked here is on this machine.
_straight = urllib.request.build_opener(urllib.request.ProxyHandler({}))

_REFUSED = """
    SELECT stage, topic, error_class, count(*),
           (array_agg(left(reason, 200) ORDER BY first_seen DESC))[1]
    FROM dead_letters WHERE replayed_at IS NULL AND dismissed_at IS NULL
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


@dataclass
class Lags:
    """Messages on the topics that have no effect yet.

    Attributes:
        total: By stage.
        outbox: Outgoing events that the broker has not acknowledged.
        dead_letters: Refused messages that nobody has replayed or dismissed.
        dismissed: Those that somebody has put aside.
        refused: The same by stage, topic and class of error, with the latest reason.
        by_process: By stage and instance; what nobody reads counts with instance 0.
        told: What each process says of itself, by stage and instance.
    """

    total: dict[str, int] = field(default_factory=dict)
    outbox: int | None = None
    dead_letters: int | None = None
    dismissed: int | None = None
    refused: list[dict[str, Any]] = field(default_factory=list)
    by_process: dict[tuple[str, int], int] = field(default_factory=dict)
    told: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)

    def of(self, stage: str, instance: int) -> int | None:
        """One process's; None for Kafka and Postgres, or where it cannot be told."""
        return self.by_process.get((stage, instance))


def lags(state: StackState, settings: Settings) -> Lags:
    """Ask the broker where topics end, the database where stages are, and each process."""
    import psycopg2

    from services import STAGES, stage_named
    from trackrecord.errors import TrackrecordError
    from trackrecord.runtime import kafka
    from trackrecord.runtime.database import rows, session
    from trackrecord.runtime.stage import Stage

    result = Lags()
    for process in state.stages:
        result.told[process.stage, process.instance] = _told(process.metrics_url)
    try:
        with session(settings, application="trackrecord status") as cursor:
            positions = {
                (stage, topic, number): at
                for stage, topic, number, at in rows(
                    cursor, "SELECT stage, topic, partition, next_offset FROM consumer_offsets"
                )
            }
            result.outbox = int(rows(cursor, "SELECT count(*) FROM outbox")[0][0])
            result.refused = [
                dict(zip(("stage", "topic", "error_class", "count", "reason"), row, strict=True))
                for row in rows(cursor, _REFUSED)
            ]
            result.dead_letters = sum(each["count"] for each in result.refused)
            result.dismissed = int(
                rows(cursor, "SELECT count(*) FROM dead_letters WHERE dismissed_at IS NOT NULL")[0][
                    0
                ]
            )
        client = kafka.admin(settings)
        for stage in sorted({process.stage for process in state.stages}):
            if stage not in STAGES:
                continue  # the API reads no topic
            found = stage_named(stage)
            if not isinstance(found, Stage):
                continue  # its events are hints, which nobody is behind with
            topics = [settings.topic(model.event_type) for model in found.consumes]
            ends = kafka.end_offsets(client, kafka.partitions_of(client, topics))
            behind = {place: end - positions.get((stage, *place), 0) for place, end in ends.items()}
            result.total[stage] = sum(behind.values())
            _share(result, state, stage, behind)
    except (TrackrecordError, psycopg2.Error):
        pass  # what could be asked is there; the rest is unknown, and shown so
    return result


def why_not(process: ProcessState, told: dict[str, Any] | None) -> str | None:
    """Why a process is not healthy: by its own word if it answers, else by its supervisor's."""
    if process.healthy:
        return None
    reason = (told or {}).get("reason")
    if reason == "starting":
        return (
            "it waits for its partitions: where another reader of them was killed, the broker "
            "gives them once that one's session has ended (TRACKRECORD_SESSION_TIMEOUT_MS)"
        )
    if reason:
        return str(reason)
    if process.state == "starting":
        return process.why or "its process runs, and does not answer yet"
    return process.why


def _share(result: Lags, state: StackState, stage: str, behind: dict[tuple[str, int], int]) -> None:
    left = dict(behind)
    shares: dict[int, int] = defaultdict(int)
    for process in state.stages:
        if process.stage != stage:
            continue
        shares[process.instance] += 0
        for each in result.told[stage, process.instance].get("assigned", []):
            shares[process.instance] += left.pop((each["topic"], each["partition"]), 0)
    if shares:
        shares[min(shares)] += sum(left.values())
    result.by_process |= {(stage, instance): lag for instance, lag in shares.items()}


def _told(metrics_url: str | None) -> dict[str, Any]:
    """What a process answers at /status; nothing if it does not answer."""
    if not metrics_url:
        return {}
    url = metrics_url.rsplit("/", 1)[0] + "/status"
    try:
        with _straight.open(url, timeout=_SECONDS) as response:
            return dict(json.load(response))
    except (OSError, ValueError):
        return {}
