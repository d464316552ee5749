"""What a single word is: a term of the rules, a symbol, the head of a phrase, or just a word."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final, NamedTuple

from trackrecord.extraction.lexer import key
from trackrecord.extraction.packs import Term
from trackrecord.extraction.ruleset import RuleSet

SYMBOL: Final = "S"
WORD: Final = "w"
QUOTES: Final = frozenset({
    "USDT", "USDC", "USD", "BUSD", "FDUSD", "TUSD", "DAI", "BTC", "ETH", "BNB", "EUR", "GBP",
    "JPY", "INR", "TRY", "AUD", "CAD", "CHF", "NZD", "KRW", "BRL", "PERP", "SGD", "HKD", "CNY",
})  # fmt: skip
"""What a pair of symbols may be quoted in."""

CODES: Final = frozenset({
    "MXN", "ZAR", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "THB", "IDR", "PHP", "MYR", "TWD",
    "ILS", "RUB", "AED", "SAR", "CNH", "VND", "UAH", "NGN", "ARS", "CLP", "COP",
})  # fmt: skip
"""Further currencies, in which only other currencies are quoted."""
UNNAMED: Final = frozenset({
    "NONE", "NULL", "NAN", "N/A", "NA", "N.A", "NIL", "XXX", "XXXX", "TBD", "UNKNOWN", "UNDEFINED",
    "BUY", "SELL", "HOLD", "LONG", "SHORT", "BULLISH", "BEARISH", "NEUTRAL", "UPTREND",
    "DOWNTREND", "OVERSOLD", "OVERBOUGHT", "TRUE", "FALSE", "YES", "NO", "STRONG", "WEAK",
    "SYMBOL", "TICKER", "STOCK", "PRICE", "SIGNAL", "ACTION", "CLOSE", "USD", "USDT", "USDC",
})  # fmt: skip
"""What names no instrument even where a name is expected."""

_PAIR: Final = re.compile(
    r"(?i)[a-z0-9]{1,15}[/_-](?:usd[tc]?|busd|fdusd|tusd|dai|btc|eth|bnb|eur|gbp|jpy|inr|try|aud"
    r"|cad|chf|nzd|krw|brl|sgd|hkd|cny|perp)(?:[:._/-]?(?:usd[tc]?|perp|swap|p|umcbl|[0-9]{6}))?"
    r"|[a-z0-9]{2,15}(?:usd[tc]?|busd|btc|eur|gbp|jpy|inr|krw|perp)"
    r"(?:[._:-](?:perp|swap|p|umcbl))?"
)
_CHINESE_CODE: Final = re.compile(
    r"(?:sh|sz|bj)\.?[0-9]{6}|hk\.?[0-9]{5}|[0-9]{6}\.(?:sh|sz|bj)|[0-9]{4,5}\.hk"
)
_BROKER_PAIR: Final = re.compile(
    r"(?:[A-Z]{3}|XAU|XAG)(?:USD|EUR|GBP|JPY|CHF|AUD|CAD|NZD)(?:[mcz]|\.[a-z]{1,5})"
)
_TEMPLATE: Final = frozenset("ALFYETXCKRqDG")

# A period or a level: FY-25, H1, R2, Q3.
_PERIOD: Final = re.compile(r"[A-Z][0-9]|(?:FY|CY)-?[0-9]{2,4}E?|[QH][0-9]-?(?:FY)?[0-9]{2,4}")
# A word by its ending, longer than most tickers: GENERATION, PROCESSING.
_PLAIN: Final = re.compile(r"[A-Z]{4,}(?:TIONS?|SIONS?|NESS|MENTS|(?<!HOUS)ING)")
_COMPOUND_FIRST: Final = frozenset({
    "WITH", "PRE", "NON", "RISK", "LONG", "SHORT", "HIGH", "LOW", "STOP", "TAKE", "OVER", "UNDER",
    "MULTI", "INTRA", "SELF", "POST", "COUNTER", "CROSS", "BREAK", "PULL", "FOLLOW", "ALL", "MID",
    "BUY", "SELL", "HOLD", "DOUBLE", "TRIPLE", "HALF", "FULL", "REAL", "RANGE", "TREND",
})  # fmt: skip
_COMPOUND_LAST: Final = frozenset({
    "TERM", "TREND", "ON", "OFF", "UP", "DOWN", "IN", "OUT", "BACK", "TIME", "LEVEL", "BASED",
    "FREE", "ONLY", "RISK", "END", "MARKET", "DAY", "THROUGH", "BOUND", "WEIGHTED",
})  # fmt: skip

_LONGEST_SYMBOL: Final = 24
_LONGEST_KEPT: Final = 64
_WORDS_KEPT: Final = 65536
_DIGIT: Final = re.compile(r"[0-9]")
_TO_ZERO: Final = bytes.maketrans(b"123456789", b"000000000")
# What may stand in a number in front of its first digit.
_BEFORE_DIGIT: Final = re.compile(r"[^a-z0-9]*+(?:us|hk|[acr]|rs|inr|usdt?|eur)?+[^a-z0-9]*+")

Parts = tuple[list[str], list[Term | None], list[int], list[int], list[str], list[int]]
"""Letters, terms, starts, ends, keys and heads of a line's tokens."""

