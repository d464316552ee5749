"""Every metric of the extractor, with what to do about it."""

from __future__ import annotations

from typing import Final

from trackrecord.runtime.metrics import Counter, Histogram, Metric

EXECUTIONS: Final = Counter(
    "trackrecord_executions_total",
    "Runs of scripts read, by whether the script succeeded.",
    "Failures of one script: run it by hand; `trackrecord report --scripts` names it.",
    ("exit",),
)

DECISIONS: Final = Counter(
    "trackrecord_decisions_total",
    "Final actions read; `none` if the output holds no decision.",
    "More `none` after a script changed its wording: `trackrecord extract --explain`.",
    ("action",),
)

RECOMMENDATIONS_WITHOUT_SIGNAL: Final = Counter(
    "trackrecord_recommendations_without_signal_total",
    "Recommendations that became no signal, by reason.",
    "no_price, no_symbol: the script does not say enough; see services/extractor/README.md.",
    ("reason",),
)

EXTRACTION_SECONDS: Final = Histogram(
    "trackrecord_extraction_seconds",
    "Seconds to read all outputs of one batch.",
    "Seconds for small batches: an output is far longer than usual.",
    buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0),
)

METRICS: Final[tuple[Metric, ...]] = (
    EXECUTIONS,
    DECISIONS,
    RECOMMENDATIONS_WITHOUT_SIGNAL,
    EXTRACTION_SECONDS,
)
