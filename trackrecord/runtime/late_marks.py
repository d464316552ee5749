"""Where each mark of what was told or corrected late counts: of whom, in which currency, and when.

The tracker adds them to its sums; a report up to an instant of a day reads them anew. So both say
the same thing, it is written here once.
"""

from __future__ import annotations

from typing import Final

MARKED: Final = ("exits_backdated", "corrected_late", "moved_in_late")
"""The sums that count marks."""

_SAID: Final = (
    "JOIN signal_revisions AS r ON r.signal_id = s.signal_id AND r.revision = s.said_revision"
)


def marks(signals: str, exits: str) -> str:
    """SQL of a row for each mark: strategy, symbol, currency, ``at``, and a column of each sum.

    An exit told late counts with the exit. What was corrected late counts where it was first
    said: a signal that left for another strategy in the one that it left. There it is no more,
    but where it came to it counts as moved in.

    Args:
        signals: A table with the columns of ``signals`` that are asked for here, or a query.
        exits: The same of ``exits``.
    """
    return f"""
SELECT s.strategy, s.symbol, s.currency, greatest(x.closed_at, s.emitted_at) AS at,
       1 AS exits_backdated, 0 AS corrected_late, 0 AS moved_in_late
FROM {exits} AS x JOIN {signals} AS s USING (signal_id)
WHERE x.backdated AND x.closed_quantity > 0
UNION ALL
SELECT coalesce(r.strategy, s.strategy), coalesce(r.symbol, s.symbol),
       coalesce(r.currency, s.currency), greatest(x.closed_at, s.emitted_at), 0, 1, 0
FROM {exits} AS x JOIN {signals} AS s USING (signal_id) LEFT {_SAID}
WHERE x.corrected_late AND s.revision >= 0
UNION ALL
SELECT r.strategy, r.symbol, r.currency, r.emitted_at, 0, 1, 0
FROM {signals} AS s {_SAID} WHERE s.corrected_late
UNION ALL
SELECT s.strategy, s.symbol, s.currency, s.emitted_at, 0, 0, 1
FROM {signals} AS s {_SAID} WHERE s.corrected_late AND s.strategy <> r.strategy
"""
