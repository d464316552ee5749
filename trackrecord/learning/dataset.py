"""From signals and bars to rows to learn from: outcomes, features, and when each was known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trackrecord.features import NAMES, Emitted, History, Market, Resolved, features_at_emission
from trackrecord.features.windows import Timeline
from trackrecord.learning.data import Data
from trackrecord.learning.probabilities import Floats
from trackrecord.learning.splits import Rows, Span
from trackrecord.outcomes import JUMP_LIMITS, Bars, Labels, Policy, Signals, label_many
from trackrecord.outcomes.label_many import PENDING, VOID, of_old_shares, won
from trackrecord.outcomes.model import DELISTED_AFTER
from trackrecord.times import NEVER


class Sent(NamedTuple):
    """Signals as they were published."""

    signals: Emitted
    """What was known of them then; ``price`` as published, also where it is not the entry's."""
    next_open: NDArray[np.bool_]
    """Whether the entry is the entry bar's open; one entry per signal."""


@dataclass(frozen=True)
class Outcomes:
    """What happened to signals; each array has one entry per signal.

    Attributes:
        labels: Outcome, exit and excursions.
        entered_at: The price of the entry.
        known_at: When the exit bar closed; NEVER while pending or void.
        ends_at: When the whole horizon had elapsed; NEVER where it has not.
        delisted: Whether it expired because its symbol ceased to trade.
    """

    labels: Labels
    entered_at: Floats
    known_at: Rows
    ends_at: Rows
    delisted: NDArray[np.bool_]

    @property
    def settled(self) -> NDArray[np.bool_]:
        """Which have an outcome, and all of their horizon behind them."""
        return np.asarray(
            (self.labels.outcome != PENDING)
            & (self.labels.outcome != VOID)
            & (self.ends_at > NEVER)
        )


def outcomes_of(
    bars: History,
    opened_at: Rows,
    sent: Sent,
    *,
    policy: Policy = "stop_first",
    jump_limits: tuple[Any, Any] | None = JUMP_LIMITS,
    split_ratio: Floats | None = None,
) -> Outcomes:
    """Judge signals on the bars that followed.

    The entry bar is the first that opens at or after the emission.

    Args:
        bars: Bars of all symbols.
        opened_at: When each opened, (b,).
        sent: Signals.
        policy: Which level counts when one bar reaches both target and stop.
        jump_limits: See :func:`trackrecord.outcomes.label`.
        split_ratio: New shares for an old one from each bar on, (b,); None where no bar tells any.
    """
    signals = sent.signals
    ends = np.append(bars.starts[1:], len(bars.close)).astype(np.int64)
    known = (signals.symbol >= 0) & (len(bars.starts) > 0)
    symbol = np.where(known, signals.symbol, 0)
    first = np.where(
        known, Timeline(bars.starts, opened_at).row(symbol, signals.emitted_at, "left"), 0
    )
    end = np.where(known, ends[symbol], 0)
    there = first < end
    opens = np.full(len(first), np.nan)
    opens[there] = bars.open[first[there]]
    later = np.zeros(len(first), np.bool_)
    later[there] = opened_at[first[there]] > signals.emitted_at[there]
    if split_ratio is not None:
        ratio = np.ones(len(first))
        ratio[later] = split_ratio[first[later]]
        opens = of_old_shares(opens, ratio)
    price = np.where(sent.next_open, opens, signals.price)
    prices = Bars(bars.open, bars.high, bars.low, bars.close, split_ratio)
    asked = Signals(
        signals.direction, price, signals.target, signals.stop, signals.horizon, first, end, later
    )
    labels = label_many(prices, asked, policy, jump_limits)
    last = first + signals.horizon - 1
    ends_at = np.full(len(first), NEVER)
    whole = last < end
    ends_at[whole] = bars.closed_at[last[whole]]
    # Whoever met a level early in a symbol that ceased to trade must not be forgotten either.
    ceased, told_at = _delisted(bars, end, there & ~whole)
    ends_at[ceased] = told_at[ceased]
    over = ceased & (labels.outcome == PENDING)
    # They expire at the last close there is.
    shortened = asked._replace(horizon=np.where(over, end - first, asked.horizon))
    given: list[Any] = list(shortened)
    columns: list[Any] = [column[over] for column in given]
    found: list[Any] = list(label_many(prices, Signals(*columns), policy, jump_limits))
    into: list[Any] = list(labels)
    for column, values in zip(into, found, strict=True):
        column[over] = values
    known_at = np.full(len(first), NEVER)
    left = labels.exit_row >= 0
    known_at[left] = bars.closed_at[labels.exit_row[left]]
    known_at[over] = told_at[over]
    return Outcomes(labels, price, known_at, ends_at, over)


def _delisted(
    bars: History, end: Rows, waiting: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], Rows]:
    """Which signals have a symbol that ceased to trade, and when that could be told."""
    told_at = np.full(len(end), NEVER)
    if not waiting.any():
        return waiting, told_at
    sessions = np.unique(bars.closed_at)
    place = np.searchsorted(sessions, bars.closed_at[np.where(waiting, end - 1, 0)])
    over = waiting & (place + DELISTED_AFTER < len(sessions))
    told_at[over] = sessions[place[over] + DELISTED_AFTER]
    return over, told_at


def features_of(market: Market, sent: Sent, outcomes: Outcomes) -> Floats:
    """The features of signals at their emission, (n, k) in the order of the catalogue."""
    over = outcomes.known_at > NEVER
    found = features_at_emission(
        market,
        sent.signals,
        Resolved(
            sent.signals.strategy[over], outcomes.known_at[over], outcomes.labels.returned[over]
        ),
    )
    return np.column_stack(list(found.values()))


def rows_of(
    features: Floats, sent: Sent, outcomes: Outcomes, *, cost: float = 0.0, threshold: float = 0.0
) -> Data:
    """The signals that can be learnt from: those whose whole horizon has elapsed.

    One that met a level early waits too, or fast outcomes would be counted more than slow ones.

    Args:
        features: Of all signals, (n, k).
        sent: All signals.
        outcomes: Of all signals.
        cost: Of a trade, a fraction, before it counts as a success.
        threshold: Return above which it is one.
    """
    used = outcomes.settled
    returned = outcomes.labels.returned[used]
    return Data(
        features[used],
        NAMES,
        won(returned, cost=cost, threshold=threshold).astype(np.float64),
        returned,
        sent.signals.symbol[used],
        Span(sent.signals.emitted_at[used], outcomes.ends_at[used]),
    )
