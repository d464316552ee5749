"""``trackrecord publish``: events from a file of JSON lines."""

from __future__ import annotations

import codecs
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Final

import typer

from trackrecord.cli.common import DEFAULT_HOME, HomeOption, JsonOption, load, notes, screen
from trackrecord.events import InvalidEventError

if TYPE_CHECKING:
    from trackrecord.publishing.lines import Checked
    from trackrecord.publishing.outgoing import Shelf

_HEAD: Final = 1_048_576
"""Bytes of a file in which an event that is spread over lines is looked for."""
_NAMED: Final = 50
"""Lines that a person is told of one by one."""


def publish(
    file: Annotated[
        Path | None, typer.Argument(help="JSON lines; standard input if left out or '-'")
    ] = None,
    skip_invalid: Annotated[
        bool,
        typer.Option("--skip-invalid", help="Send the valid lines even if others are invalid."),
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Publish events from JSON lines: {"type": "signal_emitted", "data": {...}, "id"?: "..."}.

    All lines are checked before the first is sent. If a line is invalid, its number and the reason
    are shown and nothing is sent, unless --skip-invalid is given. A line that looks like a mistake,
    such as a time in the future, is sent with a warning.
    """
    with _opened(file) as source:
        checked = _check(source, progress=not as_json)
    with checked.events, checked.refused, checked.warnings:
        _show(checked.refused, "red")
        _show(checked.warnings, "yellow")
        published = 0
        if len(checked.events) and (skip_invalid or not len(checked.refused)):
            from trackrecord.publishing.outgoing import messages
            from trackrecord.publishing.send import send_messages

            published = send_messages(
                load(home, broker=True),
                messages(checked.events),
                len(checked.events),
                checked.types,
                source="/cli",
                progress=not as_json,
            )
        if as_json:
            _write_json(published, checked)
        else:
            screen.print(f"published {published}, refused {len(checked.refused)}")
        if len(checked.refused):
            raise typer.Exit(1)


@contextmanager
def _opened(file: Path | None) -> Iterator[IO[bytes]]:
    """A file, or standard input, as one that can be read twice."""
    try:
        if file is not None and str(file) != "-":
            with file.open("rb") as source:
                if source.seekable():
                    yield source
                    return
                yield from _kept(source)
                return
    except OSError as error:
        raise InvalidEventError(f"cannot read {file}: {error.strerror}") from None
    yield from _kept(sys.stdin.buffer)


def _kept(source: IO[bytes]) -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile() as kept:
        shutil.copyfileobj(source, kept, _HEAD)
        kept.seek(0)
        yield kept


def _check(source: IO[bytes], *, progress: bool) -> Checked:
    from trackrecord.clock import SYSTEM_CLOCK
    from trackrecord.publishing.lines import check, nothing

    head = source.read(_HEAD).removeprefix(codecs.BOM_UTF8)
    if spread := spread_over_lines(head):
        checked = nothing()
        checked.refused.put([spread])
        return checked
    size = source.seek(0, 2)
    source.seek(0)
    if source.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
        source.seek(0)
    with _bar(size, progress=progress) as advance:
        return check(source, SYSTEM_CLOCK.now(), advance)


@contextmanager
def _bar(size: int, *, progress: bool) -> Iterator[Callable[[int], None]]:
    from rich.progress import Progress

    # Where no terminal reads, a bar would leave an empty line and nothing else.
    shown = progress and notes.is_terminal
    with Progress(console=notes, transient=True, disable=not shown) as bar:
        task = bar.add_task("checking", total=size)
        yield lambda read: bar.update(task, advance=read)


def _show(problems: Shelf, style: str) -> None:
    for problem in islice(problems, _NAMED):
        notes.print(f"line {problem['line']}: {problem['reason']}", style=style, markup=False)
    if len(problems) > _NAMED:
        notes.print(f"and {len(problems) - _NAMED:,} more, all of which --json names", style=style)


def _write_json(published: int, checked: Checked) -> None:
    """As ``answer`` would, without all problems in memory."""
    write = sys.stdout.write
    write(f'{{\n  "published": {published}')
    for name, problems in (("refused", checked.refused), ("warnings", checked.warnings)):
        write(f',\n  "{name}": [')
        for place, problem in enumerate(problems):
            write(f"{',' if place else ''}\n    {json.dumps(problem, ensure_ascii=False)}")
        write("\n  ]" if len(problems) else "]")
    write("\n}\n")
    sys.stdout.flush()


def spread_over_lines(raw: bytes) -> dict[str, Any] | None:
    """What is wrong where one JSON value takes several lines: a pretty-printed event, or a list."""
    begin = len(raw) - len(raw.lstrip())
    number = raw.count(b"\n", 0, begin) + 1
    first, _, rest = raw[begin:].partition(b"\n")
    if not rest.strip() or not first.startswith((b"{", b"[")):
        return None
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        pass
    else:
        return None  # the first line stands for itself
    try:
        value, _ = json.JSONDecoder().raw_decode(raw[begin:].decode())
    except (ValueError, RecursionError):
        return None  # merely broken: each line says why
    kind = "a list" if isinstance(value, list) else "one object"
    return {
        "line": number,
        "reason": f"{kind} over several lines, and an event is one line: write each as "
        '{"type": "...", "data": {...}} on a line of its own (`jq -c` does it)',
    }
