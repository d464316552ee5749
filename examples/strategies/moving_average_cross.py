"""Moving-average cross: long above, short below; half is closed at a first target.

    python moving_average_cross.py --symbols AAPL MSFT --until 2013-03-01

When the average close of 20 sessions rises above that of 50 it buys at the close, and
when it falls below it sells short. Half of the shares are closed at a profit of 5 %, the
rest at the next cross. It pays half a cent a share on each entry and exit.

The class `MovingAverageCross` holds the whole logic and uses neither Kafka nor the
publisher; `main` passes bars to it and publishes its decisions. A second run publishes
the same ids, so nothing is counted twice.
"""

import sys
from collections import deque
from decimal import ROUND_DOWN, Decimal
from statistics import fmean

from bars import arguments, read_bars
from decisions import TICK, Decision, Enter, Leave, whole_shares

from trackrecord.events import MarketBar
from trackrecord.sdk import Publisher

NAME = "moving_average_cross"
COMMISSION = Decimal("0.005")  # USD a share
FIRST_TARGET = Decimal("0.05")  # of the entry price


class MovingAverageCross:
    """One symbol's averages and position."""

    def __init__(self, fast: int = 20, slow: int = 50) -> None:
        """Start without bars and without a position; the averages' lengths are in bars."""
        self.fast, self.slow = fast, slow
        self.closes: deque[float] = deque(maxlen=slow)
        self.above: bool | None = None
        self.position: Enter | None = None
        self.left = Decimal(0)

    def on_bar(self, bar: MarketBar) -> list[Decision]:
        """Take the next bar of the symbol; returns what to do, in order."""
        decisions = self._first_target(bar)
        self.closes.append(float(bar.close))
        if len(self.closes) < self.slow:
            return decisions
        above = fmean(list(self.closes)[-self.fast :]) > fmean(self.closes)
        crossed = self.above is not None and above != self.above
        self.above = above
        if crossed:
            decisions += self._leave(bar, "2-cross", bar.close, self.left, "cross back")
            decisions.append(self._enter(bar, long=above))
        return decisions

    def _first_target(self, bar: MarketBar) -> list[Decision]:
        position = self.position
        if position is None or self.left < position.quantity:
            return []
        long = position.side == "BUY"
        if (bar.high < position.target) if long else (bar.low > position.target):
            return []
        # A session that opens beyond the target fills at its open.
        price = (max if long else min)(bar.open, position.target)
        half = (self.left / 2).to_integral_value(ROUND_DOWN)
        return self._leave(bar, "1-target", price, half, "first target")

    def _leave(
        self, bar: MarketBar, name: str, price: Decimal, quantity: Decimal, reason: str
    ) -> list[Decision]:
        if self.position is None or quantity == 0:
            return []
        self.left -= quantity
        return [Leave(self.position.trade, name, bar.closed_at, price, quantity, reason)]

    def _enter(self, bar: MarketBar, *, long: bool) -> Enter:
        step = FIRST_TARGET if long else -FIRST_TARGET
        trade = f"{NAME}-{self.fast}-{self.slow}:{bar.symbol}:{bar.opened_at:%Y-%m-%d}"
        self.left = whole_shares(bar.close)
        target = (bar.close * (1 + step)).quantize(TICK)
        self.position = Enter(
            trade, bar.closed_at, "BUY" if long else "SELL", bar.close, self.left, target
        )
        return self.position


def main() -> int:
    """Trade until the last bar; 0 when the broker has everything, 1 if some of it waits."""
    options = arguments(__doc__ or NAME)
    books = {symbol: MovingAverageCross() for symbol in options.symbols}
    with Publisher(NAME) as publisher:
        for bar in read_bars(options):
            for decision in books[bar.symbol].on_bar(bar):
                if isinstance(decision, Enter):
                    publisher.signal(
                        bar.symbol,
                        decision.side,
                        signal_id=decision.trade,
                        emitted_at=decision.at,
                        price=decision.price,
                        quantity=decision.quantity,
                        target_price=decision.target,
                        fee=COMMISSION * decision.quantity,
                    )
                else:
                    publisher.exit(
                        (decision.trade, bar.symbol),
                        exit_id=decision.exit,
                        closed_at=decision.at,
                        price=decision.price,
                        quantity=decision.quantity,
                        fee=COMMISSION * decision.quantity,
                        reason=decision.reason,
                    )
        waiting = publisher.flush(30)
        print(f"{NAME}: {publisher.stats.delivered} signals and exits delivered, {waiting} wait")
        return 1 if waiting else 0


if __name__ == "__main__":
    sys.exit(main())
