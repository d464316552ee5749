"""Totals are the sums of their rows after every batch, whatever came in it."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta

import pytest
from hypothesis import Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from services.extractor.service import STAGE as EXTRACTOR
from services.outcome_scorer.service import STAGE as SCORER
from tests.integration.test_migrations import downgrade
from tests.support import compare, histories, totals
from tests.support.scorer import DAY, FIRST, HOURS, bar, long
from tests.support.servers import Services
from trackrecord.events import Event, ScriptExecuted
from trackrecord.reports.outcomes import read_outcomes, read_verdicts
from trackrecord.reports.scripts import (
    read_script_analytics,
    read_script_list,
    read_scripts,
)
from trackrecord.runtime.admin.migrate import migrate
from trackrecord.runtime.database import session
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.stage import Stage
from trackrecord.testing import Member, StageRun, as_messages, scratch_database
from trackrecord.testing.arrangements import Arrangement
from trackrecord.testing.hypotheses import any_arrangement

pytestmark = pytest.mark.kafka

SYMBOLS = ("AAA", "BBB", "CCC")


def judged() -> list[Event]:
    """Bars and signals, and corrections that change outcomes, take them back and move them."""
    bars = [
        bar(symbol, day, (100, 101 + (day * 7 + n) % 8, 99 - (day * 5 + n) % 7, 100 + day % 2))
        for n, symbol in enumerate(SYMBOLS)
        for day in range(6)
    ]
    signals = [
        long(
            SYMBOLS[n % 3],
            signal_id=f"s{n}",
            strategy=f"m{n % 2}",
            emitted_at=FIRST + HOURS + (n % 4) * DAY,
            # On the wrong side: void; so far away that nothing reaches it: expired.
            target_price="99" if n % 5 == 0 else "104" if n % 4 else "120",
            stop_loss="96" if n % 4 else "80",
            horizon_bars=1 + n % 3,
            exits="barriers",
        )
        for n in range(12)
    ]
    late = {"emitted_at": FIRST + HOURS + 9 * DAY}
    return [
        *bars,
        *signals,
        # Other prices for one symbol, another strategy, another symbol, and no outcome any more.
        *(bar("AAA", day, (100, 108, 99, 100), revision=1) for day in (1, 3)),
        signals[1].model_copy(update={"revision": 1, "strategy": "m9"}),
        signals[2].model_copy(update={"revision": 2, "symbol": "BBB", "strategy": "m0"}),
        *(signals[n].model_copy(update={"revision": 1, **late}) for n in (3, 4)),
        signals[5].model_copy(update={"revision": 1, "target_price": signals[5].stop_loss}),
    ]


def printed() -> list[ScriptExecuted]:
    """Runs with decisions and results of every kind."""
    outputs = (
        "Recommendation: BUY\nSymbol: AAPL\nEntry price: 10\n", "Actual return: +2.50%\n",
        "Actual return: -1.25%\n", "Recommendation: HOLD\nSymbol: AAPL\n", "nothing to see\n",
        "Actual return: +0.10%\nRecommendation: SELL\nSymbol: AAPL\nEntry price: 10\n",
    )  # fmt: skip
    return [
        ScriptExecuted(
            execution_id=f"run-{number:02}",
            script=f"{number % 2}.py",
            started_at=histories.START,
            finished_at=histories.START + timedelta(hours=number // 3),
            exit_code=int(number % 4 == 0),
            output=outputs[number % 6],
        )
        for number in range(12)
    ]


def check_after_each_batch(
    stage: Stage, settings: Settings, events: list[Event], how: Arrangement
) -> None:
    """Members take batches in turn; a batch may come to its commit twice."""
    check = totals.check_outcomes if stage is SCORER else totals.check_scripts
    messages = as_messages([events[index] for index in how.order])
    with ExitStack() as stack:
        members = [Member(stage, settings, lane) for lane in range(how.consumers)]
        for member in members:
            stack.callback(member.close)
        for at, batch in enumerate(how.batches()):
            member = members[at % how.consumers]
            if at in how.crash_at:
                member.crash([messages[index] for index in batch])
            member.apply([messages[index] for index in batch])
            with member.connection as connection, connection.cursor() as cursor:
                check(cursor)


@pytest.mark.parametrize("stage", [SCORER, EXTRACTOR], ids=lambda stage: stage.name)
def test_totals_are_the_sums_of_their_rows_after_every_batch(
    services: Services, stage: Stage
) -> None:
    events: list[Event] = judged() if stage is SCORER else [*printed()]
    with scratch_database(services.database_url) as settings:
        run = StageRun(stage, settings)
        expected = run.of(events).run.content()

        @given(st.data())
        @hypothesis_settings(max_examples=3, phases=[Phase.generate])
        def holds(data: st.DataObject) -> None:
            run.of([])  # empties the tables
            how = data.draw(any_arrangement(len(events)))
            check_after_each_batch(stage, settings, events, how)
            assert run.content() == expected

        holds()
        # What is on record before there are totals is added up when they are made.
        downgrade(settings, "0015")
        migrate(settings)
        assert run.content() == expected
        check(stage, settings)


def check(stage: Stage, settings: Settings) -> None:
    with session(settings, application="test") as cursor:
        (totals.check_outcomes if stage is SCORER else totals.check_scripts)(cursor)


def test_reports_read_from_totals_what_the_rows_say(services: Services) -> None:
    with scratch_database(services.database_url) as settings:
        StageRun(SCORER, settings).of(judged(), batches=[20, 5, 12], consumers=2)
        fetched = compare.fetch(
            settings,
            "SELECT strategy, count(*) FILTER (WHERE outcome = 'target'),"
            " count(*) FILTER (WHERE outcome = 'stop'),"
            " count(*) FILTER (WHERE outcome = 'expired'),"
            " count(*) FILTER (WHERE outcome = 'void'), count(*) FILTER (WHERE ambiguous),"
            " avg(\"return\") FROM outcomes WHERE outcome <> 'pending' GROUP BY 1",
        )
        assert len(fetched) == 3
        names = ("target", "stop", "expired", "void", "ambiguous", "average_return")
        assert read_outcomes(settings) == {
            "stop_first": {
                row[0]: pytest.approx(dict(zip(names, row[1:], strict=True)), abs=1e-12)
                for row in fetched
            }
        }
        assert all(sum(row[place] for row in fetched) > 0 for place in range(1, 6))
        assert read_verdicts(settings) == {"none": 12}

        assert read_scripts(settings) == read_script_list(settings) == {}
        runs = printed()
        StageRun(EXTRACTOR, settings).of(runs, batches=[5, 7], consumers=2)
        records = read_scripts(settings)
        assert list(records) == ["0.py", "1.py"]
        assert (records["0.py"]["runs"], records["0.py"]["failures"]) == (6, 3)
        assert records["0.py"]["recommendations"] == {"BUY": 2, "NONE": 4}
        assert records["1.py"]["recommendations"] == {"HOLD": 2, "NONE": 2, "SELL": 2}
        assert [records["1.py"][name] for name in ("buys", "sells", "holds", "undecided")] == [
            0, 2, 2, 2,
        ]  # fmt: skip
        assert (records["0.py"]["losses"], records["0.py"]["success_rate"]) == (2, 0)
        assert records["1.py"]["average_return_pct"] == pytest.approx((2.5 + 0.1) / 2)
        assert records["1.py"]["last_run"] == runs[-1].finished_at.isoformat()
        assert records["1.py"]["trend"] is None
        assert records["1.py"]["reasons"] == {"trend": "too_few_results"}
        listed = read_script_list(settings)
        assert {name: {**listed[name], **record} for name, record in records.items()} == records

        assert read_script_analytics(settings, "2.py") is None
        told = read_script_analytics(settings, "1.py", recent=2)
        assert told is not None
        assert told.items() >= listed["1.py"].items()
        assert told["distribution"] == {
            "actions": {"HOLD": 2, "NONE": 2, "SELL": 2},
            "outcomes": {"profit": 4, "loss": 0, "breakeven": 0, "none": 2},
        }
        # The latest two are the HOLD without a result and the SELL with +0.10 %.
        assert (told["recent"]["runs"], told["earlier"]["runs"]) == (2, 4)
        assert told["recent"]["average_return_pct"] == 0.1
        assert told["earlier"]["average_return_pct"] == pytest.approx((2.5 + 0.1 + 2.5) / 3)
        assert told["difference"]["success_rate"] == 0
        every = read_script_analytics(settings, "1.py")
        assert every is not None
        assert (every["recent"]["runs"], every["earlier"]["runs"]) == (6, 0)
        assert every["reasons"]["earlier.success_rate"] == "no_data"
