"""The tables of assessments, and of the names of the features in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import polars as pl

from services.outcome_scorer.store.totals import counting_verdicts
from trackrecord.runtime.database import CopyRows, Cursor, copy_rows, rows

TEMPORARY: Final = """
CREATE TEMPORARY TABLE new_assessments (
    signal_id text COLLATE "C", features double precision[], probability double precision,
    verdict text, quality text
) ON COMMIT DELETE ROWS;
"""

_WRITE_FEATURE_SET: Final = """
INSERT INTO feature_sets VALUES (%(feature_set)s, %(names)s) ON CONFLICT DO NOTHING
"""

_WRITE: Final = counting_verdicts("""
INSERT INTO assessments AS a (signal_id, strategy, symbol, timeframe, emitted_at, feature_set,
    features, probability, verdict, quality, model_version, assessed_at)
SELECT n.signal_id, w.strategy, w.symbol, w.timeframe, w.emitted_at, %(feature_set)s, n.features,
       n.probability, n.verdict, n.quality, %(version)s, %(now)s
FROM new_assessments AS n JOIN watched_signals AS w USING (signal_id)
ORDER BY n.signal_id
ON CONFLICT DO NOTHING
""")


def write(
    cursor: Cursor,
    assessments: pl.DataFrame,
    feature_set: str,
    names: Sequence[str],
    version: str | None,
    now: datetime,
    lane: int,
) -> None:
    """Record what was known and thought of signals, and count their verdicts.

    Args:
        cursor: In the transaction.
        assessments: As they are loaded.
        feature_set: Tells this list of names from others.
        names: Of the features, in their order.
        version: Of the model that judged; None without one.
        now: When it judged.
        lane: Whose rows of totals are moved.
    """
    parameters = {
        "feature_set": feature_set,
        "names": list(names),
        "version": version,
        "now": now,
        "lane": lane,
    }
    cursor.execute(_WRITE_FEATURE_SET, parameters)
    cursor.execute("DELETE FROM new_assessments")  # those of another timeframe
    copy_rows(cursor, "new_assessments", CopyRows.of(assessments))
    cursor.execute(_WRITE, parameters)


def feature_names(cursor: Cursor) -> dict[str, list[str]]:
    """The names of every feature set on record."""
    return dict(rows(cursor, "SELECT feature_set, names FROM feature_sets"))
