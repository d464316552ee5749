"""Stock analyzer: five indicators vote on a share; prints a report for people.

    python stock_analyzer_v1.py --bars bars.csv --as-of 2012-05-04 [--symbol AAPL]

If the same score lost more often than it won on this share before, it says so and
recommends nothing. Without --symbol it reports on the share with the highest confidence.
It keeps no state: each run also prints the result of its call ten sessions earlier,
computed again from the bars of that day. Bars after --as-of are not used.
"""

import argparse
import csv
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

HORIZON = 10  # sessions that a call has
HISTORY = 60  # sessions that the indicators need
LOOKBACK = 500  # sessions in which earlier cases are looked up
CASES = 8  # earlier cases below which a hit rate says nothing
CLEAR, UNANIMOUS = 3, 5  # scores of five votes, each +1 or -1
EVEN, SURE = 0.5, 0.6  # hit rates


class Bar(NamedTuple):
    """One session of one share."""

    day: str
    open: float
    high: float
    low: float
    close: float
    volume: float


class Call(NamedTuple):
    """A view with its levels: side +1 expects a rise, -1 a fall."""

    score: int
    side: int
    entry: float
    target: float
    stop: float
    hit_rate: float = 0.0


def read_bars(path: str, as_of: str) -> dict[str, list[Bar]]:
    """The bars up to a day, by symbol, oldest first."""
    bars: dict[str, list[Bar]] = {}
    with Path(path).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if (day := row["opened_at"][:10]) <= as_of:
                numbers = [float(row[name]) for name in Bar._fields[1:]]
                bars.setdefault(row["symbol"], []).append(Bar(day, *numbers))
    return {symbol: sorted(bars[symbol]) for symbol in sorted(bars)}


def vote(window: list[Bar]) -> Call:
    """What the indicators say at the close of the window's last bar."""
    closes, volumes = [bar.close for bar in window], [bar.volume for bar in window]
    votes = (
        closes[-1] > fmean(closes[-50:]),
        fmean(closes[-20:]) > fmean(closes[-50:]),
        closes[-1] > closes[-15],
        closes[-1] > closes[0],
        # Busy sessions confirm the week's direction, quiet ones doubt it.
        (closes[-1] > closes[-6]) == (fmean(volumes[-5:]) > fmean(volumes[-20:])),
    )
    score = 2 * sum(votes) - len(votes)
    side = 1 if score > 0 else -1
    entry = round(closes[-1], 2)
    reach = side * fmean(
        max(bar.high, before.close) - min(bar.low, before.close)
        for before, bar in pairwise(window[-15:])
    )
    return Call(score, side, entry, round(entry + 2 * reach, 2), round(entry - 1.5 * reach, 2))


def settle(call: Call, after: list[Bar]) -> tuple[float, str]:
    """The return of a call on the bars after it, in percent, and why it ended; stop first."""
    price, reason = after[-1].close, "out of time"
    stop, target = call.stop * call.side, call.target * call.side
    for bar in after:
        worst, best = sorted((bar.low * call.side, bar.high * call.side))
        if not stop < bar.open * call.side < target:
            price, reason = bar.open, "ended by a gap"
        elif worst <= stop:
            price, reason = call.stop, "stopped out"
        elif best >= target:
            price, reason = call.target, "target reached"
        else:
            continue
        break
    return (price / call.entry - 1) * 100 * call.side, reason


def analyse(bars: list[Bar]) -> tuple[Call | None, str]:
    """The call at the close of the last bar, or none; and the reason for either."""
    if len(bars) < HISTORY + HORIZON:
        return None, f"{HISTORY + HORIZON} sessions are needed, {len(bars)} are there"
    call = vote(bars[-HISTORY:])
    if abs(call.score) < CLEAR:
        return None, f"the indicators disagree (score {call.score:+d} of 5)"
    wins = []
    for end in range(max(HISTORY, len(bars) - LOOKBACK), len(bars) - HORIZON + 1):
        earlier = vote(bars[end - HISTORY : end])
        if earlier.score == call.score:
            wins.append(settle(earlier, bars[end : end + HORIZON])[0] > 0)
    # One win and one loss are added, so that few cases never look like certainty.
    rate = (sum(wins) + 1) / (len(wins) + 2)
    why = f"score {call.score:+d} of 5 was right in {sum(wins)} of {len(wins)} earlier cases"
    return (call._replace(hit_rate=rate) if len(wins) >= CASES and rate > EVEN else None), why


def surest(bars: dict[str, list[Bar]]) -> tuple[str, Call | None, str]:
    """The share with the surest call; the first share where none has one."""
    views = [(symbol, *analyse(rows)) for symbol, rows in bars.items()]
    return max(views, key=lambda view: view[1].hit_rate if view[1] else 0)


def report(bars: dict[str, list[Bar]]) -> None:
    """Print today's call, and how the one of HORIZON sessions ago ended."""
    days = sorted({bar.day for rows in bars.values() for bar in rows})
    symbol, call, why = surest(bars)
    print(f"===== Stock Analyzer v1 ===== {days[-1]} =====")
    if call:
        strong = "STRONG " if abs(call.score) == UNANIMOUS and call.hit_rate >= SURE else ""
        print(f"Symbol: {symbol}\nRecommendation: {strong}{'BUY' if call.side > 0 else 'SELL'}")
        print(f"Entry: {call.entry:.2f}\nTarget: {call.target:.2f}\nStop loss: {call.stop:.2f}")
        print(f"Confidence: {call.hit_rate:.0%}\nBecause: {why}")
    else:
        print(f"No recommendation: {why if len(bars) == 1 else 'no share has a proven pattern'}")
    then = days[-HORIZON - 1 :][0]
    past = {name: [bar for bar in rows if bar.day <= then] for name, rows in bars.items()}
    symbol, call, _ = surest(past)
    if call and (after := [bar for bar in bars[symbol] if bar.day > then]):
        result, reason = settle(call, after)
        print(f"----- Call of {then} on {symbol}: {reason} -----")
        print(f"Realised return: {result:+.2f}%")


def main() -> None:
    """Read the arguments and report; ends with 2 where there is nothing to report on."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bars", required=True, help="CSV of daily bars")
    parser.add_argument("--as-of", required=True, help="the last session to know, YYYY-MM-DD")
    parser.add_argument("--symbol", help="the share to report on")
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
