"""The outcome of one signal on its bars, in exact decimals."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext

from trackrecord.outcomes.model import (
    ENTRY_NOT_POSITIVE,
    JUMP_LIMITS,
    Bar,
    How,
    Judged,
    Outcome,
    Policy,
    Signal,
)

_DIGITS = 60
"""Of intermediate results; what is compared is never rounded."""
_RATIO_DIGITS = 40
"""That the ratio of one split adds to them."""
_BEYOND = Decimal(10) ** 19
"""Prices of old shares that no event could hold."""
_RETURN_PLACES = Decimal(1).scaleb(-18)


def label(
    signal: Signal,
    bars: Sequence[Bar],
    policy: Policy = "stop_first",
    jump_limits: tuple[Decimal, Decimal] | None = JUMP_LIMITS,
) -> Judged:
    """Judge a signal (López de Prado, Advances in Financial Machine Learning, 2018, ch. 3.4).

    A level is touched at equality. A bar after the first that opens at or through a level exits
    at the open, and that is looked at first; then the levels inside the bar; then the horizon.
    Prices of bars and levels may be of any sign; a signal that is entered at 0 or below is void.

    A split that a bar tells holds from that bar's open on. All is counted in shares as they were
    when the signal was emitted: the price of a new share times the ratio is that of an old one.
    That is the same as dividing the levels by the ratio and multiplying the quantity.

    Args:
        signal: The signal; :meth:`Signal.check` holds. Its price is that of a share at the
            emission, also where the entry is the open of a bar that tells a split.
        bars: From the entry bar on, in order; what lies behind the exit does not count. The
            entry bar tells a split only where it opened after the emission.
        policy: Which level counts when one bar reaches both target and stop.
        jump_limits: An open outside these multiples of the close before, beyond what a split
            explains, makes it void; None to believe every price.
    """
    with localcontext() as context:
        context.prec = _DIGITS + _RATIO_DIGITS * sum(bar.split_ratio != 1 for bar in bars)
        return _judge(signal, bars, policy, jump_limits)


def _judge(
    signal: Signal,
    bars: Sequence[Bar],
    policy: Policy,
    jump_limits: tuple[Decimal, Decimal] | None,
) -> Judged:
    up = signal.direction
    target = None if signal.target is None else up * signal.target
    stop = None if signal.stop is None else up * signal.stop
    worst = best = up * signal.price
    scale = up * Decimal(1)
    for index, bar in enumerate(bars[: signal.horizon]):
        scale *= bar.split_ratio
        opened, close = scale * bar.open, scale * bar.close
        high, low = sorted((scale * bar.high, scale * bar.low), reverse=True)
        if abs(scale) != 1 and max(abs(signal.price), abs(high), abs(low)) >= _BEYOND:
            return Judged("void", reason=f"the splits until bar {index} lead to no price")
        if index == 0:
            if signal.price <= 0:
                return Judged("void", reason=ENTRY_NOT_POSITIVE)
            if opens_beyond(opened, target, stop):
                return Judged("void", reason="the entry bar opens beyond a level")
        elif jump_limits is not None and jumps(bars[index - 1].close, bar, jump_limits):
            return Judged("void", reason=f"the price jumps unexplained before bar {index}")
        found = touch(opened, high, low, target, stop, policy, is_entry=index == 0)
        if found is None and index + 1 == signal.horizon:
            found = ("expired", close, "expiry", False)
        if found is None:
            worst, best = min(worst, low), max(best, high)
            continue
        outcome, at, how, ambiguous = found
        # Who leaves at the close has lived through the whole bar.
        seen = (low, high) if how == "expiry" else (opened, at)
        worst, best = min(worst, *seen), max(best, *seen)
        entry = up * signal.price
        return Judged(
            outcome,
            index,
            up * at,
            how,
            ambiguous,
            _fraction(at - entry, signal.price),
            _fraction(worst - entry, signal.price),
            _fraction(best - entry, signal.price),
        )
    return Judged("pending")


def opens_beyond(opened: Decimal, target: Decimal | None, stop: Decimal | None) -> bool:
    """Whether an entry at ``opened`` lies beyond a level already; all as a long sees them."""
    return (target is not None and opened > target) or (stop is not None and opened < stop)


def jumps(before: Decimal, bar: Bar, limits: tuple[Decimal, Decimal]) -> bool:
    """Whether a bar opens outside multiples of the close before, beyond what its split explains."""
    opened = bar.open * bar.split_ratio
    if before <= 0 or opened <= 0:
        return False
    least, most = limits
    return not least * before <= opened <= most * before


def touch(
    opened: Decimal,
    high: Decimal,
    low: Decimal,
    target: Decimal | None,
    stop: Decimal | None,
    policy: Policy,
    *,
    is_entry: bool,
) -> tuple[Outcome, Decimal, How, bool] | None:
    """What a bar touches, seen as a long: outcome, price, how, ambiguous."""
    if not is_entry:
        if target is not None and opened >= target:
            return "target", opened, "gap", False
        if stop is not None and opened <= stop:
            return "stop", opened, "gap", False
    to_target = target if target is not None and high >= target else None
    to_stop = stop if stop is not None and low <= stop else None
    if to_target is not None and (to_stop is None or _prefers(opened, to_target, to_stop, policy)):
        return "target", to_target, "intrabar", to_stop is not None
    if to_stop is not None:
        return "stop", to_stop, "intrabar", to_target is not None
    return None


def _prefers(opened: Decimal, target: Decimal, stop: Decimal, policy: Policy) -> bool:
    """Whether the target counts, where both lie inside one bar."""
    if policy == "open_proximity":
        return target - opened < opened - stop
    return policy == "target_first"


def _fraction(gained: Decimal, price: Decimal) -> Decimal:
    return (gained / price).quantize(_RETURN_PLACES)
