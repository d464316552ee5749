"""Names of companies that are several words: BHARAT FORGE: SELL, BUY TATA STEEL CMP 140.

Names stand at the beginning of a line in front of its action, or right behind an action that
begins it. Two words may as well be two instruments, so one of them must be of the kind that
firms are named with, or, in front of an action, longer than the tickers of most exchanges.
"""

from __future__ import annotations

from typing import Final

from trackrecord.extraction.words import CODES, QUOTES, UNNAMED, Parts, is_pair

FIRMS: Final[frozenset[str]] = frozenset({
    "BANK", "LTD", "LIMITED", "INC", "CORP", "CORPORATION", "PLC", "GROUP", "HOLDINGS", "MOTORS",
    "MOTOR", "MOTOCORP", "STEEL", "STEELS", "POWER", "PORTS", "FORGE", "AUTO", "LIFE", "INSURANCE",
    "FINANCE", "FINSERV", "FINANCIAL", "CAPITAL", "INDUSTRIES", "PHARMA", "PHARMACEUTICALS", "LABS",
    "LABORATORIES", "HEALTHCARE", "HOSPITALS", "CEMENT", "CEMENTS", "CHEMICALS", "CHEMICAL",
    "PAINTS", "ENERGY", "OIL", "GAS", "PETROLEUM", "GRID", "COAL", "INDIA", "INDIAN", "CONSUMER",
    "PRODUCTS", "FOODS", "BEVERAGES", "BREWERIES", "SPIRITS", "TECHNOLOGIES", "TECHNOLOGY",
    "TECH", "SOFTWARE", "SYSTEMS", "COMMUNICATIONS", "TELECOM", "AIRTEL", "AVIATION", "AIRLINES",
    "AEROSPACE", "ELECTRONICS", "ELECTRIC", "ELECTRICALS", "INFRA", "INFRASTRUCTURE", "REALTY",
    "ESTATES", "PROPERTIES", "DEVELOPERS", "HOTELS", "RETAIL", "FASHION", "TEXTILES", "MILLS",
    "SUGAR", "SUGARS", "FERTILISERS", "FERTILIZERS", "MINERALS", "METALS", "ZINC", "COPPER",
    "TYRES", "CARD", "CARDS", "AGRO", "EXPORTS", "ENTERPRISES", "VENTURES", "SERVICES",
    "SOLUTIONS", "LOGISTICS", "SHIPPING", "SHIPYARD", "PLASTICS", "PIPES", "CABLES", "GLASS",
    "JEWELLERS", "BIOTECH", "SCIENCES", "MEDICAL", "AIRWAYS", "RAILWAYS", "FUND", "ETF",
    "FUTURE", "FUTURES",
})  # fmt: skip
"""Words that firms are named with, by which a name of several words is known."""

_COMMON: Final = frozenset({
    "gold", "silver", "copper", "platinum", "palladium", "brent", "bitcoin", "ethereum", "solana",
    "dogecoin", "cardano", "litecoin", "nifty", "banknifty", "finnifty", "sensex", "nasdaq",
})  # fmt: skip
"""Instruments that are called by a plain word."""
_LINKS: Final = frozenset({"of", "and", "OF", "AND"})
_BEGIN: Final = frozenset("-|>.:,[](N)*d")
_BEHIND: Final = frozenset("@:-|,(ETXZNCP=>;")
_AHEAD: Final = frozenset(":|-=>([")
_AT: Final = frozenset({"above", "below", "near", "around", "abv", "blw", "at"})
_DEGREES: Final = frozenset({"strong", "strongly", "new", "fresh"})
_MOST_WORDS: Final = 5
_FEWEST: Final = 2
_LONG: Final = 6


def find(text: str, parts: Parts) -> list[tuple[int, int]]:
    """Return where a name of several words stands beside the action of a line.

    Args:
        text: What the line is a part of.
        parts: Its tokens, which name an action.
    """
    letters = parts[0]
    first = 0
    size = len(letters)
    while first < size and letters[first] in _BEGIN:
        first += 1
    if first + _FEWEST >= size:
        return []
    behind = letters[first] in "Aa"
    if behind:
        first += 1
        while first < size and letters[first] in _AHEAD:
            first += 1
    last = _run(text, parts, first)
    if last - first == 1 and not behind and _acts(text, parts, last):
        word = text[parts[2][first] : parts[3][first]]
        common = letters[first] == "w" and word.lower() in _COMMON
        return [(parts[2][first], parts[3][first])] if common else []
    if last - first < _FEWEST or not _is_one(text, parts, first, last, behind):
        return []
    if not behind and not _acts(text, parts, last):
        return []
    if behind and last < size and letters[last] not in _BEHIND:
        word = text[parts[2][last] : parts[3][last]]
        if word.lower() not in _AT:
            return []
    return [(parts[2][first], parts[3][last - 1])]


def _acts(text: str, parts: Parts, at: int) -> bool:
    """Say whether an action follows a name, at most a few marks behind it."""
    letters, _, starts, ends, _, _ = parts
    end = min(len(letters), at + 4)
    while at < end and (letters[at] in _AHEAD or text[starts[at] : ends[at]].lower() in _DEGREES):
        at += 1
    return at < end and letters[at] in "Aa"


def _run(text: str, parts: Parts, first: int) -> int:
    """Return where a run of capitalised words one space apart ends."""
    letters, terms, starts, ends, _, _ = parts
    at = first
    size = min(len(letters), first + _MOST_WORDS)
    while at < size:
        word = text[starts[at] : ends[at]]
        if at > first and starts[at] != ends[at - 1] + 1:
            break
        if word in _LINKS:
            if at == first:
                break
            at += 1
            continue
        known = word.upper() in FIRMS
        if not word.isalpha() or not word.isascii() or not word[0].isupper() or len(word) == 1:
            break
        if letters[at] not in "Sw" and not known:
            break
        if terms[at] is not None and not known:
            break
        if letters[at] == "w" and word.isupper() and not known:
            break
        at += 1
    while at > first and text[starts[at - 1] : ends[at - 1]] in _LINKS:
        at -= 1
    return at


def _is_one(text: str, parts: Parts, first: int, last: int, behind: bool) -> bool:
    """Say whether a run of words is one name."""
    _, _, starts, ends, _, _ = parts
    words = [text[starts[at] : ends[at]] for at in range(first, last)]
    if any(word in QUOTES or word in CODES or word in UNNAMED for word in words):
        return False
    if any(len(word) >= _LONG and is_pair(word) for word in words):
        return False
    if any(word.upper() in FIRMS for word in words):
        return True
    return not behind and all(word.isupper() for word in words) and max(map(len, words)) >= _LONG
