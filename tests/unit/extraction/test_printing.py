"""What the page on printing says is read, is; and what it says is refused, is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from trackrecord.accuracy import differences, read_label
from trackrecord.extraction import extract

PAGE = (Path(__file__).parents[3] / "docs/printing.md").read_text("utf-8")
EXAMPLES = re.findall(
    r"^```text\n(.*?)\n```\n\n```json\n(.*?)\n```", PAGE, re.DOTALL | re.MULTILINE
)
REFUSED = re.findall(r"^\| `(.+)` \| ", PAGE, re.MULTILINE)
LABELLED = re.findall(r'^\{"id".*$', PAGE, re.MULTILINE)


def test_the_page_has_examples_of_every_kind() -> None:
    assert len(EXAMPLES) == PAGE.count("```text") >= 6
    assert len(REFUSED) >= 8
    assert len(LABELLED) == 2


@pytest.mark.parametrize(("text", "gold"), EXAMPLES)
def test_an_example_is_read_as_the_page_says(text: str, gold: str) -> None:
    label = read_label(json.dumps({"text": text, "gold": json.loads(gold)}))
    assert differences(label, extract(text)) == []


@pytest.mark.parametrize("text", REFUSED)
def test_what_the_page_says_is_refused_recommends_nothing(text: str) -> None:
    assert extract(text).recommendations == ()


@pytest.mark.parametrize("line", LABELLED)
def test_a_labelled_line_of_the_page_is_read_as_labelled(line: str) -> None:
    label = read_label(line)
    assert differences(label, extract(label.text)) == []
