"""A sentence as words, numbers and signs, each with its place in what was written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import Final, NamedTuple

_SIGNS: Final = str.maketrans({
    "≥": "≥", "≤": "≤", "−": "-", "–": "-", "×": "x", "’": "'", "‘": "'", "“": '"',
    "”": '"', "\u00a0": " ", "\u202f": " ", "→": "→", "⇒": "→", "％": "%", "≧": "≥", "≦": "≤",
    "—": ",", "•": ",", "…": ".",
})  # fmt: skip
_TOKEN: Final = re.compile(
    r"%[kdb]\b|\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d.])|\d+(?:\.\d+)?|\.\d+|x(?=atr)|[a-z]+|>=|<=|=>|=<|->|==|!="
    r"|&&|\|\||≥|≤|→|\S"
)
_SYNONYMS: Final = {
    "percent": "%", "pct": "%", "prct": "%", "per cent": "%", "≥": ">=", "≤": "<=", "=<": "<=", "?": ".", "!": ".",
    "->": "→", "&&": "and", "&": "and", "||": "or", "|": "or", "==": "=",     "!=": "≠",
}  # fmt: skip
_CONTRACTED: Final = {
    "isn": "is", "aren": "are", "doesn": "does", "don": "do", "didn": "did", "hasn": "has",
    "wasn": "was", "won": "will", "haven": "have", "can": "can",
}  # fmt: skip
_UNITS: Final = {
    word: value
    for value, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
_TENS: Final = {
    word: value * 10
    for value, word in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2
    )
}
_SCALES: Final = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
_FACTORS: Final = {"double": "2 times", "twice": "2 times", "triple": "3 times", "thrice": "3 times",
                   "quadruple": "4 times"}  # fmt: skip
_SPANS: Final = frozenset({"day", "week", "month", "year", "bar", "session", "candle", "quarter"})
FILLERS: Final = frozenset(
    [
        "the",
        "a",
        "an",
        "please",
        "just",
        "simply",
        "always",
        "also",
        "now",
        "this",
        "that",
        "these",
        "those",
        "there",
        "me",
        "us",
        "my",
        "our",
        "we",
        "i",
        "you",
        "your",
        "want",
        "wanted",
        "would",
        "back",
        "again",
        "already",
        "currently",
        "should",
        "will",
        "could",
        "create",
        "build",
        "write",
        "design",
        "basically like",
        "strategy",
        "system",
    ]
)
"""Words without a meaning of their own wherever they stand."""


_POINTED_AT: Final = frozenset({"high", "low", "highs", "lows", "peak", "level", "average"})


class Token(NamedTuple):
    """A word, number or sign.

    Attributes:
        text: In the form in which it is read.
        start: Where it begins in the sentence.
        end: Where it ends.
    """

    text: str
    start: int
    end: int


def folded(sentence: str) -> str:
    """The sentence in small letters and plain signs, each character where it was."""
    characters = []
    for character in sentence:
        small = character.lower()
        characters.append(small if len(small) == 1 else character)
    return "".join(characters).translate(_SIGNS)


def tokens(sentence: str) -> list[Token]:
    """What a sentence is made of, without its fillers."""
    found: list[Token] = []
    joined = list(_joined(list(_cut(folded(sentence)))))
    for token, after in zip_longest(joined, joined[1:]):
        assert token is not None  # noqa: S101 - the first list is the longer one
        if token.text in {"that", "those"} and after is not None and after.text in _POINTED_AT:
            # It points at what was said before, which is not the bar's own.
            found.append(token)
            continue
        # "buy back" is how a short ends.
        covers = token.text == "back" and bool(found) and found[-1].text == "buy"
        if covers or token.text not in FILLERS:
            found.append(token)
    return found


def _cut(text: str) -> Iterator[Token]:
    previous = Token("", 0, 0)
    for match in _TOKEN.finditer(text):
        word = match.group()
        start, end = match.span()
        touching = start == previous.end
        if word == "_":
            continue
        if word == "$" and text[end : end + 1].isdigit():
            continue
        if previous.text == "'" and touching and word in {"s", "re", "ll", "ve", "d", "m"}:
            previous = Token(word, start, end)
            continue
        if word == "'" or word in {'"', "`", "*_"}:
            previous = Token(word, start, end)
            continue
        if word == "-":
            after = text[end : end + 1]
            if touching and previous.text and previous.text[-1].isalnum() and after.isalnum():
                # "20-day", "z-score"; but "10-30" is no span of anything known.
                if not (previous.text[-1].isdigit() and after.isdigit()):
                    previous = Token("-", start, end)
                    continue
            elif re.match(r"\d|\.\d", text[end : end + 2]):
                previous = Token("neg", start, end)
                continue
        if previous.text == "neg" and touching:
            start -= 1
            word = f"-{word.replace(',', '')}"
        elif word[0].isdigit() or (word[0] == "." and len(word) > 1):
            word = word.replace(",", "")
            word = f"0{word}" if word[0] == "." else word
        word = _CONTRACTED.get(word, word) if text[end : end + 2] in {"'t", "’t"} else word
        if word == "n" and text[end : end + 2] == "'t":
            word = "not"
        if word == "t" and text[start - 1 : start] == "'":
            word = "not"
        previous = Token(_SYNONYMS.get(word, word), start, end)
        yield previous


def _joined(cut: list[Token]) -> Iterator[Token]:
    """Numbers in words as numbers, and words that stand for several."""
    place = 0
    while place < len(cut):
        token = cut[place]
        after = cut[place + 1].text if place + 1 < len(cut) else ""
        if token.text in {"a", "an", "per"} and (after in _SPANS or after == "cent"):
            if after == "cent":
                yield Token("%", token.start, cut[place + 1].end)
                place += 2
                continue
            if token.text != "per":
                yield Token("1", token.start, token.end)
                place += 1
                continue
        if token.text in _FACTORS:
            for word in _FACTORS[token.text].split():
                yield Token(word, token.start, token.end)
            place += 1
            continue
        if token.text in {"+", "-"} and after == "di":
            yield Token("plusdi" if token.text == "+" else "minusdi", token.start,
                        cut[place + 1].end)  # fmt: skip
            place += 2
            continue
        if _library(cut, place):
            place += 2
            continue
        value, used = _spelled(cut, place)
        if not used and re.fullmatch(r"\d+", token.text) and _half(cut, place + 1):
            value, used = float(token.text), 1
        if used and (half := _half(cut, place + used)):
            value, used = value + 0.5, used + half
        if used:
            text = str(int(value)) if value == int(value) else str(value)
            yield Token(text, token.start, cut[place + used - 1].end)
            place += used
            continue
        yield token
        place += 1


def _half(cut: list[Token], place: int) -> int:
    """How many words "and a half" has, if it stands there."""
    words = [token.text for token in cut[place : place + 3]]
    return 3 if words in (["and", "a", "half"], ["and", "1", "half"]) else 0


def _library(cut: list[Token], place: int) -> bool:
    """Whether the name of a library stands before a function's: "ta.sma(close, 20)"."""
    if cut[place].text not in {"ta", "talib"} or place + 2 >= len(cut):
        return False
    name, dot, function = cut[place : place + 3]
    touching = name.end == dot.start and dot.end == function.start
    return dot.text == "." and touching and function.text.isalpha()


def _spelled(cut: list[Token], place: int) -> tuple[float, int]:
    """A number in words from a place on, and how many words it has."""
    total, current, used, said = 0.0, 0.0, 0, False
    while place + used < len(cut):
        word = cut[place + used].text
        if word in _TENS and not (said and current % 100):
            current += _TENS[word]
        elif word in _UNITS and not (said and current % 10 and current % 100 < 20):  # noqa: PLR2004
            if said and 10 <= current % 100 < 20:  # noqa: PLR2004
                break
            current += _UNITS[word]
        elif word in _SCALES and said:
            if word == "hundred":
                current *= 100
            else:
                total, current = total + current * _SCALES[word], 0.0
        elif word in _SCALES and not said and word == "hundred":
            current = 100.0
        elif (
            not said
            and re.fullmatch(r"\d+(?:\.\d+)?", word)
            and place + 1 < len(cut)
            and (cut[place + 1].text in {"thousand", "million"})
        ):
            total, used = float(word) * _SCALES[cut[place + 1].text], 1
            said = True
            used += 1
            break
        else:
            break
        said = True
        used += 1
    return (total + current, used) if said else (0.0, 0)
