"""Whether a rule's code and its evaluation decide the same."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Any

from tests.unit.strategies.made_up import program
from trackrecord.strategies.rules import Series, Signals, evaluate
from trackrecord.strategies.rules.code import code
from trackrecord.strategies.rules.model import Rule
from trackrecord.strategies.rules.parameters import with_parameters


def decided(signals: Signals, row: int, side: Any, entry_row: int) -> tuple[Any, ...]:
    """(action, stop, target, horizon) of the evaluation, None where there is none."""
    found = signals.decision(row, side, entry_row)
    assert found is not None
    return found.action, found.stop_loss, found.target_price, found.horizon_bars


def differences(
    rule: Rule,
    bars: list[dict[str, Any]],
    series: Series,
    rows: Iterable[int],
    seed: int = 0,
    settings: Mapping[str, float] | None = None,
    *,
    held_once: bool = False,
) -> list[str]:
    """Rows on which the two do not agree, flat or holding something since some earlier bar.

    ``held_once``: of the two sides that may be held, only one of each row.
    """
    rng = random.Random(seed)
    run = program(code(rule))
    signals = evaluate(with_parameters(rule, settings) if settings else rule, series)
    found = []
    for row in rows:
        if row < rule.lookback - 1:
            continue
        window = bars[row - rule.lookback + 1 : row + 1]
        sides = (None, rng.choice(("LONG", "SHORT"))) if held_once else (None, "LONG", "SHORT")
        for side in sides:
            entry_row = rng.randint(max(0, row - 60), row)
            position = {"side": side, "entry_price": None, "quantity": 0.0}
            if side is not None:
                position = {
                    "side": side, "entry_price": bars[entry_row]["open"], "quantity": 1.0,
                    "entry_time": bars[entry_row]["time"],
                }  # fmt: skip
            answer = run(
                {"symbol": "X", "timeframe": "1d", "bars": window, "position": position},
                settings or {},
            )
            levels = answer.get("metadata", {})
            coded = (
                answer["action"], levels.get("stop_loss"), levels.get("target_price"),
                levels.get("horizon_bars"),
            )  # fmt: skip
            expected = decided(signals, row, side, entry_row)
            if coded != expected:
                found.append(f"row {row}, {side} since {entry_row}: {coded} != {expected}")
    return found
