"""Months and lines of records, against sums that are worked out one row at a time."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from trackrecord.performance.sums.days import Day, DayTable
from trackrecord.performance.sums.over_time import lines_of, months_of

MONEY = st.decimals(-10_000, 10_000, places=6)
FIRST = date(1969, 11, 20)

ROWS = st.lists(
    st.builds(
        lambda strategy, days, pnl, closed, lacking, returned: Day(
            strategy,
            FIRST + timedelta(days=days),
            signals=1,
            closed=closed + lacking,
            without_return=lacking,
            realised_pnl=pnl,
            sum_return=returned if closed else Decimal(0),
        ),
        st.sampled_from(["a", "b", "c"]),
        st.integers(0, 500),
        MONEY,
        st.integers(0, 3),
        st.integers(0, 2),
        st.decimals(-5, 5, places=12),
    ),
    max_size=60,
)


@given(ROWS)
def test_a_month_is_the_sum_of_its_days(rows: list[Day]) -> None:
    names, table = DayTable.of(rows)
    expected: dict[str, dict[date, list[Day]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        expected[row.strategy][row.day.replace(day=1)].append(row)
    months = months_of(table, len(names))
    assert len(months) == len(names)
    for name, found in zip(names, months, strict=True):
        assert [each.month for each in found] == sorted(expected[name])
        for each in found:
            days = expected[name][each.month]
            assert each.signals == len(days)
            assert each.closed == sum(day.closed for day in days)
            assert each.realised_pnl == sum(day.realised_pnl for day in days)
            counted = each.closed - sum(day.without_return for day in days)
            total = sum((Fraction(day.sum_return) for day in days), Fraction(0))
            assert each.average_return == (float(total) / counted if counted else None)


@given(ROWS, st.integers(1, 70))
def test_a_line_is_the_cumulative_pnl_at_the_end_of_each_step(rows: list[Day], points: int) -> None:
    names, table = DayTable.of(rows)
    for name, line in zip(names, lines_of(table, len(names), points), strict=True):
        own = [row for row in rows if row.strategy == name]
        assert line is not None
        assert line.since == min(row.day for row in own)
        assert line.until == max(row.day for row in own)
        days = (line.until - line.since).days + 1
        count = min(days, points)
        assert len(line.values) == count
        for step, value in enumerate(line.values):
            end = line.since + timedelta(days=-(-(step + 1) * days // count) - 1)
            assert value == sum(row.realised_pnl for row in own if row.day <= end)
        assert line.values[-1] == sum(row.realised_pnl for row in own)
        total = peak = deepest = Decimal(0)
        for day in sorted({row.day for row in own}):
            total += sum(row.realised_pnl for row in own if row.day == day)
            peak = max(peak, total)
            deepest = max(deepest, peak - total)
        assert (line.below_peak, line.deepest) == (peak - total, deepest)


def test_a_strategy_without_days_has_neither() -> None:
    _, table = DayTable.of([Day("a", date(2026, 1, 5), realised_pnl=Decimal("1.50"))])
    assert months_of(table, 2)[1] == []
    assert lines_of(table, 2)[1] is None
    assert months_of(DayTable.of([])[1], 1) == [[]]
    assert lines_of(DayTable.of([])[1], 1) == [None]


def test_money_of_many_digits_is_added_up_exactly() -> None:
    digits = "9000000000000.000000000000000001"
    won, lost = Decimal(digits), Decimal(f"-{digits}")
    rows = [Day("a", date(2026, 1, n), realised_pnl=lost if n % 2 else won) for n in range(1, 8)]
    [line] = lines_of(DayTable.of(rows)[1], 1)
    assert line is not None
    assert line.values == (lost, Decimal(0), lost, Decimal(0), lost, Decimal(0), lost)
    assert (line.below_peak, line.deepest) == (won, won)
