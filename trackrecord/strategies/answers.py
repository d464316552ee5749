"""From a rule's answers in columns to trades: exact ones to show, quick ones to compare by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any, Final

import numpy as np

from trackrecord.outcomes import Policy
from trackrecord.strategies.columns import Answers, Columns, Fold, Part, fold
from trackrecord.strategies.contract import Decision, Side, Sides
from trackrecord.strategies.drive import Progress, Stretch
from trackrecord.strategies.history import Flags, History, Series
from trackrecord.strategies.simulate import NOTHING, advance, cease, decide, exact_level
from trackrecord.strategies.trades import Collected, Trade, Trips, trips_of

Answering = Callable[[Series, Mapping[str, Any]], Answers]
"""What a rule answers on a symbol's bars with some parameters; it is shown no others."""

_DIGITS: Final = 60
_RETURN_PLACES: Final = Decimal(1).scaleb(-18)
_SIDES: Final[dict[int, Side]] = {1: "LONG", -1: "SHORT"}


@dataclass(frozen=True)
class Columnar:
    """A strategy whose answers are known in columns.

    Attributes:
        answering: What gives them.
        sides: What it may hold.
        policy: Which level counts when one bar reaches both target and stop.
    """

    answering: Answering
    sides: Sides
    policy: Policy = "stop_first"

    def trades(
        self, history: History, plan: Sequence[Stretch], progress: Progress | None = None
    ) -> list[Trade]:
        """See :meth:`trackrecord.strategies.drive.Strategy.trades`."""
        found: list[Trade] = []
        done = 0
        for name, series in history.series.items():
            ceased = history.ceased[name]
            parts = self._parts(series, plan)
            if parts and series.is_plain:
                columns = Columns(series, parts, ceased, self.sides, self.policy)
                found += [exact_trade(series, one) for one in fold(columns)]
            elif parts:
                found += by_bar(series, parts, ceased, self.sides, self.policy)
            done += len(series)
            if progress is not None:
                progress(done, history.bars)
        return found

    def trips(self, history: History, stretch: Stretch) -> dict[str, Trips]:
        """The trades of one stretch by symbol, as much of them as a curve needs."""
        found: dict[str, Trips] = {}
        for name, series in history.series.items():
            parts = self._parts(series, [stretch])
            if not parts:
                continue
            if series.is_plain:
                columns = Columns(series, parts, history.ceased[name], self.sides, self.policy)
                found[name] = _trips(fold(columns))
            else:
                found[name] = trips_of(
                    by_bar(series, parts, history.ceased[name], self.sides, self.policy)
                )
        return found

    def _parts(self, series: Series, plan: Sequence[Stretch]) -> list[Part]:
        """Each stretch's answers; it sees no bar behind its own end."""
        edges = [int(np.searchsorted(series.day, stretch.first)) for stretch in plan]
        ends = [*edges[1:], len(series)]
        parts: list[Part] = []
        for stretch, first, end in zip(plan, edges, ends, strict=True):
            if first < end:
                seen = series if end == len(series) else series.part(0, end)
                parts.append(Part(first, self.answering(seen, stretch.parameters)))
        return parts


def by_bar(
    series: Series, parts: Sequence[Part], ceased: Flags, sides: Sides, policy: Policy
) -> list[Trade]:
    """The trades of a symbol, folded bar by bar in decimals."""
    columns = Columns(series, parts, ceased, sides, policy)
    collected = Collected(series.symbol)
    state, entry = NOTHING, 0
    for row in range(parts[0].first, len(series)):
        state, events = advance(state, series.exact(row), policy, series.jump_limits)
        collected.take(row, events)
        if state.held is not None and state.held.bars == 1:
            entry = row
        side = None if state.held is None else _SIDES[state.held.direction]
        answer = _decision(columns.part_of(row), row, side, entry, sides)
        state = decide(state, answer, sides)
        if ceased[row]:
            state, events = cease(state)
            collected.take(row, events)
    return collected.end(len(series) - 1, state.held, state.close)


