"""What ``trackrecord extract`` does: read a text, read lines, check labels or rule packs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from trackrecord.cli.common import InputError, read_input
from trackrecord.cli.extract_check import check_labelled
from trackrecord.extraction import Extraction, PackError, RuleSet, default_rules, extract
from trackrecord.extraction.checks import Failure, check_rules

_NO: Final = 1
_COULD_NOT: Final = 2
_COLOURS: Final = {
    "action": "bold green",
    "symbol": "bold cyan",
    "entry_price": "yellow",
    "target_price": "blue",
    "stop_loss": "red",
    "confidence": "magenta",
    "return_pct": "bold yellow",
    "outcome": "bold yellow",
}


def _fail(message: str) -> typer.Exit:
    print(f"trackrecord extract: {message}", file=sys.stderr)  # noqa: T201 - one clear line
    return typer.Exit(_COULD_NOT)


def rules_with(files: list[Path]) -> RuleSet | None:
    """The rules with packs of the user's added; None for those that come with it."""
    if not files:
        return None
    try:
        sources = [(str(path), path.read_text("utf-8")) for path in files]
        return default_rules().extended(sources)
    except OSError as error:
        raise _fail(f"cannot read the rules {error.filename}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise _fail(f"the rules are not UTF-8: {error.reason} at byte {error.start}") from None
    except PackError as error:
        raise _fail(str(error)) from None


def read_text(
    file: Path | None,
    rules: RuleSet | None,
    symbol: str | None,
    *,
    as_json: bool,
    explain: bool,
) -> None:
    """Read one text, and show what it says."""
    text = _read(file)
    extraction = extract(text, symbol=symbol, rules=rules)
    if as_json:
        name = None if file is None or str(file) == "-" else str(file)
        _print_json(_answer(name, extraction, explain=explain))
    else:
        _show(text, extraction, explain=explain)


def _read(file: Path | None) -> str:
    # What a script prints may hold any bytes; an unreadable one must not hide the rest.
    try:
        content, _ = read_input(file)
    except InputError as error:
        raise _fail(str(error)) from None
    return content.decode("utf-8", "replace")


def _answer(name: object, extraction: Extraction, *, explain: bool) -> dict[str, Any]:
    answer = {"id": name, **extraction.to_json()}
    if explain:
        answer["explanation"] = extraction.explain()
    return answer


def _print_json(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer, ensure_ascii=True) + "\n")


def read_lines(
    file: Path | None, rules: RuleSet | None, symbol: str | None, *, explain: bool
) -> None:
    """Read the text of each line, and answer it with a line."""
    wrong = False
    for number, line in enumerate(_read(file).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            text = entry["text"]
            if not isinstance(text, str):
                raise TypeError  # noqa: TRY301 - told like the other ways to be wrong
        except (ValueError, KeyError, TypeError, RecursionError):
            wrong = True
            print(  # noqa: T201
                f'trackrecord extract: line {number}: expected {{"id": ..., "text": "..."}}',
                file=sys.stderr,
            )
            continue
        extraction = extract(text, symbol=symbol, rules=rules)
        _print_json(_answer(entry.get("id"), extraction, explain=explain))
    if wrong:
        raise typer.Exit(_NO)


def check_labels(
    file: Path | None, rules: RuleSet | None, symbol: str | None, *, as_json: bool
) -> None:
    """Show how many labelled texts are read as labelled, and why the others are not."""
    try:
        content, name = read_input(file)
        text = content.decode("utf-8")
    except InputError as error:
        raise _fail(str(error)) from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _fail(f"{name}, line {line}: is not UTF-8; save the file as UTF-8") from None
    try:
        all_right = check_labelled(text, rules, symbol, as_json=as_json)
    except InputError as error:
        raise _fail(f"{name}: {error}") from None
    if not all_right:
        raise typer.Exit(_NO)


def check_packs_of(rules: RuleSet | None, *, as_json: bool) -> None:
    """Run the tests inside rule packs."""
    used = default_rules() if rules is None else rules
    failures = check_rules(used)
    if as_json:
        _print_json(
            {
                "valid": not failures,
                "tests": len(used.cases),
                "extractor_version": used.version,
                "failures": [
                    {
                        "text": item.text,
                        "field": item.field,
                        "expected": item.expected,
                        "got": item.got,
                    }
                    for item in failures
                ],
            }
        )
    else:
        console = Console()
        for failure in failures:
            console.print(f"[red]{escape(_told(failure))}[/red]")
        passed = f"{len(used.cases) - len({item.text for item in failures})} of {len(used.cases)}"
        console.print(f"{passed} tests of {len(used.packs)} rule packs pass; {used.version}")
    if failures:
        raise typer.Exit(_NO)


def _told(failure: Failure) -> str:
    return f"{failure.text!r}: {failure.field} is {failure.got!r}, expected {failure.expected!r}"


def _show(text: str, extraction: Extraction, *, explain: bool) -> None:
    console = Console()
    if explain:
        console.print(_coloured(text, extraction))
        console.print()
    if extraction.recommendations:
        table = Table(title=None)
        for column in ("action", "symbol", "entry", "target", "stop", "confidence"):
            table.add_column(column, justify="left" if column in {"action", "symbol"} else "right")
        for item in extraction.recommendations:
            cells = (item.action, item.symbol, item.entry_price, item.target_price, item.stop_loss)
            sure = "" if item.confidence is None else f"{item.confidence:.0%}"
            table.add_row(*["" if cell is None else escape(str(cell)) for cell in cells], sure)
        console.print(table)
    else:
        console.print("No recommendation." + _why_not(extraction))
    result = extraction.result
    if result.outcome is not None or result.return_pct is not None:
        percent = "" if result.return_pct is None else f" {result.return_pct:+} %"
        console.print(f"Result: {result.outcome or 'mixed'}{percent}")
    console.print(f"Final action: {extraction.final_action or 'none'}")
    if explain:
        _show_reasons(console, extraction)


def _why_not(extraction: Extraction) -> str:
    for item in extraction.rejected:
        if not item.candidate.startswith("result"):
            return f" {escape(item.candidate)} was refused: {escape(item.reason)}."
    return " The text names no action."


def _coloured(text: str, extraction: Extraction) -> Text:
    shown = Text(text)
    for refused in extraction.rejected:
        shown.stylize("dim strike", refused.start, refused.end)
    for item in extraction.evidence:
        shown.stylize(_COLOURS.get(item.field.rsplit(".", 1)[-1], "bold"), item.start, item.end)
    return shown


def _show_reasons(console: Console, extraction: Extraction) -> None:
    table = Table("field", "value", "rule", "characters")
    for row in _reasons(extraction):
        table.add_row(*[escape(cell) for cell in row])
    if table.row_count:
        console.print(table)
    if extraction.rejected:
        losers = Table("refused", "why", "rule", "characters")
        for item in extraction.rejected:
            span = f"{item.start}-{item.end}"
            losers.add_row(escape(item.candidate), escape(item.reason), escape(item.rule), span)
        console.print(losers)
    console.print(f"[dim]{extraction.extractor_version}[/dim]")


def _reasons(extraction: Extraction) -> Iterator[tuple[str, str, str, str]]:
    for item in extraction.evidence:
        yield item.field, item.value, item.rule, f"{item.start}-{item.end}"
