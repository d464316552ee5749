"""Arrangements for property tests; needs hypothesis, which no extra brings."""

from __future__ import annotations

from hypothesis import strategies as st

from trackrecord.testing.arrangements import Arrangement


@st.composite
def any_arrangement(draw: st.DrawFn, count: int, *, most_consumers: int = 2) -> Arrangement:
    """Any order of so many events, with repeats, cuts, consumers and crashes.

    Args:
        draw: Given by hypothesis.
        count: How many events there are, one at least.
        most_consumers: The most members that share the batches.
    """
    every = draw(st.permutations(range(count)))
    repeats = draw(st.lists(st.integers(0, count - 1), max_size=count))
    order = (*every, *repeats)
    cuts = sorted(draw(st.sets(st.integers(1, len(order) - 1), max_size=len(order) - 1)))
    ends = [*cuts, len(order)]
    sizes = tuple(after - before for before, after in zip([0, *cuts], ends, strict=True))
    crashes = draw(st.frozensets(st.integers(0, len(sizes) - 1)))
    consumers = draw(st.integers(1, most_consumers))
    return Arrangement("drawn", order, sizes, consumers, crash_at=crashes)
