"""What a history must come to, worked out anew with fractions, one signal at a time.

Shares no code with the package but the event models.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
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


def expect(events: Iterable[Any]) -> Expected:
    entries, exits, conflicts = winners(list(events))
    result = Expected(conflicts=conflicts)
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
