"""What comes from outside is shown as text: no markup, no control, no letter in another's place."""

from __future__ import annotations

import io
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text

from trackrecord.cli.text import TextConsole, json_text, printable, printable_bytes

HOSTILE = "[/bold]\x1b]0;TITLE\x07\x1b[2J\x9b31m\u202e:smile:"


def console() -> tuple[TextConsole, io.StringIO]:
    made = TextConsole(width=200)
    made.file = written = io.StringIO()
    return made, written


def is_harmless(text: str) -> bool:
    return not any(
        unicodedata.category(each) == "Cc" or each in "\u202a\u202e\u2066\u200f\u2028"
        for each in text.replace("\n", "")
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ü 漢字 🙂", "plain ü 漢字 🙂"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\x9b\u202e\ufeff", "\\x9b\\u202e\\ufeff"),
        ("\ud800", "\\ud800"),
        ("क्‍ष", "क्‍ष"),  # a joiner that the language writes with
    ],
)
def test_control_characters_are_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_lines_and_tabs_stay_where_they_are_asked_for() -> None:
    assert printable("a\n\tb\r\x1b", lines=True) == "a\n\tb\\r\\x1b"


def test_bytes_that_are_no_text_are_shown_too() -> None:
    assert printable_bytes(b"\xff\x1b") == "\\xff\\x1b"
    assert printable_bytes(None) is None


@pytest.mark.parametrize("made", [str, Text])
def test_a_table_shows_a_hostile_name_as_it_stands(made: type) -> None:
    screen, written = console()
    table = Table("name", box=None)
    table.add_row(made(HOSTILE))
    screen.print(table)
    assert is_harmless(written.getvalue())
    assert "[/bold]" in written.getvalue()
    assert ":smile:" in written.getvalue()


def test_a_line_shows_a_hostile_name_as_it_stands() -> None:
    screen, written = console()
    screen.print(f"the signal {HOSTILE}", style="bold")
    assert is_harmless(written.getvalue())
    assert "\\x1b]0;TITLE\\x07" in written.getvalue()


@given(st.text(st.characters()))
def test_json_reads_back_as_the_same_and_is_harmless(text: str) -> None:
    written = json_text({"name": text})
    assert json.loads(written) == {"name": text}
    assert is_harmless(written)
