"""What names an instrument although it is more than a word: pairs, contracts, labelled names.

``BTC/USDT:USDT``, ``NSE:RELIANCE``, ``EURUSD=X``, ``^NSEI`` and ``NIFTY 24500 CE`` are cut into
several tokens. Here those of a line become one again. No choice depends on the value of a digit
or on which unknown name stands there, so that lines can be remembered without them.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Final

from trackrecord.extraction import companies, contracts, labelled
from trackrecord.extraction.words import CODES, QUOTES, SYMBOL, UNNAMED, Parts

EXCHANGES: Final = frozenset({
    "NSE", "BSE", "NFO", "BFO", "CDS", "BCD", "MCX", "NCDEX", "NSEIX", "NASDAQ", "NYSE", "AMEX",
    "ARCA", "BATS", "OTC", "OTCMKTS", "NYSEARCA", "NYSEAMERICAN", "CBOE", "CME", "COMEX", "NYMEX",
    "CBOT", "ICE", "ICEUS", "EUREX", "LSE", "LON", "LSIN", "XETR", "FWB", "ETR", "FRA", "EPA",
    "AMS", "EURONEXT", "MIL", "BME", "SIX", "SWX", "OMXSTO", "OSL", "WSE", "GPW", "TSX", "TSXV",
    "TSE", "TYO", "OSE", "HKEX", "HKG", "SSE", "SZSE", "SHA", "SHE", "SHFE", "DCE", "CZCE",
    "CFFEX", "INE", "TWSE", "TPEX", "TAIFEX", "KRX", "KOSPI", "KOSDAQ", "ASX", "NZX", "SGX", "IDX",
    "SET", "BIST", "BVMF", "BMFBOVESPA", "MOEX", "MYX", "TADAWUL", "JSE", "BINANCE", "BINANCEUS",
    "BYBIT", "OKX", "OKEX", "COINBASE", "KRAKEN", "KUCOIN", "BITSTAMP", "BITFINEX", "BITMEX",
    "BITGET", "MEXC", "GATEIO", "GATE", "HTX", "HUOBI", "GEMINI", "DERIBIT", "PHEMEX", "BINGX",
    "UPBIT", "BITHUMB", "POLONIEX", "CRYPTO", "CRYPTOCAP", "UNISWAP", "FX", "OANDA", "FOREXCOM",
    "FXCM", "SAXO", "PEPPERSTONE", "CAPITALCOM", "BLACKBULL", "EIGHTCAP", "ICMARKETS", "TVC",
    "INDEX", "SP", "DJ", "ECONOMICS", "INDEXNSE", "INDEXBOM", "INDEXSP", "INDEXDJX", "US", "HK",
    "O", "C", "X", "I",
})  # fmt: skip
"""Prefixes of a name, as charts, brokers and data services write them."""
_EXCHANGE: Final = "(?:[A-Z]{2,6}_[A-Z]{2,6}|[A-Z]{1,12})"
_QUOTE: Final = "(?:" + "|".join(sorted(QUOTES | CODES, key=lambda code: (-len(code), code))) + ")"
_FIRM: Final = "[A-Z0-9](?:[A-Z0-9&._-]{0,40}[A-Z0-9])?(?:[12]?!)?"

# Names with punctuation inside, written without spaces. Repetitions are bounded or cannot
# give back, and each begins at the edge of a word.
_GLUED: Final = re.compile(
    rf"""(?<![\w$#^.&@-])(?:(?P<suffixed>[A-Z0-9]{{1,12}}=[XF])
    | (?<!/)(?P<index>\^[A-Z][A-Z0-9]{{1,11}}+(?:\.[A-Z]{{1,4}}+)?+)
    | (?<!/)(?P<pair>[A-Z0-9]{{1,15}}/{_QUOTE}(?::{_QUOTE}(?:-\d{{6}}(?:-\d{{1,9}}-[CP])?)?
        |-\d{{6}}|\.[A-Z]{{1,4}}|-PERP|-SWAP)?)
    | (?<!/)(?P<share>[A-Z]{{2,4}}/[AB])
    | (?<!/)(?P<listed>{_EXCHANGE}:(?:[A-Z0-9]{{1,15}}/{_QUOTE}|{_FIRM}))
    )(?![A-Za-z0-9_=/])""",
    re.VERBOSE,
)
_MAY_GLUE: Final = re.compile(r"\^[A-Z]|[A-Z0-9](?:=[XF]|/[A-Z]|:[A-Z0-9])")

_INDEXES: Final = re.compile(
    r"(?<![\w$#^.:=/&@-])(?:NIFTY (?:NEXT )?\d{2,3}|(?:NASDAQ|FTSE|NIKKEI|S&P|CSI) \d{3}"
    r"|RUSSELL \d{4}|(?:DAX|CAC|DOW|STOXX|IBEX|TOPIX) \d{2})(?![\w.,:/%-]|\.\d| ?(?:%|x\b))"
    r"(?! (?:[Ll]ots?|LOTS?|[Pp]oints?|POINTS?|pts|PTS|[Qq]ty|QTY|[Ss]hares|CE|PE|CALL|PUT)\b)"
)
_TELLING: Final = frozenset({
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "SEPT", "OCT", "NOV", "DEC",
    "FUT", "CE", "PE", "CALL", "PUT", "NIFTY", "DAX", "CAC", "DOW", "STOXX", "IBEX", "TOPIX",
    "FTSE", "CSI", "NEXT", "LOTS", "QTY", "BANK", "FIN", "SWAP", "PERP",
    "AT", "ABOVE", "BELOW", "NEAR",
})  # fmt: skip
MEANT: Final = EXCHANGES | _TELLING | CODES | UNNAMED | companies.FIRMS
"""Words in capitals that a line may not be remembered without, though they may be names."""

_BASES: Final = frozenset("SwefaViN")
NEAR: Final = frozenset({"above", "below", "near", "around", "abv", "blw"})
"""Words between an action and the price at which it is meant."""
_SMALL_NAMES: Final = frozenset({
    "ES", "DE", "SE", "EL", "LA", "SI", "PL", "AL", "UN", "LE", "SO", "HE", "WE", "ON", "DO",
})  # fmt: skip


def join(text: str, parts: Parts) -> None:
    """Make one token of each name that the tokens of a line hold in parts.

    Args:
        text: What the line is a part of.
        parts: Its tokens, changed in place.
    """
    letters = parts[0]
    if not letters:
        return
    _merge(_unlabelled(text, parts), parts)
    if "Y" in letters or (":" in letters and labelled.may_pick(text, parts)):
        _merge(labelled.find(text, parts), parts)
    if "A" in letters or "a" in letters:
        if len(letters) > 2:  # noqa: PLR2004 - two words and an action
            _merge(companies.find(text, parts), parts)
        _mark_triggers(text, parts)


def _unlabelled(text: str, parts: Parts) -> list[tuple[int, int]]:
    """Return where names stand that need no label; the longer of two that begin together first."""
    begin, end = parts[2][0], parts[3][-1]
    while begin > 0 and text[begin - 1] == "^":
        begin -= 1
    line = text[begin:end]
    found = contracts.find(line, begin, parts)
    if _MAY_GLUE.search(line):
        found.extend(
            (begin + match.start(), begin + match.end())
            for match in _GLUED.finditer(line)
            if _is_glued(match, begin, parts)
        )
    if " " in line:
        found.extend(
            (begin + match.start(), begin + match.end()) for match in _INDEXES.finditer(line)
        )
    return sorted(found, key=lambda part: (part[0], -part[1]))


def _is_glued(match: re.Match[str], begin: int, parts: Parts) -> bool:
    """Say whether a word with punctuation inside is one name."""
    letters, _, starts, _, _, _ = parts
    first = bisect_left(starts, begin + match.start())
    last = bisect_left(starts, begin + match.end()) - 1
    if last < first or "A" in letters[first : last + 1]:
        return False
    left = letters[first]
    kind = match.lastgroup
    if kind == "listed":
        return _is_listed(match, left)
    if kind == "pair":
        base, _, quote = match.group().partition("/")
        if base == quote or left not in _BASES or base.isdigit():
            return False
        return quote not in CODES or base in CODES or base in QUOTES
    return kind != "share" or left == SYMBOL


def _is_listed(match: re.Match[str], left: str) -> bool:
    """Say whether one side of NSE:RELIANCE or AAPL:NASDAQ is an exchange."""
    exchange, _, name = match.group().partition(":")
    if name.replace(".", "").isdigit() and "." in name:
        return False  # PE_TTM:7.98
    if exchange in EXCHANGES or "_" in exchange:
        return not name.isdigit() or len(exchange) > 1
    return left == SYMBOL and name in EXCHANGES and len(name) > 1


def _merge(found: list[tuple[int, int]], parts: Parts) -> None:
    """Make one symbol of the tokens in each of these parts of the text, which are in order."""
    if not found:
        return
    letters, terms, starts, ends, keys, heads = parts
    size = len(letters)
    moved: list[int] = [0] * (size + 1)
    place = 0
    read = 0
    for start, end in found:
        first = bisect_left(starts, start, read, size)
        last = bisect_left(starts, end, first, size)
        if first < read or last <= first:
            continue
        while read < first:
            _copy(parts, read, place)
            moved[read] = place
            read += 1
            place += 1
        for inside in range(first, last):
            moved[inside] = -1
        letters[place] = SYMBOL
        terms[place] = None
        starts[place] = start
        ends[place] = max(end, ends[last - 1])
        keys[place] = ""
        place += 1
        read = last
    while read < size:
        _copy(parts, read, place)
        moved[read] = place
        read += 1
        place += 1
    del letters[place:], terms[place:], starts[place:], ends[place:], keys[place:]
    heads[:] = [moved[head] for head in heads if moved[head] >= 0]


def _copy(parts: Parts, source: int, target: int) -> None:
    if source != target:
        letters, terms, starts, ends, keys, _ = parts
        letters[target] = letters[source]
        terms[target] = terms[source]
        starts[target] = starts[source]
        ends[target] = ends[source]
        keys[target] = keys[source]


def _mark_triggers(text: str, parts: Parts) -> None:
    """Read BUY ABOVE 132 as BUY @ 132, unless it is an average that is above (above 200 EMA).

    And BUY ES @ 5300 as of a ticker, which elsewhere is a small word of some language.
    """
    letters, terms, starts, ends, keys, _ = parts
    size = len(letters)
    several = letters.count("A") + letters.count("a") > 1
    for at in range(1, size):
        before = letters[at - 1]
        if before == "A" and letters[at] != SYMBOL and text[starts[at] : ends[at]] in _SMALL_NAMES:
            if at + 1 == size or letters[at + 1] in "@N":
                letters[at] = SYMBOL
                terms[at] = None
                keys[at] = ""
            continue
        if letters[at] not in "wfS" or text[starts[at] : ends[at]].lower() not in NEAR:
            continue
        if before != SYMBOL and letters[at] == SYMBOL and text[starts[at]] in "nN":
            continue  # NEAR is a coin too
        if before == SYMBOL and at > 1:
            before = letters[at - 2]
        value = at + 1 + (letters[at + 1 : at + 2] == [":"])
        # Buy above, sell below: a rule for both.
        if before not in "Aa" or value >= size or letters[value] != "N" or several:
            continue
        if value + 1 < size and letters[value + 1] in "VwSP":
            continue
        letters[at] = "@"
        terms[at] = None
        keys[at] = ""
