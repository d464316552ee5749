"""What looks wrong on record is counted, whatever the order it came in, and asked for by name."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.integration.test_report import SAID, closed, signal
from tests.integration.test_signal_tracker_store import run
from tests.support import compare
from trackrecord.cli.main import app
from trackrecord.reports import irregularities
from trackrecord.reports.irregularities import Irregularities
from trackrecord.reports.strategies import read_report
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka

APPENDED = datetime.fromtimestamp(1_770_000_000, UTC)
"""The broker's time in these tests."""


def now(number: int, **fields: Any) -> Any:
    return signal(number, **({"emitted_at": APPENDED} | fields))


def left(number: int, **fields: Any) -> Any:
    return closed(number, "151", **({"closed_at": APPENDED + timedelta(hours=1)} | fields))


EVENTS = [
    # Fine: levels around the price, times that differ by what is tolerated.
    now(1, target_price="160", stop_loss="140"), left(1),
    now(2, side="SELL", target_price="140", stop_loss="160"),
    now(3, emitted_at=APPENDED + timedelta(minutes=5)),
    # Levels on the wrong side; at the price is no better.
    now(4, target_price="150.25"), now(5, stop_loss="151"),
    now(6, side="SELL", target_price="151", strategy="rsi"),
    now(7, side="SELL", stop_loss="150", strategy="rsi"),
    # Once wrong, and corrected; and the other way round.
    now(8, target_price="1"), now(8, target_price="200", revision=1),
    now(9), now(9, stop_loss="200", revision=1),
    # In the future.
    now(10, emitted_at=APPENDED + timedelta(minutes=5, microseconds=1)),
    now(11, emitted_at=APPENDED + timedelta(days=2000), strategy="rsi"),
    # Exits without an entry, and one before its own.
    left(12), left(13, strategy="sma"), left(13, strategy="sma", exit_id="y"),
    left(14, strategy="gone"),
    left(1, exit_id="early", closed_at=APPENDED - timedelta(minutes=6)),
    # Symbols that differ only by case; a correction takes one of them back.
    now(15, symbol="aapl"), now(16, symbol="Msft"), now(17, symbol="MSFT"),
    now(16, symbol="MSFT", revision=1),
]  # fmt: skip

BY_STRATEGY = {
    "exits_without_entry": {None: 1, "sma": 2, "gone": 1},
    "exits_before_entry": {"sma": 1},
    "levels_on_wrong_side": {"sma": 3, "rsi": 2},
    "emitted_in_future": {"sma": 1, "rsi": 1},
}


