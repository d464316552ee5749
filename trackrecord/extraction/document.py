"""A text as lines of classified tokens.

Every token has one letter (see packs.CLASSES), so that the letters of a line are a string,
its shape, which rules match.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, final

from trackrecord.extraction import currency, lexer, looks, numbers
from trackrecord.extraction.folding import fold
from trackrecord.extraction.line_cache import Memory
from trackrecord.extraction.lines import DATE, NUMBER, PERCENT, Tokens, scan
from trackrecord.extraction.packs import Term
from trackrecord.extraction.ruleset import RuleSet
from trackrecord.extraction.shapes import ACTIONS, Traits, traits_of
from trackrecord.extraction.words import SYMBOL, WORD

__all__ = ["DATE", "NUMBER", "PERCENT", "READ_AT_EACH_END", "SYMBOL", "WORD", "Document", "Line"]

_CODE_LENGTH: Final = 6
_COUNTED: Final = frozenset("元股手万億亿點点日年月人個个只次笔円株件주개원회건")
_SHORT_CODES: Final = (4, 5, 6)
_NAME_REACH: Final = 4
# An amount whose currency ends one line and whose digits begin the next is one number.
_BROKEN_AMOUNT: Final = re.compile(
    r"\n(?=[-+]?[\d.])"
    r"(?:(?<=[$€£¥₹₽₩₺₫฿]\n)|(?<=R[sS]\n)|(?<=R[sS]\.\n)|(?<=INR\n|USD\n|EUR\n)(?<![\w/-].{3}\n)"
    r"|(?<=USDT\n)(?<![\w/-].{4}\n))"
)
# What a line ends with before such a number, and what a decimal comma looks like at first sight.
_PAID: Final = looks.ask(r"(?:[$€£¥₹₽₩₺₫฿]|R[sS]\.?|INR|USDT?|EUR)$")
_COMMAS: Final = looks.ask(r"\d,\d{1,2}(?:[^\d]|$)")

_NEGATIVE: Final = re.compile(r"[:=@|][ ]?-\d")
# What a part that is read otherwise must not lend to the lines around it: prices and names.
_HIDE: Final = str.maketrans("ETXCYSOAaBFLD", "wwwwwwwwwwwww")

_FEW: Final = 4096
_FROM_0: Final[list[Any]] = list(range(_FEW))

READ_AT_EACH_END: Final = 96 * 1024
"""Characters read at the beginning and at the end of a text longer than twice as many."""


@final
class Line:
    """One line: tokens first..last-1 of the document, their letters, and what it may be."""

    __slots__ = (
        "end", "first", "last", "looks", "number", "shape", "start", "tokens", "traits",
    )  # fmt: skip

    def __init__(
        self,
        number: int,
        first: int,
        last: int,
        start: int,
        end: int,
        shape: str,
        traits: Traits,
        looks: int,
        tokens: Tokens,
    ) -> None:
        self.number = number
        self.first = first
        self.last = last
        self.start = start
        self.end = end
        self.shape = shape
        self.traits = traits
        self.looks = looks
        """What its text may tell, see looks.answers."""
        self.tokens = tokens
        """Those of its whole text, whatever is covered of it."""


@final
class Document:
    """The tokens of a text. Offsets are characters of the text as given."""

    __slots__ = (
        "_btst",
        "_currency",
        "_decimal_comma",
        "_negative",
        "blocks",
        "ends",
        "folded",
        "letters",
        "lines",
        "looks",
        "rules",
        "starts",
        "terms",
        "text",
    )

    def __init__(self, text: str, rules: RuleSet) -> None:
        self.text = text
        self.folded = fold(text)
        self.rules: Final = rules
        self.lines: list[Line] = []
        self._decimal_comma: bool | None = None
        self._btst: int | None = None
        self._currency: str | None = None
        self._negative: bool | None = None
        self.looks = 0
        self.blocks = 0
        """Bits of the block rules that its lines may meet, see RuleSet.blocks_on."""
        self.letters = ""
        self.terms: list[Term | None] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        size = len(self.folded)
        if not size:
            return
        memory = _memory(rules)
        if size > 2 * READ_AT_EACH_END:
            self._read(memory, 0, READ_AT_EACH_END)
            self._read(memory, size - READ_AT_EACH_END, size)
            self.looks |= looks.answers(self.folded)  # what stands between the ends may tell, too
            self.blocks = looks.ALL
        else:
            self._read(memory, 0, size)

    def _read(self, memory: Memory, begin: int, end: int) -> None:
        """Cut a part of the text into lines of tokens, those that were met before by memory."""
        folded = self.folded
        if not begin:
            sizes, found = memory.lines(folded if end == len(folded) else folded[:end])
        else:
            # What its first line is a part of goes on before it.
            behind = folded.find("\n", begin, end) + 1
            if not behind:
                self._scan(memory, begin, end)
                return
            sizes, found = _cut(scan(memory.words, folded, begin, behind - 1))
            more, others = memory.lines(folded[behind:end])
            sizes.extend(more)
            found.extend(others)
        may = 0
        for tokens in found:
            may |= tokens.looks
        if may & _PAID and _BROKEN_AMOUNT.search(folded, begin, end):
            self._scan(memory, begin, end)
            return
        self._take(begin, sizes, found)

    def _scan(self, memory: Memory, begin: int, end: int) -> None:
        """Cut a part of the text into lines of tokens as a whole."""
        sizes, found = _cut(scan(memory.words, self.folded, begin, end))
        self._take(begin, sizes, found)

    def _take(self, begin: int, sizes: list[int], found: list[Tokens]) -> None:
        """Add the lines of a part; of blank lines that follow one another, the first stays."""
        lines, terms, starts, ends = self.lines, self.terms, self.starts, self.ends
        letters = [self.letters]
        numbers_from_0 = _FROM_0
        number = len(lines)
        first = len(starts)
        after_blank = number > 0 and not lines[-1].shape
        final_line = len(found) - 1
        start = begin
        may = blocks = begun = 0
        for at in range(len(found)):
            tokens = found[at]
            may |= tokens.looks
            blocks |= tokens.blocks | (begun & tokens.goes_on)
            begun = tokens.begun
            end = start + sizes[at]
            shape = tokens.shape
            last = first
            if shape:
                letters.append(shape)
                terms.extend(tokens.terms)
                if end < _FEW:
                    # A number that is there is taken in a third of the time that a new one takes.
                    for place in tokens.starts:
                        starts.append(numbers_from_0[start + place])
                    for place in tokens.ends:
                        ends.append(numbers_from_0[start + place])
                else:
                    starts.extend([start + place for place in tokens.starts])
                    ends.extend([start + place for place in tokens.ends])
                last += len(shape)
                after_blank = False
            elif after_blank and at != final_line:
                start = end + 1
                continue
            else:
                after_blank = True
            lines.append(
                Line(number, first, last, start, end, shape, tokens.traits, tokens.looks, tokens)
            )
            number += 1
            first = last
            start = end + 1
        self.letters = "".join(letters)
        self.looks |= may
        self.blocks |= blocks

    def tells(self, line: Line, question: int) -> bool:
        """Answer a question about a line that is worth remembering.

        Args:
            line: The line; what is covered of it counts, too.
            question: What ``looks.later`` returned for it.
        """
        tokens = line.tokens
        if not tokens.asked & question:
            if looks.answer(question, self.folded[line.start : line.end]):
                tokens.yes |= question
            tokens.asked |= question
        return tokens.yes & question != 0

    def may(self, question: int) -> bool:
        """Say whether any line may answer a question with yes.

        Args:
            question: What ``looks.ask`` returned for it.
        """
        return self.looks & question != 0

    def without(self, spans: list[tuple[int, int]]) -> Document:
        """Return the same text as if these parts of it were blank to whoever reads by lines.

        Tokens keep their places; of a line that a part covers, what stands before it is left, or
        what stands behind it where only that names an action.
        """
        rest = Document("", self.rules)
        rest.text = self.text
        rest.folded = self.folded
        rest.looks = self.looks
        rest.blocks = self.blocks
        rest.terms, rest.starts, rest.ends = self.terms, self.starts, self.ends
        letters: list[str] = []
        lines = list(self.lines)
        covered: dict[int, tuple[int, int]] = {}
        behind = 0
        for start, end in spans:
            first, last = bisect_left(self.starts, start), bisect_left(self.starts, end)
            letters.append(self.letters[behind:first])
            letters.append(self.letters[first:last].translate(_HIDE))
            behind = max(behind, last)
            number = self.line_at(start)
            while 0 <= number < len(lines) and lines[number].start < end:
                covered[number] = (covered.get(number, (first, last))[0], last)
                number += 1
        for number, (first, last) in covered.items():
            lines[number] = _beside(lines[number], first, last)
        letters.append(self.letters[behind:])
        rest.letters = "".join(letters)
        rest.lines = lines
        return rest

    def token_from(self, offset: int) -> int:
        """Return the first token that begins at an offset or behind it."""
        starts = self.starts
        low, high = 0, len(starts)
        while low < high:
            middle = (low + high) // 2
            if starts[middle] < offset:
                low = middle + 1
            else:
                high = middle
        return low

    def line_at(self, offset: int) -> int:
        """Return the number of the last line that begins at an offset or before it, else -1."""
        lines = self.lines
        low, high = 0, len(lines)
        while low < high:
            middle = (low + high) // 2
            if lines[middle].start <= offset:
                low = middle + 1
            else:
                high = middle
        return low - 1

    def marked_btst(self, end: int) -> bool:
        """Say whether the text spoke of buying today to sell tomorrow before this token."""
        if self._btst is None:
            self._btst = self.letters.index("B") if "B" in self.letters else len(self.letters)
        return self._btst < end

    def holds_negative(self) -> bool:
        """Say whether a value below 0 stands behind a label somewhere."""
        if self._negative is None:
            self._negative = _NEGATIVE.search(self.folded) is not None
        return self._negative

    def named_currency(self) -> str | None:
        """Return the currency that the text names for all its prices, as in Currency: INR."""
        if self._currency is None:
            self._currency = currency.named(self.folded) or ""
        return self._currency or None

    def raw(self, token: int) -> str:
        """Return a token as folded text."""
        return self.folded[self.starts[token] : self.ends[token]]

    def number(self, token: int) -> Decimal | None:
        """Return the number that a token holds."""
        return self.parse(self.raw(token))

    def parse(self, text: str, *, commas: bool = True) -> Decimal | None:
        """Return the number that a part of the text holds.

        Args:
            text: The part.
            commas: Whether commas in the text belong to numbers, and do not cut it into cells.
        """
        if self._decimal_comma is None:
            may = self.looks & _COMMAS != 0
            self._decimal_comma = may and numbers.uses_decimal_comma(self.folded)
        return numbers.parse(text, decimal_comma=commas and self._decimal_comma)

    def symbol(self, token: int) -> str:
        """Return a symbol token as printed, without a leading ``$`` or ``#``."""
        name = lexer.seen(self.raw(token)).lstrip("$#")
        return " ".join(name.split()) if " " in name else name

    def is_code(self, token: int) -> bool:
        """Say whether a number is a stock code as Chinese and Japanese exchanges use them."""
        text = self.raw(token)
        if len(text) != _CODE_LENGTH or not text.isdigit() or text[0] not in "034689":
            return False
        return not self.is_counting(token)

    def is_counting(self, token: int) -> bool:
        """Say whether a number counts what stands behind it, so that it is no code: 600000 股."""
        end = self.ends[token]
        return self.folded[end : end + 2].lstrip(" ")[:1] in _COUNTED

    def is_bracketed_code(self, token: int) -> bool:
        """Say whether a number is a stock code of four to six digits behind a company's name.

        So exchanges in Tokyo, Taipei, Hong Kong, Riyadh and Seoul number stocks: トヨタ (7203).
        """
        text, start, end = self.raw(token), self.starts[token], self.ends[token]
        if len(text) not in _SHORT_CODES or not text.isdigit():
            return False
        name = self.folded[max(0, start - _NAME_REACH) : start].rstrip(" ")
        bracketed = name[-1:] == "(" and self.folded[end : end + 1] == ")"
        before = name[:-1].rstrip(" ")
        # ソニーG (6758) is named so, too.
        named = before[-1:].isalpha() and not before[-2:].isascii()
        # 207940 (207940), where the name was not known.
        again = self.folded[max(0, start - 2 * _NAME_REACH) : start].rstrip(" (").endswith(text)
        return bracketed and (named or (len(text) == _CODE_LENGTH and again))


