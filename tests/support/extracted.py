"""The extractor's signals on the wire against what the runs must give."""

from __future__ import annotations

from collections.abc import Sequence

from tests.support import runs, wire
from tests.support.pipeline import Pipeline
from trackrecord.events import ScriptExecuted


def check_signals(
    pipeline: Pipeline, events: Sequence[ScriptExecuted], places: Sequence[wire.Place]
) -> int:
    """The signals of every run are on the wire, and no others; returns how many are there twice.

    What is there more than once is the same, byte for byte.
    """
    expected, conflicts = runs.expect(events)
    copies: dict[str, list[tuple[object, ...]]] = {}
    for each in wire.read(pipeline.settings, pipeline.settings.topic("signal_emitted")):
        signal_id = runs.signal_id_of(each.value)
        copies.setdefault(signal_id, []).append((each.key, each.value, tuple(each.headers)))
    assert set(copies) == expected
    assert all(len(set(same)) == 1 for same in copies.values())
    pipeline.check_letters(
        "extractor", {places[index]: events[index].to_json() for index in conflicts}
    )
    pipeline.check_replay()
    return sum(len(same) - 1 for same in copies.values())
