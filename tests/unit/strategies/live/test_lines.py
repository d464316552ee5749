"""Which bar counts when it comes, from one source and from several."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.outcomes import Bar
from trackrecord.strategies.live.lines import Came, Counted, Kept, Line

EMPTY = Kept(np.zeros(0, np.int64), np.zeros((5, 0)), [], [], None)


def came(at: int, source: str = "a", price: int = 1, revision: int = 0) -> Came:
    return Came(at, at + 1, at, source, revision, Bar(*[Decimal(price)] * 4), 1.0, at)


def taken(line: Line, *bars: Came) -> list[str]:
    return [line.take(each)[0] for each in bars]


def seen(each: Counted, count: int) -> list[tuple[int, float]]:
    """Times and closes of the last bars, from the arrays and as code sees them."""
    closes = each.values(count)[3].tolist()
    assert [row.close for row in each.rows(count)] == closes
    return list(zip(each.opened_at(count).tolist(), closes, strict=True))


def test_a_source_of_its_own_counts_at_once_and_late_bars_do_not() -> None:
    line = Line(5, EMPTY, None)
    assert taken(line, came(1), came(3), came(2), came(3), came(3, revision=1)) == [
        "counts", "counts", "late", "other", "corrected",
    ]  # fmt: skip
    [counted] = line.take(came(4, price=9))[1]
    assert seen(counted, 4) == [(1, 1), (2, 1), (3, 1), (4, 9)]


def test_the_first_source_by_name_counts_whichever_comes_first() -> None:
    line = Line(5, EMPTY, None)
    line.take(came(1, "a"))
    assert line.take(came(2, "b", 5)) == ("waits", [])
    kind, [counted] = line.take(came(2, "a", 7))
    assert kind == "counts"
    assert (counted.bar.source, seen(counted, 2)[-1]) == ("a", (2, 7.0))
    assert line.take(came(2, "b", 6, revision=3)) == ("other", [])


def test_a_source_that_falls_silent_delays_one_bar() -> None:
    line = Line(5, EMPTY, None)
    line.take(came(1, "a"))
    assert line.take(came(2, "b", 5)) == ("waits", [])
    kind, counted = line.take(came(3, "b", 6))
    assert (kind, [each.bar.opened_at for each in counted]) == ("counts", [2, 3])
    assert counted[0].bar.position == 3
    assert line.take(came(4, "b"))[0] == "counts"
    assert line.take(came(5, "a"))[0] == "counts"


def test_a_bar_keeps_what_was_known_when_it_counted() -> None:
    line = Line(3, EMPTY, None)
    first = line.take(came(1, price=1))[1] + line.take(came(2, price=2))[1]
    assert line.take(came(1, price=8, revision=1))[0] == "corrected"
    second = line.take(came(3, price=3))[1]
    assert seen(first[1], 2) == [(1, 1), (2, 2)]
    assert seen(second[0], 3) == [(1, 8), (2, 2), (3, 3)]


@given(st.lists(st.tuples(st.integers(1, 40), st.sampled_from("ab"), st.integers(0, 2))))
def test_it_goes_on_from_what_was_kept_as_if_it_had_never_stopped(
    given_bars: list[tuple[int, str, int]],
) -> None:
    bars = [came(at, source, number, revision) for number, (at, source, revision) in
            enumerate(given_bars)]  # fmt: skip
    whole = Line(50, EMPTY, None)
    stored: dict[tuple[int, str], Came] = {}
    folded: int | None = None
    for bar in bars:
        best = {}
        for each in sorted(stored.values(), key=lambda one: (one.opened_at, one.source)):
            best.setdefault(each.opened_at, each)
        kept = list(best.values())
        again = Line(
            50,
            Kept(
                np.array([each.opened_at for each in kept], np.int64),
                np.array([[float(p) for p in each.prices[:4]] + [1.0] for each in kept])
                .reshape(len(kept), 5).T,
                [each.source for each in kept], [each.revision for each in kept],
                kept[-1] if kept else None,
            ),
            folded,
        )  # fmt: skip
        kind, counted = whole.take(bar)
        other_kind, other = again.take(bar)
        assert kind == other_kind
        assert [seen(each, each.end) for each in counted] == [
            seen(each, each.end) for each in other
        ]
        folded = whole.folded
        known = stored.get((bar.opened_at, bar.source))
        if known is None or known.revision < bar.revision:
            stored[bar.opened_at, bar.source] = bar


def test_room_is_made_and_the_last_bars_stay() -> None:
    line = Line(40, EMPTY, None)
    for at in range(1, 500):
        [counted] = line.take(came(at, price=at))[1]
    assert seen(counted, 40) == [(at, float(at)) for at in range(460, 500)]
    assert line.take(came(200))[0] == "other"
