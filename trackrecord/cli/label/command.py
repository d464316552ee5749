"""``trackrecord label``: what happened to signals on the bars that followed."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from trackrecord.cli.common import PolicyOption

if TYPE_CHECKING:
    from decimal import Decimal

_NO: Final = 1
_COULD_NOT: Final = 2


def label_command(
    file: Annotated[
        Path | None,
        typer.Argument(help="JSON lines; standard input where left out or '-'."),
    ] = None,
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Answer each line with a JSON line, for programs.")
    ] = False,
    bars: Annotated[
        Path | None,
        typer.Option(
            help="A CSV or Parquet file with the fields of market_bar, of any number of symbols. A "
            'line without "bars" takes those of its "symbol" from its "entry_time" on.'
        ),
    ] = None,
    policy: Annotated[
        PolicyOption,
        typer.Option(help="Which level counts when one bar reaches both target and stop."),
    ] = "stop_first",
    horizon: Annotated[
        int, typer.Option(min=1, help="After how many bars a signal without horizon_bars expires.")
    ] = 20,
    jumps: Annotated[
        str,
        typer.Option(
            help="A signal is void if a bar opens below the first or above the second number times "
            "the close before: an unexplained split or an error. 'off' does not look."
        ),
    ] = "0.6,1.7",
) -> None:
    """Judge signals on bars: target, stop, expired, pending or void.

    A line of input: {"id", "signal": {"side": "LONG" or "SHORT", "entry_price", "target"?, "stop"?,
    "horizon_bars"?, "entry_time"?}, "bars": [[time, open, high, low, close], ...],
    "splits"?: [[time of a bar, new shares for an old one], ...], "policy"?}; bars[0] is the entry
    bar. With --bars FILE a line may leave "bars" out, and its signal names
    "symbol" and "entry_time" instead. The answer to a line that breaks a rule is {"id", "error"},
    and the exit code is then 1.
    """
    from trackrecord.cli.common import InputError
    from trackrecord.cli.ending import if_stopped
    from trackrecord.cli.label.bar_file import read_bars
    from trackrecord.cli.label.reading import lines

    answers: list[dict[str, Any]] = []
    try:
        limits = _limits(jumps)
        with if_stopped(lambda: f"{len(answers):,} lines were judged"):
            known = None if bars is None else read_bars(bars)
        for identity, work in lines(_read(file), policy=policy, horizon=horizon, bars=known):
            answer = {"id": identity, **work(limits)}
            if as_json:
                sys.stdout.write(json.dumps(answer) + "\n")
            answers.append(answer)
    except InputError as error:
        print(f"trackrecord label: {error}", file=sys.stderr)  # noqa: T201 - one clear line
        raise typer.Exit(_COULD_NOT) from None
    if not as_json:
        _show(answers)
    if any("error" in answer for answer in answers):
        raise typer.Exit(_NO)


def _limits(text: str) -> tuple[Decimal, Decimal] | None:
    from decimal import Decimal, InvalidOperation

    from trackrecord.cli.common import InputError

    if text == "off":
        return None
    try:
        least, most = (Decimal(part) for part in text.split(","))
    except (ValueError, InvalidOperation):
        raise InputError(f"--jumps is 'least,most' such as 0.6,1.7, or 'off', not {text}") from None
    if not 0 < least < 1 < most:
        raise InputError(f"--jumps: 0 < least < 1 < most, not {text}")
    return least, most


def _read(file: Path | None) -> list[str]:
    from trackrecord.cli.common import InputError, read_input

    content, name = read_input(file)
    try:
        return content.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not UTF-8 (byte {error.start})") from None


def _show(answers: list[dict[str, Any]]) -> None:
    from rich.table import Table

    from trackrecord.cli.common import screen

    table = Table(box=None)
    for name in ("id", "outcome", "how", "exit", "price", "return", "MAE", "MFE", ""):
        table.add_column(name, justify="right" if name in {"price", "return"} else "left")
    for answer in answers:
        if "error" in answer:
            table.add_row(str(answer["id"]), "error", "", "", "", "", "", "", answer["error"])
            continue
        table.add_row(
            str(answer["id"]),
            answer["outcome"],
            answer["how"] or "",
            str(answer["exit_time"] or ""),
            "" if answer["exit_price"] is None else f"{answer['exit_price']:g}",
            *(
                "" if answer[name] is None else f"{answer[name]:+.2%}"
                for name in ("return", "mae", "mfe")
            ),
            "target and stop in one bar" if answer["ambiguous"] else answer["reason"] or "",
        )
    screen.print(table)
    counts = Counter(answer.get("outcome", "error") for answer in answers)
    screen.print(", ".join(f"{count} {name}" for name, count in counts.most_common()))
