"""What may become of a strategy, and in which words the rest is refused."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from trackrecord.catalogue import life
from trackrecord.catalogue.life import STATUSES, Standing, StrategyRefusedError

READY = Standing("cross", "validated", is_valid=True, symbols=["AAPL"], timeframe="1d")


def test_nothing_but_these_steps_is_possible() -> None:
    steps = {pair for pair in itertools.product(STATUSES, STATUSES) if life.may_follow(*pair)}
    assert steps == {
        ("draft", "validated"),
        ("validated", "active"),
        ("validated", "archived"),
        ("active", "archived"),
        ("archived", "active"),
    }


def test_a_strategy_begins_as_its_code_is() -> None:
    assert life.first_status(is_valid=True) == "validated"
    assert life.first_status(is_valid=False) == "draft"


def test_what_is_ready_becomes_active_again_and_again() -> None:
    life.require_activable(READY)
    life.require_activable(replace(READY, status="archived"))
    life.require_activable(replace(READY, symbols=["*"], timeframe="15m"))


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        (replace(READY, status="active"), "'cross' is active already"),
        (replace(READY, status="draft", is_valid=False), "is a draft: make a version of it that"),
        (replace(READY, status="archived", is_valid=False), "is a draft: make a version of it"),
        (replace(READY, symbols=[]), r"has no symbols: say which it is to trade, or \*"),
        (replace(READY, timeframe="daily"), "'daily' is no timeframe: write a number and s, m, h"),
        (replace(READY, timeframe="0d"), "'0d' is no timeframe"),
    ],
)
def test_what_is_not_ready_is_refused_with_what_to_do(standing: Standing, words: str) -> None:
    with pytest.raises(StrategyRefusedError, match=words):
        life.require_activable(standing)


def test_only_what_was_fit_to_run_is_archived() -> None:
    life.require_archivable("cross", "active")
    life.require_archivable("cross", "validated")
    with pytest.raises(StrategyRefusedError, match="'cross' is archived already"):
        life.require_archivable("cross", "archived")
    with pytest.raises(StrategyRefusedError, match="is a draft, which can be deleted"):
        life.require_archivable("cross", "draft")


def test_a_version_moves_a_strategy_unless_it_is_active() -> None:
    assert life.status_with("cross", "draft", is_valid=True) == "validated"
    assert life.status_with("cross", "validated", is_valid=False) == "draft"
    assert life.status_with("cross", "active", is_valid=True) == "active"
    assert life.status_with("cross", "archived", is_valid=False) == "archived"
    with pytest.raises(
        StrategyRefusedError, match="is active, and what it is to do instead is not"
    ):
        life.status_with("cross", "active", is_valid=False)


@pytest.mark.parametrize(
    "symbols",
    [["AAPL", "*"], [""], ["A" * 65], ["A\nB"], [f"S{n}" for n in range(life.MOST_SYMBOLS + 1)]],
)
def test_symbols_that_no_bar_could_have_are_refused(symbols: list[str]) -> None:
    with pytest.raises(StrategyRefusedError):
        life.require_symbols(symbols)


@pytest.mark.parametrize("name", ["", " cross", "cross ", "a\tb", "a" * 129, "a\ud800"])
def test_names_that_no_event_could_bear_are_refused(name: str) -> None:
    with pytest.raises(StrategyRefusedError, match="1 to 128 characters on one line"):
        life.require_name(name)


def test_a_name_is_made_of_words_and_numbered_where_it_is_taken() -> None:
    assert life.name_of("Buy when RSI(14) < 30!") == "buy-when-rsi-14-30"
    assert life.name_of("Buy", ["buy", "buy-2"]) == "buy-3"
    assert life.name_of("买入", []) == "strategy"
    long = life.name_of("word " * 100)
    assert len(long) <= 60
    life.require_name(long)
