"""Ending what a supervisor that is gone has left running."""

from __future__ import annotations

import signal

from trackrecord.local import child
from trackrecord.local.state import KAFKA, POSTGRES, ProcessState, StackState

# Seconds from the request to end until SIGKILL.
STAGE_GRACE_S = 15.0
SERVER_GRACE_S = 30.0


def end_leftovers(state: StackState) -> bool:
    """End what a supervisor that is gone had started: stages, then Kafka, then Postgres.

    Args:
        state: The last state it wrote.

    Returns:
        True if anything was still running.
    """

    def order(process: ProcessState) -> int:
        return {KAFKA: 1, POSTGRES: 2}.get(process.stage, 0)

    found = False
    for process in sorted(state.processes, key=order):
        if process.pid is not None and process.created is not None:
            stop_signal = signal.SIGINT if process.stage == POSTGRES else signal.SIGTERM
            grace = STAGE_GRACE_S if order(process) == 0 else SERVER_GRACE_S
            found |= child.stop_leftover(process.pid, process.created, stop_signal, grace)
    return found
