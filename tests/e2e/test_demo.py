"""The demo, as `make demo` runs it, read by a program."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest

from tests.e2e.cli import trackrecord
from tests.support.servers import lacking

pytestmark = pytest.mark.kafka

SCRIPTS = {
    "stock_analyzer_v1.py", "btst_analyzer.py", "momentum_trader.py", "sector_rotation.py",
}  # fmt: skip


def test_it_ends_with_a_record_of_every_script_and_strategy(tmp_path: Path) -> None:
    if reason := lacking():
        pytest.skip(f"no real Kafka: {reason}")
    ran = trackrecord("demo", "--json", "--home", tmp_path, seconds=170)
    assert ran.code == 0, ran.err
    found = ran.data
    assert {name.removesuffix(".py") for name in found["scripts"]} == {
        name.removesuffix(".py") for name in SCRIPTS
    }
    assert all(record["runs"] > 5 for record in found["scripts"].values())
    assert {"moving_average_cross", "mean_reversion"} <= set(found["strategies"])
    for name in ("moving_average_cross", "mean_reversion"):
        record = found["strategies"][name]
        assert record["closed"] > 0
        assert record["closed"] == record["wins"] + record["losses"] + record["breakevens"]
        assert record["wins"] / record["closed"] == record["win_rate"]
        total = Decimal(record["gross_profit"]) + Decimal(record["gross_loss"])
        assert abs(Decimal(record["total_pnl"]) - total) < Decimal("0.01")
    outcomes = found["outcomes"]
    assert {"stock_analyzer_v1.py", "moving_average_cross"} <= set(outcomes)
    told = sum(each[name] for each in outcomes.values() for name in ("target", "stop", "expired"))
    assert 0.9 * found["events"]["signal_emitted"] < told <= found["events"]["signal_emitted"]
    assert sum(found["verdicts"].values()) == found["events"]["signal_assessed"]
    assert found["events"]["market_bar"] > 1000
    assert found["events"]["script_executed"] == sum(
        each["runs"] for each in found["scripts"].values()
    )
    assert all(stage["healthy"] and not stage["lag"] for stage in found["stages"].values())
    assert found["seconds"] > 0
    assert "Traceback" not in ran.err
    processes = [each for each in Path("/proc").iterdir() if each.name.isdigit()]
    assert not [each for each in processes if uses(each, tmp_path)]


def uses(process: Path, folder: Path) -> bool:
    try:
        words = (process / "cmdline").read_bytes()
    except OSError:
        return False
    return os.fsencode(folder) in words
