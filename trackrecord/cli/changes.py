"""What ``trackrecord up`` changes about a stack that already runs, and what it cannot."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from trackrecord.cli.common import notes

if TYPE_CHECKING:
    from trackrecord.local.state import StackState, StageSpec


@dataclass(frozen=True)
class Asked:
    """What the options of ``up`` ask for; None where they say nothing.

    Attributes:
        workers: Processes by stage.
        restart: Whether what dies is started again.
        ports: Of ``kafka`` and ``postgres``.
        topic_prefix: Of the environment's settings.
    """

    workers: dict[str, int]
    restart: bool | None
    ports: dict[str, int | None]
    topic_prefix: str


def change(home: Path, asked: Asked, specs: list[StageSpec], timeout: float) -> StackState:
    """Bring a running stack to what is asked for, and say each change.

    Args:
        home: Its folder.
        asked: What is asked for.
        specs: How the stages are run.
        timeout: How many seconds each part may take to start or stop.

    Returns:
        Its state, healthy.

    Raises:
        StackFailed: Something asked for cannot be changed while it runs, and nothing was; or
            something did not get healthy.
    """
    from trackrecord.local.errors import StackFailed
    from trackrecord.local.stack import Stack
    from trackrecord.local.state import DOWN, StageSpec

    state = Stack.read_state(home)
    if state is None:
        raise StackFailed(f"the stack under {home} ended meanwhile: run `trackrecord up` again")
    if fixed := cannot_change(state, asked):
        raise StackFailed(
            f"a stack runs under {home} already, and {'; '.join(fixed)}: this cannot be changed "
            "while it runs. `trackrecord down`, then `trackrecord up` with these options; its "
            "data stays"
        )
    notes.print(f"a stack runs under {home} already", style="dim")
    by_name = {spec.name: spec for spec in specs}
    for stage, count in asked.workers.items():
        before = state.workers(stage)
        if before == count:
            continue
        notes.print(f"{stage}: {before} -> {count} process(es)", style="dim")
        spec = by_name.get(stage) or StageSpec(stage, 0, [])
        state = Stack.set_workers(home, spec, timeout=timeout)
    if asked.restart is not None and asked.restart != state.restart:
        words = "is started again" if asked.restart else "stays down"
        notes.print(f"what dies {words} from now on", style="dim")
        state = Stack.restart_what_dies(home, wanted=asked.restart)
    for one in state.processes:
        if one.state == DOWN:
            notes.print(f"{one.label} was down ({one.why or 'stopped'}): starting it", style="dim")
            Stack.start(home, one.stage, one.instance, timeout=timeout)
    return Stack.await_healthy(home, timeout=timeout)


def cannot_change(state: StackState, asked: Asked) -> list[str]:
    """What is asked for and is another in the stack that runs, in words."""
    now = {
        "kafka": state.kafka.rpartition(":")[2],
        "postgres": str(urlsplit(state.database_url).port or "") if state.database_url else "",
    }
    found = [
        f"its {name} listens on port {now[name]}, not {port}"
        for name, port in asked.ports.items()
        if port is not None and now[name] and str(port) != now[name]
    ]
    if asked.topic_prefix != state.topic_prefix:
        found.append(
            f"the prefix of its topics is {state.topic_prefix!r}, not {asked.topic_prefix!r} "
            "(TRACKRECORD_TOPIC_PREFIX)"
        )
    return found
