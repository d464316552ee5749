"""What the pipeline's benchmark sends, and what it says that comes to."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction as F
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.pipeline import events, quix_environment
from benchmarks.pipeline.peers import job, plain_batches, with_faust
from tests.support import oracle
from trackrecord.events import SignalClosed, SignalEmitted

COUNT = 400
MADE = list(events.signals(COUNT))


def test_a_seed_gives_the_same_signals_and_another_seed_gives_others() -> None:
    assert list(events.signals(COUNT)) == MADE
    assert [one.signal_id for one in events.signals(COUNT, 8)] != [one.signal_id for one in MADE]


def test_events_are_valid_and_about_three_hundred_bytes_long() -> None:
    for one in MADE:
        SignalEmitted.model_validate_json(events.entry_value(one))
        SignalClosed.model_validate_json(events.exit_value(one))
    for value in (events.entry_value, events.exit_value, events.easy_value):
        assert 270 <= sum(len(value(one)) for one in MADE) / COUNT <= 320


def test_the_expected_sums_are_those_of_the_oracle() -> None:
    sent = [SignalEmitted.model_validate_json(events.entry_value(one)) for one in MADE]
    sent += [SignalClosed.model_validate_json(events.exit_value(one)) for one in MADE]  # type: ignore[misc]
    wanted = {
        (strategy, day.isoformat()): (
            sums.get("signals", 0),
            sums.get("closed", 0),
            sums.get("wins", 0),
            sums.get("losses", 0),
            sums.get("total_pnl", 0) * 1000,
            sums.get("fees", 0) * 1000,
        )
        for (strategy, _, day), sums in oracle.expect(sent).strategy_days.items()
    }
    assert {
        key: (day.signals, day.closed, day.wins, day.losses, day.pnl, day.fees)
        for key, day in events.expected(MADE).items()
    } == wanted


def by_faust(value: bytes) -> job.Row:
    return with_faust.row_of(with_faust.Exit.loads(value))


def by_pydantic(value: bytes) -> job.Row:
    return plain_batches.Exit.model_validate_json(value).row()


@pytest.mark.parametrize("read", [job.read, by_faust, by_pydantic])
def test_every_peer_reads_the_pnl_that_was_meant(read: Callable[[bytes], job.Row]) -> None:
    for one in MADE:
        row: dict[str, Any] = dict(zip(job.COLUMNS, read(events.easy_value(one)), strict=True))
        assert F(row["pnl"]) * 1000 == one.pnl
        assert F(row["fees"]) * 1000 == one.fees
        assert row["day"] == one.closed_at.date().isoformat()


def test_work_travels_through_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    work = job.Work("127.0.0.1:1", "postgresql://127.0.0.1/x", "s", "t", 12, "g", "state")
    for name, value in work.environment().items():
        monkeypatch.setenv(name, value)
    assert job.Work.from_environment() == work


@given(st.integers(-(10**12), 10**12))
def test_thousandths_are_exact(number: int) -> None:
    assert events.thousandths(Decimal(number).scaleb(-3)) == number


def test_money_finer_than_thousandths_is_refused() -> None:
    with pytest.raises(ValueError, match="no whole number"):
        events.thousandths(Decimal("0.0001"))


def test_all_strategies_symbols_and_both_sides_occur() -> None:
    made = list(events.signals(10_000))
    assert len({one.strategy for one in made}) == events.STRATEGIES
    assert len({one.symbol for one in made}) == events.SYMBOLS
    sides = Counter(json.loads(events.entry_value(one))["side"] for one in made)
    assert abs(sides["BUY"] - sides["SELL"]) < 500


def test_an_environment_that_cannot_be_made_is_named_with_its_reason() -> None:
    with pytest.raises(quix_environment.Unavailable, match="no such package"):
        quix_environment.run([sys.executable, "-c", "raise SystemExit('no such package')"])
