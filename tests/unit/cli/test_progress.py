"""How far a long command is, told in lines."""

from __future__ import annotations

import io
import time

from rich.console import Console

from trackrecord.cli.progress import Shown, shown


def test_a_line_tells_done_total_rate_and_what_is_left() -> None:
    now = [100.0]
    progress = Shown(lambda: now[0])
    assert progress.words() is None
    progress("signal_tracker", 0, 300_000)
    now[0] = 110.0
    progress("signal_tracker", 120_000, 300_000)
    assert progress.words() == (
        "signal_tracker: 120,000 of 300,000 (40%), 12,000/s, about 15 s left"
    )
    progress("comparing tables", 12, 12)
    assert progress.words() == "comparing tables: 12 of 12 (100%)"


def test_a_slow_step_takes_minutes_or_hours() -> None:
    now = [0.0]
    progress = Shown(lambda: now[0])
    progress("x", 0, 100)
    now[0] = 10.0
    progress("x", 1, 100)
    assert progress.words() == "x: 1 of 100 (1%), 0.1/s, about 16 min 30 s left"
    now[0] = 400.0
    assert (progress.words() or "").endswith("about 11 h 0 min left")


def test_where_there_is_no_terminal_lines_come_while_the_work_goes_on() -> None:
    written = io.StringIO()
    with shown(Console(file=written, width=100), every=0.02) as progress:
        progress("extractor", 5, 10)
        deadline = time.monotonic() + 10
        while written.getvalue().count("\n") < 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert written.getvalue().startswith("extractor: 5 of 10 (50%)")
