"""What the keys and values of an object mean: its action, instrument, prices and confidence."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final, final

from trackrecord.extraction import numbers
from trackrecord.extraction.lexer import key as looked_up
from trackrecord.extraction.notation import Node, Scalar
from trackrecord.extraction.packs import Term
from trackrecord.extraction.ruleset import RuleSet
from trackrecord.extraction.words import looks_like_symbol

_PARTS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\x00-\x7f]+")
# Words of a key that do not change what it names.
_BEFORE: Final = frozenset({
    "suggested", "recommended", "proposed", "planned", "initial", "ai", "model", "new",
    "calculated", "optimal", "the", "my", "our", "your", "llm", "ml", "bot", "agent",
    "trader", "trading", "strategy", "current", "latest", "todays", "adjusted", "dynamic",
    "fixed",
})  # fmt: skip
_BEHIND: Final = frozenset({
    "price", "level", "value", "usd", "usdt", "inr", "eur", "cny", "rs", "name", "id", "str",
    "text", "en", "type", "label", "cn", "zh", "tw", "ko", "kr", "ja", "jp", "display",
    "hint", "ref", "reference",
})  # fmt: skip
_KEPT: Final = frozenset("ETXCYLFDOG")
_DECIDING: Final = frozenset({
    "decision", "recommendation", "verdict", "advice", "proposal", "suggestion", "action",
})  # fmt: skip
_NOTHING: Final = frozenset({
    "", "none", "null", "nil", "nan", "n/a", "na", "-", "--", "undefined", "unknown", "tbd",
    "<na>", "nat", "?",
})  # fmt: skip
_PLACEHOLDER: Final = re.compile(
    r"(?i)^(?:<[^>]*>|\{[^}]*\}|\$\{.*\}|\[[^\]]*\]|%\(?\w*\)?[sdf]|your[_ -].*|x{3,}|string|str"
    r"|number|float|int|integer|enum|symbol|ticker|yyyy[-/]mm[-/]dd.*|hh:mm.*|<.*|0(?:\.0)?\s*-\s*1(?:00|\.0)?)$"
)
_NUMBER: Final = re.compile(
    r"[-+]?(?:(?:US|HK|[ACR])?[$€£¥₹₽₩₺₫฿]|(?:Rs\.?|INR|USDT?|EUR|GBP|CNY|RMB)\s?)?\s?[-+]?"
    r"(?:\d[\d,_]*(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d{1,2})?[kKMB]?"
    r"\s?(%|元|円|원|USDT?|USDC|INR|EUR|GBP|CNY|RMB|rupees|dollars|/-)?"
)
_LONGEST_NUMBER: Final = 40
_LONGEST_SYMBOL: Final = 40
_OF: Final = re.compile(r"\s*/\s*(10|100)(?![0-9])")
_ENUM: Final = re.compile(r"<?[A-Za-z_]\w*\.([A-Za-z_]+)(?::\s*(?:['\"]([^'\"]*)['\"]|[^>]*))?>?")
_PICTURES: Final = re.compile(
    r"^[^\w<$#]+|[^\w)>%.!*]+$|[\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff\ufe0f*`]"
)
_CARRIED_OUT: Final = frozenset({
    "execute", "initiate", "place", "take", "issue", "confirm", "confirmed", "trigger", "new",
})  # fmt: skip
"""Verbs in front of the action that is to be taken."""
_EITHER: Final = re.compile(r"[|/]")
_PROSE: Final = re.compile(r"\s*[-,;:.!(|]|\s+(?:signal|setup|opportunity)\b", re.IGNORECASE)
_CODE: Final = re.compile(r"(?:[A-Za-z]{2}\.?)?\d{5,6}(?:\.[A-Za-z]{2,4})?")
_PAIR: Final = re.compile(r"[A-Z0-9]{1,15}[/:_-][A-Z0-9]{1,12}(?:[:/.][A-Z0-9]{1,8})?")
_PERCENT: Final = Decimal(100)
_TEN: Final = Decimal(10)


_KEYS_KEPT: Final = 4096


@final
class Meaning:
    """What a key names."""

    __slots__ = ("letter", "parts", "term", "word")

    def __init__(self, letter: str, term: Term | None, word: str, parts: tuple[str, ...]) -> None:
        self.letter = letter
        """Of its class, see packs.CLASSES; empty where it means nothing."""
        self.term = term
        self.word = word
        """The key in small letters without what joins its parts."""
        self.parts = parts
        """Its words."""


@final
class Action:
    """An action that a value names."""

    __slots__ = ("exact", "value", "weak", "word")

    def __init__(self, value: str, exact: bool, weak: bool, word: str) -> None:
        self.value = value
        self.exact = exact
        """Whether the value is nothing but the action."""
        self.weak = weak
        """Whether the word only counts behind a label."""
        self.word = word


class Keys:
    """Looks up keys and values by a set of rules, and remembers them.

    Args:
        rules: What words and phrases mean.
    """

    def __init__(self, rules: RuleSet) -> None:
        self.rules: Final = rules
        self._meanings: Final[dict[str, Meaning]] = {}
        self._actions: Final[dict[str, Action | None]] = {}

    def meaning(self, key: str) -> Meaning:
        """Return what a key names."""
        found = self._meanings.get(key)
        if found is None:
            if len(self._meanings) > _KEYS_KEPT:
                self._meanings.clear()
            found = self._meanings[key] = self._meaning(key)
        return found

    def action(self, text: str) -> Action | None:
        """Return the action that a value names, None where it names none or several."""
        found = self._actions.get(text)
        if found is None and text not in self._actions:
            if len(self._actions) > _KEYS_KEPT:
                self._actions.clear()
            found = self._actions[text] = self._action(text)
        return found

    def _term(self, text: str) -> Term | None:
        return self.rules.phrases.get(looked_up(text).replace(" ", ""))

    def _meaning(self, key: str) -> Meaning:
        parts = tuple([part.lower() for part in _PARTS.findall(key)][:8])
        word = "".join(parts)
        term = self._term(key) or self.rules.phrases.get(word)
        if term is not None:
            return Meaning(term.letter, term, word, parts)
        rest = list(parts)
        while len(rest) > 1 and (rest[-1] in _BEHIND or rest[0] in _BEFORE):
            rest = rest[:-1] if rest[-1] in _BEHIND else rest[1:]
            term = self.rules.phrases.get("".join(rest))
            if term is not None:
                kept = term.letter in _KEPT
                return Meaning(term.letter if kept else "", term if kept else None, word, parts)
        if len(parts) > 1 and parts[-1] in _DECIDING:
            first = self.rules.phrases.get(parts[0])
            if first is None or first.letter not in "VOUbz":
                term = self.rules.phrases.get(parts[-1])
                return Meaning("L" if term is not None else "", term, word, parts)
        return Meaning("", None, word, parts)

    def _action(self, text: str) -> Action | None:
        if len(text) > 400:  # noqa: PLR2004 - a text of its own
            return None
        enum = _ENUM.fullmatch(text)
        if enum is not None:
            text = enum[2] or enum[1]
        text = _PICTURES.sub("", text).strip()
        if not text or (("|" in text or "/" in text) and self._are_options(text)):
            return None
        term = self._term(text)
        if term is not None:
            return self._as_action(term, text, exact=True)
        words = text.split()
        if len(words) == 2 and words[0].lower() in _CARRIED_OUT:  # noqa: PLR2004 - EXECUTE LONG
            term = self._term(words[1])
            return None if term is None else self._as_action(term, words[1], exact=True)
        for count in (3, 2, 1):
            head = " ".join(words[:count]).rstrip("-,;:.!(|")
            term = self._term(head) if head and len(words) >= count else None
            if term is None or term.letter not in "Aa" or not text.startswith(head):
                continue
            behind = text[len(head) :]
            named = len(words) == count + 1 and looks_like_symbol(words[count], frozenset())
            if named or not behind or _PROSE.match(behind) is not None:
                return self._as_action(term, head, exact=named or not behind)
        return None

    def _are_options(self, text: str) -> bool:
        """Say whether a value lists what could be decided: Buy Now | Sell Now | Watch."""
        parts = [part.strip() for part in _EITHER.split(text, 8)]
        found = {
            term.value
            for part in parts
            for count in (3, 2, 1)
            if (term := self._term(" ".join(part.split()[:count]))) is not None
            and term.letter in "Aa"
        }
        return len(found) > 1

    def _as_action(self, term: Term, word: str, *, exact: bool) -> Action | None:
        if term.letter not in "Aa":
            return None
        return Action(term.value, exact, term.kind == "action.weak", word.lower())

    def symbol_like(self, key: str, *, known: bool = False) -> bool:
        """Say whether a key may be the name of an instrument.

        Args:
            key: As printed.
            known: Whether its neighbours are such names, so that a word in capitals is one too.
        """
        if len(key) > _LONGEST_SYMBOL:
            return False
        if _PAIR.fullmatch(key) is not None or _CODE.fullmatch(key) is not None:
            return True
        if not known and self._term(key) is not None:
            return False
        return looks_like_symbol(key, frozenset() if known else self.rules.not_symbols)


def nothing(text: str) -> bool:
    """Say whether a value is none: null, N/A, an empty string."""
    return text.strip().lower() in _NOTHING


def placeholder(text: str) -> bool:
    """Say whether a value only shows where one would stand: <ticker>, YOUR_KEY, 0-100."""
    return _PLACEHOLDER.match(text.strip()) is not None


def unwrapped(value: Scalar | Node) -> Scalar | Node:
    """Return what stands inside Decimal('1.2'), np.float64(1.2) or Some(1.2)."""
    if isinstance(value, Scalar):
        return value
    for _ in range(3):
        if isinstance(value, Node) and value.name and len(value.entries) == 1:
            entry = value.entries[0]
            if not entry.key or entry.key == "value":
                value = entry.value
                continue
        break
    return value


def number(value: Scalar) -> tuple[Decimal, bool] | None:
    """Read a value that is nothing but a number.

    Returns:
        The number and whether it is printed in percent; None for text, ranges and distances.
    """
    text = value.text.strip()
    if not text or len(text) > _LONGEST_NUMBER:
        return None
    if numbers.is_plain(text):
        return Decimal(text), False
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    unit = match[1] or ""
    body = text[: len(text) - len(unit)].strip().replace("_", "")
    found = numbers.parse(body)
    return None if found is None else (found, unit == "%")


def price(value: Scalar) -> Decimal | None:
    """Read a price; whether one at or below 0 can be is asked of all levels together."""
    found = number(value)
    return None if found is None or found[1] else found[0]


def confidence(value: Scalar, key: str) -> Decimal | None:
    """Read a confidence as 0 to 1: 0.82, 82, ``"82%"`` and ``"8/10"`` are forms of it."""
    text = value.text.strip()
    whole = _OF.search(text)
    if whole is not None and value.quoted:
        part = numbers.parse(text[: whole.start()])
        found = None if part is None else part / Decimal(whole[1])
    else:
        read = number(value)
        if read is None:
            return None
        found, percent = read
        if percent or found > _TEN or key.endswith(("pct", "percent", "percentage")):
            found = found / _PERCENT
    return found if found is not None and 0 <= found <= 1 else None


def symbol(value: Scalar) -> str | None:
    """Return the name of an instrument as printed, to its end, without ``$`` or ``#``."""
    text = value.text.strip().lstrip("$#").strip()
    enum = _ENUM.fullmatch(text) if text.startswith("<") else None
    if enum is not None:
        text = enum[2] or enum[1]
    if nothing(text) or placeholder(text) or len(text) > _LONGEST_SYMBOL or "\\n" in text:
        return None
    return text
