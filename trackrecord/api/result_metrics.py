"""What strategies came to and how models' probabilities held, as metrics.

The number of series is bounded whatever names arrive: strategies are those that a setting names,
or the few with the most signals.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from trackrecord.api.metrics import REQUEST_SECONDS, REQUESTS
from trackrecord.api.pool import Pool
from trackrecord.api.reading import Reading
from trackrecord.api.repeating import Repeating
from trackrecord.learning.judging import expected_calibration_error
from trackrecord.performance.sums.sums import Sums
from trackrecord.reports.calibration_keeper import read_calibrations
from trackrecord.reports.pictures import read_lines
from trackrecord.runtime.champion import champion
from trackrecord.runtime.database import Cursor
from trackrecord.runtime.metrics import Gauge, Metric
from trackrecord.runtime.settings import Settings

MOST_STRATEGIES: Final = 50
"""How many strategies are told of where no setting names them."""

EVERY_SECONDS: Final = 15.0

_OWNER: Final = ("strategy", "currency")

STRATEGY_CLOSED: Final = Gauge(
    "trackrecord_strategy_closed",
    "Signals of a strategy that are closed in full.",
    "None for long while signals are emitted: its exits do not arrive.",
    _OWNER,
)
STRATEGY_WINS: Final = Gauge(
    "trackrecord_strategy_wins",
    "Closed signals of a strategy with a return above 0.",
    "Compare with the closed ones.",
    _OWNER,
)
STRATEGY_NET_PNL: Final = Gauge(
    "trackrecord_strategy_net_pnl",
    "Net PnL of a strategy's closed signals, in its currency; a double, the record is exact.",
    "Falling: look at the strategy's page.",
    _OWNER,
)
STRATEGY_OPEN_SIGNALS: Final = Gauge(
    "trackrecord_strategy_open_signals",
    "Signals of a strategy that are not closed in full.",
    "Growing without end: its exits do not arrive.",
    _OWNER,
)
STRATEGY_BACKDATED: Final = Gauge(
    "trackrecord_strategy_backdated",
    "Signals of a strategy that were said later than their own time by more than the tolerance.",
    "Growing: what it says of its entries cannot be held against what was known then.",
    _OWNER,
)
STRATEGY_EXITS_BACKDATED: Final = Gauge(
    "trackrecord_strategy_exits_backdated",
    "Exits of a strategy that were told later than their own time by more than the tolerance.",
    "Growing: read `trackrecord report --verified`, which leaves them out.",
    _OWNER,
)
STRATEGY_CORRECTED_LATE: Final = Gauge(
    "trackrecord_strategy_corrected_late",
    "Signals and exits of a strategy whose content was changed after the tolerance.",
    "Growing: read `trackrecord report --verified`, which counts what was said first.",
    _OWNER,
)
STRATEGY_BELOW_PEAK: Final = Gauge(
    "trackrecord_strategy_below_peak",
    "How far a strategy's cumulative realised PnL is below its highest, by day, in its currency.",
    "Near its deepest: it does as badly as it ever did.",
    _OWNER,
)
STRATEGY_DRAWDOWN: Final = Gauge(
    "trackrecord_strategy_max_drawdown",
    "The most that a strategy's cumulative realised PnL ever was below its highest before.",
    "Deeper than you would bear: look at its days.",
    _OWNER,
)
STRATEGY_CALIBRATION_ERROR: Final = Gauge(
    "trackrecord_strategy_calibration_error_ratio",
    "Mean probability said of a strategy's signals less the share that succeeded, by the champion.",
    "Far from 0: the model does not know this strategy; `trackrecord models calibration`.",
    ("strategy",),
)
MODEL_CALIBRATION_ERROR: Final = Gauge(
    "trackrecord_model_calibration_error_ratio",
    "Expected calibration error of a model version on later signals, between 0 and 1.",
    "Growing: the market is not what the model learnt from; train it anew.",
    ("model_version",),
)

STRATEGY_METRICS: Final[tuple[Gauge, ...]] = (
    STRATEGY_CLOSED,
    STRATEGY_WINS,
    STRATEGY_NET_PNL,
    STRATEGY_OPEN_SIGNALS,
    STRATEGY_BACKDATED,
    STRATEGY_EXITS_BACKDATED,
    STRATEGY_CORRECTED_LATE,
    STRATEGY_BELOW_PEAK,
    STRATEGY_DRAWDOWN,
    STRATEGY_CALIBRATION_ERROR,
    MODEL_CALIBRATION_ERROR,
)
API_METRICS: Final[tuple[Metric, ...]] = (REQUESTS, REQUEST_SECONDS, *STRATEGY_METRICS)
"""What the API exports besides whether it is ready."""

Value = tuple[Gauge, list[str], float]
"""A metric, the values of its labels, and its own."""


class Results(Collector):
    """What strategies came to, read every so often beside the requests."""

    def __init__(
        self, settings: Settings, pool: Pool, reading: Reading, registry: CollectorRegistry
    ) -> None:
        """Know nothing yet."""
        named = [name.strip() for name in settings.api_metrics_strategies.split(",")]
        self._named = [name for name in named if name]
        self._settings = settings
        self._pool = pool
        self._reading = reading
        self._values: list[Value] = []
        registry.register(self)

    def repeating(self) -> Repeating:
        """What reads again and again while it runs."""
        return Repeating("metrics of results", self.refresh, rest_seconds=EVERY_SECONDS)

    def refresh(self) -> None:
        """Read once.

        Raises:
            PassingError: The database is away; what was read before stays.
        """
        with self._pool.reading() as cursor:
            names: Sequence[str] = self._named or self._reading.most_active(cursor, MOST_STRATEGIES)
            totals = self._reading.totals(cursor, names)
            self._values = [
                *_sums(totals),
                *_drawn(cursor, names),
                *_calibrated(cursor, self._settings, set(names)),
            ]

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """What Prometheus is told."""
        families = {
            metric.name: GaugeMetricFamily(metric.name, metric.meaning, labels=metric.labels)
            for metric in STRATEGY_METRICS
        }
        for metric, labels, value in self._values:
            families[metric.name].add_metric(labels, value)
        return families.values()


def _sums(totals: dict[str, dict[str, Sums]]) -> Iterator[Value]:
    for strategy, found in totals.items():
        for currency, sums in found.items():
            for metric, value in (
                (STRATEGY_CLOSED, sums.closed),
                (STRATEGY_WINS, sums.wins),
                (STRATEGY_NET_PNL, float(sums.total_pnl)),
                (STRATEGY_OPEN_SIGNALS, sums.signals - sums.closed),
                (STRATEGY_BACKDATED, sums.backdated),
                (STRATEGY_EXITS_BACKDATED, sums.exits_backdated),
                (STRATEGY_CORRECTED_LATE, sums.corrected_late),
            ):
                yield metric, [strategy, currency], value


def _drawn(cursor: Cursor, names: Sequence[str]) -> Iterator[Value]:
    """How far strategies are below their peaks, as far as that is worked out."""
    for owner, line in read_lines(cursor, names).items():
        if line is not None:
            yield STRATEGY_BELOW_PEAK, [*owner], float(line["below_peak"])
            yield STRATEGY_DRAWDOWN, [*owner], float(line["deepest"])


def _calibrated(cursor: Cursor, settings: Settings, names: set[str]) -> Iterator[Value]:
    """How far the probabilities of kept versions were off, by version and by strategy."""
    serving = champion(cursor, settings.model)
    for version, (_, content) in read_calibrations(cursor, settings).items():
        since = content["since"]
        if since["signals"]:
            yield MODEL_CALIBRATION_ERROR, [version], expected_calibration_error(since["bins"])
        if version == serving:
            for name, group in since["strategies"].items():
                if name in names:
                    off = group["predicted"] - group["success_rate"]
                    yield STRATEGY_CALIBRATION_ERROR, [name], off
