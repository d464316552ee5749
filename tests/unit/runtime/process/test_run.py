"""How a stage's process is asked to end."""

import subprocess
import sys

_SIGNAL_WITHIN_A_LINE = """
import signal, sys
from trackrecord.runtime import logs
from trackrecord.runtime.process import run
from trackrecord.runtime.logs import get_logger

told = []

class Stream:
    def write(self, text):
        if not told:
            signal.raise_signal(signal.SIGTERM)
        return sys.stdout.write(text)

    def flush(self):
        sys.stdout.flush()

out, sys.stderr = sys.stderr, Stream()
logs.configure("stage", style="json")
asked = []

def stop(name):
    told.append(name)
    asked.append(name)

run.on_signals(stop)
get_logger("test").info("first")
get_logger("test").info("stopping", signal=asked[0])
"""


def test_a_signal_that_comes_while_a_line_is_written_is_heeded() -> None:
    # A handler that logs waits here for ever, for the lock of the line that it came into.
    found = subprocess.run(
        [sys.executable, "-c", _SIGNAL_WITHIN_A_LINE],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert '"signal": "SIGTERM"' in found.stdout


_SIGNAL_WITHIN_A_DELETION = """
import signal
from trackrecord.runtime.process.memory_and_threads import stop_at_once

class Dropped:
    def __del__(self):
        signal.raise_signal(signal.SIGTERM)

stop_at_once()
dropped = Dropped()
del dropped
print("started all the same")
"""


def test_a_stage_that_is_told_to_stop_while_it_starts_does_not_start() -> None:
    # Python drops an exception that is raised while an object is deleted.
    found = subprocess.run(
        [sys.executable, "-c", _SIGNAL_WITHIN_A_DELETION],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (found.returncode, found.stdout) == (0, "")
