"""``trackrecord strategy sandbox``: what isolation there really is."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import typer

from trackrecord.cli.common import JsonOption, answer, screen
from trackrecord.cli.strategy import app

if TYPE_CHECKING:
    from trackrecord.sandbox.isolation import Isolation

_NO: Final = 1


@app.command("sandbox", epilog="Example: trackrecord strategy sandbox --json")
def sandbox_command(*, as_json: JsonOption = False) -> None:
    """Try to get out of the sandbox, and say what was found.

    A probe under the same wrapper as the workers tries to open files, to connect, to start
    processes and more; what is told is what the kernel answered, and what it says of a worker
    that runs. Exit code 1: it is less than TRACKRECORD_SANDBOX_LEAST asks for.
    """
    from trackrecord.runtime.settings import load_settings
    from trackrecord.sandbox.from_settings import limits_of
    from trackrecord.sandbox.isolation import LEVELS
    from trackrecord.sandbox.monty import MontyExecutor

    settings = load_settings()
    limits = limits_of(settings)
    with MontyExecutor(limits) as executor:
        found = executor.isolation()
        worker = executor.worker()
    least = settings.sandbox_least
    enough = LEVELS.index(found.level) >= LEVELS.index(least)
    told: dict[str, Any] = {
        "level": found.level,
        "least": least,
        "enough": enough,
        "layers": [
            *found.wrapper.layers,
            *(["bubblewrap"] if found.wrapper.bubblewrap else []),
        ],
        "missing": found.missing,
        "attempts": [
            {"attempt": each.name, "what": each.what, "refused": each.refused, "how": each.how}
            for each in found.attempts
        ],
        "probe": found.process,
        "worker": worker,
        "limits": {"seconds": limits.seconds, "memory_mb": limits.memory_mb},
        "monty": version("pydantic-monty"),
    }
    if as_json:
        answer(told)
    else:
        _show(found, told)
    if not enough:
        raise typer.Exit(_NO)


def _show(found: Isolation, told: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table(box=None)
    for name in ("tried", "", "answer"):
        table.add_column(name)
    for each in found.attempts:
        table.add_row(each.what, "refused" if each.refused else "WORKED", each.how)
    screen.print(table)
    for layer, why in found.missing.items():
        screen.print(f"{layer} is not here: {why}")
    worker = told["worker"]
    if worker:
        screen.print(
            f"a worker: seccomp {worker['seccomp']}, "
            f"{'no new privileges' if worker['no_new_privs'] else 'may gain privileges'}, "
            f"capabilities {worker['capabilities']:x}, descriptors {worker['descriptors']}, "
            f"own namespaces: {', '.join(worker['own_namespaces']) or 'none'}"
        )
    screen.print(
        f"isolation: {told['level']} ({', '.join(told['layers']) or 'no layers'}); "
        f"{'enough' if told['enough'] else 'NOT enough'} for TRACKRECORD_SANDBOX_LEAST="
        f"{told['least']}"
    )
