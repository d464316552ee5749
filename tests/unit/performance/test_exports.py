"""The package names what its readers need, by what they hold."""

from __future__ import annotations

import subprocess
import sys

import pytest

from trackrecord import performance


def test_every_name_is_there_and_documented() -> None:
    for name in performance.__all__:
        assert getattr(performance, name).__doc__, name
    with pytest.raises(AttributeError, match="no attribute nothing"):
        performance.nothing  # noqa: B018


def test_one_trade_loads_no_arrays() -> None:
    code = "import sys, trackrecord.performance.trades.one_trade; print('numpy' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"
