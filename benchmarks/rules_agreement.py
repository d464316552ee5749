"""Whether rules and their code decide the same on every bar.

``python -m benchmarks.rules_agreement``: made-up rules on the demo's three longest symbols, each
bar once flat and once holding; the code runs as Python runs it. About a quarter of an hour on one
core; writes ``benchmarks/results/rules_agreement.json``.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from datetime import date
from typing import Any, Final

from benchmarks.harness import RESULTS, machine, versions
from tests.unit.strategies.agreement import differences
from tests.unit.strategies.made_up import columns, made_rule
from trackrecord.events.types import wire_time
from trackrecord.local.demo_data import daily_bars
from trackrecord.strategies.rules import Series
from trackrecord.strategies.rules.words import rule_words
from trackrecord.strategies.sentences import read

RULES: Final = 200
FIRST: Final = 10_000
"""The first rule's seed; the tests use those before it."""
SYMBOLS: Final = ("AAPL", "IBM", "MSFT")


def main(rules: int = RULES) -> int:
    """Compare, write the result, and say how many differ."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for bar in daily_bars(date(2000, 1, 1), date(2013, 12, 31), SYMBOLS):
        numbers = {name: float(getattr(bar, name)) for name in ("open", "high", "low", "close")}
        rows[bar.symbol].append(
            {"time": wire_time(bar.opened_at), **numbers, "volume": float(bar.volume)}
        )
    kept = {symbol: Series(columns(bars)) for symbol, bars in rows.items()}
    began = time.process_time()
    decisions, differing, misread = 0, [], []
    for seed in range(FIRST, FIRST + rules):
        rule = made_rule(seed)
        if read(rule_words(rule)).rule != rule:
            misread.append(seed)
        for symbol, bars in rows.items():
            found = differences(rule, bars, kept[symbol], range(len(bars)), seed, held_once=True)
            decisions += 2 * max(0, len(bars) - rule.lookback + 1)
            differing += [f"{seed} on {symbol}: {each}" for each in found[:3]]
    outcome = {
        "name": "rules_agreement", "machine": machine(), "versions": versions(), "seed": FIRST,
        "rules": rules, "symbols": list(SYMBOLS),
        "bars": sum(len(bars) for bars in rows.values()), "decisions": decisions,
        "decided_differently": len(differing), "read_back_differently": len(misread),
        "first_differences": differing[:20], "misread": misread[:20],
        "cpu_seconds": round(time.process_time() - began, 1),
    }  # fmt: skip
    (RESULTS / "rules_agreement.json").write_text(json.dumps(outcome, indent=1) + "\n")
    sys.stdout.write(f"{decisions:,} decisions, {len(differing)} differ, {len(misread)} misread\n")
    return 1 if differing or misread else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else RULES))
