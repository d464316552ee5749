"""What bars and signals must come to, worked out anew with all bars at once, signal by signal.

By :func:`trackrecord.outcomes.label` in exact decimals; shares no code with the stage.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from tests.support.oracle import winners
from trackrecord.events import Event, MarketBar, SignalClosed, SignalEmitted
from trackrecord.outcomes import DEFAULT_HORIZON, Bar, Judged, Signal, label

Key = tuple[str, str]
"""Symbol and timeframe."""
BarKey = tuple[str, str, datetime, str]
Exit = tuple[Decimal, datetime, str, Decimal | None]
"""Price, moment, reason, and the entry price where the signal is entered at the next open."""

_SESSIONS = 10


@dataclass(frozen=True)
class Verdict:
    """What became of a signal; the words are those of the table."""

    judged: Judged
    delisted: bool = False
    exit_opened_at: datetime | None = None
    exit_at: datetime | None = None
    known_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass
class Expected:
    """What a history comes to.

    Attributes:
        bars: By key, the highest revision, of that the first.
        verdicts: By signal; those that wait are pending.
        signals: By id, the highest revision.
        exits: Of signals that nobody manages, every exit that some part of the history gives.
        certain: Those of them whose exit must have been published.
        closed: Signals that their publishers closed in full.
        conflicts: Indices of bars that contradict an earlier one.
    """

    bars: dict[BarKey, MarketBar] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    signals: dict[str, SignalEmitted] = field(default_factory=dict)
    exits: dict[str, set[Exit]] = field(default_factory=dict)
    certain: set[str] = field(default_factory=set)
    conflicts: list[int] = field(default_factory=list)


def expect(events: Sequence[Event]) -> Expected:
    """Work it out; events of one symbol stand in the order of their partition."""
    result = Expected()
    history: dict[Key, list[MarketBar]] = defaultdict(list)
    for index, event in enumerate(events):
        if isinstance(event, MarketBar):
            if _takes(result.bars, event):
                history[event.symbol, event.timeframe].append(event)
            elif _contradicts(result.bars, event):
                result.conflicts.append(index)
    states: dict[Key, list[list[MarketBar]]] = defaultdict(lambda: [[]])
    for key, bars in history.items():
        states[key] += [_sorted(bars[: length + 1]) for length in range(len(bars))]
    sessions = _sessions(result.bars.values())
    said = [each for each in events if isinstance(each, SignalEmitted)]
    entries, _, _ = winners(said)
    result.signals = entries
    revisions: dict[str, list[SignalEmitted]] = defaultdict(list)
    for each in said:
        if all(each.revision != known.revision for known in revisions[each.signal_id]):
            revisions[each.signal_id].append(each)
    closed = {
        each.signal_id
        for each in events
        if isinstance(each, SignalClosed) and each.quantity is None
    }
    for signal_id, entry in entries.items():
        known, market = states[entry.symbol, entry.timeframe], sessions[entry.timeframe]
        verdict = _verdict(entry, known[-1], market)
        result.verdicts[signal_id] = verdict
        result.exits[signal_id] = set(_any_exit(revisions[signal_id], known, market))
        has_exit = verdict.judged.exit_price is not None
        if has_exit and entry.exits == "barriers" and signal_id not in closed:
            result.certain.add(signal_id)
    return result


def _key(bar: MarketBar) -> BarKey:
    return bar.symbol, bar.timeframe, bar.opened_at, bar.source


def _takes(known: dict[BarKey, MarketBar], bar: MarketBar) -> bool:
    before = known.get(_key(bar))
    if before is not None and bar.revision <= before.revision:
        return False
    known[_key(bar)] = bar
    return True


def _contradicts(known: dict[BarKey, MarketBar], bar: MarketBar) -> bool:
    before = known[_key(bar)]
    return bar.revision == before.revision and bar != before


def _sorted(bars: Sequence[MarketBar]) -> list[MarketBar]:
    """The bars that count, in order: of each the highest revision, of several sources the first."""
    best: dict[BarKey, MarketBar] = {}
    for each in bars:
        _takes(best, each)
    first: dict[datetime, MarketBar] = {}
    for each in sorted(best.values(), key=lambda bar: bar.source):
        first.setdefault(each.opened_at, each)
    return [first[at] for at in sorted(first)]


def _sessions(bars: Iterable[MarketBar]) -> dict[str, list[datetime]]:
    found: dict[str, set[datetime]] = defaultdict(set)
    for each in bars:
        found[each.timeframe].add(each.closed_at)
    return defaultdict(list, {timeframe: sorted(each) for timeframe, each in found.items()})


def _problem(entry: SignalEmitted) -> bool:
    up = 1 if entry.side == "BUY" else -1
    target, stop = entry.target_price, entry.stop_loss
    if entry.price <= 0 and entry.entry == "filled":
        return True
    return (target is not None and (target - entry.price) * up <= 0) or (
        stop is not None and (entry.price - stop) * up <= 0
    )


def _verdict(
    entry: SignalEmitted, bars: Sequence[MarketBar], sessions: Sequence[datetime]
) -> Verdict:
    """By the rules, on the bars that count; ``sessions`` are those of its timeframe."""
    if _problem(entry):
        return Verdict(Judged("void"))
    after = [each for each in bars if each.opened_at >= entry.emitted_at]
    if not after:
        return Verdict(Judged("pending"))
    horizon = entry.horizon_bars or DEFAULT_HORIZON
    told = [at for at in sessions if at > bars[-1].closed_at][_SESSIONS - 1 :]
    ceased = len(after) < horizon and bool(told)
    signal = Signal(
        1 if entry.side == "BUY" else -1,
        after[0].open if entry.entry == "next_open" else entry.price,
        entry.target_price,
        entry.stop_loss,
        len(after) if ceased else horizon,
    )
    judged = label(signal, [Bar(each.open, each.high, each.low, each.close) for each in after])
    ends_at = after[horizon - 1].closed_at if len(after) >= horizon else None
    if ceased:
        ends_at = told[0]
    if judged.exit_index is None:
        return Verdict(judged, ends_at=ends_at)
    last = after[judged.exit_index]
    delisted = ceased and judged.how == "expiry"
    return Verdict(
        judged,
        delisted,
        last.opened_at,
        last.opened_at if judged.how == "gap" else last.closed_at,
        told[0] if delisted else last.closed_at,
        ends_at,
    )


def _any_exit(
    revisions: Sequence[SignalEmitted],
    states: Sequence[Sequence[MarketBar]],
    sessions: Sequence[datetime],
) -> Iterator[Exit]:
    """What was published stays: every exit that bars gave when so many of them had come.

    Which sessions of other symbols had come by then is not known here, so a symbol may have been
    taken for delisted after each of its bars that has ten sessions behind it.
    """
    for entry in revisions:
        seen: list[MarketBar] = []
        for bars in states:
            after = [each for each in bars if each.opened_at >= entry.emitted_at]
            if entry.exits != "barriers" or after == seen:
                continue
            seen = after
            for known in ((), sessions):
                found = _verdict(entry, bars, known)
                if found.judged.exit_price is not None and found.exit_at is not None:
                    entered = after[0].open if entry.entry == "next_open" else None
                    outcome = found.judged.outcome
                    yield found.judged.exit_price, found.exit_at, outcome, entered
