"""Quix Streams with its PostgreSQL sink.

It runs in an environment of its own (:mod:`benchmarks.pipeline.quix_environment`), for it pins an
older confluent-kafka. The sink writes the rows; the sums, which it does not know, are added in its
transaction.
"""

from __future__ import annotations

from decimal import Decimal
from importlib import import_module
from typing import Any
from urllib.parse import unquote, urlsplit

from psycopg2.extras import execute_values

from benchmarks.pipeline.peers import job

_COMMIT_EVERY = 10_000
"""Events to a checkpoint; the default, every five seconds, would end a run with a wait."""

_ADD = """
INSERT INTO easy_days (strategy, day, closed, pnl, fees) VALUES %s
ON CONFLICT (strategy, day) DO UPDATE
SET closed = easy_days.closed + excluded.closed, pnl = easy_days.pnl + excluded.pnl,
    fees = easy_days.fees + excluded.fees
"""

quixstreams: Any = import_module("quixstreams")
sinks: Any = import_module("quixstreams.sinks.community.postgresql")


class Sink(sinks.PostgreSQLSink):  # type: ignore[misc]
    """The sink as it comes, and the sums."""

    def _insert_rows(self, table_name: str, rows: list[dict[str, Any]], pks: Any = None) -> None:
        super()._insert_rows(table_name, rows, pks)
        sums: dict[tuple[str, str], list[Any]] = {}
        for row in rows:
            day = sums.setdefault((row["strategy"], row["day"]), [0, Decimal(0), Decimal(0)])
            day[0] += 1
            day[1] += row["pnl"]
            day[2] += row["fees"]
        values = [(*key, *day) for key, day in sorted(sums.items())]
        with self._client.cursor() as cursor:
            execute_values(cursor, _ADD, values, page_size=len(values))


def _columns(value: bytes) -> dict[str, Any]:
    return dict(zip(job.COLUMNS, job.read(value), strict=True))


def main() -> None:
    """Work until ended."""
    work = job.Work.from_environment()
    url = urlsplit(work.database_url)
    app = quixstreams.Application(
        broker_address=work.broker,
        consumer_group=work.group,
        auto_offset_reset="earliest",
        commit_every=_COMMIT_EVERY,
        commit_interval=1.0,
        auto_create_topics=False,
        state_dir=work.state,
        loglevel="WARNING",
    )
    topic = app.topic(work.topic, value_deserializer="bytes")
    app.dataframe(topic).apply(_columns).sink(
        Sink(
            host=url.hostname,
            port=url.port,
            dbname=url.path.lstrip("/"),
            user=unquote(url.username or ""),
            password=unquote(url.password or ""),
            table_name="easy_exits",
            schema_name=work.schema,
            schema_auto_update=False,
            include_metadata=False,
            on_conflict_do_nothing=True,
            options=f"-c search_path={work.schema} -c timezone=UTC",
        )
    )
    app.run()


if __name__ == "__main__":
    main()
