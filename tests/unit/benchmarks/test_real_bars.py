"""Real bars are adjusted for splits as the notes beside them ask, and the rules fire where told."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from benchmarks.harness import MissingDataError
from benchmarks.learning import rules, us_daily
from trackrecord.features import History, Market

FIRST = date(2015, 7, 6)


def written(folder: Path, closes: dict[str, list[tuple[float, float]]]) -> Path:
    """A file of bars that close at (close, adj_close) and open where the day before closed."""
    rows = []
    for symbol, days in closes.items():
        for number, (close, adjusted) in enumerate(days):
            # A split shows in the open already.
            opened = close
            rows.append(
                {
                    "symbol": symbol,
                    "date": (FIRST + timedelta(number)).isoformat(),
                    "open": opened,
                    "high": max(opened, close),
                    "low": min(opened, close),
                    "close": close,
                    "volume": 1_000.0,
                    "adj_close": adjusted,
                }
            )
    file = folder / us_daily.FILE
    pl.DataFrame(rows).write_parquet(file)
    return file


@pytest.fixture(autouse=True)
def _few_trade(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(us_daily, "FEWEST_TRADING", 1)


def test_a_split_that_both_columns_tell_of_is_taken_out_and_returns_stay(tmp_path: Path) -> None:
    # 7 for 1: adj_close moves two days before the price does.
    given = [(680.0, 680.0), (707.0, 101.0), (700.0, 100.0), (98.0, 98.0), (115.0, 115.0)]
    daily = us_daily.read(written(tmp_path, {"NFLX": given}))
    np.testing.assert_allclose(daily.bars.close, [680 / 7, 101, 100, 98, 115])
    np.testing.assert_allclose(daily.bars.volume, [7_000, 7_000, 7_000, 1_000, 1_000])
    np.testing.assert_array_equal(daily.traded_at, [680, 707, 700, 98, 115])
    assert daily.counts["splits_adjusted"] == 1


def test_a_jump_that_adj_close_does_not_tell_of_stays(tmp_path: Path) -> None:
    daily = us_daily.read(written(tmp_path, {"XBKS": [(8.7, 8.7), (2.0, 2.0)]}))
    np.testing.assert_array_equal(daily.bars.close, [8.7, 2.0])


def test_a_new_crawl_without_a_jump_moves_nothing(tmp_path: Path) -> None:
    # adj_close begins to tell of a split that is yet to come.
    daily = us_daily.read(written(tmp_path, {"ENSG": [(45.6, 45.6), (45.8, 22.9)]}))
    np.testing.assert_array_equal(daily.bars.close, [45.6, 45.8])


def test_sessions_are_new_yorks_in_summer_and_winter(tmp_path: Path) -> None:
    daily = us_daily.read(written(tmp_path, {"A": [(10.0, 10.0)] * 150}))
    hour = 3_600_000_000
    assert daily.opened_at[0] % (24 * hour) == 13.5 * hour
    assert daily.bars.closed_at[0] % (24 * hour) == 20 * hour
    assert daily.bars.closed_at[-1] % (24 * hour) == 21 * hour


def test_what_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(us_daily.VARIABLE, str(tmp_path / "no.parquet"))
    with pytest.raises(MissingDataError, match=r"no\.parquet"):
        us_daily.place()


def test_each_rule_fires_once_where_its_condition_begins() -> None:
    rng = np.random.default_rng(1)
    close = 50 * np.exp(np.cumsum(np.append(rng.normal(0, 0.001, 230), [0.02, 0.02, -0.05, -0.05])))
    bars = History(
        close, close * 1.001, close * 0.999, close, np.full(len(close), 1e6),
        np.arange(len(close)) * 86_400_000_000, np.zeros(1, np.int64),
    )  # fmt: skip
    sent = rules.signals_of(
        bars,
        close,
        Market(bars).features["true_range_14"],
        least_price=5,
        least_turnover=1e6,
        ranges=2,
        horizon=10,
    ).signals
    at = (sent.emitted_at // 86_400_000_000).astype(int)
    found = {(rules.NAMES[kind], day, int(side)) for kind, day, side in
             zip(sent.strategy, at, sent.direction, strict=True)}  # fmt: skip
    assert ("breakout_20", 230, 1) in found
    assert ("breakout_20", 231, 1) not in found, "the run had begun the day before"
    assert any(name == "breakout_20" and side < 0 and day >= 232 for name, day, side in found)
    assert all(side > 0 for name, _, side in found if name == "rsi_2")
    assert ((sent.target - sent.price) * sent.direction > 0).all()
    assert ((sent.price - sent.stop) * sent.direction > 0).all()
