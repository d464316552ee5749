"""Many payloads in batches, each judged; and what hostile ones cost beside clean ones."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from tests.fuzz.differential import Judge, Verdict, as_message
from tests.fuzz.payloads import Payload, clean, payloads
from trackrecord.events import SignalClosed, SignalEmitted
from trackrecord.runtime.decoding.batch import Reader

_BATCH = 5_000
_SHARES = (0.01, 0.1, 0.5, 1.0)
_TRACKER = (SignalEmitted, SignalClosed)


@dataclass
class Outcome(Verdict):
    """A campaign's sum, and what it was made of.

    Attributes:
        kinds: How many payloads ended with each bend.
        raised: Payloads out of which an error came, and the error; there should be none.
    """

    kinds: Counter[str] = field(default_factory=Counter)
    raised: list[tuple[Payload, BaseException]] = field(default_factory=list)

    def add(self, verdict: Verdict, batch: Sequence[Payload]) -> None:
        """Take up a batch's verdict."""
        self.payloads += verdict.payloads
        self.applied += verdict.applied
        self.refused += verdict.refused
        self.fast += verdict.fast
        self.differences += verdict.differences
        self.kinds.update(each.kind for each in batch)


def run(
    made: Iterable[Payload], judge: Judge, on_batch: Callable[[Outcome], None] | None = None
) -> Outcome:
    """Judge payloads batch by batch; one that raises is found and counted, and the rest goes on."""
    outcome = Outcome()
    for batch in _batches(iter(made)):
        _judge(judge, batch, outcome)
        if on_batch is not None:
            on_batch(outcome)
    return outcome


def _batches(made: Iterator[Payload]) -> Iterator[list[Payload]]:
    while batch := list(islice(made, _BATCH)):
        yield batch


def _judge(judge: Judge, batch: Sequence[Payload], outcome: Outcome) -> None:
    try:
        outcome.add(judge.judge(batch), batch)
    except Exception as error:  # noqa: BLE001 - whatever comes out is what is looked for
        if len(batch) == 1:
            outcome.payloads += 1
            outcome.raised.append((batch[0], error))
            return
        middle = len(batch) // 2
        _judge(judge, batch[:middle], outcome)
        _judge(judge, batch[middle:], outcome)


def slowdown(seed: int, count: int = 10_000, rounds: int = 5) -> dict[str, Any]:
    """What hostile payloads cost the signal_tracker's decoding, against clean ones.

    Args:
        seed: Of the payloads.
        count: Messages of each partition.
        rounds: How often each is read, in turns; medians count.

    Returns:
        Microseconds per clean message; and by share of hostile payloads the time
        per message against clean ones, for a stage halts at one half at the latest.
    """
    reader = Reader(_TRACKER)
    own = {model.event_type for model in _TRACKER}
    good = list(islice((p for p in clean(seed, 50 * count) if p.event_type in own), count))
    bad = list(islice((p for p in payloads(seed, 50 * count) if p.event_type in own), count))
    partitions = {"clean": good} | {
        f"{share:.0%}": [bad[n] if n * share % 1 < share else good[n] for n in range(len(good))]
        for share in _SHARES
    }
    messages = {
        name: [as_message(each, offset) for offset, each in enumerate(made)]
        for name, made in partitions.items()
    }
    took: dict[str, list[float]] = {name: [] for name in messages}
    for _ in range(rounds):
        for name, batch in messages.items():
            started = time.perf_counter()
            reader.read(batch)
            took[name].append((time.perf_counter() - started) / len(batch) * 1e6)
    median = {name: statistics.median(values) for name, values in took.items()}
    return {
        "clean_microseconds": round(median["clean"], 2),
        "by_share_of_hostile": {
            name: round(value / median["clean"], 2)
            for name, value in median.items()
            if name != "clean"
        },
    }
