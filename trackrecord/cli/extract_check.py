"""``trackrecord extract --check``: how right labelled texts are read, and where they are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from trackrecord.accuracy import (
    FIELDS,
    RESULT_FIELDS,
    Difference,
    Label,
    LabelError,
    differences,
    figures,
    read_label,
)
from trackrecord.cli.common import InputError, answer, notes, screen
from trackrecord.cli.progress import shown
from trackrecord.cli.text import printable
from trackrecord.extraction import Extraction, RuleSet, default_rules, extract

_MOST_ERRORS: Final = 10
"""Lines that are named where more are wrong."""
_LONGEST_WORDS: Final = 60
_EVERY: Final = 20
"""Texts between two movements of the bar."""
_MEANING: Final = {
    "action_recall": "of texts that decide, the final action is read",
    "refusal": "of texts that decide nothing, none is read",
    "precision": "of final actions that are read, they are right",
    "all_right": "of all texts, the final action is as labelled",
}


class Labelled(NamedTuple):
    """A labelled text, where it stands and what is read of it."""

    line: int
    label: Label
    read: Extraction
    differences: list[Difference]


def check_labelled(
    content: str, rules: RuleSet | None, symbol: str | None, *, as_json: bool
) -> bool:
    """Read labelled texts, and show figures and differences.

    Args:
        content: JSON lines of labelled texts.
        rules: Those to read with, by default the packaged ones.
        symbol: To use where a text names none.
        as_json: Whether to answer in JSON.

    Returns:
        Whether all are read as labelled.

    Raises:
        InputError: Lines are wrong; each is named, with what is wanted.
    """
    labels = _labels(content)
    checked: list[Labelled] = []
    with shown(notes) as progress:
        for done, (line, label) in enumerate(labels, start=1):
            found = extract(label.text, symbol=symbol, rules=rules)
            checked.append(Labelled(line, label, found, differences(label, found)))
            if done % _EVERY == 0 or done == len(labels):
                progress("reading", done, len(labels))
    version = (default_rules() if rules is None else rules).version
    misses = [each for each in checked if each.differences]
    row = figures((each.read.to_json(), each.label.gold) for each in checked)
    if as_json:
        answer(
            {
                "extractor_version": version,
                "as_labelled": len(checked) - len(misses),
                "figures": row,
                "misses": [_as_fields(each) for each in misses],
            }
        )
    else:
        right = f"{len(checked) - len(misses):,} of {len(checked):,} texts are read as labelled"
        screen.print(f"{right} ({version})")
        screen.print(figures_table(row))
        for each in misses:
            for part in _miss(each):
                screen.print(part)
    return not misses


def _labels(content: str) -> list[tuple[int, Label]]:
    labels: list[tuple[int, Label]] = []
    errors: list[str] = []
    # Other line ends, such as U+2028, may stand inside a string.
    for number, line in enumerate(content.removeprefix("\ufeff").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            labels.append((number, read_label(line)))
        except LabelError as error:
            errors.append(printable(f"line {number}: {error}"))
    if len(errors) > _MOST_ERRORS:
        left = len(errors) - _MOST_ERRORS
        errors[_MOST_ERRORS:] = [f"and {left:,} {'line' if left == 1 else 'lines'} more"]
    if errors:
        raise InputError("\n".join(errors))
    if not labels:
        raise InputError('it holds no text: write lines such as {"text": "...", "gold": {...}}')
    return labels


def figures_table(row: dict[str, Any]) -> Table:
    """A table of the figures: shares of final actions, then F1 of each field.

    Args:
        row: From :func:`trackrecord.accuracy.figures`.
    """
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("figure", no_wrap=True)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("what it says")
    for name, meaning in _MEANING.items():
        table.add_row(name.replace("_", " "), _percent(row[name]), meaning)
    for number, name in enumerate((*FIELDS, *RESULT_FIELDS)):
        meaning = "F1" if number else "F1 of its values: 2 x right / (read + wanted)"
        table.add_row(name.replace("_", " "), _percent(row[name]), meaning)
    return table


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _miss(each: Labelled) -> Iterator[Any]:
    name = "" if each.label.name is None else f", {printable(str(each.label.name))}"
    yield Text(f"\nline {each.line}{name}", style="bold")
    for one in each.differences:
        words = f"{one.field}: wanted {_value(one.wanted)}, read {_value(one.read)}"
        yield _indented(words, 2)
        for reason in one.reasons:
            place = f"text line {reason.line}, {_words(reason.words)}"
            yield _indented(f"{place}: {reason.why} ({reason.rule})", 4, "dim")
        if not one.reasons and one.read is None:
            yield _indented("no word of the text was taken for it", 4, "dim")


def _indented(words: str, columns: int, style: str = "") -> Padding:
    return Padding(Text(words, style=style), (0, 0, 0, columns), expand=False)


def _value(value: Any) -> str:
    return "none" if value is None else printable(str(value))


def _words(words: str) -> str:
    short = words if len(words) <= _LONGEST_WORDS else words[:_LONGEST_WORDS] + "…"
    return f'"{printable(short)}"'


def _as_fields(each: Labelled) -> dict[str, Any]:
    return {
        "line": each.line,
        "id": each.label.name,
        "tags": list(each.label.tags),
        "differences": _differences(each.differences),
        "read": each.read.to_json(),
        "explanation": each.read.explain(),
    }


def _differences(found: Sequence[Difference]) -> list[dict[str, Any]]:
    return [
        {**one._asdict(), "reasons": [reason._asdict() for reason in one.reasons]} for one in found
    ]
