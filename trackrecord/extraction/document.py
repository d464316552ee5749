"""A text as lines of classified tokens.

Every token has one letter (see packs.CLASSES), so that the letters of a line are a string,
its shape, which rules match.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from trackrecord.extraction import lexer, numbers
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
    "==": "=",
    "->": ">", "=>": ">", ">>": ">", "→": ">", "<": "<", ">": "<", "≤": "<", "≥": "<",
    "\u202d": "z", "\u202e": "z",
}  # fmt: skip
_KINDS: Final = (lexer.MARK, lexer.NUMBER, lexer.NEWLINE)
_IS_WORD: Final = tuple(kind in {lexer.TEXT, lexer.CODE} for kind in range(lexer.JUNK + 1))
_LETTERS: Final = {lexer.DATE: DATE, lexer.TICKER: SYMBOL, lexer.JUNK: WORD}
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


READ_AT_EACH_END: Final = 96 * 1024
"""Characters read at the beginning and at the end of a text longer than twice as many."""


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
        "_btst",
        "_decimal_comma",
        "_keys",
        "_words",
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
        self._keys: list[str] = []
        self.lines: list[Line] = []
        self._decimal_comma: bool | None = None
        self._btst: int | None = None
        self._words = _word_cache(rules)
        self._scan()

    def _scan(self) -> None:
        """Cut the text into lines of tokens: all of it, or the two ends of a very long one."""
        size = len(self.folded)
        self._scan_part(0, size if size <= 2 * READ_AT_EACH_END else READ_AT_EACH_END)
        if size > 2 * READ_AT_EACH_END:
            self._scan_part(size - READ_AT_EACH_END, size)

    def _scan_part(self, begin: int, end: int) -> None:  # noqa: C901, PLR0912, PLR0915 - hot
        words, rules = self._words, self.rules
        letters, terms, starts, ends = self.letters, self.terms, self.starts, self.ends
        keys = self._keys
        # Names of a function are looked up faster than those of a module.
        mark, number, newline = _KINDS
        is_word = _IS_WORD
        marks, learnt, quotes = _MARKS, words.get, _QUOTES
        heads: list[int] = []  # tokens that may begin a phrase
        line_start = begin
        first = len(letters)
        for match in LEXER.finditer(self.folded, begin, end):
            kind = match.lastindex
            if kind is None:
                continue
            start, stop = match.span(kind)
            term: Term | None = None
            looked_up = ""
            if is_word[kind]:
                text = match[kind]
                known = learnt(text)
                if known is None:
                    known = _learn(words, text, rules)
                letter, term, begins, looked_up = known
                if letter == "e" and len(letters) > first and letters[-1] in "NP":
                    continue  # a unit behind its number says nothing more
                if text in quotes and len(letters) > first and self._join_pair(start, stop):
                    continue
                if begins:
                    heads.append(len(letters))
            elif kind == mark:
                text = match[kind]
                if text == "%" or (len(text) > 1 and text[-1] != ">" and text not in marks):
                    continue  # a ruled line
                letter = marks.get(text) or (">" if text[-1] == ">" else text[0])
            elif kind == number:
                letter = PERCENT if "%" in match[kind] else NUMBER
            elif kind == newline:
                if len(letters) > first or not self.lines or self.lines[-1].shape:
                    self._close_line(first, heads, line_start, start)
                    heads = []
                    first = len(letters)
                line_start = stop
                continue
            elif kind == lexer.RUN:
                self._add_run(match[kind], start)
                continue
            else:
                letter = _LETTERS[kind]
            letters.append(letter)
            terms.append(term)
            starts.append(start)
            ends.append(stop)
            keys.append(looked_up)
        self._close_line(first, heads, line_start, end)

    def _close_line(self, first: int, heads: list[int], start: int, end: int) -> None:
        letters = self.letters
        if heads and heads[0] < len(letters) - 1:
            self._merge_phrases(heads)
        last = len(letters)
        shape = "".join(letters[first:last]) if last > first else ""
        self.lines.append(Line(len(self.lines), first, last, start, end, shape))

    def _merge_phrases(self, heads: list[int]) -> None:
        """Make one token of each phrase; the leftmost wins, and of those the longest."""
        keys, phrases = self._keys, self.rules.phrases
        found: list[tuple[int, int, Term]] = []
        behind = 0
        last = len(keys) - 1
        for head in heads:
            if behind <= head < last:
                following = keys[head + 1]
                # Most words that could begin a phrase do not: one look tells.
                if following and keys[head] + following not in phrases:
                    continue
                used, term = self._longest(head, last)
                if term is not None and used > 1:
                    behind = head + used
                    found.append((head, behind, term))
        for head, behind, term in reversed(found):
            self.ends[head] = self.ends[behind - 1]
            self.terms[head] = term
            self.letters[head] = _letter(term, self.raw(head))
            inside = slice(head + 1, behind)
            del self.letters[inside], self.terms[inside], keys[inside]
            del self.starts[inside], self.ends[inside]

    def _longest(self, head: int, last: int) -> tuple[int, Term | None]:
        """Return how many tokens from ``head`` on make the longest phrase, and its meaning."""
        phrases = self.rules.phrases
        starts, ends = self.starts, self.ends
        joined = ""
        best = 0
        term: Term | None = None
        for at in range(head, min(head + _LONGEST_PHRASE, last + 1)):
            if self.letters[at] == "." and joined in _ABBREVIATIONS:
                continue
            gap = starts[at] - ends[at - 1]
            if at > head and gap != 1 and self._apart(ends[at - 1], starts[at]):
                break
            word = self._keys[at]
            if not word and self.letters[at] == NUMBER:
                word = key(self.raw(at))
            joined += word
            if not word or joined not in phrases:
                break
            found = phrases[joined]
            if found is not None:
                best, term = at - head + 1, found
        return best, term

    def _add(self, letter: str, term: Term | None, start: int, end: int) -> None:
        self.letters.append(letter)
        self.terms.append(term)
        self.starts.append(start)
        self.ends.append(end)
        self._keys.append("")

    def _apart(self, left: int, right: int) -> bool:
        """Say whether two tokens stand in different columns."""
        gap = lexer.seen(self.folded[left:right])
        return (len(gap) > 1 and gap.isspace()) or "\t" in gap

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

    def _join_pair(self, start: int, end: int) -> bool:
        """Make ``ETH`` ``/`` ``USDT``, written without spaces, one symbol."""
        letters = self.letters
        if letters[-1] != "/" or self.starts[-1] != start - 1 or self.ends[-2:-1] != [start - 1]:
            return False
        left = self.raw(len(letters) - 2)
        if not left.isupper() or letters[-2] not in "Swe" or left == self.folded[start:end]:
            return False
        del letters[-1], self.terms[-1], self.starts[-1], self.ends[-1], self._keys[-1]
        letters[-1] = SYMBOL
        self.terms[-1] = None
        self.ends[-1] = end
        return True

    def marked_btst(self, end: int) -> bool:
        """Say whether the text spoke of buying today to sell tomorrow before this token."""
        if self._btst is None:
            self._btst = self.letters.index("B") if "B" in self.letters else len(self.letters)
        return self._btst < end

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
        return lexer.seen(self.raw(token)).lstrip("$#")

    def is_code(self, token: int) -> bool:
        """Say whether a number is a stock code as Chinese and Japanese exchanges use them."""
        text = self.raw(token)
        return len(text) == _CODE_LENGTH and text.isdigit() and text[0] in "034689"


LOOK_ALIKE: Final = Term(
    "code/look-alike", "refusal", "z", "", "a word mixes alphabets to look like another"
)

_Known = tuple[str, Term | None, bool, str]
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
    begins = looked_up in rules.beginnings
    term = rules.phrases.get(looked_up)
    if term is not None:
        letter = _letter(term, text)
    elif not text.isascii() and mixes_alphabets(text):
        term, letter = LOOK_ALIKE, LOOK_ALIKE.letter
    else:
        letter = SYMBOL if looks_like_symbol(text, rules.not_symbols) else WORD
    known = (letter, term, begins, looked_up)
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
        return body[:2] in {"sh", "sz", "bj", "hk"} and body[2:].isdigit() and len(body) == 8  # noqa: PLR2004
    if body in not_symbols or not any(character.isalpha() for character in body):
        return False
    if body[0].isdigit() and sum(character.isalpha() for character in body) < 2:  # noqa: PLR2004
        return False
    return not (text[0] == "#" and body.isdigit())


def mixes_alphabets(word: str) -> bool:
    """Say whether a word holds both Latin letters and Cyrillic or Greek ones."""
    scripts = {unicodedata.name(letter, "").split(" ")[0] for letter in word if letter.isalpha()}
    return "LATIN" in scripts and not scripts.isdisjoint({"CYRILLIC", "GREEK"})
