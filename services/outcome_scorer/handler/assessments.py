"""What is known and thought of signals at the moment of their emission."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from services.outcome_scorer import store
from services.outcome_scorer.handler.symbols import Symbols
from services.outcome_scorer.rows.assessments import assessment_rows
from services.outcome_scorer.rows.bars import bar_columns
from services.outcome_scorer.rows.symbols import Asked
from trackrecord.clock import SYSTEM_CLOCK, Clock
from trackrecord.features import (
    BARS_NEEDED,
    NAMES,
    Emitted,
    History,
    Market,
    Resolved,
    features_at_emission,
)
from trackrecord.features.regime import MOMENTS_NEEDED, regime_from
from trackrecord.outcomes.waiting import BarColumns
from trackrecord.outcomes.watch import Watch
from trackrecord.runtime import champion
from trackrecord.runtime.database import Cursor
from trackrecord.runtime.logs import get_logger

if TYPE_CHECKING:
    from trackrecord.learning.ensemble import Ensemble

_log = get_logger(__name__)

_BEFORE = BARS_NEEDED + 2
"""Bars before an emission that its features are made of."""


@dataclass(frozen=True)
class Assessed:
    """Signals with what is thought of them; (n,) and (n, k)."""

    signals: pl.DataFrame
    names: tuple[str, ...]
    features: NDArray[np.float64]
    version: str | None
    probability: NDArray[np.float64] | None
    verdicts: list[str]
    qualities: list[str]

    @property
    def feature_set(self) -> str:
        """What tells one list of names from another."""
        return hashlib.sha256("\n".join(self.names).encode()).hexdigest()[:12]


@dataclass
class Assessor:
    """Judges signals when they are emitted, with the model that is live.

    Attributes:
        model: Whose champion judges.
        sent: Features that publishers send, by name, in ``metadata.features``.
        clock: Says when a signal is assessed.
        refused: Versions whose files were not those that were written.
    """

    model: str
    sent: tuple[str, ...] = ()
    clock: Clock = SYSTEM_CLOCK
    refused: set[str] = field(default_factory=set)
    _ensemble: Ensemble | None = None
    _version: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Of all features, in the order of the columns."""
        return (*NAMES, *self.sent)

    def assess(
        self, cursor: Cursor, symbols: Symbols, signals: pl.DataFrame, policy: str, lane: int
    ) -> list[Assessed]:
        """Judge signals, those of each timeframe together, and record what is thought of them.

        Args:
            cursor: In the transaction of the batch, which is why all consumers agree on the
                model.
            symbols: With the bars of all these signals' symbols in memory.
            signals: New ones, as :func:`services.outcome_scorer.rows.signals.as_signals` makes
                them.
            policy: Of the outcomes that make a record.
            lane: Whose rows of totals are moved.
        """
        if not signals.height:
            return []
        self._load(cursor)
        parts = symbols.placed(signals).partition_by("timeframe", maintain_order=True)
        assessed = [self._assess(cursor, symbols.watch, part, policy) for part in parts]
        for group in assessed:
            rows = assessment_rows(
                group.signals["signal_id"],
                group.features,
                group.probability,
                group.verdicts,
                group.qualities,
            )
            store.assessments.write(
                cursor,
                rows,
                group.feature_set,
                group.names,
                group.version,
                self.clock.now(),
                lane,
            )
        return assessed

    def _assess(self, cursor: Cursor, watch: Watch, signals: pl.DataFrame, policy: str) -> Assessed:
        timeframe = str(signals["timeframe"][0])
        emitted_at = signals["emitted_us"].to_numpy()
        history, symbol = _history(cursor, watch, signals)
        least, most = int(emitted_at.min()), int(emitted_at.max())
        moments = store.sessions.regime(cursor, timeframe, least, most, MOMENTS_NEEDED + 1)
        regime = regime_from(
            moments["closed_at"].to_numpy(), _floats(moments["moved"]), _floats(moments["breadth"])
        )
        names = sorted(set(signals["strategy"].to_list()))
        number = {name: place for place, name in enumerate(names)}
        own = np.array([number[name] for name in signals["strategy"].to_list()], np.int64)
        found = store.outcomes.record(cursor, names, policy, most)
        resolved = Resolved(
            np.array([number[name] for name in found["strategy"].to_list()], np.int64),
            found["known_at"].to_numpy(),
            _floats(found["return"]),
        )
        price, target, stop, confidence = (
            _floats(signals[name]) for name in ("price_", "target_", "stop_", "confidence")
        )
        direction = signals["direction"].to_numpy().astype(np.int8)
        horizon = signals["horizon_"].to_numpy()
        emitted = Emitted(
            symbol, own, emitted_at, direction, price, target, stop, confidence, horizon
        )
        values = features_at_emission(Market(history, regime), emitted, resolved)
        features = np.column_stack([*values.values(), *_sent(signals, self.sent)])
        return self._judged(signals, features)

    def _judged(self, signals: pl.DataFrame, features: NDArray[np.float64]) -> Assessed:
        if self._ensemble is None:
            return Assessed(signals, self.names, features, None, None, [], [])
        probability = self._ensemble.predict_named(features, self.names)
        direction = signals["direction"].to_numpy().astype(np.int8)
        thresholds = self._ensemble.thresholds
        return Assessed(
            signals,
            self.names,
            features,
            self._version,
            probability,
            list(map(str, thresholds.verdicts(probability, direction))),
            list(map(str, thresholds.qualities(probability))),
        )

    def _load(self, cursor: Cursor) -> None:
        """Take up the champion, if it is another than before and its files are sound."""
        version = champion.champion(cursor, self.model)
        if version == self._version or version in self.refused:
            return
        if version is None:
            self._ensemble, self._version = None, None
            return
        # What models are made of takes seconds to import: without a champion nobody waits for it.
        from trackrecord.learning.files import TamperedError  # noqa: PLC0415

        try:
            ensemble = self._unpacked(champion.model_files(cursor, version), version)
        except TamperedError as error:
            # Who served before goes on serving.
            self.refused.add(version)
            _log.error("model refused", version=version, reason=str(error), serves=self._version)
            return
        self._ensemble, self._version = ensemble, version
        _log.info("model loaded", version=version)

    def _unpacked(self, files: dict[str, bytes], version: str) -> Ensemble:
        from trackrecord.learning.files import TamperedError, unpack  # noqa: PLC0415

        ensemble, manifest = unpack(files)
        if manifest["version"] != version:
            raise TamperedError(f"its files are those of version {manifest['version']}")
        unknown = set(ensemble.features) - set(self.names)
        if unknown:
            raise TamperedError(f"it wants features that are not known here: {sorted(unknown)}")
        return ensemble


