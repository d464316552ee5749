"""A set of rule packs, compiled once into a phrase table and RE2 patterns."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any, Final

import re2

from trackrecord.extraction import one_line
from trackrecord.extraction.lexer import key
from trackrecord.extraction.packs import BlockRule, Case, Pack, ShapeRule, Term, read_pack

CODE_VERSION: Final = "1.0.0"
"""Semantic version of the extractor; raised by hand, the digest behind it is not."""

# Later packs win where two give one phrase a meaning, so English comes last.
_ORDER: Final = (
    "asian",
    "eastern",
    "nordic",
    "european",
    "turkish",
    "hindi",
    "chinese",
    "results",
    "prices",
    "negation",
    "labels",
    "actions",
    "symbols",
    "plain_words",
    "shapes",
    "noise",
)
_MEMORY: Final = 64 << 20
_SHAPES_KEPT: Final = 8192
_SETS_KEPT: Final = 128
ALL: Final = -1
"""Every bit: the answer of a look that failed, which rules nothing out."""
# Found in every line, at its end: without it, the look failed and says nothing.
_ALWAYS: Final = r"\z"


@dataclass(frozen=True, slots=True)
class ShapeMatch:
    """A shape rule that matched, with token offsets into the line."""

    rule: ShapeRule
    action: int
    symbol: int | None
    price: int | None


def _options() -> Any:
    options = re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False
    return options


def matcher(*patterns: str) -> Callable[[str], bool]:
    """Return a function that says whether a text holds one of these RE2 patterns anywhere.

    Faster than a search, which also says where.
    """
    match = pattern_set(patterns).Match
    return lambda text: match(text.encode()) is not None


def few_matcher(*patterns: str) -> Callable[[str], bool]:
    """Return the same for texts of which there are few, as shapes of lines: it is remembered."""
    return lru_cache(maxsize=_SHAPES_KEPT)(matcher(*patterns))


def pattern_set(patterns: Iterable[str]) -> Any:
    """Return RE2 patterns as one set, which says which of them a text holds anywhere."""
    compiled = re2.Set.SearchSet(_options())
    for pattern in patterns:
        compiled.Add(pattern)
    compiled.Compile()
    return compiled


class RuleSet:
    """Compiled rules. Immutable for its users, safe to share between threads.

    Args:
        packs: The packs; where two give one phrase a meaning, the later one wins.
        digest: What stands for the rules in the version.
    """

    def __init__(self, packs: Iterable[Pack], digest: str) -> None:
        self.packs: Final = tuple(packs)
        self.version: Final = f"{CODE_VERSION}+{digest[:12]}"
        self.phrases: dict[str, Term | None] = {}
        """Lookup key of a phrase; a key with None only begins a longer one."""
        self.beginnings: set[str] = set()
        """Lookup keys with which a longer phrase begins."""
        self.not_symbols: frozenset[str] = frozenset().union(*[p.not_symbols for p in self.packs])
        self.cases: tuple[Case, ...] = tuple(case for pack in self.packs for case in pack.cases)
        shapes: dict[str, ShapeRule] = {}
        blocks: dict[str, BlockRule] = {}
        for pack in self.packs:
            shapes.update({rule.rule: rule for rule in pack.shapes})
            blocks.update({rule.rule: rule for rule in pack.blocks})
            for phrase, term in pack.phrases:
                self._add_phrase(phrase, term)
        self.run_starts: frozenset[str] = frozenset(phrase[0] for phrase in self.phrases)
        self._shapes = tuple(
            (rule, pattern, pattern.groupindex)
            for rule in shapes.values()
            for pattern in (re2.compile(rule.pattern, _options()),)
        )
        self._shape_set = self._compile(rule.pattern for rule, _, _ in self._shapes)
        self._blocks = tuple(blocks.values())
        self.result_bits: Final = sum(
            1 << at for at, rule in enumerate(self._blocks) if rule.refuses == "results"
        )
        """Bits of the block rules that refuse every result of a text."""
        self._block_set = self._compile(rule.pattern for rule in self._blocks)
        self._line_set, self._line_bits = _on_lines(self._blocks)
        self._some_blocks: dict[int, Any] = {}
        """Sets of the block rules that some texts may hold, by the rules' bits."""
        self._by_shape: dict[str, tuple[ShapeMatch, ...]] = {}

    def _add_phrase(self, phrase: str, term: Term) -> None:
        words = phrase.split(" ")
        for end in range(1, len(words)):
            beginning = "".join(words[:end])
            self.phrases.setdefault(beginning, None)
            self.beginnings.add(beginning)
        self.phrases["".join(words)] = term

    @staticmethod
    def _compile(patterns: Iterable[str]) -> Any:
        found = list(patterns)
        return pattern_set(found) if found else None

    def term(self, word: str) -> Term | None:
        """Return what one word or phrase means, None if nothing."""
        return self.phrases.get(key(word))

    def match_shape(self, shape: str) -> tuple[ShapeMatch, ...]:
        """Return every rule that matches the shape of a line, at each place it does."""
        found = self._by_shape.get(shape)
        if found is None:
            if len(self._by_shape) > _SHAPES_KEPT:
                self._by_shape.clear()
            found = self._by_shape[shape] = self._match_shape(shape)
        return found

    def _match_shape(self, shape: str) -> tuple[ShapeMatch, ...]:
        if self._shape_set is None:
            return ()
        found: list[ShapeMatch] = []
        data = shape.encode()
        for index in sorted(self._shape_set.Match(data) or ()):
            rule, pattern, groups = self._shapes[index]
            position = 0
            while (match := pattern.search(data, position)) is not None:
                action = match.start(groups["a"])
                symbol = match.start(groups["s"]) if "s" in groups else -1
                price = match.start(groups["p"]) if "p" in groups else -1
                found.append(
                    ShapeMatch(
                        rule,
                        action,
                        symbol if symbol >= 0 else None,
                        price if price >= 0 else None,
                    )
                )
                # Go on behind the action, not behind the match: the next may overlap it.
                position = action + 1
        return tuple(found)

    def blocks_on(self, line: str) -> tuple[int, int, int]:
        """Return a bit for each block rule that a text with this line may be refused by.

        Args:
            line: A line, whose digits may be others.

        Returns:
            Bits of the rules that it may meet by itself, of those that it may begin to meet with
            the lines below, and of those that it may go on to meet.
        """
        found: list[int] = self._line_set.Match(line.encode("utf-8", "replace")) or []
        if 0 not in found:
            return ALL, ALL, ALL  # the look failed, and says nothing
        may = [0, 0, 0]
        for at in found:
            place, bit = self._line_bits[at]
            may[place] |= bit
        return may[0], may[1], may[2]

    def match_blocks(self, folded: str, may: int = ALL) -> tuple[BlockRule, ...]:
        """Return the block rules that refuse a text.

        Args:
            folded: The text.
            may: Bits of the rules that its lines may meet, see :meth:`blocks_on`.
        """
        if self._block_set is None or may == 0:
            return ()
        if may != ALL:
            some = self._some_blocks.get(may)
            if some is None and len(self._some_blocks) < _SETS_KEPT:
                some = self._some_blocks[may] = pattern_set(
                    [rule.pattern for at, rule in enumerate(self._blocks) if may >> at & 1]
                )
            # Several are named in the order of all.
            if some is not None and not some.Match(folded):
                return ()
        return tuple(self._blocks[index] for index in self._block_set.Match(folded) or ())

    def extended(self, sources: Iterable[tuple[str, str]]) -> RuleSet:
        """Return these rules with a user's own on top.

        Args:
            sources: Names and texts of further packs.

        Returns:
            A new set with a version of its own.

        Raises:
            PackError: A text breaks the format.
        """
        texts = list(sources)
        digest = hashlib.sha256(self.version.encode())
        for name, text in texts:
            digest.update(f"{name}\0{text}\0".encode())
        packs = [read_pack(text, name) for name, text in texts]
        return RuleSet([*self.packs, *packs], digest.hexdigest())


