"""The events that say what was thought of signals and what became of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from confluent_kafka import Message

from services.outcome_scorer.handler.assessments import Assessed
from services.outcome_scorer.rows import OUR_EXIT
from trackrecord.events import SignalAssessed, SignalClosed, SignalScored
from trackrecord.runtime.stage import Outgoing

_SOURCE = "/outcome_scorer"


def assessed_events(
    assessed: Sequence[Assessed], messages: Sequence[Message], now: datetime
) -> Iterator[Outgoing]:
    """One ``signal_assessed`` per signal; without a model it holds the features alone."""
    for each in assessed:
        rows = each.signals.select("position", "signal_id", "strategy", "symbol").iter_rows()
        for place, (position, signal_id, strategy, symbol) in enumerate(rows):
            judged = each.probability is not None
            event = SignalAssessed(
                signal_id=signal_id,
                strategy=strategy,
                symbol=symbol,
                probability=float(each.probability[place])
                if each.probability is not None
                else None,
                verdict=each.verdicts[place] if judged else None,
                quality=each.qualities[place] if judged else None,
                model_version=each.version,
                features=_named(each.names, each.features[place].tolist()),
                assessed_at=now,
            )
            yield Outgoing.of(event, source=_SOURCE, position=position, cause=messages[position])


def scored_event(
    row: Sequence[Any],
    policy: str,
    names: Mapping[str, Sequence[str]],
    now: datetime,
    messages: Sequence[Message],
) -> Outgoing:
    """One ``signal_scored``.

    Args:
        row: As the statement SCORED gives it.
        policy: What counts where target and stop lie inside one bar.
        names: Of the features, by feature set.
        now: When it was scored.
        messages: Of the batch.
    """
    (position, signal_id, strategy, symbol, revision, outcome, label, returned, mae, mfe, held,
     exit_price, ambiguous, feature_set, features) = row  # fmt: skip
    event = SignalScored(
        signal_id=signal_id,
        strategy=strategy,
        symbol=symbol,
        revision=revision,
        outcome=outcome,
        label=label,
        **{"return": returned},
        mae=mae,
        mfe=mfe,
        bars_held=held,
        exit_price=None if exit_price is None else Decimal(exit_price),
        ambiguous=ambiguous,
        policy=policy,
        features=_named(names[feature_set], features) if feature_set else {},
        scored_at=now,
    )
    return Outgoing.of(event, source=_SOURCE, position=position, cause=messages[position])


def closed_event(
    row: Sequence[Any], strategy: str, symbol: str, position: int, messages: Sequence[Message]
) -> Outgoing:
    """The exit of a signal that nobody manages, by a row of the statement CLOSE."""
    signal_id, price, closed_at, reason, entry_price = row
    event = SignalClosed(
        signal_id=signal_id,
        exit_id=OUR_EXIT,
        symbol=symbol,
        strategy=strategy,
        price=Decimal(price),
        closed_at=closed_at,
        reason=reason,
        entry_price=None if entry_price is None else Decimal(entry_price),
    )
    return Outgoing.of(event, source=_SOURCE, position=position, cause=messages[position])


def _named(names: Sequence[str], values: Sequence[float | None]) -> dict[str, float | None]:
    return {
        name: None if value is None or value != value else value  # noqa: PLR0124 - NaN
        for name, value in zip(names, values, strict=True)
    }
