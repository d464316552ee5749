"""``trackrecord report --scripts --refused``: why outputs recommend nothing, with examples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from rich.padding import Padding
from rich.text import Text

from trackrecord.cli.common import answer, load, screen
from trackrecord.cli.text import printable

_SHOWN: Final = 3
"""Scripts that are shown of each reason."""


def show_refused(home: Path, *, as_json: bool) -> None:
    """Show what outputs were refused for.

    Args:
        home: Of the local stack.
        as_json: Whether to answer in JSON, with every script.
    """
    from trackrecord.reports.refused import read_refused

    found = read_refused(load(home, database=True))
    if as_json:
        answer(found)
    elif not found["runs"]:
        screen.print("no script has run yet: try `trackrecord run-script PATH`")
    elif not found["refused"]:
        screen.print(
            "no output was refused: each of "
            f"{_counted(found['runs'], 'run')} recommends something or reports a result"
        )
    else:
        for line in refused_lines(found):
            screen.print(line)


def refused_lines(found: dict[str, Any]) -> Iterator[Any]:
    """What is printed of each reason, the most frequent first.

    Args:
        found: From :func:`~trackrecord.reports.refused.read_refused`.
    """
    yield f"{found['refused']:,} of {_counted(found['runs'], 'output')} recommend nothing"
    for group in found["reasons"]:
        yield ""
        shown = Text(f"{_counted(group['outputs'], 'output')}: {group['reason']}", style="bold")
        yield shown.append(f" ({group['rule']})", style="not bold")
        for one in group["scripts"][:_SHOWN]:
            name, run = printable(one["script"]), printable(one["execution_id"])
            times = "once" if one["outputs"] == 1 else f"{one['outputs']:,} times"
            last = one["last_at"][:16].replace("T", " ")
            since = "" if one["outputs"] == 1 else f" since {one['first_at'][:10]}, last"
            yield Padding(
                Text(f"{name}: {times}{since} {last}, run {run}"), (0, 0, 0, 2), expand=False
            )
            if one["excerpt"]:
                yield Padding(
                    Text(printable(one["excerpt"]), style="dim"), (0, 0, 0, 4), expand=False
                )
        more = len(group["scripts"]) - _SHOWN
        if more > 0:
            yield f"  and {_counted(more, 'script')} more: --json lists them"
    yield ""
    yield (
        "`trackrecord extract --explain FILE` shows what is read of an output and why;"
        " docs/printing.md says how to print."
    )


def _counted(count: int, name: str) -> str:
    return f"{count:,} {name}{'' if count == 1 else 's'}"
