"""Lines of tokens, remembered by what can matter of them.

A script prints the same lines day after day with other numbers and names in them. What the
tokens of a line are does not depend on the digits of its numbers, save where a phrase holds one
(target 1, 52 week high), nor on which unknown symbol it names. So lines are remembered with the
digits that cannot matter made 0, and found again under other names: few distinct lines are cut
into tokens, all others only looked up. Cutting and looking up give the same tokens.
"""

from __future__ import annotations

import re
from typing import Final

from trackrecord.extraction.lines import UNIT, Telling, Tokens, scan
from trackrecord.extraction.names import MEANT
from trackrecord.extraction.ruleset import RuleSet
from trackrecord.extraction.words import QUOTES, SYMBOL, Words, without_values

_LONGEST_KEPT: Final = 240
"""Characters of the longest line that is remembered."""
_LINES_KEPT: Final = 32768
_NAMES_KEPT: Final = 65536
_DIGIT: Final = re.compile(r"[0-9]")
# A word in capitals that stands alone: nothing beside it can be of one token with it.
_NAME: Final = re.compile(r"(?:(?<=[ \t(\[|:,\"])|^)[A-Z]{2,5}+(?=[ \t)\]|:,\"]|$)")
# What parts of amounts begin with.
_CURRENCIES: Final = frozenset({"US", "HK", "RS"}) | QUOTES | MEANT


class Memory:
    """Cuts texts into lines of tokens, and remembers lines.

    Args:
        rules: What words and phrases mean.
        lines_kept: How many lines are remembered.
    """

    def __init__(self, rules: RuleSet, lines_kept: int = _LINES_KEPT) -> None:
        self.words: Final = Words(rules)
        self._lines_kept: Final = lines_kept
        # A unit behind a number is dropped, so that one with a digit would change what follows.
        self._digits_aside: Final = not any(
            term is not None and term.letter == UNIT and _DIGIT.search(phrase)
            for phrase, term in rules.phrases.items()
        )
        self._bare: Final[dict[str, Tokens]] = {}
        """Lines with every digit made 0."""
        self._telling: Final[dict[str, Telling]] = {}
        """Likewise, where their digits matter: in which places."""
        self._told: Final[dict[str, Tokens]] = {}
        """Lines in which digits matter: with these, and all others made 0."""
        self._phrases: Final = "\n".join(rules.phrases)
        self._names: Final[dict[str, str]] = {}
        """Words in capitals, and what stands for each."""

    @property
    def remembered(self) -> int:
        """How many lines are remembered."""
        return len(self._bare) + len(self._telling) + len(self._told)

    def lines(self, folded: str) -> tuple[list[int], list[Tokens]]:
        """Cut a text into lines of tokens, each by itself.

        Returns:
            How many characters each line has, and its tokens; one more stands between two lines.
        """
        sizes: list[int] = []
        found: list[Tokens] = []
        known = self._bare
        start = 0
        for bare in without_values(folded).split("\n"):
            size = len(bare)
            tokens = known.get(bare)
            if tokens is None:
                tokens = self._line(folded[start : start + size], bare)
            sizes.append(size)
            found.append(tokens)
            start += size + 1
        return sizes, found

    def _line(self, line: str, bare: str) -> Tokens:
        """Return the tokens of a line whose digits matter in places, or are not known to."""
        if len(line) > _LONGEST_KEPT:
            return self._cut(line)
        telling = self._telling.get(bare)
        tokens: Tokens | None = None
        if telling is None:
            self._make_room()
            nameless = self._without_names(bare)
            known = self._bare.get(nameless)
            if known is not None:
                known = self._bare[bare] = known.under(bare, self.words.rules)
                return known
            telling = self._telling.get(nameless)
            if telling is None:
                tokens = self._cut(line)
                telling = tokens.telling if self._digits_aside else ((0, len(line)),)
                if not telling:
                    self._bare[bare] = self._bare[nameless] = tokens
                    return tokens
            self._telling[bare] = self._telling[nameless] = telling
        told = _with_digits(line, bare, telling)
        known = self._told.get(told)
        if known is None:
            self._make_room()
            nameless = self._without_names(told)
            same = self._told.get(nameless)
            known = tokens or (
                self._cut(line) if same is None else same.under(told, self.words.rules)
            )
            self._told[told] = self._told[nameless] = known
        return known

    def _cut(self, line: str) -> Tokens:
        ((_, _, tokens),) = scan(self.words, line, 0, len(line))
        return tokens

    def _make_room(self) -> None:
        if self.remembered > self._lines_kept:
            self._bare.clear()
            self._telling.clear()
            self._told.clear()

    def _without_names(self, line: str) -> str:
        """Return a line with each name that means nothing to the rules made one and the same."""
        return _NAME.sub(self._stand_in, line)

    def _stand_in(self, match: re.Match[str]) -> str:
        name = match[0]
        stand_in = self._names.get(name)
        if stand_in is None:
            common = "Q" * len(name)
            stand_in = common if self._means_nothing(name) and self._means_nothing(common) else name
            if len(self._names) > _NAMES_KEPT:
                self._names.clear()
            self._names[name] = stand_in
        return stand_in

    def _means_nothing(self, name: str) -> bool:
        """Say whether a word is a symbol, and no part of any phrase, however it is cut."""
        known = self.words.learn(name)
        return (
            known.letter == SYMBOL
            and known.term is None
            and name not in _CURRENCIES
            and known.key not in self._phrases
        )


def _with_digits(line: str, bare: str, places: Telling) -> str:
    """Return a line with its own digits at some places and 0 for all others."""
    parts: list[str] = []
    behind = 0
    for start, end in places:
        parts.append(bare[behind:start])
        parts.append(line[start:end])
        behind = end
    parts.append(bare[behind:])
    return "".join(parts)
