"""How far behind the stages of a stack are, by the broker's and the database's own word."""

from __future__ import annotations

import json
import urllib.request
from collections import defaultdict
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trackrecord.local.state import StackState
    from trackrecord.runtime.settings import Settings

_SECONDS = 2.0


@dataclass
class Lags:
    """Messages on the topics that have no effect yet.

    Attributes:
        total: By stage.
        outbox: Outgoing events that the broker has not acknowledged.
        dead_letters: Refused messages that nobody has replayed.
        by_process: By stage and instance; what nobody reads counts with instance 0.
    """

    total: dict[str, int] = field(default_factory=dict)
    outbox: int | None = None
    dead_letters: int | None = None
    by_process: dict[tuple[str, int], int] = field(default_factory=dict)

    def of(self, stage: str, instance: int) -> int | None:
        """One process's; None for Kafka and Postgres, or where it cannot be told."""
        return self.by_process.get((stage, instance))


def lags(state: StackState, settings: Settings) -> Lags:
    """Ask the broker where topics end, and the database where stages are."""
    from trackrecord.runtime import kafka
    from trackrecord.runtime.database import connect, rows
    from trackrecord.runtime.errors import TrackrecordError

    result = Lags()
    try:
        connection = connect(settings, application="trackrecord status")
    except TrackrecordError:
        return result
    try:
        with connection, connection.cursor() as cursor:
            positions = {
                (stage, topic, number): at
                for stage, topic, number, at in rows(
                    cursor, "SELECT stage, topic, partition, next_offset FROM consumer_offsets"
                )
            }
            result.outbox = int(rows(cursor, "SELECT count(*) FROM outbox")[0][0])
            result.dead_letters = int(
                rows(cursor, "SELECT count(*) FROM dead_letters WHERE replayed_at IS NULL")[0][0]
            )
        client = kafka.admin(settings)
        for stage in sorted({process.stage for process in state.stages}):
            consumes = import_module(f"services.{stage}.service").STAGE.consumes
            topics = [settings.topic(model.event_type) for model in consumes]
            ends = kafka.end_offsets(client, kafka.partitions_of(client, topics))
            behind = {place: end - positions.get((stage, *place), 0) for place, end in ends.items()}
            result.total[stage] = sum(behind.values())
            _share(result, state, stage, behind)
    except Exception as error:
        if not isinstance(error, TrackrecordError) and type(error).__module__ not in {
            "psycopg2",
            "psycopg2.errors",
        }:
            raise
    finally:
        connection.close()
    return result


def _share(result: Lags, state: StackState, stage: str, behind: dict[tuple[str, int], int]) -> None:
    left = dict(behind)
    shares: dict[int, int] = defaultdict(int)
    for process in state.stages:
        if process.stage != stage:
            continue
        shares[process.instance] += 0
        for place in _assigned(process.metrics_url):
            shares[process.instance] += left.pop(place, 0)
    if shares:
        shares[min(shares)] += sum(left.values())
    result.by_process |= {(stage, instance): lag for instance, lag in shares.items()}


def _assigned(metrics_url: str | None) -> list[tuple[str, int]]:
    if not metrics_url:
        return []
    url = metrics_url.rsplit("/", 1)[0] + "/status"
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as response:  # noqa: S310 - loopback
            said = json.load(response)
    except (OSError, ValueError):
        return []
    return [(each["topic"], each["partition"]) for each in said.get("assigned", [])]
