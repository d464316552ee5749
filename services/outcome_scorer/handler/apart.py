"""Signals that are judged apart from memory: on all bars since they were emitted.

Some entered before the first bar that is kept in memory. Of others the horizon had elapsed
before a bar came late, or was corrected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from services.outcome_scorer import store
from services.outcome_scorer.handler.symbols import Key, put_bars
from services.outcome_scorer.store import Asked
from trackrecord.outcomes.model import Policy
from trackrecord.outcomes.waiting import Judgement, Waiting
from trackrecord.outcomes.watch import Watch
from trackrecord.runtime.database import Cursor


def judge_apart(
    cursor: Cursor,
    keys: Sequence[Key],
    signals: Waiting,
    policy: Policy,
    told_at: Mapping[int, int] | None = None,
) -> Judgement:
    """Judge signals on all bars since the first of them was emitted.

    Args:
        cursor: In the transaction.
        keys: Symbols.
        signals: ``slot`` is the place of each one's symbol in ``keys``.
        policy: What counts where target and stop lie inside one bar.
        told_at: By the place of the symbol: when it was told that it ceased to trade.
    """
    places = [int(place) for place in np.unique(signals.slot)]
    asked = [
        Asked(place, *keys[place], since=int(signals.emitted_at[signals.slot == place].min()))
        for place in places
    ]
    bars = store.read_bars(cursor, asked)
    longest = bars.group_by("number").len()["len"].max() if bars.height else 1
    watch = Watch(int(str(longest)))
    for key in keys:
        watch.slot(key)
    put_bars(watch, places, bars, None)
    watch.put_signals(signals)
    judged, _ = watch.judge(places, policy, dict(told_at or {}))
    return judged