def _beside(line: Line, first: int, last: int) -> Line:
    """Return what is left of a line without some tokens."""
    if first <= line.first and line.last <= last:
        return _with_tokens(line, line.first, line.first, "")
    start, end = line.first, min(max(first, line.first), line.last)
    shape = line.shape[: end - start]
    behind = max(last, line.first)
    if behind < line.last and ACTIONS.isdisjoint(shape):
        after = line.shape[behind - line.first :]
        if not ACTIONS.isdisjoint(after):
            start, end, shape = behind, line.last, after
    if not shape.strip("[({<,`"):
        start, end, shape = line.first, line.first, ""
    return _with_tokens(line, start, end, shape)


def _with_tokens(line: Line, first: int, last: int, shape: str) -> Line:
    traits = traits_of(shape) if shape else _NO_TRAITS
    return Line(
        line.number, first, last, line.start, line.end, shape, traits, line.looks, line.tokens
    )


def _cut(lines: Iterator[tuple[int, int, Tokens]]) -> tuple[list[int], list[Tokens]]:
    """Return how many characters each of some lines has, and its tokens."""
    sizes: list[int] = []
    found: list[Tokens] = []
    for start, end, tokens in lines:
        sizes.append(end - start)
        found.append(tokens)
    return sizes, found


_NO_TRAITS: Final = traits_of("")
_memories: dict[int, Memory] = {}


def _memory(rules: RuleSet) -> Memory:
    """Return what was read with a set of rules before."""
    held = _memories.get(id(rules))
    if held is None or held.words.rules is not rules:
        if len(_memories) > 8:  # noqa: PLR2004 - a process uses one set, tests a few
            _memories.clear()
        held = _memories[id(rules)] = Memory(rules)
    return held
