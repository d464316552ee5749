"""Every metric of strategy_gen, with what to do about it."""

from __future__ import annotations

from typing import Final

from trackrecord.runtime.metrics import Counter, Gauge, Histogram, Metric

REQUESTS: Final = Counter(
    "trackrecord_strategy_requests_total",
    "Requests for strategies that ended, by provider and outcome: validated, draft, refused "
    "(nothing could be made of it) or failed (it could not be tried).",
    "failed: generation_log and strategy_requests hold the error; most often a provider's key, "
    "limit or outage.",
    ("provider", "outcome"),
)

REQUEST_SECONDS: Final = Histogram(
    "trackrecord_strategy_request_seconds",
    "Seconds from the arrival of a request to its answer, by provider.",
    "offline above a second: the machine is busy, or the sandbox starts anew each time; read the "
    "log. Others wait for their provider.",
    ("provider",),
    buckets=(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 180.0, 600.0),
)

OPEN: Final = Gauge(
    "trackrecord_strategy_requests_open",
    "Requests for strategies that have not ended.",
    "Growing: language models are slow (raise TRACKRECORD_STRATEGY_ASKING, or run more processes) "
    "or the stage cannot work; read its log.",
)

ASKING: Final = Gauge(
    "trackrecord_strategy_asking",
    "Requests about which this process asks a language model at this moment.",
    "At TRACKRECORD_STRATEGY_ASKING for long: further requests wait.",
)

TOKENS: Final = Counter(
    "trackrecord_strategy_tokens_total",
    "Tokens of questions and answers of language models, by provider.",
    "They cost money: TRACKRECORD_PROVIDER_TOKENS limits one answer.",
    ("provider",),
)

INTERRUPTED: Final = Counter(
    "trackrecord_strategy_interrupted_total",
    "Requests that failed because their process ended while a language model was asked; they may "
    "have been billed, and are not asked again by themselves.",
    "More than a few: processes are killed in the middle; give the container more memory, or more "
    "time to end.",
)

METRICS: Final[tuple[Metric, ...]] = (
    REQUESTS,
    REQUEST_SECONDS,
    OPEN,
    ASKING,
    TOKENS,
    INTERRUPTED,
)
