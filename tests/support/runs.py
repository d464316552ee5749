"""Random runs of scripts, and the signals that they must give."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import timedelta

from tests.support.histories import START, money
from trackrecord.events import ScriptExecuted, derived_id

_NO_SIGNAL = ("Recommendation: HOLD\nSymbol: {symbol}\n", "nothing to see in {symbol}\n")


def make(seed: str, count: int) -> list[ScriptExecuted]:
    """Events of ``count`` runs, shuffled, with duplicates and conflicts."""
    rng = random.Random(seed)
    events = []
    for number in range(count):
        symbol = f"SYM{rng.randrange(8)}"
        actionable = rng.random() < 0.8
        output = (
            f"Recommendation: {rng.choice(['BUY', 'SELL'])}\nSymbol: {symbol}\n"
            f"Entry price: {money(rng)}\n"
            if actionable
            else rng.choice(_NO_SIGNAL).format(symbol=symbol)
        )
        started = START + timedelta(minutes=number)
        event = ScriptExecuted(
            execution_id=f"{seed}-{number}",
            script=f"script-{rng.randrange(5)}.py",
            started_at=started,
            finished_at=started + timedelta(seconds=rng.randint(0, 50)),
            exit_code=rng.choice([0, 0, 0, 1]),
            output=output,
        )
        events.append(event)
        if rng.random() < 0.2:
            events.append(event)
        if rng.random() < 0.05:
            events.append(event.model_copy(update={"output": output + "and one more line\n"}))
    rng.shuffle(events)
    return events


def expect(events: Sequence[ScriptExecuted]) -> tuple[set[str], list[int]]:
    """The ids of the signals, and the indices of runs that contradict one that came before."""
    first: dict[str, ScriptExecuted] = {}
    conflicts = []
    for index, event in enumerate(events):
        if first.setdefault(event.execution_id, event) != event:
            conflicts.append(index)
    signals = {
        derived_id("signal", execution_id, 0)
        for execution_id, event in first.items()
        if "Entry price" in event.output
    }
    return signals, conflicts


def signal_id_of(value: bytes | None) -> str:
    """The signal that a message on signal_emitted is about."""
    return str(json.loads(value or b"")["signal_id"])
