"""Commands between the servers and the stages: each runs to its end, side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from trackrecord.local import child
from trackrecord.local.errors import StackFailed
from trackrecord.local.layout import Home

_GRACE_S = 5.0


def run_side_by_side(
    commands: Sequence[Sequence[str]],
    home: Home,
    environment: dict[str, str],
    *,
    timeout: float,
    say: Callable[[str], None],
    tick: Callable[[], None],
) -> None:
    """Run commands to their end; none waits for what another makes.

    Args:
        commands: Their arguments.
        home: Where their output goes: ``prepare-1.log`` and so on, among the logs.
        environment: Variables that they get.
        timeout: Seconds for all of them.
        say: Called with a line for each that starts.
        tick: Called again and again meanwhile; takes a moment, and may raise.

    Raises:
        StackFailed: One failed, or took too long; the others were ended.
    """
    deadline = time.monotonic() + timeout
    running: list[child.Child] = []
    try:
        for number, argv in enumerate(commands, 1):
            name = " ".join([Path(argv[0]).name, *argv[1:]])
            say(f"running {name}")
            log = home.logs / f"prepare-{number}.log"
            running.append(child.start(child.Program(name, tuple(argv), log, env=environment)))
        while waited_for := [one for one in running if not _is_over(one)]:
            tick()
            if time.monotonic() > deadline:
                late = waited_for[0].program
                raise StackFailed(f"`{late.name}` took longer than {timeout:.0f} s; see {late.log}")
    finally:
        for one in running:
            one.stop(_GRACE_S)


def _is_over(command: child.Child) -> bool:
    code = command.exit_code()
    if code is None:
        return False
    if code:
        program = command.program
        raise StackFailed(
            f"`{program.name}` ended with exit code {code}; the end of {program.log}:\n"
            f"{child.tail(program.log)}"
        )
    return True