def _on_lines(rules: Sequence[BlockRule]) -> tuple[Any, list[tuple[int, int]]]:
    """Return what lines hold of texts that rules refuse, as one set; and what each part of it says.

    Returns:
        The set; for each of its patterns its place in what :meth:`RuleSet.blocks_on` returns, and
        the rule's bit.
    """
    patterns, bits = [_ALWAYS], [(0, 0)]
    for at, rule in enumerate(rules):
        for place, pattern in enumerate(one_line.of(rule.pattern)):
            if pattern is not None:
                patterns.append(pattern)
                bits.append((place, 1 << at))
    return pattern_set(patterns), bits


def _sources() -> list[tuple[str, str]]:
    folder = resources.files("trackrecord.extraction") / "rules"
    return [(name, (folder / f"{name}.yaml").read_text("utf-8")) for name in _ORDER]


def _digest(sources: list[tuple[str, str]]) -> str:
    """Digest of rules and code, so that no change of either can keep its version."""
    digest = hashlib.sha256()
    for name, text in sources:
        digest.update(f"{name}\0{text}\0".encode())
    for item in sorted(
        resources.files("trackrecord.extraction").iterdir(), key=lambda entry: entry.name
    ):
        if item.name.endswith(".py"):
            digest.update(item.read_bytes())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def default_rules() -> RuleSet:
    """Return the rules that come with the package."""
    sources = _sources()
    return RuleSet([read_pack(text, name) for name, text in sources], _digest(sources))


@lru_cache(maxsize=1)
def default_version() -> str:
    """Return the version of the rules that come with the package, without compiling them."""
    return f"{CODE_VERSION}+{_digest(_sources())[:12]}"
