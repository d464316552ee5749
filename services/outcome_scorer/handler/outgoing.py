"""The events that say what was thought of signals and what became of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from confluent_kafka import Message

from services.outcome_scorer.handler.assessments import Assessed
from services.outcome_scorer.rows.outcomes import OUR_EXIT, OwnExit, Scored
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
            yield Outgoing.of(
                event, source=_SOURCE, position=position, cause=messages[position], now=now
            )


def scored_event(
    scored: Scored,
    policy: str,
    names: Mapping[str, Sequence[str]],
    now: datetime,
    messages: Sequence[Message],
) -> Outgoing:
    """One ``signal_scored``.

    Args:
        scored: The outcome.
        policy: Which level counts when one bar reaches both target and stop.
        names: Of the features, by feature set.
        now: When it was scored.
        messages: Of the batch.
    """
    position, kind = scored.position, scored.feature_set
    event = SignalScored(
        signal_id=scored.signal_id,
        strategy=scored.strategy,
        symbol=scored.symbol,
        revision=scored.revision,
        outcome=scored.outcome,
        label=scored.label,
        **{"return": scored.returned},
        mae=scored.mae,
        mfe=scored.mfe,
        bars_held=scored.bars_held,
        exit_price=None if scored.exit_price is None else Decimal(scored.exit_price),
        ambiguous=scored.ambiguous,
        policy=policy,
        features={} if kind is None else _named(names[kind], scored.features or ()),
        scored_at=now,
    )
    return Outgoing.of(event, source=_SOURCE, position=position, cause=messages[position], now=now)


def closed_event(
    own: OwnExit, scored: Scored, now: datetime, messages: Sequence[Message]
) -> Outgoing:
    """The ``signal_closed`` of a signal that nobody manages.

    Args:
        own: The exit.
        scored: The outcome that it follows from.
        now: When it is published.
        messages: Of the batch.
    """
    event = SignalClosed(
        signal_id=own.signal_id,
        exit_id=OUR_EXIT,
        symbol=scored.symbol,
        strategy=scored.strategy,
        price=Decimal(own.price),
        closed_at=own.closed_at,
        reason=own.reason,
        entry_price=None if own.entry_price is None else Decimal(own.entry_price),
    )
    position = scored.position
    return Outgoing.of(event, source=_SOURCE, position=position, cause=messages[position], now=now)


def _named(names: Sequence[str], values: Sequence[float | None]) -> dict[str, float | None]:
    return {
        name: None if value is None or value != value else value  # noqa: PLR0124 - NaN
        for name, value in zip(names, values, strict=True)
    }
