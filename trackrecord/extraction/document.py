"""A text as lines of classified tokens.

Every token has one letter (see packs.CLASSES), so that the letters of a line are a string,
its shape, which rules match.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from trackrecord.extraction import numbers
from trackrecord.extraction.folding import fold
from trackrecord.extraction.lexer import LEXER, key
from trackrecord.extraction.packs import Term
from trackrecord.extraction.ruleset import RuleSet

SYMBOL: Final = "S"
NUMBER: Final = "N"
PERCENT: Final = "P"
DATE: Final = "d"
WORD: Final = "w"

_MARKS: Final = {
    "->": ">", "=>": ">", ">>": ">", "→": ">", "<": "<", ">": "<", "≤": "<", "≥": "<",
    "\u202d": "z", "\u202e": "z",
}  # fmt: skip
_DROPPED: Final = frozenset("\"'`~•·*%")
_QUOTES: Final = frozenset({
    "USDT", "USDC", "USD", "BUSD", "FDUSD", "TUSD", "DAI", "BTC", "ETH", "BNB", "EUR", "GBP",
    "JPY", "INR", "TRY", "AUD", "CAD", "CHF", "NZD", "KRW", "BRL", "PERP", "SGD", "HKD", "CNY",
})  # fmt: skip
# Words whose full stop does not end a sentence, as in max. drawdown.
_ABBREVIATIONS: Final = frozenset({"max", "min", "avg", "vs", "ann", "est", "no"})
_LONGEST_PHRASE: Final = 7
_LONGEST_SYMBOL: Final = 24
_CACHE_LIMIT: Final = 65536
_CODE_LENGTH: Final = 6


@dataclass(slots=True)
class Line:
    """One line: tokens first..last-1 of the document, and their letters."""

    index: int
    first: int
    last: int
    start: int
    end: int
    shape: str


class Document:
    """The tokens of a text. Offsets are characters of the text as given."""

    __slots__ = (
        "_decimal_comma",
        "ends",
        "folded",
        "letters",
        "lines",
        "rules",
        "starts",
        "terms",
        "text",
    )

    def __init__(self, text: str, rules: RuleSet) -> None:
        self.text: Final = text
        self.folded: Final = fold(text)
        self.rules: Final = rules
        self.letters: list[str] = []
        self.terms: list[Term | None] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.lines: list[Line] = []
        self._decimal_comma: bool | None = None
        self._scan()

    def _scan(self) -> None:
        raw: list[tuple[str, str, int, int]] = []
        line_start = 0
        for match in LEXER.finditer(self.folded):
            kind = match.lastgroup
            if kind == "newline":
                self._close_line(raw, line_start, match.start())
                raw = []
                line_start = match.end()
            else:
                raw.append((kind or "", match.group(), match.start(), match.end()))
        self._close_line(raw, line_start, len(self.folded))

    def _close_line(self, raw: list[tuple[str, str, int, int]], start: int, end: int) -> None:
        first = len(self.letters)
        if raw:
            self._classify(raw)
        letters = self.letters
        shape = "".join(letters[first:]) if len(letters) > first else ""
        self.lines.append(Line(len(self.lines), first, len(letters), start, end, shape))

    def _classify(self, raw: list[tuple[str, str, int, int]]) -> None:
        phrases = self.rules.phrases
        words = _word_cache(self.rules)
        position = 0
        count = len(raw)
        while position < count:
            kind, text, start, end = raw[position]
            position += 1
            if kind == "word":
                known = words.get(text)
                if known is None:
                    known = _learn(words, text, self.rules)
                letter, term, begins = known
                if begins and position < count:
                    used, longer = self._longest(raw, position - 1, phrases)
                    if longer is not None and used > 1:
                        end = raw[position - 2 + used][3]
                        term = longer
                        letter = _letter(longer, self.folded[start:end])
                        position += used - 1
                if letter == "e" and self.letters and self.letters[-1] in "NP":
                    continue  # a unit behind its number says nothing more
                self._add(letter, term, start, end)
            elif kind == "mark":
                if text[0] in _DROPPED or len(text) > 2 or text == "--":  # noqa: PLR2004
                    continue
                if text == "/" and self._join_pair(raw, position):
                    position += 1
                    continue
                self._add(_MARKS.get(text, text[0]), None, start, end)
            elif kind == "number":
                self._add(PERCENT if "%" in text else NUMBER, None, start, end)
            elif kind == "run":
                self._add_run(text, start)
            elif kind == "ticker":
                self._add(SYMBOL, None, start, end)
            else:
                self._add(DATE, None, start, end)

    def _add(self, letter: str, term: Term | None, start: int, end: int) -> None:
        self.letters.append(letter)
        self.terms.append(term)
        self.starts.append(start)
        self.ends.append(end)

    def _longest(
        self, raw: list[tuple[str, str, int, int]], first: int, phrases: dict[str, Term | None]
    ) -> tuple[int, Term | None]:
        """Return how many tokens from ``first`` on make the longest phrase, and its meaning."""
        joined = ""
        best = 0
        term: Term | None = None
        for used in range(1, min(_LONGEST_PHRASE, len(raw) - first) + 1):
            kind, text, _, _ = raw[first + used - 1]
            if text == "." and joined in _ABBREVIATIONS:
                continue
            if used > 1 and self._apart(raw[first + used - 2], raw[first + used - 1]):
                break
            if kind not in ("word", "number"):
                break
            joined += key(text)
            if joined not in phrases:
                break
            found = phrases[joined]
            if found is not None:
                best, term = used, found
        return best, term

    def _apart(self, left: tuple[str, str, int, int], right: tuple[str, str, int, int]) -> bool:
        """Say whether two tokens stand in different columns."""
        gap = self.folded[left[3] : right[2]]
        return len(gap) > 1 and (gap.isspace() or "\t" in gap)

    def _add_run(self, run: str, start: int) -> None:
        """Cut a run of letters without spaces into its known phrases."""
        phrases = self.rules.phrases
        starts = self.rules.run_starts
        position = 0
        unknown = True
        size = len(run)
        while position < size:
            if run[position] not in starts:
                if unknown:
                    self._add(WORD, None, start + position, start + position + 1)
                    unknown = False
                position += 1
                continue
            best = 0
            term: Term | None = None
            reach = position + 1
            while reach <= size:
                part = run[position:reach]
                if part not in phrases:
                    break
                found = phrases[part]
                if found is not None:
                    best, term = reach - position, found
                reach += 1
            if term is None:
                if unknown:
                    self._add(WORD, None, start + position, start + position + 1)
                    unknown = False
                position += 1
                continue
            self._add(term.letter, term, start + position, start + position + best)
            position += best
            unknown = True

    def _join_pair(self, raw: list[tuple[str, str, int, int]], position: int) -> bool:
        """Make ``ETH / USDT`` written as ``ETH/USDT`` one symbol."""
        if position >= len(raw) or not self.letters:
            return False
        kind, text, start, end = raw[position]
        if kind != "word" or start != self.ends[-1] + 1 or text.split(":")[0] not in _QUOTES:
            return False
        left = self.folded[self.starts[-1] : self.ends[-1]]
        if not left.isupper() or self.letters[-1] not in "Swe" or left == text:
            return False
        self.letters[-1] = SYMBOL
        self.terms[-1] = None
        self.ends[-1] = end
        return True

    def raw(self, token: int) -> str:
        """Return a token as folded text."""
        return self.folded[self.starts[token] : self.ends[token]]

    def number(self, token: int) -> Decimal | None:
        """Return the number that a token holds."""
        if self._decimal_comma is None:
            self._decimal_comma = numbers.uses_decimal_comma(self.folded)
        return numbers.parse(self.raw(token), decimal_comma=self._decimal_comma)

    def symbol(self, token: int) -> str:
        """Return a symbol token as printed, without a leading ``$`` or ``#``."""
        return self.raw(token).lstrip("$#")

    def is_code(self, token: int) -> bool:
        """Say whether a number is a stock code as Chinese and Japanese exchanges use them."""
        text = self.raw(token)
        return len(text) == _CODE_LENGTH and text.isdigit() and text[0] in "034689"


