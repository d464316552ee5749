"""A quick look at a text passes over nothing that the whole reading would have found."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.extraction.conftest import OWN_CASES
from trackrecord.extraction import Extraction, default_rules, extract, looks, notation
from trackrecord.extraction.document import READ_AT_EACH_END, Document
from trackrecord.extraction.folding import fold
from trackrecord.extraction.lines import scan
from trackrecord.extraction.objects import roots_of
from trackrecord.extraction.ruleset import RuleSet, pattern_set
from trackrecord.extraction.words import Words

RULES = default_rules()
OBJECT_SCRAPS = (
    "{", "[", "(", "<", "}", "=", ":", " ", "\n", "\u200b", '"', "'", "a", "B", "Ab", "é", "Éé",
    "买", "_x", "None", "1", ".5", "x=", "y='b'", "{a", '{"b"', "[{", "[('", "Sig(", "Sig[k=",
    "<Bar", "<Bar: v=", "$", "-", ",", "\ud800",
)  # fmt: skip
# ruff: noqa: RUF001 - that these characters look like others is the point
LOOK_ALIKES = "−‐’“：、。→»│【】（％￥İı\u2028⁰₅５Ａ\u2003éß买🟢ｱ①\ufb01𝐀\ud800aA1 \n|"


BEHIND = "\n\n="
"""A sign of objects, so that whether there are any is not ruled out by its absence."""


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.sampled_from(OBJECT_SCRAPS), max_size=14).map("".join))
def test_no_object_is_passed_over(text: str) -> None:
    document = Document(text + BEHIND, RULES)
    found = [root.start for root in roots_of(document)]
    full = [root.start for root in notation.find(document.folded, 0, len(document.folded))]
    assert found == full


def test_one_pass_over_a_line_answers_each_question_as_a_pass_of_its_own() -> None:
    alone = [(bit, pattern_set([pattern])) for bit, pattern in looks.registered()]
    assert len({bit for bit, _ in alone}) > 10
    for case in OWN_CASES[::3]:
        for line in fold(case["text"]).split("\n"):
            expected = 0
            for bit, pattern in alone:
                expected |= bit if pattern.Match(line.encode()) else 0
            assert looks.answers(line) == expected


def test_words_of_many_questions_in_any_order_are_looked_at_in_time() -> None:
    rng = random.Random(7)
    words = ["closed ", "made ", "5%", "result ", "gross ", "net ", "exit ", "{", "a=", "[",
             "start ", "fell ", "profit ", "12,3", "buy ", "open ", "hold ", "\n"]  # fmt: skip
    text = "".join(rng.choices(words, k=200_000))
    started = time.process_time()
    looks.answers(text)
    # It takes 0.2 s; patterns that count what may begin at each place take many times as long.
    assert time.process_time() - started < 1.5


def test_a_look_that_failed_rules_nothing_out() -> None:
    assert looks.bits_of([], [0, 1, 2]) == looks.ALL
    assert looks.bits_of([0, 2], [0, 1, 2]) == 2


class Failing:
    """A look at a line that fails each time, as one does that runs out of memory."""

    def Match(self, text: bytes) -> list[int]:  # noqa: N802 - as RE2 calls it
        assert isinstance(text, bytes)
        return []


def test_what_is_read_without_quick_looks_is_read_with_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = [case["text"] for case in OWN_CASES]
    read = [answer(extract(text)) for text in texts]
    looks.answers("")  # so that they are there to be replaced
    monkeypatch.setattr(looks.QUESTIONS, "together", Failing())
    assert looks.answers("nothing") == looks.ALL
    slow = RuleSet(RULES.packs, "without quick looks")
    monkeypatch.setattr(slow, "_line_set", Failing())
    assert slow.blocks_on("nothing") == (looks.ALL, looks.ALL, looks.ALL)
    for text, expected in zip(texts, read, strict=True):
        assert answer(extract(text, rules=slow)) == expected, text


def answer(extraction: Extraction) -> tuple[object, ...]:
    return extraction.recommendations, extraction.result, extraction.evidence, extraction.rejected


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=LOOK_ALIKES, max_size=60))
def test_characters_are_folded_each_by_itself(text: str) -> None:
    assert fold(text) == "".join(fold(character) for character in text)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.characters(min_codepoint=0xE3), max_size=60))
def test_many_kinds_of_characters_are_folded_each_by_itself(text: str) -> None:
    assert fold(text) == "".join(fold(character) for character in text)


@pytest.mark.parametrize(
    "supposing",
    ["If all goes well, the", "WHEN closed the", "once sold the", "it would be a", "could be",
     "aiming for a", "the goal is", "planned", "hopes for", "Expected"],
)  # fmt: skip
def test_what_is_supposed_is_no_result(supposing: str) -> None:
    assert extract(f"{supposing} total profit: 5%").result.return_pct is None
    assert extract("the total profit: 5%").result.return_pct == 5


def test_the_ends_of_a_long_text_are_cut_as_all_other_lines_are() -> None:
    rng = random.Random(7)
    parts = [case["text"] for case in OWN_CASES]
    text = ""
    while len(text) <= 2 * READ_AT_EACH_END + 1000:
        text += rng.choice(parts) + "\n" + str(rng.random()) + "\n"
    folded = fold(text)
    document = Document(text, RULES)
    size = len(folded)
    letters, starts = "", []
    for begin, end in ((0, READ_AT_EACH_END), (size - READ_AT_EACH_END, size)):
        for start, _, tokens in scan(Words(RULES), folded, begin, end):
            letters += tokens.shape
            starts += [start + at for at in tokens.starts]
    assert document.letters == letters
    assert document.starts == starts
