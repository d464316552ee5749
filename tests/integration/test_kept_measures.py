"""Measures of daily returns that are kept: the same numbers, and never those of another record."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from tests.integration.test_report import SAID, closed, signal
from tests.integration.test_signal_tracker_store import run
from tests.support import compare, histories
from trackrecord.clock import SYSTEM_CLOCK
from trackrecord.reports.measure_keeper import keep_measures
from trackrecord.reports.pictures import read_pictures
from trackrecord.reports.strategies import read_report
from trackrecord.runtime.database import connect, session
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka


def keep(settings: Settings) -> int | None:
    return keep_measures(settings, SYSTEM_CLOCK.now())


def records(settings: Settings, **options: Any) -> dict[str, Any]:
    return read_report(settings, **options).records


def versions(settings: Settings) -> dict[str, int]:
    return dict(
        compare.fetch(
            settings, "SELECT strategy, sum(version)::bigint FROM strategy_totals GROUP BY 1"
        )
    )


def test_a_report_is_the_same_to_the_last_bit_with_what_is_kept(settings: Settings) -> None:
    history = histories.make("kept", 400)
    run(settings, history, [150, len(history) - 150])
    ways: tuple[dict[str, Any], ...] = ({}, {"verified": True}, {"trials": 50})
    measured = [records(settings, **way) for way in ways]
    one = next(iter(measured[0]))
    alone = records(settings, strategy=one)
    assert keep(settings) == len(compare.fetch(settings, "SELECT FROM strategy_measures"))
    assert [records(settings, **way) for way in ways] == measured
    assert records(settings, strategy=one) == alone == {one: measured[0][one]}
    assert keep(settings) == 0, "nothing has changed"


def test_measuring_goes_on_in_turns_and_says_of_when_the_oldest_numbers_are(
    settings: Settings,
) -> None:
    names = [f"s{number}" for number in range(5)]

    def move(by: int) -> None:
        for number, name in enumerate(names):
            at = 10 * by + number
            run(settings, [signal(at, strategy=name), closed(at, "151.80")], [2])

    now = SYSTEM_CLOCK.now()
    move(0)
    assert keep_measures(settings, now, 2) == 5, "none goes without"
    before = read_report(settings, outdated=True)
    assert before.judged_as_of == before.as_of
    move(1)
    assert keep_measures(settings, now, 2) == 2
    while_they_move = read_report(settings, outdated=True)
    assert while_they_move.judged_as_of is not None
    assert now < while_they_move.judged_as_of < while_they_move.as_of
    [[oldest]] = compare.fetch(settings, "SELECT min(measured_at) FROM strategy_measures")
    assert while_they_move.judged_as_of == oldest
    for name, found in while_they_move.records.items():
        assert (found["signals"], found["sessions"]) == (2, records(settings)[name]["sessions"])
    assert keep_measures(settings, now, 2) == 2
    assert keep_measures(settings, now, 2) == 1
    assert read_report(settings, outdated=True).records == records(settings)


def test_only_what_has_changed_is_measured_anew(settings: Settings) -> None:
    said = [signal(1, strategy="calm"), closed(1, "151.80")]
    said += [signal(2, strategy="busy"), closed(2, "149")]
    run(settings, said, [4])
    keep(settings)
    # What stands in the table now shows that it is used, and of whom.
    compare.fetch(settings, "UPDATE strategy_measures SET measures[7] = 0.25; SELECT 1")

    def means() -> dict[str, float]:
        return {name: found["mean_return"] for name, found in records(settings).items()}

    assert means() == {"calm": 0.25, "busy": 0.25}
    run(settings, [signal(3, strategy="busy")], [1])
    after = means()
    assert after["calm"] == 0.25
    assert after["busy"] < 0
    assert keep(settings) == 1
    assert means() == after


@pytest.mark.parametrize(
    "changes",
    [{"capital": "*=1000"}, {"sessions": "every_day"}, {"day_timezone": "Asia/Tokyo"}],
    ids=["capital", "sessions", "timezone"],
)
def test_what_was_measured_in_another_way_does_not_count(
    settings: Settings, changes: dict[str, str]
) -> None:
    run(settings, [signal(1), closed(1, "151.80")], [2])
    keep(settings)
    compare.fetch(settings, "UPDATE strategy_measures SET measures[7] = 0.25; SELECT 1")
    assert [found["mean_return"] for found in records(settings).values()] == [0.25]
    other = settings.model_copy(update=changes)
    assert [found["mean_return"] for found in records(other).values()] != [0.25]
    assert keep(other) == 1


def test_what_was_measured_on_another_day_does_not_count(settings: Settings) -> None:
    run(settings, [signal(1), closed(1, "151.80")], [2])
    assert keep_measures(settings, datetime.now(UTC) - timedelta(days=3)) == 1
    compare.fetch(settings, "UPDATE strategy_measures SET measures[7] = 0.25; SELECT 1")
    assert [found["mean_return"] for found in records(settings).values()] != [0.25]


def test_a_correction_that_changes_no_sum_gives_another_version(settings: Settings) -> None:
    run(settings, [signal(1)], [1])
    before = versions(settings)
    run(settings, [signal(1, target_price="200", revision=1)], [1])
    after = versions(settings)
    assert after.keys() == before.keys()
    assert all(after[name] > before[name] for name in before)
    run(settings, [signal(1, target_price="200", revision=1)], [1])
    assert versions(settings) == after, "a repeat changes nothing"


def test_what_a_correction_has_taken_away_is_on_no_record(settings: Settings) -> None:
    run(settings, [signal(1, strategy="first")], [1])
    run(settings, [signal(1, strategy="second", revision=1)], [1])
    keep(settings)
    assert {name: found["signals"] for name, found in records(settings).items()} == {"second": 1}


def test_one_keeper_works_at_a_time(settings: Settings) -> None:
    run(settings, [signal(1)], [1])
    with closing(connect(settings, application="test")) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(723011492, hashtext(current_schema()))")
        assert keep(settings) is None
    assert keep(settings) == 1


def test_more_than_a_group_is_measured_in_several(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trackrecord.reports.measure_keeper.TOGETHER", 2)
    said = [signal(n, strategy=f"s{n}", emitted_at=SAID) for n in range(5)]
    run(settings, [*said, *(closed(n, "151") for n in range(5))], [10])
    assert keep(settings) == 5
    assert len(records(settings)) == 5


def test_months_and_lines_are_kept_beside_and_are_the_sums_of_the_days(settings: Settings) -> None:
    history = histories.make("drawn", 300)
    run(settings, history, [len(history)])
    keep(settings)
    days = compare.fetch(
        settings,
        "SELECT strategy, currency, day, sum(realised_pnl), sum(closed)::int FROM strategy_days"
        " GROUP BY 1, 2, 3 HAVING sum(signals) <> 0 OR sum(exits) <> 0 OR sum(closed) <> 0",
    )
    with session(settings, application="test") as cursor:
        pictures = read_pictures(cursor, sorted({row[0] for row in days}))
    assert {(name, each.currency) for name, found in pictures.items() for each in found} == {
        row[:2] for row in days
    }
    for name, found in pictures.items():
        for each in found:
            own = [row for row in days if row[:2] == (name, each.currency)]
            months = {f"{row[2]:%Y-%m}" for row in own}
            assert [month["month"] for month in each.months] == sorted(months)
            for month in each.months:
                of_month = [row for row in own if f"{row[2]:%Y-%m}" == month["month"]]
                assert Fraction(month["realised_pnl"]) == sum(Fraction(row[3]) for row in of_month)
                assert month["closed"] == sum(row[4] for row in of_month)
            assert each.line
            assert each.line["since"] == min(row[2] for row in own).isoformat()
            assert each.line["until"] == max(row[2] for row in own).isoformat()
            assert Fraction(each.line["values"][-1]) == sum(Fraction(row[3]) for row in own)
