"""Sector rotation: buys once a month what rises most steadily; prints a table or JSON.

    python sector_rotation.py --bars bars.csv --as-of 2012-05-04 [--symbol AAPL ...] [--json]

Each symbol stands for a sector (use sector funds for real trading). Its score is the
average of its changes over three and over six months, divided by its yearly volatility.
The first of the table is bought if it is above its six-month average and its score is
at least 0.4; otherwise the money stays in cash. There is no stop: it is held a month.

It keeps no state: each run also prints the result of the choice 21 sessions earlier,
which it computes again from the bars of that day. Bars after --as-of are not used.
"""

import argparse
import csv
import json
from itertools import pairwise
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev
from typing import NamedTuple

MONTH, QUARTER, HALF_YEAR, YEAR = 21, 63, 126, 252  # in sessions
WORTH = 0.4  # the score below which a rise is not worth its risk

Closes = dict[str, dict[str, float]]
"""Closing prices by symbol and day."""


class Rank(NamedTuple):
    """A symbol in the table; changes are fractions."""

    score: float
    symbol: str
    close: float
    quarter: float
    half_year: float
    volatility: float
    rising: bool


def read_closes(path: str, as_of: str) -> Closes:
    """The closing prices up to a day, by symbol and day, oldest first."""
    closes: Closes = {}
    with Path(path).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if (day := row["opened_at"][:10]) <= as_of:
                closes.setdefault(row["symbol"], {})[day] = float(row["close"])
    return {symbol: dict(sorted(closes[symbol].items())) for symbol in sorted(closes)}


def rank(symbol: str, closes: list[float]) -> Rank | None:
    """Where a symbol stands at its last close; none if its history is short."""
    recent = closes[-HALF_YEAR - 1 :]
    changes = [after / before - 1 for before, after in pairwise(recent)]
    if len(changes) < HALF_YEAR or not (volatility := stdev(changes) * sqrt(YEAR)):
        return None
    quarter, half_year = recent[-1] / recent[-QUARTER - 1] - 1, recent[-1] / recent[0] - 1
    score = fmean((quarter, half_year)) / volatility
    rising = score >= WORTH and recent[-1] > fmean(recent)
    return Rank(score, symbol, round(recent[-1], 2), quarter, half_year, volatility, rising)


def table(closes: Closes, day: str) -> list[Rank]:
    """The ranks at a day, best first, from what was known then."""
    known = {name: [c for d, c in rows.items() if d <= day] for name, rows in closes.items()}
    ranks = [found for name, rows in known.items() if (found := rank(name, rows))]
    return sorted(ranks, reverse=True)


def settle(closes: Closes, day: str) -> tuple[Rank, float] | None:
    """The choice of a day with its return since, in percent; none if it chose cash."""
    ranks = table(closes, day)
    if not ranks or not ranks[0].rising:
        return None
    chosen = ranks[0]
    return chosen, (list(closes[chosen.symbol].values())[-1] / chosen.close - 1) * 100


def rotate(closes: Closes, *, as_json: bool) -> None:
    """Print the table, the choice, and how the choice of a month ago did."""
    days = sorted({day for rows in closes.values() for day in rows})
    ranks = table(closes, days[-1])
    chosen = ranks[0] if ranks and ranks[0].rising else None
    then = days[-MONTH - 1 :][0]
    settled = settle(closes, then) if then != days[-1] else None
    if as_json:
        answer: dict[str, object] = {"date": days[-1], "ranking": [row.symbol for row in ranks]}
        answer["final_decision"] = "BUY" if chosen else None
        if chosen:
            answer |= {"symbol": chosen.symbol, "entry": chosen.close}
        if settled:
            answer["return_pct"] = round(settled[1], 2)
        print(json.dumps(answer))
        return
    print(f"SECTOR ROTATION {days[-1]}")
    print("rank  symbol    close   3 months   6 months  volatility  score")
    for place, row in enumerate(ranks, start=1):
        print(
            f"{place:>4}  {row.symbol:<6} {row.close:>8.2f} {row.quarter:>+9.1%} "
            f"{row.half_year:>+10.1%} {row.volatility:>10.1%} {row.score:>+6.2f}"
        )
    if settled:
        print(f"Last month's choice: {settled[0].symbol} since {then}")
        print(f"Realised return: {settled[1]:+.2f}%")
    if chosen:
        print(f"Final decision: BUY {chosen.symbol}\nEntry: {chosen.close:.2f}")
    elif ranks:
        print("No rotation: nothing rises steadily, the money stays in cash")
    else:
        print(f"No rotation: {HALF_YEAR + 1} sessions are needed, {len(days)} are there")


def main() -> None:
    """Read the arguments and rotate; ends with 2 where there is nothing to rank."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bars", required=True, help="CSV of daily bars")
    parser.add_argument("--as-of", required=True, help="the last session to know, YYYY-MM-DD")
    parser.add_argument("--symbol", action="append", help="a sector; can be given again")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    options = parser.parse_args()
    try:
        closes = read_closes(options.bars, options.as_of)
    except (OSError, KeyError, ValueError) as error:
        parser.error(f"{options.bars} is no readable CSV of bars: {error}")
    wanted = options.symbol or closes
    closes = {name: rows for name, rows in closes.items() if name in wanted}
    if not closes:
        parser.error(f"{options.bars} has no such bars up to {options.as_of}")
    rotate(closes, as_json=options.json)


if __name__ == "__main__":
    main()
