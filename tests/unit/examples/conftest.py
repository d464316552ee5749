"""Real bars for the examples, once per run."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from trackrecord.events import MarketBar
from trackrecord.local.demo_data import daily_bars, write_csv


@pytest.fixture(scope="session")
def real_bars() -> list[MarketBar]:
    return daily_bars(date(2011, 1, 1), date(2013, 3, 1))


@pytest.fixture(scope="session")
def bars_file(real_bars: list[MarketBar], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bars") / "bars.csv"
    write_csv(real_bars, path)
    return path