LOOK_ALIKE: Final = Term(
    "code/look-alike", "refusal", "z", "", "a word mixes alphabets to look like another"
)


class Known(NamedTuple):
    """What is known of a word."""

    letter: str
    """Its letter in a shape."""
    term: Term | None
    """What it means, if it means anything."""
    begins: bool
    """Whether a phrase of several words begins with it."""
    key: str
    """What it is looked up by."""
    telling: bool
    """Whether it holds digits that can change all of this."""
    leads: bool
    """Whether a phrase may go on with a number behind it."""


class Words:
    """Classifies words by a set of rules, and remembers them.

    Args:
        rules: What words and phrases mean.
    """

    def __init__(self, rules: RuleSet) -> None:
        self.rules: Final = rules
        self.known: Final[dict[str, Known]] = {}
        """The words that were met."""
        self.numbered: Final = _numbered(rules.phrases)
        """All parts of phrases that hold a number; digits made 0."""
        self._no_symbols: Final = frozenset(map(without_values, rules.not_symbols))
        self._leading: Final = frozenset(
            before[at:] for before in _before_numbers(rules.phrases) for at in range(len(before))
        )

    def learn(self, text: str) -> Known:
        """Classify a word once and remember it."""
        rules = self.rules
        looked_up = key(text)
        term = rules.phrases.get(looked_up)
        if term is None and "." in text:
            term = _member(text, rules)
        if text[0] == "$" and is_cashtag(text[1:], term):
            term, looked_up, letter = None, "", SYMBOL
        elif term is not None:
            letter = letter_of(term, text.rpartition(".")[2] or text)
        elif not text.isascii() and mixes_alphabets(text):
            term, letter = LOOK_ALIKE, LOOK_ALIKE.letter
        else:
            letter = SYMBOL if looks_like_symbol(text, rules.not_symbols) else WORD
        known = Known(
            letter,
            term,
            looked_up in rules.beginnings,
            looked_up,
            _DIGIT.search(looked_up) is not None and self._may_tell(text, looked_up),
            without_values(looked_up) in self._leading,
        )
        if len(text) <= _LONGEST_KEPT:
            if len(self.known) > _WORDS_KEPT:
                self.known.clear()
            self.known[text] = known
        return known

    def _may_tell(self, text: str, looked_up: str) -> bool:
        """Say whether other digits could make another thing of a word; rather once too often."""
        if without_values(looked_up) in self.numbered:
            return True
        if without_values(text.lstrip("$#")) in self._no_symbols:
            return True
        return "." in text and without_values(key(text.rpartition(".")[2])) in self.numbered


def _member(text: str, rules: RuleSet) -> Term | None:
    """Return the action that a printed member of an enumeration names: SignalType.BUY."""
    kind, _, name = text.rpartition(".")
    if (
        not kind.isidentifier()
        or kind.upper() == kind
        or not kind[0].isupper()
        or name != name.upper()
    ):
        return None
    term = rules.phrases.get(key(name))
    return term if term is not None and term.letter == "A" else None


def without_values(text: str) -> str:
    """Return a text with every digit made 0."""
    # Bytes are translated several times as fast as characters.
    return (
        text.encode("utf-8", "surrogatepass").translate(_TO_ZERO).decode("utf-8", "surrogatepass")
    )


