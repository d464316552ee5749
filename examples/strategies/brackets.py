"""Brackets: a long and a short at once, every week, with levels at different distances.

    python brackets.py --symbols AAPL MSFT --until 2013-03-01

At the close of each week's first session it opens a long and a short position, and leaves both
to their target and their stop, or to the close of the fifteenth session. How far those lie away
takes turns from week to week: a near target and a far stop, both alike, or a far target and a
near stop, in true ranges (the mean of 14 sessions). Both sides' costs, 0.1 %, are paid on entry.

It has no opinion on prices, so the result of a signal depends on its levels and on luck: a near
target is reached more often, and earns less. A model can learn that from it. It also shows that
a high success rate alone earns no money.

The class `Brackets` holds the whole logic and uses neither Kafka nor the publisher; `main` passes
bars to it and publishes its decisions. A second run publishes the same ids, so nothing is
counted twice.
"""

import sys
from collections import deque
from decimal import Decimal

from bars import arguments, read_bars
from decisions import TICK, Enter, whole_shares

from trackrecord.events import MarketBar
from trackrecord.sdk import Publisher

NAME = "brackets"
FEE_RATE = Decimal("0.001")
RANGES = 14
HORIZON = 15
DISTANCES = ((1, 4), (2, 2), (4, 1))
"""Of target and stop, in true ranges; they take turns."""


class Brackets:
    """One symbol's true ranges, and the week of its last session."""

    def __init__(self) -> None:
        """Start without bars."""
        self.ranges: deque[Decimal] = deque(maxlen=RANGES)
        self.close: Decimal | None = None
        self.week: int | None = None

    def on_bar(self, bar: MarketBar) -> list[Enter]:
        """Take the next bar of the symbol; returns a long and a short, or nothing."""
        week = (bar.opened_at.toordinal() - 1) // 7  # weeks begin on Mondays
        begins = self.week is not None and week != self.week
        if self.close is not None:
            self.ranges.append(max(bar.high, self.close) - min(bar.low, self.close))
        self.week, self.close = week, bar.close
        if not begins or len(self.ranges) < RANGES:
            return []
        target, stop = DISTANCES[week % len(DISTANCES)]
        away = sum(self.ranges) / RANGES
        trade = f"{NAME}:{bar.symbol}:{bar.opened_at:%Y-%m-%d}"
        shares = whole_shares(bar.close)
        sides = (("BUY", 1), ("SELL", -1)) if 0 < max(target, stop) * away < bar.close else ()
        return [
            Enter(
                f"{trade}:{side}",
                bar.closed_at,
                side,
                bar.close,
                shares,
                (bar.close + sign * target * away).quantize(TICK),
                (bar.close - sign * stop * away).quantize(TICK),
                HORIZON,
            )
            for side, sign in sides
        ]


def main() -> int:
    """Publish until the last bar; 0 when the broker has everything, 1 if some of it waits."""
    options = arguments(__doc__ or NAME)
    books = {symbol: Brackets() for symbol in options.symbols}
    with Publisher(NAME) as publisher:
        for bar in read_bars(options):
            for decision in books[bar.symbol].on_bar(bar):
                publisher.signal(
                    bar.symbol,
                    decision.side,
                    signal_id=decision.trade,
                    emitted_at=decision.at,
                    price=decision.price,
                    quantity=decision.quantity,
                    target_price=decision.target,
                    stop_loss=decision.stop,
                    horizon_bars=decision.horizon_bars,
                    fee_rate=FEE_RATE,
                    exits="barriers",
                )
        waiting = publisher.flush(30)
        print(f"{NAME}: {publisher.stats.delivered} signals delivered, {waiting} wait")
        return 1 if waiting else 0


if __name__ == "__main__":
    sys.exit(main())
