"""A part of a text as lines of classified tokens, phrases made one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, final

from trackrecord.extraction import lexer, looks, names
from trackrecord.extraction.lexer import LEXER, key
from trackrecord.extraction.packs import Term
from trackrecord.extraction.ruleset import RuleSet
from trackrecord.extraction.shapes import Traits, traits_of
from trackrecord.extraction.words import QUOTES, SYMBOL, WORD, Words, letter_of, without_values

NUMBER: Final = "N"
PERCENT: Final = "P"
DATE: Final = "d"
UNIT: Final = "e"

_MARKS: Final = {
    "==": "=",
    "->": ">", "=>": ">", ">>": ">", "→": ">", "<": "<", ">": "<", "≤": "<", "≥": "<",
    "\u202d": "z", "\u202e": "z",
}  # fmt: skip
_KINDS: Final = (lexer.MARK, lexer.NUMBER, lexer.NEWLINE)
_IS_WORD: Final = tuple(kind in {lexer.TEXT, lexer.CODE} for kind in range(lexer.JUNK + 1))
_LETTERS: Final = {lexer.DATE: DATE, lexer.TICKER: SYMBOL, lexer.JUNK: WORD}
# Words whose full stop does not end a sentence, as in max. drawdown.
_ABBREVIATIONS: Final = frozenset({"max", "min", "avg", "vs", "ann", "est", "no"})
_LONGEST_PHRASE: Final = 7
_BEFORE_DECISIONS: Final = frozenset("LFGDS")
_NEXT_LABELS: Final = frozenset("ZETXCqK")

Telling = tuple[tuple[int, int], ...]
"""Parts of a line, from and to."""


@final
class Tokens:
    """The tokens of a line, shared by all lines that differ in digits only.

    Offsets are from the beginning of the line.
    """

    __slots__ = (
        "asked", "begun", "blocks", "ends", "goes_on", "looks", "shape", "starts", "telling",
        "terms", "traits", "yes",
    )  # fmt: skip

    def __init__(
        self,
        shape: str,
        terms: tuple[Term | None, ...],
        starts: tuple[int, ...],
        ends: tuple[int, ...],
        traits: Traits,
        telling: Telling,
        found: int,
        blocks: tuple[int, int, int],
    ) -> None:
        self.shape = shape
        """A letter each, see packs.CLASSES."""
        self.terms = terms
        """What their words mean, where they mean anything."""
        self.starts = starts
        """Where they begin."""
        self.ends = ends
        """Where they end."""
        self.traits = traits
        """What the line may be."""
        self.telling = telling
        """Where digits stand that can change what the tokens are."""
        self.looks = found
        """What its text may tell, see looks.answers."""
        self.blocks, self.begun, self.goes_on = blocks
        """Which block rules may refuse a text that holds it, see RuleSet.blocks_on."""
        self.asked = 0
        """What was asked of it since, see looks.later."""
        self.yes = 0
        """What of that was answered with yes."""

    def under(self, line: str, rules: RuleSet) -> Tokens:
        """Return the tokens that a line shares with this one, and what it may tell itself.

        Args:
            line: The same but for names that mean nothing.
            rules: Those that the line was cut by.
        """
        return Tokens(
            self.shape, self.terms, self.starts, self.ends, self.traits, self.telling,
            looks.answers(line), rules.blocks_on(line),
        )  # fmt: skip


def scan(words: Words, text: str, begin: int, end: int) -> Iterator[tuple[int, int, Tokens]]:  # noqa: C901, PLR0912, PLR0915 - hot
    """Cut a part of a text into lines of tokens.

    Args:
        words: What single words are.
        text: Folded text.
        begin: Where the part begins.
        end: Where it ends.

    Yields:
        Where each line begins and ends in the text, and its tokens.
    """
    learnt = words.known.get
    # Names of a function are looked up faster than those of a module.
    mark, number, newline = _KINDS
    is_word, marks, quotes = _IS_WORD, _MARKS, QUOTES
    numbered = words.numbered
    line_start = begin
    line = _Line(text, begin, words.rules)
    letters, terms, starts, ends, keys, heads = line.parts
    leads = False
    for match in LEXER.finditer(text, begin, end):
        kind = match.lastindex
        if kind is None:
            continue
        start, stop = match.span(kind)
        term: Term | None = None
        looked_up = ""
        if is_word[kind]:
            word = match[kind]
            known = learnt(word)
            if known is None:
                known = words.learn(word)
            letter, term, begins, looked_up, telling, leading = known
            if letter == UNIT and letters and letters[-1] in "NP":
                continue  # a unit behind its number says nothing more
            if word in quotes and letters and line.join_pair(start, stop):
                leads = True
                continue
            if begins:
                heads.append(len(letters))
            if telling:
                line.telling.append((start - line_start, stop - line_start))
            leads = leading
        elif kind == mark:
            word = match[kind]
            if word == "%" or (len(word) > 1 and word[-1] not in ">." and word not in marks):
                continue  # a ruled line
            letter = marks.get(word) or (">" if word[-1] == ">" else word[0])
            if len(word) > 1 and letter == ".":
                letter = ":"  # dots that lead from a label to its value
            leads = leads and letter == "."
        elif kind == number:
            letter = PERCENT if "%" in match[kind] else NUMBER
            if leads and letter == NUMBER and line.may_join(key(match[kind]), numbered):
                line.telling.append((start - line_start, stop - line_start))
            leads = letter == NUMBER
        elif kind == newline:
            yield line_start, start, line.close(start)
            line_start = stop
            line = _Line(text, line_start, words.rules)
            letters, terms, starts, ends, keys, heads = line.parts
            leads = False
            continue
        elif kind == lexer.RUN:
            line.add_run(match[kind], start)
            leads = False
            continue
        else:
            letter = _LETTERS[kind]
            leads = False
        letters.append(letter)
        terms.append(term)
        starts.append(start)
        ends.append(stop)
        keys.append(looked_up)
    yield line_start, end, line.close(end)


_TO_PRICE: Final = frozenset(":=@")
_MARKING: Final = frozenset("-|.>*(")
"""What may stand before the label of a line."""


class _Line:
    """The tokens of one line while it is being read; offsets are those of the text."""

    __slots__ = ("ends", "heads", "keys", "letters", "parts", "read_to", "rules", "start",
                 "starts", "telling", "terms", "text")  # fmt: skip

    def __init__(self, text: str, start: int, rules: RuleSet) -> None:
        self.text = text
        self.start = start
        self.rules = rules
        self.letters: list[str] = []
        self.terms: list[Term | None] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.keys: list[str] = []
        self.heads: list[int] = []
        """Tokens that may begin a phrase."""
        self.telling: list[tuple[int, int]] = []
        self.read_to = 0
        """Where a phrase of Korean words ends that began in another run."""
        self.parts = (self.letters, self.terms, self.starts, self.ends, self.keys, self.heads)

    def close(self, end: int) -> Tokens:
        """Make one token of each phrase, and return what the line holds that ends here."""
        names.join(self.text, self.parts)
        if "a" in self.letters:
            self._enter()
        if self.heads and self.heads[0] < len(self.letters) - 1:
            self._merge_phrases()
        begin = self.start
        shape = "".join(self.letters)
        line = self.text[begin:end]
        starts, ends = self.starts, self.ends
        return Tokens(
            shape,
            tuple(self.terms),
            tuple([start - begin for start in starts] if begin else starts),
            tuple([end - begin for end in ends] if begin else ends),
            traits_of(shape),
            tuple(self.telling),
            looks.answers(line),
            self.rules.blocks_on(line),
        )

    def _enter(self) -> None:
        """Make a label of enter, where a price follows it: Enter 4812."""
        letters = self.letters
        at = letters.index("a")
        behind = letters[at + 1 : at + 3]
        priced = behind[:1] == [NUMBER] or (behind[1:] == [NUMBER] and behind[0] in _TO_PRICE)
        if not priced or any(letter not in _MARKING for letter in letters[:at]):
            return
        entry = self.rules.phrases.get("entry")
        if entry is not None and self.raw(at).lower() == "enter":
            letters[at], self.terms[at] = entry.letter, entry

    def may_join(self, behind: str, numbered: frozenset[str]) -> bool:
        """Say whether a number behind the last token may be a word of a phrase.

        Args:
            behind: The number's key.
            numbered: All parts of phrases that hold a number, digits made 0.

        Rather once too often: that only makes a line be remembered once more.
        """
        joined = behind
        number = len(self.keys)
        for at in range(number - 1, max(-1, number - _LONGEST_PHRASE), -1):
            if self.letters[at] == ".":
                continue
            word = self.keys[at] or (key(self.raw(at)) if self.letters[at] == NUMBER else "")
            if not word:
                return False
            joined = word + joined
            if without_values(joined) in numbered:
                return True
        return False

    def raw(self, token: int) -> str:
        """Return a token as folded text."""
        return self.text[self.starts[token] : self.ends[token]]

    def _merge_phrases(self) -> None:
        """Make one token of each phrase; the leftmost wins, and of those the longest."""
        keys, phrases = self.keys, self.rules.phrases
        found: list[tuple[int, int, Term]] = []
        behind = 0
        last = len(keys) - 1
        for head in self.heads:
            if behind <= head < last:
                following = keys[head + 1]
                # Most words that could begin a phrase do not: one look tells.
                if following and keys[head] + following not in phrases:
                    continue
                used, term = self._longest(head, last)
                if term is not None and used > 1 and not self._is_decided(head, head + used):
                    behind = head + used
                    found.append((head, behind, term))
        for head, behind, term in reversed(found):
            self.ends[head] = self.ends[behind - 1]
            self.terms[head] = term
            self.letters[head] = letter_of(term, self.raw(head))
            inside = slice(head + 1, behind)
            del self.letters[inside], self.terms[inside], keys[inside]
            del self.starts[inside], self.ends[inside]

    def _is_decided(self, head: int, behind: int) -> bool:
        """Say whether a phrase is a decision and the next label: Signal: SELL Stop: 470."""
        letters = self.letters
        if head == 0 or letters[head] not in "Aa":
            return False
        before = letters[head - 1]
        following = letters[behind : behind + 1]
        labelled = following in ([":"], ["="])
        if labelled and before in ":=":
            return True  # action=SELL price=12: no sell price is meant
        if before in ":=|->":
            before = letters[head - 2] if head > 1 else ""
        rest = self.rules.phrases.get("".join(self.keys[head + 1 : behind]))
        if rest is None or rest.letter not in _NEXT_LABELS or before not in _BEFORE_DECISIONS:
            return False
        return labelled or (
            following == [NUMBER]
            and self.raw(head).isupper()
            and not self.text[self.starts[head + 1] : self.ends[behind - 1]].isupper()
        )

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
            between = ends[at - 1]
            plain = starts[at] == between + 1 and self.text[between] != "\t"
            if at > head and not plain and self._apart(between, starts[at]):
                break
            word = self.keys[at]
            if not word and self.letters[at] == NUMBER:
                word = key(self.raw(at))
            joined += word
            if not word or joined not in phrases:
                break
            found = phrases[joined]
            if found is not None:
                best, term = at - head + 1, found
        return best, term

    def _apart(self, left: int, right: int) -> bool:
        """Say whether two tokens stand in different columns."""
        gap = lexer.seen(self.text[left:right])
        return (len(gap) > 1 and gap.isspace()) or "\t" in gap

    def _add(self, letter: str, term: Term | None, start: int, end: int) -> None:
        self.letters.append(letter)
        self.terms.append(term)
        self.starts.append(start)
        self.ends.append(end)
        self.keys.append("")

    def add_run(self, run: str, start: int) -> None:  # noqa: C901 - hot
        """Cut a run of letters without spaces into its known phrases."""
        phrases = self.rules.phrases
        starts = self.rules.run_starts
        position = max(0, self.read_to - start)
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
            if reach > size and "\uac00" <= run[-1] <= "\ud7a3":
                beyond, found = self._spaced(run[position:], start + size)
                if found is not None:
                    best, term = beyond - start - position, found
                    self.read_to = beyond
            if term is None:
                if unknown:
                    self._add(WORD, None, start + position, start + position + 1)
                    unknown = False
                position += 1
                continue
            self._add(term.letter, term, start + position, start + position + best)
            position += best
            unknown = True

    def _spaced(self, begun: str, end: int) -> tuple[int, Term | None]:
        """Return where the longest phrase ends that goes on behind a space: 강력 매수."""
        phrases, text = self.rules.phrases, self.text
        best = end
        term: Term | None = None
        joined = begun
        at = end
        while at < len(text):
            if text[at] == " " and at + 1 < len(text):
                at += 1
            if not "\uac00" <= text[at] <= "\ud7a3":
                break
            joined += text[at]
            if joined not in phrases:
                break
            at += 1
            found = phrases[joined]
            if found is not None:
                best, term = at, found
        return best, term

    def join_pair(self, start: int, end: int) -> bool:
        """Make ``ETH`` ``/`` ``USDT``, written without spaces, one symbol."""
        letters = self.letters
        if letters[-1] != "/" or self.starts[-1] != start - 1 or self.ends[-2:-1] != [start - 1]:
            return False
        left = self.raw(len(letters) - 2)
        if not left.isupper() or letters[-2] not in "Swe" or left == self.text[start:end]:
            return False
        del letters[-1], self.terms[-1], self.starts[-1], self.ends[-1], self.keys[-1]
        letters[-1] = SYMBOL
        self.terms[-1] = None
        self.ends[-1] = end
        return True
