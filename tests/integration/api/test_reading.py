"""What the API tells, on a record that the stages have written."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import accumulate
from typing import Any
from urllib.parse import quote

import pytest

from services.signal_tracker.service import STAGE as TRACKER
from tests.integration.api.conftest import settings_of
from tests.support import compare
from tests.support.pipeline import until
from tests.support.servers import Services
from tests.support.serving import FORMULA, SLASH, Served, exit_of, move, served, signal
from trackrecord.reports import signal_pages
from trackrecord.reports.series import read_thinned_lines
from trackrecord.reports.signal_pages import SignalFilter, read_page
from trackrecord.reports.strategies import read_report
from trackrecord.runtime import database
from trackrecord.runtime.settings import Settings
from trackrecord.testing import StageRun, scratch_schema

pytestmark = pytest.mark.kafka


def pages(api: Served, path: str, key: str) -> list[dict[str, Any]]:
    """All rows of a list, page by page."""
    rows: list[dict[str, Any]] = []
    cursor = ""
    while True:
        joint = "&" if "?" in path else "?"
        page = api.get(f"{path}{joint}{cursor}").json()
        assert page["as_of"]
        rows += page[key]
        if page["next"] is None:
            return rows
        cursor = f"cursor={page['next']}"


def test_strategies_are_sorted_by_any_number_and_read_by_pages(
    api: Served, record: Settings
) -> None:
    every = api.get("/api/v1/strategies?limit=500").json()["strategies"]
    assert sorted((row["strategy"], row["currency"]) for row in every) == [
        (FORMULA, "USD"),
        ("both", "INR"),
        ("both", "USD"),
        (SLASH, "EUR"),
        ("momentum", "USD"),
        ("trend", "INR"),
    ]
    report = read_report(record).records["momentum"]
    [momentum] = [row for row in every if row["strategy"] == "momentum"]
    beside = {"strategy", "standing", "reasons"}
    assert {name: report[name] for name in momentum if name not in beside} == {
        name: value for name, value in momentum.items() if name not in beside
    }
    assert momentum["standing"] == "unclaimed"
    for sort in ("total_pnl", "win_rate", "profit_factor", "strategy", "open"):
        for order in ("asc", "desc"):
            path = f"/api/v1/strategies?limit=2&sort={sort}&order={order}"
            found = pages(api, path, "strategies")
            assert len(found) == len(every)
            keys = [row[sort] for row in found]
            known = [Decimal(str(k)) if sort != "strategy" else k for k in keys if k is not None]
            assert known == sorted(known, reverse=order == "desc"), (sort, order)
            assert keys[len(known) :] == [None] * (len(keys) - len(known))
    rupees = api.get("/api/v1/strategies?currency=INR").json()["strategies"]
    assert {row["currency"] for row in rupees} == {"INR"}


def test_judged_numbers_follow_the_record_and_say_of_when_they_are(services: Services) -> None:
    own = settings_of(services)
    with scratch_schema(own):
        StageRun(TRACKER, own).of([signal(1), exit_of(signal(1), "104")])
        with served(own) as api:
            api.worked_out()
            before = api.get("/api/v1/strategies/momentum").json()
            assert before["judged"] == read_report(own).records["momentum"]
            StageRun(TRACKER, own, emptied=False).of(
                [event for n in range(2, 30) for event in (signal(n), exit_of(signal(n), "103"))]
            )
            assert api.get("/api/v1/strategies/momentum").json()["totals"]["closed"] == 29

            def found() -> dict[str, Any]:
                return api.get("/api/v1/strategies/momentum").json()

            until(lambda: found()["judged"]["closed"] == 29, "they follow", 40)
            after = found()
            assert after["judged"] == read_report(own).records["momentum"]
            assert after["judged_as_of"] > before["judged_as_of"]
            assert compare.fetch(own, "SELECT count(*) FROM strategy_measures") == [(1,)]
            assert api.get("/api/v1/leaderboard?by=closed").json()["strategies"][0]["closed"] == 29


def test_one_strategy_tells_what_the_report_tells(api: Served, record: Settings) -> None:
    report = read_report(record).records
    for name in ("momentum", "both", SLASH, FORMULA):
        found = api.get(f"/api/v1/strategies/{quote(name, safe='')}").json()
        assert found["strategy"] == name
        assert found["judged"] == report[name]
        assert (
            found["totals"]["total_pnl" if name != "both" else "closed"]
            == (report[name]["total_pnl" if name != "both" else "closed"])
        )
    days = api.get("/api/v1/strategies/momentum/days").json()["days"]
    assert sum(Decimal(day["total_pnl"]) for day in days) == Decimal(
        report["momentum"]["total_pnl"]
    )
    assert days[-2]["cumulative_pnl"] == report["momentum"]["realised_pnl"]
    part = api.get("/api/v1/strategies/momentum/days?from=2026-01-10&to=2026-01-12").json()["days"]
    assert [day["day"] for day in part] == ["2026-01-10", "2026-01-11", "2026-01-12"]


def test_the_newest_signals_are_the_same_by_both_of_their_indexes(
    record: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def every(hidden: frozenset[str]) -> list[str]:
        found: list[str] = []
        after = None
        with database.session(record, application="test") as cursor:
            while page := read_page(cursor, SignalFilter(hidden=hidden), after, 5):
                found += [row["signal_id"] for row in page]
                after = page[-1]["emitted_at"], page[-1]["signal_id"]
        return found

    for hidden in (frozenset[str](), frozenset({"momentum"})):
        by_strategy = every(hidden)
        with monkeypatch.context() as many:
            many.setattr(signal_pages, "_MERGED", -1)
            assert every(hidden) == by_strategy
        assert len(set(by_strategy)) == len(by_strategy) > 5


def test_signals_are_filtered_and_read_by_pages_newest_first(api: Served) -> None:
    every = pages(api, "/api/v1/signals?limit=7", "signals")
    keys = [(row["emitted_at"], row["signal_id"]) for row in every]
    assert keys == sorted(keys, reverse=True)
    assert len(keys) == len(set(keys)) == 41 + 6 + 6
    for query, holds in {
        "strategy=momentum": lambda row: row["strategy"] == "momentum",
        "symbol=SYM1&side=BUY": lambda row: (row["symbol"], row["side"]) == ("SYM1", "BUY"),
        "outcome=open": lambda row: row["outcome"] is None,
        "outcome=win": lambda row: row["outcome"] == "win",
        "outcome=loss&strategy=momentum": lambda row: (
            (row["outcome"], row["strategy"]) == ("loss", "momentum")
        ),
        "from=2026-01-10T00:00:00Z&to=2026-01-12T00:00:00Z": lambda row: (
            "2026-01-10" <= row["emitted_at"] < "2026-01-12"
        ),
        "strategy=nobody": lambda _row: False,
    }.items():
        found = pages(api, f"/api/v1/signals?limit=5&{query}", "signals")
        assert found == [row for row in every if holds(row)], query
    assert all(isinstance(row["price"], str) for row in every)


def test_one_signal_is_told_in_full(api: Served) -> None:
    found = api.get("/api/v1/signals/momentum-0").json()
    assert found["said"]["price"] == "99.5"
    assert [each["price"] for each in found["revisions"]] == ["100", "99.5"]
    assert found["exits"][0]["exit_id"] == "x"
    assert found["position"]["outcome"] in {"win", "loss", "breakeven"}
    assert found["assessment"]["features"]
    assert found["outcomes"]
    assert api.get("/api/v1/signals/momentum-40").json()["position"]["outcome"] is None


def test_scripts_outcomes_and_models_are_told(api: Served) -> None:
    [script] = pages(api, "/api/v1/scripts?limit=1", "scripts")
    assert (script["script"], script["runs"]) == ("scanners/gap.py", 14)
    path = "/api/v1/scripts/scanners%2Fgap.py"
    one = api.get(path).json()
    assert one["recent"]["runs"] == 10
    assert one["earlier"]["runs"] == 4
    assert sum(one["distribution"]["outcomes"].values()) == 14
    outcomes = api.get("/api/v1/outcomes").json()
    assert set(outcomes["policies"]["stop_first"]) == {"momentum"}
    assert sum(outcomes["verdicts"].values()) == 3
    models = pages(api, "/api/v1/models?limit=2", "models")
    assert [each["version"] for each in models] == ["v2", "v1", "v0"]
    assert [each["serves"] for each in models] == [True, False, False]
    runs = pages(api, "/api/v1/models/training-log?limit=2&model=default", "runs")
    assert [each["training_id"] for each in runs] == ["training-2", "training-1", "training-0"]
    assert api.get("/api/v1/models/training-log?model=other").json()["runs"] == []
    calibration = api.get("/api/v1/models/v1/calibration").json()
    assert calibration["model_version"] == "v1"
    assert calibration["judged"]["auc"] == 0.61


def test_kinds_of_account_are_never_ranked_together(services: Services) -> None:
    own = settings_of(services)
    kinds = ["backtest", "live", None, "live", "paper", "imported"]
    events: list[Any] = []
    for number, kind in enumerate(kinds):
        for each in range(2):
            named = {"strategy": f"s{number}", "account": kind, "signal_id": f"s{number}-{each}"}
            entry = signal(each).model_copy(update=named)
            # The later a strategy, the more it earned.
            events += [entry, exit_of(entry, str(101 + number))]
    mixed = {"strategy": "s1", "account": "paper", "signal_id": "other"}
    events.append(signal(9).model_copy(update=mixed))
    with scratch_schema(own):
        StageRun(TRACKER, own).of(events)
        with served(own) as api:
            api.worked_out()
            path = "/api/v1/leaderboard?by=average_return"
            board = api.get(path).json()["strategies"]
            ranked = [(row["account"], row["rank"], row["strategy"]) for row in board]
            assert ranked == [
                ("live", 1, "s3"), ("paper", 1, "s4"), ("imported", 1, "s5"),
                ("backtest", 1, "s0"), ("mixed", 1, "s1"), ("unknown", 1, "s2"),
            ]  # fmt: skip
            [live] = api.get(f"{path}&account=live").json()["strategies"]
            assert (live["strategy"], live["accounts"]) == ("s3", {"live": 2})
            [both] = api.get(f"{path}&account=mixed").json()["strategies"]
            assert both["accounts"] == {"live": 2, "paper": 1}
            told = api.get("/api/ml-performance").json()["performance"]
            assert told["s0"]["account"] == "backtest"


def test_strategies_are_ranked_and_compared(api: Served, record: Settings) -> None:
    report = read_report(record).records
    board = api.get("/api/v1/leaderboard?by=win_rate").json()["strategies"]
    assert [row["win_rate"] for row in board] == sorted(
        (row["win_rate"] for row in board), reverse=True
    )
    assert len(board) == 6
    euros = api.get("/api/v1/leaderboard?by=win_rate&currency=EUR").json()["strategies"]
    assert [row["strategy"] for row in euros] == [SLASH]
    alike = api.get(f"/api/v1/compare?s=momentum&s={quote(FORMULA)}").json()
    assert (alike["since"], alike["until"]) == ("2026-01-08", "2026-01-09")
    assert alike["together"]["signals"] == sum(
        each["record"]["signals"] for each in alike["strategies"]
    )
    assert alike["why_not_summed"] is None
    other = api.get("/api/v1/compare?s=momentum&s=trend").json()
    assert other["together"] is None
    assert "INR, USD" in other["why_not_summed"]
    alone = api.get("/api/v1/compare?s=momentum").json()
    assert alone["together"]["total_pnl"] == report["momentum"]["total_pnl"]
    [line] = alone["strategies"][0]["lines"]
    days = api.get("/api/v1/strategies/momentum/days").json()["days"]
    assert list(zip(line["days"], line["cumulative_pnl"], strict=True)) == [
        (day["day"], day["cumulative_pnl"]) for day in days
    ]


def test_the_fixed_paths_answer_in_plain_numbers_with_and_without_the_slash(
    api: Served, record: Settings
) -> None:
    report = read_report(record).records
    for path in ("/api/ml-performance", "/api/ml-performance/"):
        found = api.get(path).json()
        momentum = found["performance"]["momentum"]
        assert momentum["signals"] == 41
        assert momentum["wins"] == report["momentum"]["wins"]
        assert momentum["total_pnl"] == float(report["momentum"]["total_pnl"])
        assert momentum["avg_pnl"] == pytest.approx(float(report["momentum"]["average_pnl"]))
        both = found["performance"]["both"]
        assert both["currency"] == "USD"
        assert set(both["currencies"]) == {"INR"}
        training = found["training_status"]["default"]
        assert (training["status"], training["model_accuracy"]) == ("completed", 0.64)
        assert training["last_training"] == "2026-01-07T09:30:00Z"
    for slash in ("", "/"):
        path = f"/api/investor/script_analytics/scanners%2Fgap.py{slash}"
        found = api.get(path).json()
        assert found["script_name"] == "scanners/gap.py"
        assert {"distribution", "recent", "earlier", "trend", "summary"} <= set(found)


def test_an_answer_that_is_known_is_not_sent_again_until_something_has_changed(
    api: Served, record: Settings
) -> None:
    paths = [
        "/api/v1/strategies", "/api/v1/strategies/momentum", "/api/v1/strategies/momentum/days",
        "/api/v1/signals", "/api/v1/signals/momentum-1", "/api/v1/leaderboard",
        "/api/v1/compare?s=momentum", "/api/ml-performance", "/api/v1/scripts",
        "/api/v1/scripts/scanners%2Fgap.py", "/api/v1/outcomes", "/api/v1/models",
        "/api/v1/models/training-log", "/api/v1/models/v1/calibration",
    ]  # fmt: skip
    tags = {path: api.get(path).headers["etag"] for path in paths}
    for path, tag in tags.items():
        known = api.get(path, 304, **{"if-none-match": f'"other", {tag}'})
        assert (known.content, known.headers["etag"]) == (b"", tag)
        assert api.get(path, **{"if-none-match": '"other"'}).content
    with database.session(record, application="test") as cursor:
        move(cursor, record, "signal_tracker", 11)
    for path, tag in tags.items():
        # The board is of judged numbers, which follow the totals.
        others = ("/api/v1/scripts", "/api/v1/outcomes", "/api/v1/models", "/api/v1/leaderboard")
        moved = not path.startswith(others)
        answer = api.get(path, 200 if moved else 304, **{"if-none-match": tag})
        assert (answer.headers["etag"] != tag) is moved, path


def test_the_pages_of_monitoring_tell_what_the_stages_tell(api: Served) -> None:
    assert api.get("/healthz").json() == {"alive": True}
    assert api.get("/readyz").json() == {"ready": True, "reason": None}
    assert api.get("/status").json()["stage"] == "api"
    status = api.get("/api/v1/status").json()
    assert status["broker"]["reachable"] is True
    assert set(status["stages"]) == {"signal_tracker", "extractor", "outcome_scorer"}
    api.get("/api/v1/strategies/momentum")
    text = api.get("/metrics").text
    assert 'trackrecord_ready{stage="api"} 1.0' in text
    assert 'trackrecord_strategy_closed{currency="USD",strategy="momentum"} 40.0' in text
    assert 'route="/api/v1/strategies/{name}"' in text
    assert "momentum" not in "".join(line for line in text.splitlines() if "_api_" in line)


def test_months_and_lines_are_the_sums_of_the_days(api: Served) -> None:
    until(lambda: api.get("/api/v1/strategies/both/months").json()["currencies"], "they are kept")
    for name in ("momentum", "both", SLASH):
        path = f"/api/v1/strategies/{quote(name, safe='')}"
        days = api.get(f"{path}/days").json()["days"]
        found = api.get(f"{path}/months").json()
        assert {each["currency"] for each in found["currencies"]} == {d["currency"] for d in days}
        for each in found["currencies"]:
            own = [day for day in days if day["currency"] == each["currency"]]
            assert each["line"]["values"][-1] == own[-1]["cumulative_pnl"]
            assert sum(month["closed"] for month in each["months"]) == sum(d["closed"] for d in own)
    every = api.get("/api/v1/strategies?line=true&limit=500").json()["strategies"]
    lines = {(row["strategy"], row["currency"]): row["line"] for row in every}
    assert lines["momentum", "USD"]["values"]
    assert all("line" not in row for row in api.get("/api/v1/strategies").json()["strategies"])
    assert api.get("/api/v1/strategies/nobody/months", status=404)


def test_what_metrics_tell_of_strategies_is_what_the_report_tells(
    api: Served, record: Settings
) -> None:
    report = read_report(record).records["momentum"]

    def told() -> dict[str, float]:
        lines = [line.rsplit(" ", 1) for line in api.get("/metrics").text.splitlines()]
        return {name: float(value) for name, value in lines if 'strategy="momentum"' in name}

    def name(metric: str) -> str:
        return f'trackrecord_strategy_{metric}{{currency="USD",strategy="momentum"}}'

    until(lambda: name("max_drawdown") in told(), "it is drawn", 30)
    found = told()
    days = api.get("/api/v1/strategies/momentum/days").json()["days"]
    totals = [Decimal(0), *(Decimal(day["cumulative_pnl"]) for day in days)]
    peaks = list(accumulate(totals, max))
    below = [peak - total for peak, total in zip(peaks, totals, strict=True)]
    assert found[name("below_peak")] == float(below[-1])
    assert found[name("max_drawdown")] == float(max(below))
    assert found[name("net_pnl")] == float(report["total_pnl"])
    for metric in ("closed", "wins", "backdated", "exits_backdated", "corrected_late"):
        assert found[name(metric)] == report[metric]


def test_a_long_comparison_has_few_points_and_ends_where_the_record_does(
    api: Served, record: Settings
) -> None:
    days = api.get("/api/v1/strategies/momentum/days").json()["days"]
    cumulative = {day["day"]: Decimal(day["cumulative_pnl"]) for day in days}
    first, last = (date.fromisoformat(days[n]["day"]) for n in (0, -1))
    with database.session(record, application="test") as cursor:
        for points in (1, 2, 7, 39):
            [line] = read_thinned_lines(cursor, ["momentum"], first, last, points)["momentum"]
            assert len(line["days"]) <= points
            assert line["days"][-1] == last
            for day, total in zip(line["days"], line["cumulative_pnl"], strict=True):
                assert total == cumulative[day.isoformat()]