_Known = tuple[str, Term | None, bool]
_caches: dict[int, tuple[RuleSet, dict[str, _Known]]] = {}


def _word_cache(rules: RuleSet) -> dict[str, _Known]:
    held = _caches.get(id(rules))
    if held is None or held[0] is not rules:
        if len(_caches) > 8:  # noqa: PLR2004 - a process uses one set, tests a few
            _caches.clear()
        held = (rules, {})
        _caches[id(rules)] = held
    cache = held[1]
    if len(cache) > _CACHE_LIMIT:
        cache.clear()
    return cache


def _learn(cache: dict[str, _Known], text: str, rules: RuleSet) -> _Known:
    """Classify a word once and remember it."""
    looked_up = key(text)
    begins = looked_up in rules.phrases
    term = rules.phrases.get(looked_up)
    if term is not None:
        known = (_letter(term, text), term, begins)
    else:
        known = (SYMBOL if looks_like_symbol(text, rules.not_symbols) else WORD, None, begins)
    if len(text) <= 64:  # noqa: PLR2004 - longer ones do not come again
        cache[text] = known
    return known


def _letter(term: Term, text: str) -> str:
    """An action counts by itself where it is printed in capitals, or in a script without."""
    if term.letter == "A" and text != text.upper():
        return "a"
    return term.letter


def looks_like_symbol(text: str, not_symbols: frozenset[str]) -> bool:
    """Say whether a word is built like a ticker: capitals and digits, perhaps with a suffix."""
    body = text[1:] if text[0] in "$#" else text
    if not 1 < len(body) <= _LONGEST_SYMBOL and not (text[0] == "$" and body):
        return False
    if not body.isascii() or "_" in body or "'" in body:
        return False
    base = body
    for mark in ".-&":
        base = base.replace(mark, "")
    if not base.isalnum() or base.upper() != base or base.isdigit():
        lower = body[:2] in {"sh", "sz", "bj", "hk"} and body[2:].isdigit() and len(body) == 8  # noqa: PLR2004
        return lower
    if body in not_symbols or not any(character.isalpha() for character in body):
        return False
    if body[0].isdigit() and sum(character.isalpha() for character in body) < 2:  # noqa: PLR2004
        return False
    return not (text[0] == "#" and body.isdigit())
