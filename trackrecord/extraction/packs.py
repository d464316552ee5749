"""Rule packs: what a file of rules may hold, and how it is read and checked.

docs/extraction.md describes the format for people who write one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import re2
import yaml

from trackrecord.errors import TrackrecordError
from trackrecord.extraction import lexer
from trackrecord.extraction.folding import fold
from trackrecord.extraction.lexer import LEXER, key

ACTIONS: Final = frozenset({"BUY", "SELL", "HOLD", "STRONG_BUY", "STRONG_SELL", "BTST_BUY"})

CLASSES: Final[dict[str, str]] = {
    "action": "A",
    "action.weak": "a",
    "doing": "y",
    "heading": "h",
    "label.decision": "L",
    "label.final": "F",
    "label.is": "M",
    "label.outcome": "G",
    "label.weak": "D",
    "label.stale": "O",
    "label.vote": "V",
    "label.symbol": "Y",
    "label.quantity": "q",
    "price.entry": "E",
    "price.target": "T",
    "price.stop": "X",
    "price.other": "Z",
    "confidence": "C",
    "score": "K",
    "result": "R",
    "not_result": "U",
    "no_trades": "u",
    "negation": "n",
    "condition": "i",
    "refusal": "z",
    "ledger": "b",
    "placing": "o",
    "noun": "g",
    "plural": "k",
    "recommend": "v",
    "function": "f",
    "either": "r",
    "at": "@",
    "unit": "e",
    "btst": "B",
    "separator": "|",
    "period": "w",
    "position": "p",
    "speaker": "s",
    "word": "w",
}
"""Class of a term, and the letter that stands for it in a shape."""

SHAPE_HELP: Final = (
    "A and a action, L F G D labels, S symbol, N number, P percent, d date or time, w any other "
    "word; punctuation stands for itself, > is an arrow"
)


class PackError(TrackrecordError, ValueError):
    """A rule pack breaks the format; the message says where and what to do."""


@dataclass(frozen=True, slots=True)
class Term:
    """A phrase's meaning."""

    rule: str
    """Id of the rule, ``pack/name``."""
    kind: str
    """One of CLASSES."""
    letter: str
    """The class's letter in a shape."""
    value: str = ""
    """The action, or what the class needs."""
    reason: str = ""
    """For a refusal: why, in words."""


@dataclass(frozen=True, slots=True)
class ShapeRule:
    """A pattern over the token classes of one line."""

    rule: str
    pattern: str
    rank: int
    """Who wins among several statements on one instrument; 0 refuses the actions it names."""
    needs: tuple[str, ...] = ()
    """What the block must hold."""
    unless: tuple[str, ...] = ()
    """What the block must not hold."""
    upto: int = 70
    """For a refusal: the strongest rank that it refuses."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class BlockRule:
    """A pattern over the folded text that refuses every recommendation in it, or every result."""

    rule: str
    pattern: str
    refuses: str
    reason: str


@dataclass(frozen=True, slots=True)
class Case:
    """A text and what must come out, kept beside the rules it tests."""

    text: str
    expect: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pack:
    """One file of rules."""

    name: str
    version: int
    phrases: tuple[tuple[str, Term], ...]
    """Lookup key and meaning; ``" "`` separates the words of a key."""
    shapes: tuple[ShapeRule, ...]
    blocks: tuple[BlockRule, ...]
    not_symbols: frozenset[str]
    cases: tuple[Case, ...] = field(default=())


RANKS: Final[dict[str, int]] = {
    "refuse": 0,
    "vote": 10,
    "order": 20,
    "row": 30,
    "stated": 40,
    "labelled": 50,
    "outcome": 60,
    "final": 70,
}
"""What a shape rule's rank may be, weakest first."""

FLAGS: Final = frozenset(
    {"levels", "ledger", "position", "request", "conditions", "json", "votes", "titled", "symbol"}
)
"""What ``needs`` and ``unless`` may name."""


def words_of(phrase: str) -> list[str]:
    """Cut a phrase as the lexer cuts a text; a run of Chinese is one word a character."""
    words: list[str] = []
    for match in LEXER.finditer(fold(phrase)):
        kind = match.lastindex
        if kind is None:
            continue
        if kind == lexer.RUN:
            words.extend(match[kind])
        elif kind in (lexer.TEXT, lexer.CODE, lexer.TICKER, lexer.NUMBER, lexer.JUNK):
            words.append(key(match[kind]))
        elif match[kind] != ".":
            raise PackError(f"{phrase!r}: a phrase is words only, without {match[kind]!r}")
    return words


def _texts(value: Any, where: str) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    raise PackError(
        f"{where}: write a text or a list of texts; put words such as no, on and off in quotes"
    )


def _check_keys(entry: Any, allowed: set[str], required: set[str], where: str) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise PackError(f"{where}: expected a mapping, found {type(entry).__name__}")
    unknown = sorted(str(name) for name in entry if name not in allowed)
    if unknown:
        raise PackError(
            f"{where}: unknown {', '.join(unknown)}; known are {', '.join(sorted(allowed))}"
        )
    missing = sorted(required - set(entry))
    if missing:
        raise PackError(f"{where}: {', '.join(missing)} is missing")
    return entry


