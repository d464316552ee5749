"""BTST analyzer: buy today, sell tomorrow; prints the day's one pick, if there is one.

    python btst_analyzer.py --bars bars.csv --as-of 2012-05-04 [--symbol AAPL]

It looks for a breakout on high volume: a gain of at least 1.5 %, a close in the top
third of the session and above the last ten closes, on at least 1.25 times the usual
volume. If several shares show it, the one with the largest volume is picked.

It keeps no state: each run also prints the result of the pick of the session before,
which it computes again from the bars of that day. Bars after --as-of are not used.
"""

import argparse
import csv
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

HISTORY = 21  # sessions needed: the one judged and the twenty before it
GAIN, TOP, CROWD, BREAKOUT = 0.015, 2 / 3, 1.25, 10


class Bar(NamedTuple):
    """One session of one share."""

    day: str
    open: float
    high: float
    low: float
    close: float
    volume: float


class Pick(NamedTuple):
    """A share to hold overnight; crowd is its volume over the usual volume."""

    crowd: float
    symbol: str
    entry: float
    target: float
    stop: float


def read_bars(path: str, as_of: str) -> dict[str, list[Bar]]:
    """The bars up to a day, by symbol, oldest first."""
    bars: dict[str, list[Bar]] = {}
    with Path(path).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if (day := row["opened_at"][:10]) <= as_of:
                numbers = [float(row[name]) for name in Bar._fields[1:]]
                bars.setdefault(row["symbol"], []).append(Bar(day, *numbers))
    return {symbol: sorted(bars[symbol]) for symbol in sorted(bars)}


def setup(symbol: str, bars: list[Bar]) -> Pick | None:
    """The pick that the last bar makes of a share, or none."""
    if len(bars) < HISTORY:
        return None
    today, before = bars[-1], bars[-HISTORY:-1]
    crowd = today.volume / fmean(bar.volume for bar in before)
    qualifies = (
        today.close >= before[-1].close * (1 + GAIN)
        and today.close >= today.low + TOP * (today.high - today.low)
        and today.close > max(bar.close for bar in before[-BREAKOUT:])
        and crowd >= CROWD
    )
    if not qualifies:
        return None
    entry, reach = round(today.close, 2), fmean(bar.high - bar.low for bar in before)
    return Pick(crowd, symbol, entry, round(entry + reach, 2), round(entry - 0.75 * reach, 2))


def pick(bars: dict[str, list[Bar]], day: str) -> Pick | None:
    """The pick at the close of a day, from what was known then."""
    known = {name: [bar for bar in rows if bar.day <= day] for name, rows in bars.items()}
    traded = {name: rows for name, rows in known.items() if rows and rows[-1].day == day}
    setups = [found for name, rows in traded.items() if (found := setup(name, rows))]
    return max(setups, default=None)


def settle(held: Pick, bar: Bar) -> tuple[float, str]:
    """The return of a pick on the session after it, in percent, and how it was sold."""
    if bar.open <= held.stop or bar.open >= held.target:
        price, how = bar.open, "sold at the open"
    elif bar.low <= held.stop:
        price, how = held.stop, "SL hit"
    elif bar.high >= held.target:
        price, how = held.target, "target hit"
    else:
        price, how = bar.close, "sold at the close"
    return (price / held.entry - 1) * 100, how


def report(bars: dict[str, list[Bar]]) -> None:
    """Print the pick of the last session, and how the one before it was sold."""
    days = sorted({bar.day for rows in bars.values() for bar in rows})
    print(f"*** BTST SCAN {days[-1]} ({len(bars)} shares) ***")
    if found := pick(bars, days[-1]):
        print(f"BTST BUY: {found.symbol}\nEntry: {found.entry:.2f}")
        print(f"Target: {found.target:.2f}\nSL: {found.stop:.2f}")
        print(f"Volume: {found.crowd:.2f} x the average of 20 sessions")
    else:
        print("No BTST setup today")
    if days[:-1] and (held := pick(bars, days[-2])) and bars[held.symbol][-1].day == days[-1]:
        result, how = settle(held, bars[held.symbol][-1])
        print(f"*** Pick of {days[-2]}: {held.symbol} from {held.entry:.2f}, {how} ***")
        print(f"Realised return: {result:+.2f}%")


def main() -> None:
    """Read the arguments and report; ends with 2 where there is nothing to report on."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bars", required=True, help="CSV of daily bars")
    parser.add_argument("--as-of", required=True, help="the last session to know, YYYY-MM-DD")
    parser.add_argument("--symbol", help="the one share to look at")
    options = parser.parse_args()
    try:
        bars = read_bars(options.bars, options.as_of)
    except (OSError, KeyError, ValueError) as error:
        parser.error(f"{options.bars} is no readable CSV of bars: {error}")
    bars = {name: rows for name, rows in bars.items() if options.symbol in (None, name)}
    if not bars:
        parser.error(f"{options.bars} has no such bars up to {options.as_of}")
    report(bars)


if __name__ == "__main__":
    main()