def _decision(answers: Answers, row: int, side: Side | None, entry: int, sides: Sides) -> Decision:
    if side is not None:
        is_long = side == "SHORT"
        if not answers.leaves(side, row, entry):
            return Decision("hold")
    else:
        is_long = sides != "short" and bool(answers.enter_long[row])
        if not is_long and (sides == "long" or not answers.enter_short[row]):
            return Decision("hold")
    stop = (answers.stop_long if is_long else answers.stop_short)[row]
    target = (answers.target_long if is_long else answers.target_short)[row]
    return Decision(
        "buy" if is_long else "sell",
        stop_loss=None if np.isnan(stop) else float(stop),
        target_price=None if np.isnan(target) else float(target),
        horizon_bars=answers.horizon_bars,
    )


def exact_trade(series: Series, one: Fold) -> Trade:
    """A trade with the prices of the file, and how far it went on the way."""
    stop = None if np.isnan(one.stop) else exact_level(one.stop)
    target = None if np.isnan(one.target) else exact_level(one.target)
    if one.outcome == "void":
        entered = one.row != one.entry
        return Trade(
            series.symbol, one.direction, one.entry,
            series.exact(one.entry).open if entered else Decimal(0),
            *((stop, target, one.horizon) if entered else (None, None, None)),
            "void", None, one.row, None, exit_reason=one.why,
        )  # fmt: skip
    entry_price = series.exact(one.entry).open
    last = series.exact(one.row)
    if one.how == "intrabar":
        price = target if one.outcome == "target" else stop
        assert price is not None  # noqa: S101 - a level was touched
    else:
        price = last.open if one.how in ("gap", "open") else last.close
    bars = one.row - one.entry + 1
    if one.outcome == "open":
        return Trade(
            series.symbol, one.direction, one.entry, entry_price, stop, target, one.horizon,
            "open", None, one.row, price, bars=bars,
        )  # fmt: skip
    mae, mfe = _excursions(series, one, entry_price, price)
    with localcontext(prec=_DIGITS):
        gained = (price - entry_price) * one.direction
        returned = (gained / entry_price).quantize(_RETURN_PLACES)
    return Trade(
        series.symbol, one.direction, one.entry, entry_price, stop, target, one.horizon,
        one.outcome, one.how, one.row, price, _is_ambiguous(series, one), one.delisted, bars,
        returned, mae, mfe,
    )  # fmt: skip


def _is_ambiguous(series: Series, one: Fold) -> bool:
    if one.how != "intrabar":
        return False
    best, worst = (series.high, series.low) if one.direction > 0 else (series.low, series.high)
    return bool(
        one.direction * (best[one.row] - one.target) >= 0
        and one.direction * (worst[one.row] - one.stop) <= 0
    )


def _excursions(
    series: Series, one: Fold, entry: Decimal, price: Decimal
) -> tuple[Decimal, Decimal]:
    """Worst and best on the way, as fractions of the entry price."""
    # Who leaves at the close has lived through the whole bar.
    whole = slice(one.entry, one.row + (one.how == "expiry"))
    prices = [entry, price]
    if one.how != "expiry":
        prices.append(series.exact(one.row).open)
    if whole.start < whole.stop:
        prices.append(series.exact(whole.start + int(series.low[whole].argmin())).low)
        prices.append(series.exact(whole.start + int(series.high[whole].argmax())).high)
    with localcontext(prec=_DIGITS):
        ways = [
            ((each - entry) * one.direction / entry).quantize(_RETURN_PLACES) for each in prices
        ]
    return min(ways), max(ways)


def _trips(folds: Sequence[Fold]) -> Trips:
    kept = [one for one in folds if one.outcome != "void"]
    return Trips(
        np.array([one.direction for one in kept], np.float64),
        np.array([one.entry for one in kept], np.int64),
        np.array([one.entry_price for one in kept]),
        np.array([one.row for one in kept], np.int64),
        np.array([one.price for one in kept]),
        np.array([one.outcome != "open" for one in kept], np.float64),
    )