def _before_numbers(phrases: Iterable[str]) -> frozenset[str]:
    """Return what phrases that hold a number begin with, up to the number."""
    found: set[str] = set()
    for phrase in phrases:
        for match in _DIGIT.finditer(phrase):
            digit = match.start()
            found.update(
                without_values(phrase[:end])
                for end in range(1, digit + 1)
                if _BEFORE_DIGIT.fullmatch(phrase, end, digit)
            )
    return frozenset(found)


def _numbered(phrases: Iterable[str]) -> frozenset[str]:
    """Return all parts of phrases that hold a digit, digits made 0."""
    return frozenset(
        part
        for phrase in map(without_values, phrases)
        if "0" in phrase
        for start in range(len(phrase))
        for end in range(start + 1, len(phrase) + 1)
        if "0" in (part := phrase[start:end])
    )


def letter_of(term: Term, text: str) -> str:
    """An action counts by itself where it is printed in capitals, or in a script without."""
    if term.letter == "A" and text != text.upper():
        return "a"
    return term.letter


def is_cashtag(body: str, term: Term | None) -> bool:
    """Say whether a word behind ``$`` is a ticker, though it may be a word too: $NOW, $MA.

    A name for a value, such as ``$SIGNAL`` or ``$TARGET``, is none.
    """
    if not body.isascii() or not body.isalpha() or not body.isupper() or len(body) > 6:  # noqa: PLR2004
        return False
    return body not in UNNAMED and (term is None or term.letter not in _TEMPLATE)


def is_pair(body: str) -> bool:
    """Say whether a name, of which the letters may be small, is a pair or a Chinese stock."""
    return _PAIR.fullmatch(body) is not None or _CHINESE_CODE.fullmatch(body) is not None


def looks_like_symbol(text: str, not_symbols: frozenset[str]) -> bool:  # noqa: PLR0911 - one a form
    """Say whether a word is built like a ticker: capitals and digits, perhaps with a suffix."""
    body = text[1:] if text[0] in "$#" else text
    if not 1 < len(body) <= _LONGEST_SYMBOL and not (text[0] == "$" and body):
        return False
    if not body.isascii() or "'" in body:
        return False
    if "_" in body:
        return body.upper() == body and _PAIR.fullmatch(body) is not None
    if _PERIOD.fullmatch(body) or _PLAIN.fullmatch(body) or ("-" in body and _is_compound(body)):
        return False
    base = body
    for mark in ".-&":
        base = base.replace(mark, "")
    if not base.isalnum() or base.upper() != base or base.isdigit():
        return _CHINESE_CODE.fullmatch(body) is not None or _BROKER_PAIR.fullmatch(body) is not None
    if body in not_symbols or not any(character.isalpha() for character in body):
        return False
    if body[0].isdigit() and sum(character.isalpha() for character in body) < 2:  # noqa: PLR2004
        return False
    return not (text[0] == "#" and body.isdigit())


def _is_compound(body: str) -> bool:
    """Say whether a word with a hyphen is a compound of plain words: WITH-TREND, RISK-ON."""
    first, _, last = body.partition("-")
    return first in _COMPOUND_FIRST or last in _COMPOUND_LAST


def mixes_alphabets(word: str) -> bool:
    """Say whether a word holds both Latin letters and Cyrillic or Greek ones."""
    scripts = {unicodedata.name(letter, "").split(" ")[0] for letter in word if letter.isalpha()}
    return "LATIN" in scripts and not scripts.isdisjoint({"CYRILLIC", "GREEK"})


MONTHS: Final = frozenset({
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec",
    "january", "february", "march", "april", "june", "july", "august", "september", "october",
    "november", "december", "day", "week", "month", "year", "q",
})  # fmt: skip
"""Words in front of a number that make it a date or a period: after Mar 11, week 2."""
AT_LEVEL: Final = frozenset({
    "at", "level", "price", "is", "i.e", "nivel", "nível", "preço", "precio", "mức", "giá", "bei",
    "à", "a", "seviye", "fiyat", "уровень", "цена",
})  # fmt: skip
"""Words between a percentage and the price that it comes to: -7 % (mức 142.000)."""