def _read_terms(pack: str, entries: Any) -> list[tuple[str, Term]]:
    phrases: list[tuple[str, Term]] = []
    for position, raw in enumerate(entries):
        where = f"{pack}: terms[{position}]"
        entry = _check_keys(
            raw, {"id", "class", "value", "reason", "phrases"}, {"id", "class", "phrases"}, where
        )
        kind = str(entry["class"])
        if kind not in CLASSES:
            raise PackError(f"{where}: no class {kind!r}; classes are {', '.join(CLASSES)}")
        value = str(entry.get("value", ""))
        if kind in {"action", "action.weak", "doing", "heading"} and value not in ACTIONS:
            raise PackError(f"{where}: value must be one of {', '.join(sorted(ACTIONS))}")
        term = Term(
            f"{pack}/{entry['id']}", kind, CLASSES[kind], value, str(entry.get("reason", ""))
        )
        for phrase in _texts(entry["phrases"], f"{where}.phrases"):
            words = words_of(phrase)
            if not words:
                raise PackError(f"{where}: {phrase!r} holds no word")
            phrases.append((" ".join(words), term))
    return phrases


def _pattern(text: Any, macros: dict[str, str], where: str) -> str:
    pattern = str(text)
    for name, body in macros.items():
        pattern = pattern.replace("{" + name + "}", body)
    try:
        options = re2.Options()
        options.log_errors = False
        re2.compile(pattern, options)
    except re2.error as error:
        raise PackError(f"{where}: not a pattern that RE2 takes: {error}") from None
    return pattern


def _read_shapes(pack: str, entries: Any, macros: dict[str, str]) -> list[ShapeRule]:
    rules = []
    for position, raw in enumerate(entries):
        where = f"{pack}: shapes[{position}]"
        entry = _check_keys(
            raw,
            {"id", "shape", "rank", "needs", "unless", "upto", "reason", "about"},
            {"id", "shape", "rank"},
            where,
        )
        if entry["rank"] not in RANKS:
            raise PackError(f"{where}: rank must be one of {', '.join(RANKS)}")
        needs = tuple(_texts(entry.get("needs", []), where))
        unless = tuple(_texts(entry.get("unless", []), where))
        wrong = sorted({*needs, *unless} - FLAGS)
        if wrong:
            raise PackError(f"{where}: no flag {wrong[0]!r}; flags are {', '.join(sorted(FLAGS))}")
        pattern = _pattern(entry["shape"], macros, where)
        if entry.get("upto", "final") not in RANKS:
            raise PackError(f"{where}: upto must be one of {', '.join(RANKS)}")
        if "(?P<a>" not in pattern:
            raise PackError(f"{where}: name the action's place in the shape with (?P<a>...)")
        rules.append(
            ShapeRule(
                f"{pack}/{entry['id']}",
                pattern,
                RANKS[entry["rank"]],
                needs,
                unless,
                RANKS[entry.get("upto", "final")],
                str(entry.get("reason", "")),
            )
        )
    return rules


def _read_blocks(pack: str, entries: Any) -> list[BlockRule]:
    rules = []
    for position, raw in enumerate(entries):
        where = f"{pack}: blocks[{position}]"
        entry = _check_keys(
            raw, {"id", "text", "refuses", "reason"}, {"id", "text", "refuses", "reason"}, where
        )
        if entry["refuses"] not in {"recommendations", "results"}:
            raise PackError(f"{where}: refuses must be recommendations or results")
        for number, text in enumerate(_texts(entry["text"], where)):
            name = f"{pack}/{entry['id']}" + (f".{number}" if number else "")
            pattern = _pattern(text, {}, where)
            rules.append(BlockRule(name, pattern, entry["refuses"], str(entry["reason"])))
    return rules


def _read_cases(pack: str, entries: Any) -> list[Case]:
    cases = []
    for position, raw in enumerate(entries):
        where = f"{pack}: tests[{position}]"
        entry = _check_keys(raw, {"text", "expect"}, {"text", "expect"}, where)
        expect = _check_keys(
            entry["expect"],
            {"final_action", "recommendations", "return_pct", "outcome"},
            set(),
            f"{where}.expect",
        )
        cases.append(Case(str(entry["text"]), expect))
    return cases


def read_pack(source: str, name: str) -> Pack:
    """Read one file of rules.

    Args:
        source: The file's text, YAML or JSON.
        name: What to call it in messages, usually its file name.

    Returns:
        The pack, checked.

    Raises:
        PackError: The text breaks the format; the message names the place.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        raw = yaml.load(source, Loader=loader)  # noqa: S506 - both loaders are safe ones
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise PackError(f"{name}: not YAML: {' '.join(str(error).split())}") from None
    entry = _check_keys(
        raw,
        {"pack", "version", "about", "macros", "terms", "shapes", "blocks", "not_symbols", "tests"},
        {"pack", "version"},
        name,
    )
    pack = str(entry["pack"])
    if not isinstance(entry["version"], int):
        raise PackError(f"{name}: version must be a whole number")
    for section in ("terms", "shapes", "blocks", "tests"):
        if not isinstance(entry.get(section, []), list):
            raise PackError(f"{name}: {section} must be a list")
    macros = entry.get("macros", {})
    if not isinstance(macros, dict):
        raise PackError(f"{name}: macros must be a mapping")
    return Pack(
        pack,
        entry["version"],
        tuple(_read_terms(pack, entry.get("terms", []))),
        tuple(
            _read_shapes(pack, entry.get("shapes", []), {str(k): str(v) for k, v in macros.items()})
        ),
        tuple(_read_blocks(pack, entry.get("blocks", []))),
        frozenset(_texts(entry.get("not_symbols", []), f"{name}: not_symbols")),
        tuple(_read_cases(pack, entry.get("tests", []))),
    )
