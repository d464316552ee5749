"""Mean reversion: buys a share that fell far, and waits two weeks for its price to recover.

    python mean_reversion.py --symbols AAPL MSFT --until 2013-03-01

It buys at the close of a session that ends below the lower Bollinger band (20 sessions,
2 standard deviations) with a relative strength index below 30 (14 sessions, plain sums).
The target is the middle of the band, the stop lies as far below the entry as the target
above it, and after ten sessions it sells whatever the price. Each side costs 0.05 %.

The class `MeanReversion` holds the whole logic and uses neither Kafka nor the publisher;
`main` passes bars to it and publishes its decisions. A second run publishes the same ids,
so nothing is counted twice.
"""

import sys
from collections import deque
from decimal import Decimal
from itertools import pairwise
from statistics import fmean, pstdev

from bars import arguments, read_bars
from decisions import TICK, Decision, Enter, Leave, whole_shares

from trackrecord.events import MarketBar
from trackrecord.sdk import Publisher

NAME = "mean_reversion"
FEE_RATE = Decimal("0.0005")
BAND, DEVIATIONS = 20, 2.0
STRENGTH, WEAK = 14, 30.0
HORIZON = 10


class MeanReversion:
    """One symbol's band and position."""

    def __init__(self) -> None:
        """Start without bars and without a position."""
        self.closes: deque[float] = deque(maxlen=BAND)
        self.position: Enter | None = None
        self.held = 0

    def on_bar(self, bar: MarketBar) -> list[Decision]:
        """Take the next bar of the symbol; returns what to do, at most one thing."""
        self.closes.append(float(bar.close))
        if self.position is not None:
            return self._leave(bar, self.position)
        if len(self.closes) < BAND:
            return []
        middle = fmean(self.closes)
        lower = middle - DEVIATIONS * pstdev(self.closes)
        if self.closes[-1] >= lower or self._relative_strength() >= WEAK:
            return []
        target = Decimal(str(middle)).quantize(TICK)
        trade = f"{NAME}:{bar.symbol}:{bar.opened_at:%Y-%m-%d}"
        shares, stop = whole_shares(bar.close), max(2 * bar.close - target, TICK)
        self.held = 0
        self.position = Enter(trade, bar.closed_at, "BUY", bar.close, shares, target, stop, HORIZON)
        return [self.position]

    def _relative_strength(self) -> float:
        changes = [after - before for before, after in pairwise(list(self.closes)[-STRENGTH - 1 :])]
        moved = sum(abs(change) for change in changes)
        return 100 * sum(max(change, 0) for change in changes) / moved if moved else 50.0

    def _leave(self, bar: MarketBar, held: Enter) -> list[Decision]:
        self.held += 1
        stop = held.stop or Decimal(0)
        # A session that opens beyond a level fills at its open. Where it touches both
        # levels later, the stop is taken to come first.
        if not stop < bar.open < held.target:
            price, reason = bar.open, "stop" if bar.open <= stop else "target"
        elif bar.low <= stop:
            price, reason = stop, "stop"
        elif bar.high >= held.target:
            price, reason = held.target, "target"
        elif self.held == HORIZON:
            price, reason = bar.close, "expired"
        else:
            return []
        self.position = None
        return [Leave(held.trade, "exit", bar.closed_at, price, held.quantity, reason)]


def main() -> int:
    """Trade until the last bar; 0 when the broker has everything, 1 if some of it waits."""
    options = arguments(__doc__ or NAME)
    books = {symbol: MeanReversion() for symbol in options.symbols}
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
                        stop_loss=decision.stop,
                        horizon_bars=decision.horizon_bars,
                        fee_rate=FEE_RATE,
                    )
                else:
                    # Without a quantity, an exit closes all that is open.
                    publisher.exit(
                        (decision.trade, bar.symbol),
                        exit_id=decision.exit,
                        closed_at=decision.at,
                        price=decision.price,
                        fee_rate=FEE_RATE,
                        reason=decision.reason,
                    )
        waiting = publisher.flush(30)
        print(f"{NAME}: {publisher.stats.delivered} signals and exits delivered, {waiting} wait")
        return 1 if waiting else 0


if __name__ == "__main__":
    sys.exit(main())