def _history(
    cursor: Cursor, watch: Watch, signals: pl.DataFrame
) -> tuple[History, NDArray[np.int64]]:
    """The bars before each emission, and which symbol of them each signal is of."""
    slots = signals["slot"].to_numpy()
    emitted_at = signals["emitted_us"].to_numpy()
    parts: list[BarColumns] = []
    symbol = np.full(len(slots), -1, np.int64)
    asked: list[Asked] = []
    for slot in np.unique(slots):
        mine = np.flatnonzero(slots == slot)
        bars = watch.bars_of(int(slot))
        first, last = (
            int(np.searchsorted(bars.closed_at, moment, "right"))
            for moment in (emitted_at[mine].min(), emitted_at[mine].max())
        )
        if not watch.whole[slot] and first < _BEFORE:
            asked += [
                Asked(
                    int(place),
                    signals["symbol"][int(place)],
                    signals["timeframe"][int(place)],
                    before=int(emitted_at[place]),
                    most=_BEFORE,
                )
                for place in mine
            ]
            continue
        if last:
            symbol[mine] = len(parts)
            parts.append(bars.take(slice(max(first - _BEFORE, 0), last)))
    if asked:
        found = store.bars.read(cursor, asked)
        for (place,), rows in found.group_by("number", maintain_order=True):
            symbol[int(str(place))] = len(parts)
            parts.append(bar_columns(rows))
    lengths = [len(part.open) for part in parts]
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1])).astype(np.int64)[: len(parts)]
    columns: list[Any] = [
        np.concatenate([getattr(part, name) for part in parts]) if parts else np.zeros(0)
        for name in ("open", "high", "low", "close", "volume", "closed_at")
    ]
    columns[-1] = columns[-1].astype(np.int64)
    return History(*[*columns, starts]), symbol


def _sent(signals: pl.DataFrame, names: Sequence[str]) -> list[NDArray[np.float64]]:
    """Features that publishers sent; NaN where there is no number."""
    if not names:
        return []
    given = [_given(text) for text in signals["metadata"].to_list()]
    return [np.array([_number(each.get(name)) for each in given]) for name in names]


def _given(metadata: str | None) -> dict[str, Any]:
    found = json.loads(metadata) if metadata else {}
    features = found.get("features") if isinstance(found, dict) else None
    return features if isinstance(features, dict) else {}


def _number(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) <= sys.float_info.max else float("nan")


def _floats(values: pl.Series) -> NDArray[np.float64]:
    return values.cast(pl.Float64).fill_null(float("nan")).to_numpy().astype(np.float64)
