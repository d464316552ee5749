"""A place in a sentence from which patterns are tried, and what has been said so far."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from trackrecord.errors import TrackrecordError
from trackrecord.strategies.rules.model import Operand
from trackrecord.strategies.sentences.tokens import Token

DAY: Final = r"(?:trading |market |calendar |business )?(?:days?|bars?|sessions?|candles?|candlesticks?|periods?|d)"
SPAN: Final = rf"(?:{DAY}|weeks?|months?|years?|yr|wk|w)"
N: Final = r"(?<![\d.])(\d+(?:\.\d+)?)(?!\d)"
SIGNED: Final = r"(?<![\d.])(-?\d+(?:\.\d+)?)(?!\d)"


_YEARS: Final = {52.0: 252.0, 26.0: 126.0, 13.0: 63.0, 104.0: 504.0}
"""Weeks that mean parts of a year, of 252 bars."""


class Mark(NamedTuple):
    """A place to come back to, and what had been said there."""

    place: int
    subject: Operand | None
    cross: tuple[Operand, Operand] | None
    notes: int
    problems: int
    said: int
    beside: Operand | None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{pattern})(?:(?= |$)|(?<= ))")


MOST_STEPS: Final = 60_000
"""Patterns that are tried on a sentence; the longest of the tests' take a ninth of it."""


class TangledError(TrackrecordError):
    """A sentence has so many ways of being read that it is given up."""


class Problemed(NamedTuple):
    """Something that was understood and cannot be."""

    code: str
    message: str


class Cursor:
    """Reads a sentence from left to right.

    Attributes:
        subject: What the last condition was about: what "it" means.
        beside: What the last condition compared its subject with.
        cross: The two sides of the last cross: what "crosses back" means.
        notes: What was assumed, in words.
        problems: What was understood and cannot be.
        said: Settings with which indicators were named.
    """

    def __init__(self, cut: list[Token]) -> None:
        self.tokens = cut
        self.text = " ".join(token.text for token in cut)
        self.at = 0
        self.steps = 0
        self.subject: Operand | None = None
        self.cross: tuple[Operand, Operand] | None = None
        self.beside: Operand | None = None
        self.notes: list[str] = []
        self.problems: list[Problemed] = []
        self.said: list[tuple[str, tuple[float, ...]]] = []

    def mark(self) -> Mark:
        """Where it is."""
        return Mark(self.at, self.subject, self.cross, len(self.notes), len(self.problems),
                    len(self.said), self.beside)  # fmt: skip

    def back(self, mark: Mark) -> None:
        """Return to a mark, and forget what was read since."""
        self.at, self.subject, self.cross = mark.place, mark.subject, mark.cross
        del self.notes[mark.notes :]
        del self.problems[mark.problems :]
        del self.said[mark.said :]
        self.beside = mark.beside

    def peek(self, pattern: str) -> re.Match[str] | None:
        """Whether a pattern stands here, up to the end of a word."""
        return _compiled(pattern).match(self.text, self.at)

    def eat(self, pattern: str) -> re.Match[str] | None:
        """Read a pattern, if it stands here."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise TangledError
        found = _compiled(pattern).match(self.text, self.at)
        if found is not None:
            self.at = found.end()
            if self.at < len(self.text) and self.text[self.at] == " ":
                self.at += 1
        return found

    def done(self) -> bool:
        """Whether everything is read."""
        return self.at >= len(self.text)

    def note(self, words: str) -> None:
        """Say that something is assumed."""
        if words not in self.notes:
            self.notes.append(words)

    def problem(self, code: str, message: str) -> None:
        """Say that something cannot be."""
        if all(problem.message != message for problem in self.problems):
            self.problems.append(Problemed(code, message))

    def span(self, number: str, unit: str) -> int:
        """So many days, weeks, months or years as bars."""
        per = {"w": 5, "m": 21, "y": 252}.get(unit[0], 1)
        if unit.startswith("market"):
            per = 1
        if per > 1 and not (per == 5 and float(number) in _YEARS):  # noqa: PLR2004
            name = {5: "week", 21: "month", 252: "year"}[per]
            self.note(f"a {name} is {per} daily bars")
        value = float(number) * per
        if per == 5 and float(number) in _YEARS:  # noqa: PLR2004
            value = _YEARS[float(number)]
            self.note(f"{number} weeks are {value:g} daily bars")
        if value != int(value):
            self.problem("range", f"{number} {unit} is not a whole number of bars")
        if unit.startswith("calendar"):
            self.note("calendar days are counted as bars")
        return int(value)
