"""Momentum trader: follows a share's drift for a week at a time; prints a log.

    python momentum_trader.py --bars bars.csv --as-of 2012-05-04 [--symbol AAPL]

The drift is the mean daily change of the last 20 sessions over its standard error (a
t-statistic). Above +1 it buys, below -1 it sells short, in between it does nothing. Its
confidence is the probability that a drift of that sign is no accident, if daily changes
were independent and normal, which they are only roughly. Without --symbol it trades the
share with the strongest drift.

It keeps no state: each run closes the position of the run five sessions earlier, which
it computes again from the bars of that day. Bars after --as-of are not used.
"""

import argparse
import csv
from itertools import pairwise
from math import sqrt
from pathlib import Path
from statistics import NormalDist, fmean, stdev
from typing import NamedTuple

HOLD = 5  # sessions from one decision to the next
WINDOW = 20  # daily changes that make the drift
DRIFT = 1.0  # the t-statistic that is worth a trade


class Bar(NamedTuple):
    """One session of one share; closed is the time of its last trade."""

    closed: str
    open: float
    high: float
    low: float
    close: float


class Signal(NamedTuple):
    """A position to take: a drift above 0 buys, below 0 sells."""

    drift: float
    symbol: str
    entry: float
    target: float
    stop: float


def read_bars(path: str, as_of: str) -> dict[str, list[Bar]]:
    """The bars up to a day, by symbol, oldest first."""
    bars: dict[str, list[Bar]] = {}
    with Path(path).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["opened_at"][:10] <= as_of:
                numbers = [float(row[name]) for name in Bar._fields[1:]]
                bars.setdefault(row["symbol"], []).append(Bar(row["closed_at"][:19], *numbers))
    return {symbol: sorted(bars[symbol]) for symbol in sorted(bars)}


def measure(symbol: str, bars: list[Bar]) -> Signal | None:
    """The drift of a share at its last bar, with levels; none if its history is short."""
    recent = bars[-WINDOW - 1 :]
    changes = [b.close / a.close - 1 for a, b in pairwise(recent)]
    if len(changes) < WINDOW or not (spread := stdev(changes)):
        return None
    drift = fmean(changes) / (spread / sqrt(WINDOW))
    entry = round(recent[-1].close, 2)
    # Twice what the share usually moves in the time, with the drift; once against it.
    move = entry * spread * sqrt(HOLD) * (1 if drift > 0 else -1)
    return Signal(drift, symbol, entry, round(entry + 2 * move, 2), round(entry - move, 2))


def strongest(bars: dict[str, list[Bar]], time: str) -> Signal | None:
    """The strongest drift among the shares, from what was known at a time."""
    known = {name: [bar for bar in rows if bar.closed <= time] for name, rows in bars.items()}
    found = [signal for name, rows in known.items() if (signal := measure(name, rows))]
    return max(found, key=lambda signal: abs(signal.drift), default=None)


def settle(signal: Signal, after: list[Bar]) -> tuple[float, float, str]:
    """The price at which a position ended, its return in percent, and why; stop first."""
    side = 1 if signal.drift > 0 else -1
    price, why = after[-1].close, "time"
    stop, target = signal.stop * side, signal.target * side
    for bar in after:
        worst, best = sorted((bar.low * side, bar.high * side))
        if not stop < bar.open * side < target:
            price, why = bar.open, "gap"
        elif worst <= stop:
            price, why = signal.stop, "stop"
        elif best >= target:
            price, why = signal.target, "target"
        else:
            continue
        break
    return price, (price / signal.entry - 1) * 100 * side, why


def trade(bars: dict[str, list[Bar]]) -> None:
    """Log the end of the last position, and the next one."""
    times = sorted({bar.closed for rows in bars.values() for bar in rows})
    now, then = times[-1], times[-HOLD - 1 :][0]

    def log(text: str) -> None:
        print(f"{now.replace('T', ' ')} INFO momentum_trader: {text}")

    log(f"{len(times)} sessions of {', '.join(bars)}")
    held = strongest(bars, then)
    if held and abs(held.drift) >= DRIFT:
        if after := [bar for bar in bars[held.symbol] if bar.closed > then]:
            price, result, why = settle(held, after)
            log(f"closed {held.symbol} of {then[:10]} ({why}): {held.entry:.2f} -> {price:.2f}")
            log(f"Realised return: {result:+.2f}%")
    else:
        log(f"no position since {then[:10]}")
    signal = strongest(bars, now)
    if signal is None:
        log(f"No signal: {WINDOW + 1} sessions are needed")
    elif abs(signal.drift) < DRIFT:
        log(f"No signal: {signal.symbol} has a drift of {signal.drift:+.2f}, less than {DRIFT}")
    else:
        side = "BUY" if signal.drift > 0 else "SELL"
        log(f"Signal: {side} {signal.symbol} @ {signal.entry:.2f}")
        log(f"Target: {signal.target:.2f}")
        log(f"Stop loss: {signal.stop:.2f}")
        log(f"Confidence: {NormalDist().cdf(abs(signal.drift)):.0%}")


def main() -> None:
    """Read the arguments and trade; ends with 2 where there is nothing to trade on."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bars", required=True, help="CSV of daily bars")
    parser.add_argument("--as-of", required=True, help="the last session to know, YYYY-MM-DD")
    parser.add_argument("--symbol", help="the one share to trade")
    options = parser.parse_args()
    try:
        bars = read_bars(options.bars, options.as_of)
    except (OSError, KeyError, ValueError) as error:
        parser.error(f"{options.bars} is no readable CSV of bars: {error}")
    bars = {name: rows for name, rows in bars.items() if options.symbol in (None, name)}
    if not bars:
        parser.error(f"{options.bars} has no such bars up to {options.as_of}")
    trade(bars)


if __name__ == "__main__":
    main()
