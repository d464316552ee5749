"""What a history must come to, worked out anew with fractions, one signal at a time.

Shares no code with the package but the event models.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction as F
from typing import Any

from trackrecord.events import SignalClosed, SignalEmitted

Sums = dict[str, Any]

TOLERANCE = timedelta(seconds=300)
"""By how much an exit may be older than its entry."""


@dataclass
class Expected:
    signals: dict[str, dict[str, Any]] = field(default_factory=dict)
    exits: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    strategies: dict[tuple[str, str], Sums] = field(default_factory=dict)
    strategy_days: dict[tuple[str, str, Any], Sums] = field(default_factory=dict)
    symbol_days: dict[tuple[str, str, Any], Sums] = field(default_factory=dict)
    conflicts: list[int] = field(default_factory=list)
    first_said: dict[Any, FirstSaid] | None = None
    """By signal id, and by signal and exit id; None where it is not known when events came."""


@dataclass(frozen=True)
class FirstSaid:
    """What of a signal or an exit was said in time."""

    at: datetime
    """When the first revision came."""
    event: Any
    """The highest revision that came within the tolerance of it."""
    corrected_late: bool
    """Whether the highest revision of all says something else."""


def winners(events: Sequence[Any]) -> tuple[dict[str, Any], dict[tuple[str, str], Any], list[int]]:
    """The highest revision of each id, the first of its kind; and the indices of conflicts.

    A conflict counts unless a higher revision came before it.
    """
    entries: dict[str, Any] = {}
    exits: dict[tuple[str, str], Any] = {}
    conflicts = []
    for index, event in enumerate(events):
        known: dict[Any, Any] = entries if isinstance(event, SignalEmitted) else exits
        key: Any = event.signal_id if known is entries else (event.signal_id, event.exit_id)
        best = known.get(key)
        if best is None or event.revision > best.revision:
            known[key] = event
        elif event.revision == best.revision and event != best:
            conflicts.append(index)
    return entries, exits, conflicts


def round_half_even(value: F, places: int) -> F:
    return F(round(value * 10**places), 10**places)  # Fraction rounds half to even


def first_said(
    events: Sequence[Any], appended: Sequence[datetime], conflicts: Iterable[int]
) -> dict[Any, FirstSaid]:
    """What of each signal and exit was said in time.

    Args:
        events: In the order in which they were read.
        appended: When the broker got each.
        conflicts: The indices of those that were refused.
    """
    refused = set(conflicts)
    kept: dict[Any, dict[int, tuple[datetime, Any]]] = defaultdict(dict)
    for index, (event, at) in enumerate(zip(events, appended, strict=True)):
        is_entry = isinstance(event, SignalEmitted)
        key = event.signal_id if is_entry else (event.signal_id, event.exit_id)
        if index not in refused:
            kept[key].setdefault(event.revision, (at, event))
    found = {}
    for key, revisions in kept.items():
        first = min(at for at, _ in revisions.values())
        said = max(number for number, (at, _) in revisions.items() if at - first <= TOLERANCE)
        in_time, now = revisions[said][1], revisions[max(revisions)][1]
        same = in_time == now.model_copy(update={"revision": said})
        found[key] = FirstSaid(first, in_time, not same)
    return found


def said_in_time(first_said: dict[Any, FirstSaid]) -> list[Any]:
    """What counts as said: nothing that was first told later than its own time by too much."""
    return [
        said.event
        for said in first_said.values()
        if said.at - (getattr(said.event, "emitted_at", None) or said.event.closed_at) <= TOLERANCE
    ]


def expect(events: Iterable[Any], appended: Sequence[datetime] | None = None) -> Expected:
    """What events must come to.

    Args:
        events: In the order in which they were read.
        appended: When the broker got each; without it nothing is said of what was told late.
    """
    events = list(events)
    entries, exits, conflicts = winners(events)
    result = Expected(conflicts=conflicts)
    if appended is not None:
        result.first_said = first_said(events, appended, conflicts)
    by_signal = defaultdict(list)
    for (signal_id, _), event in exits.items():
        by_signal[signal_id].append(event)
    for signal_id, exit_id in exits:
        result.exits[signal_id, exit_id] = {
            "closed": F(0),
            "pnl": F(0),
            "fees": F(0),
            "carry": F(0),
            "before_entry": False,
        }
    days: dict[Any, Sums] = defaultdict(lambda: defaultdict(F))
    for signal_id, entry in entries.items():
        state = _signal(entry, by_signal[signal_id], result.exits, days)
        result.signals[signal_id] = state
        if result.first_said is not None:
            _mark_late(entry, by_signal[signal_id], result, days)
    for (kind, name, currency, day), sums in days.items():
        if not any(sums.values()):
            continue
        if kind == "strategy":
            result.strategy_days[name, currency, day] = dict(sums)
            total = result.strategies.setdefault((name, currency), defaultdict(F))
            for field_name, value in sums.items():
                total[field_name] += value
        else:
            result.symbol_days[name, currency, day] = dict(sums)
    return result


def _mark_late(entry: Any, exits: list[SignalClosed], result: Expected, days: Any) -> None:
    """Count what was told or corrected late, each where it was said."""
    assert result.first_said is not None
    said = result.first_said[entry.signal_id]

    def add(owner: Any, day: Any, name: str) -> None:
        for kind, of in (("strategy", owner.strategy), ("symbol", owner.symbol)):
            days[kind, of, owner.currency, day][name] += F(1)

    if said.corrected_late:
        add(said.event, said.event.emitted_at.date(), "corrected_late")
        if said.event.strategy != entry.strategy:
            add(entry, entry.emitted_at.date(), "moved_in_late")
    for each in exits:
        key = (each.signal_id, each.exit_id)
        told = result.first_said[key]
        day = max(each.closed_at, entry.emitted_at).date()
        if told.corrected_late:
            add(said.event, day, "corrected_late")
        if result.exits[key]["closed"] and told.at - each.closed_at > TOLERANCE:
            add(entry, day, "exits_backdated")


def _that_count(entry: Any, exits: list[SignalClosed], rows: Any) -> list[SignalClosed]:
    """In order, without those from before the entry, which are marked."""
    earliest = entry.emitted_at - TOLERANCE
    for each in exits:
        rows[entry.signal_id, each.exit_id]["before_entry"] = each.closed_at < earliest
    kept = [each for each in exits if each.closed_at >= earliest]
    return sorted(kept, key=lambda e: (e.closed_at, e.exit_id.encode()))


def _signal(entry: Any, exits: list[SignalClosed], rows: Any, days: Any) -> dict[str, Any]:
    side = 1 if entry.side == "BUY" else -1
    price, quantity = F(entry.price), F(entry.quantity)
    exits = _that_count(entry, exits, rows)
    if entry.entry == "next_open" and exits:
        at_open = exits[0].entry_price
        price = F(entry.price if at_open is None else at_open)
    fee = F(entry.fee) if entry.fee is not None else F(entry.fee_rate or 0) * price * quantity
    left, fee_left, total = quantity, fee, F(0)
    closed_at = None

    def add(day: Any, name: str, value: Any) -> None:
        for kind, owner in (("strategy", entry.strategy), ("symbol", entry.symbol)):
            days[kind, owner, entry.currency, day][name] += F(value)

    add(entry.emitted_at.date(), "signals", 1)
    add(entry.emitted_at.date(), f"{entry.account}_signals", entry.account is not None)
    for each in exits:
        take = min(left, F(each.quantity) if each.quantity is not None else left)
        if take == 0:
            continue
        left -= take
        share = fee_left if left == 0 else round_half_even(fee * take / quantity, 12)
        fee_left -= share
        out_fee = (
            F(each.fee) if each.fee is not None else F(each.fee_rate or 0) * F(each.price) * take
        )
        carry = F(each.interest or 0) + F(each.funding or 0)
        pnl = (F(each.price) - price) * take * side - share - out_fee - carry
        rows[entry.signal_id, each.exit_id] = {
            "closed": take, "pnl": pnl, "fees": share + out_fee, "carry": carry,
            "before_entry": False,
        }  # fmt: skip
        total += pnl
        at = max(each.closed_at, entry.emitted_at)
        day = at.date()
        for name, value in (
            ("exits", 1), ("realised_pnl", pnl), ("fees", share + out_fee), ("carry", carry),
        ):  # fmt: skip
            add(day, name, value)
        if left == 0:
            closed_at = at
    state: dict[str, Any] = {
        "open": left, "realised_pnl": total, "closed_at": closed_at, "outcome": None,
        "return": None,
    }  # fmt: skip
    if closed_at is not None:
        basis = price * quantity + side * fee
        has_return = price > 0 and basis > 0
        ratio = total * F(entry.leverage or 1) / basis if has_return else None
        rounded = round_half_even(ratio, 8) if ratio is not None else total
        state["outcome"] = (rounded > 0) - (rounded < 0)
        state["return"] = None if ratio is None else round_half_even(ratio, 18)
        day = closed_at.date()
        add(day, "closed", 1)
        add(day, "without_return", not has_return)
        add(day, {1: "wins", -1: "losses", 0: "breakevens"}[state["outcome"]], 1)
        add(day, "total_pnl", total)
        add(day, "sum_return", state["return"] or 0)
        add(day, "pnl_squares", total * total)
        if state["outcome"]:
            add(day, "gross_profit" if state["outcome"] > 0 else "gross_loss", total)
    return state