@pytest.mark.parametrize("seed", range(6))
def test_it_is_counted_in_any_order_however_often_it_came(settings: Settings, seed: int) -> None:
    rng = random.Random(seed)
    events = EVENTS + rng.sample(EVENTS, 8)
    rng.shuffle(events)
    size = [1, 3, 7, 20, 5, len(events)][seed]
    run(settings, events, [size] * (len(events) // size + 1))
    found = read_report(settings)
    assert found.irregularities == Irregularities(BY_STRATEGY, [["AAPL", "aapl"]])
    assert found.records["sma"]["levels_on_wrong_side"] == 3
    assert found.records["rsi"]["emitted_in_future"] == 1
    assert "exits_before_entry" not in found.records["rsi"]
    alone = read_report(settings, strategy="rsi").irregularities
    assert alone.by_strategy == {
        "levels_on_wrong_side": {"rsi": 2}, "emitted_in_future": {"rsi": 1},
    }  # fmt: skip


def test_as_of_counts_what_had_come_by_then(settings: Settings) -> None:
    events = [
        now(1, symbol="aapl", emitted_at=APPENDED + timedelta(hours=2), stop_loss="200"), now(2),
        left(1, closed_at=APPENDED + timedelta(hours=1)), left(3),
    ]  # fmt: skip
    run(settings, events, [len(events)])
    at = read_report(settings, as_of=APPENDED).irregularities
    assert at == Irregularities()
    later = read_report(settings, as_of=APPENDED + timedelta(hours=1)).irregularities
    assert later == Irregularities({"exits_without_entry": {None: 1}})
    last = read_report(settings, as_of=APPENDED + timedelta(hours=2)).irregularities
    assert last.by_strategy["exits_before_entry"] == {"sma": 1}
    assert last.symbols == [["AAPL", "aapl"]]


@pytest.mark.parametrize(
    ("kind", "index"),
    [
        ("exits_without_entry", "signals_awaited"),
        ("exits_before_entry", "exits_before_entry"),
        ("levels_on_wrong_side", "signals_wrong_levels"),
        ("emitted_in_future", "signals_ahead"),
    ],
)
def test_each_count_is_found_by_its_own_index(settings: Settings, kind: str, index: str) -> None:
    query = irregularities.COUNTS[kind]
    plan = compare.fetch(
        settings, f"SET enable_seqscan = off; EXPLAIN {query}", {"as_of": APPENDED}
    )
    assert f" {index} " in str(plan)


def asked(settings: Settings, *arguments: str) -> Result:
    environment = {
        "DATABASE_URL": settings.database_url,
        "TRACKRECORD_DATABASE_SCHEMA": settings.database_schema,
        "COLUMNS": "200",
    }
    return CliRunner(env=environment).invoke(app, ["report", *arguments])


def test_the_report_says_what_looks_wrong_in_words_and_as_fields(settings: Settings) -> None:
    run(settings, EVENTS, [len(EVENTS)])
    words = asked(settings).stdout
    for line in (
        "4 exits name signals whose entries are not on record",
        "1 exit is older than its signal and closed nothing",
        "5 signals have their target or stop on the wrong side of their price",
        "2 signals came with a time that lay in the future",
        "symbols that differ only by case: AAPL, aapl",
    ):
        assert line in words
    said = json.loads(asked(settings, "--json").stdout)
    assert said["exits_without_entry"] == 4
    assert said["symbols_differing_by_case"] == [["AAPL", "aapl"]]
    assert said["strategies"]["sma"]["exits_without_entry"] == 2
    gone = asked(settings, "--strategy", "gone")
    assert (gone.exit_code, gone.stdout) == (
        0, "1 exit names a signal whose entry is not on record\n",
    )  # fmt: skip


def test_a_clean_record_has_no_word_of_it(settings: Settings) -> None:
    run(settings, [now(1), left(1)], [2])
    said = asked(settings)
    assert said.stdout.strip().splitlines()[-1].startswith("as of ")
    assert set(json.loads(asked(settings, "--json").stdout)) == {"as_of", "strategies"}


def test_one_that_came_late_is_spoken_of_in_a_sentence(settings: Settings) -> None:
    run(settings, [now(1, emitted_at=APPENDED - timedelta(days=1))], [1])
    assert "1 signal reached the broker long after the time that it names" in asked(settings).stdout


@pytest.mark.parametrize("kind", [[], ["--by", "day"], ["--by", "signal"], ["--outcomes"]])
def test_a_strategy_that_is_not_there_is_answered_with_the_nearest(
    settings: Settings, kind: list[str]
) -> None:
    names = ["Moving_Average", "rsi", "[bold]x"]
    run(settings, [now(n, strategy=name) for n, name in enumerate(names)], [3])
    typo = asked(settings, "--strategy", "moving_avrage", *kind)
    assert (typo.exit_code, typo.stdout) == (1, "")
    assert typo.stderr == (
        "no strategy named moving_avrage is on record: did you mean Moving_Average?\n"
    )
    other = asked(settings, "--strategy", "zzzzzzz", *kind)
    assert other.exit_code == 1
    assert "on record: Moving_Average, [bold]x, rsi" in other.stderr
    data = asked(settings, "--strategy", "moving_avrage", "--json", *kind)
    assert data.exit_code == 1
    assert json.loads(data.stdout)


def test_a_strategy_that_began_later_is_not_taken_for_a_typo(settings: Settings) -> None:
    run(settings, [signal(1)], [1])
    early = asked(settings, "--strategy", "sma", "--as-of", "2020-01-01")
    assert (early.exit_code, early.stdout) == (0, "")
    assert early.stderr == "sma has nothing on record as of 2020-01-01 00:00 UTC\n"
    assert SAID.year > 2020
    nobody = asked(settings, "--strategy", "sma", "--by", "signal")
    assert nobody.exit_code == 0


def test_signals_are_shown_as_they_are_named(settings: Settings) -> None:
    run(settings, [now(1, strategy="[/red]", symbol="[bold]A")], [1])
    shown = asked(settings, "--by", "signal")
    assert shown.exit_code == 0
    assert "[/red]" in shown.stdout
    assert "[bold]A" in shown.stdout
