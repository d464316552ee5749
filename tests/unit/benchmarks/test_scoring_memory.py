"""What the memory of the outcome_scorer is measured with waits as it is meant to."""

from __future__ import annotations

from benchmarks.scoring_memory import filled


def test_every_signal_waits_on_and_none_is_judged_apart() -> None:
    watch = filled(4, 40)
    judged, apart = watch.judge(range(4), "stop_first")
    assert len(judged.signals.slot) == len(watch.signals.slot) == 40
    assert not judged.changed.any()
    assert not len(apart.slot)
