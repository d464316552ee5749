"""Whether a word in capitals that stands unlabelled may be what a text speaks of.

Capitals make a ticker, and they make headings, jargon and the names of platforms as well. Where
nothing else says that a word is an instrument, what stands around it must.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import re2

from trackrecord.extraction.companies import FIRMS
from trackrecord.extraction.document import SYMBOL, Document, Line
from trackrecord.extraction.folding import HIDDEN
from trackrecord.extraction.names import EXCHANGES
from trackrecord.extraction.shapes import ACTIONS
from trackrecord.extraction.words import CODES, QUOTES, is_pair

# MT5, 2SD, 200DMA, LLAMA3; US30, GER40, PETR4, NIFTY50, 1INCH and 5PAISA are names.
_JARGON: Final = re2.compile(r"[A-Z]{1,3}[0-9]|[A-Z]{5,}[0-9]|[0-9]{1,3}[A-Z]{1,3}")
_COMPOUND: Final = re2.compile(r"[A-Z]{3,}-[A-Z]{3,}|[A-Z]{2}-[A-Z]{5,}")
_PLATFORMS: Final = EXCHANGES | {
    "IBKR", "TWS", "ZERODHA", "KITE", "UPSTOX", "DHAN", "FYERS", "GROWW", "ALPACA", "CCXT", "DERIV",
    "TELEGRAM", "DISCORD", "SLACK", "METATRADER", "TRADINGVIEW", "YFINANCE", "POLYGON", "FINNHUB",
}  # fmt: skip
_NEUTRAL: Final = frozenset("LFGDYVKgk")
"""Letters of words that titles add to a name: AAPL DAILY SIGNAL, NVDA STOCK ANALYSIS."""
_TELLING: Final = frozenset("LFGDYgk")
_QUOTES: Final = frozenset({"``", "''", '""', "[]"})
_PRICED: Final = frozenset("ZETX@")
"""Letters of labels of a price, which ends a phrase."""
_CLOSE: Final = 4
_JOINING: Final = "fNqwevLD"
"""Letters of what may stand between an action and its name: BUY 100 shares of KO."""
_LEADING: Final = "-|.>[](),:NdePLFGYDVkg"
_HEADS: Final = frozenset({
    "pick", "report", "review", "update", "spotlight", "focus", "idea", "análisis", "analisis",
    "analyse", "analiz", "analizi", "análise", "analise", "analisi", "bericht", "informe",
    "par", "moeda", "moneda", "relatório", "relatorio", "rapport", "rapor", "raporu", "laporan",
})  # fmt: skip
"""Words in front of a colon that say what is analysed: Informe: AAPL."""
_TITLED: Final = frozenset("LFG")
_NEAR: Final = 3
_SHORTEST_PAIR: Final = 6
_CURRENCIES: Final = QUOTES | CODES
_NAMING: Final = EXCHANGES | {"FOR", "OF", "ON"}
_BEFORE: Final = frozenset({"about", "regarding", "core", "ticker", "hold", "own"})
_OF: Final = frozenset({"for", "of", "on", "in"})
_FROM: Final = frozenset(
    {"from", "in", "under", "via", "with", "by", "of", "to", "and", "or", "than"}
)
"""Words in front of what a sentence is not about: revenue from AWS was strong."""
_RELATING: Final = frozenset("LFGDYgkTpqov")
"""Letters of words that are for, of, on or in an instrument: rating on NVDA."""
_RELATED: Final = frozenset({
    "data", "order", "position", "positions", "stake", "exposure", "stock", "shares", "share",
    "outlook", "thesis", "case", "report", "target", "forecast", "investment",
    "history", "price", "prices", "chart", "news", "bullish", "bearish", "long", "short", "sell",
    "analysis", "complete", "completed", "started", "update", "results", "context",
    "request", "received", "query",
})  # fmt: skip
_OBJECT_OF: Final = ("analy", "anali", "monitor", "watch", "scan", "review", "evaluat", "research")
_BEHIND: Final = frozenset({
    "is", "was", "has", "had", "looks", "remains", "shows", "trades", "offers", "appears",
    "continues", "could", "will", "would", "may", "might", "should", "can", "presents", "faces",
    "deserves", "warrants", "merits", "gets",
    "trading", "stock", "shares", "reported", "closed", "opened", "rose", "fell", "gained",
})  # fmt: skip
# > python trade.py NVDA
_COMMAND: Final = re.compile(r"[ ]{0,8}(?:[\w@.~/-]{0,24}[$>] |python3? |\./|uv run )")
_TITLE: Final = re2.compile(rb"^[|-]*[wfLYFGDVkg]{2,6}(?:[(][^()]*[)])?[-:]S[|]*$|[LYFG][-:]S[|]*$")
_DASHED: Final = re2.compile(rb"^[|]*[^|,;.:]{1,24}-S(?:[fwv]{0,3}d)?[|]*$")


_BY_DASH: Final = 2
_BY_LABEL: Final = 1


@lru_cache(maxsize=8192)
def _titled(shape: str) -> int:
    """Say whether a line of this shape titles a text by a name behind a dash, or a label."""
    data = shape.encode("ascii", "replace")
    if _DASHED.search(data) is not None:
        return _BY_DASH
    return _BY_LABEL if _TITLE.search(data) is not None else 0


@lru_cache(maxsize=8192)
def _is_jargon(name: str) -> bool:
    return _JARGON.fullmatch(name) is not None


def is_plain(document: Document, token: int) -> bool:
    """Say whether a symbol is a word in capitals and nothing else, as jargon may be, too."""
    return _is_plain_name(document.raw(token))


@lru_cache(maxsize=8192)
def _is_plain_name(printed: str) -> bool:
    name = printed.replace("&", "")
    if not name.isalnum() and _COMPOUND.fullmatch(name) is None:
        return False
    return len(name) < _SHORTEST_PAIR or not _pairs(name)


def _pairs(name: str) -> bool:
    return is_pair(name) or (len(name) == _SHORTEST_PAIR and {name[:3], name[3:]} <= _CURRENCIES)


def is_certain(document: Document, token: int) -> bool:
    """Say whether a symbol is no word at all: a pair, or a ticker with its exchange."""
    name = document.symbol(token)
    return any(mark in name for mark in "./:=^") or (len(name) >= _SHORTEST_PAIR and _pairs(name))


def is_vague(document: Document, line: Line, token: int) -> bool:
    """Say whether a word in capitals tells nothing of itself: jargon, or a word of a heading.

    Args:
        document: The text.
        line: The word's line.
        token: A symbol that no label announces.
    """
    if document.letters[token] != SYMBOL or not is_plain(document, token):
        return False
    name = document.raw(token)
    if name in _PLATFORMS or _is_jargon(name):
        return True
    if "-" in name and name.partition("-")[2] not in FIRMS:
        return True  # MEAN-REVERSION, but not BAJAJ-AUTO
    return _is_in_capitals(document, line, token)


def ends_a_phrase(document: Document, line: Line, token: int) -> bool:
    """Say whether a word is the last of several in capitals: ORDRE of TYPE ORDRE: BUY.

    Behind a label or an action, the word is a name: SIGNAL GOLD: BUY.
    """
    if token <= line.first or document.letters[token] != SYMBOL or not is_plain(document, token):
        return False
    if not _follows(document, token - 1, token):
        return False
    if document.letters[token - 1] == "f":
        return False
    return document.letters[token - 1] in "wSDKqZETX"


def _is_in_capitals(document: Document, line: Line, token: int) -> bool:
    """Say whether a word is one of several in capitals, and their phrase does not name it."""
    first = last = token
    while first > line.first and _follows(document, first - 1, first):
        first -= 1
    letters = document.letters
    while last + 1 < line.last and _follows(document, last, last + 1):
        if letters[last + 1] in _PRICED:
            break  # TATAPOWER CMP 412
        last += 1
    if first == last:
        return False
    phrase = letters[first : last + 1]
    if not ACTIONS.isdisjoint(phrase):
        return False
    if first < token:
        before = document.raw(token - 1).rpartition(" ")[2]
        return before not in _NAMING and not (letters[token - 1] == "Y" and before.endswith("ING"))
    known = document.rules.not_symbols
    behind = range(token + 1, last + 1)
    return not (
        any(letters[at] in _TELLING for at in behind)
        and all(letters[at] in _NEUTRAL or document.raw(at) in known for at in behind)
    )


def _follows(document: Document, left: int, right: int) -> bool:
    """Say whether two tokens are words in capitals, one space apart."""
    between = document.folded[document.ends[left] : document.starts[right]]
    if between.replace(HIDDEN, "") != " ":
        return False
    return _is_capital(document.raw(left)) and _is_capital(document.raw(right))


def _is_capital(word: str) -> bool:
    return len(word) > 1 and word.isupper() and not any(sign.isdigit() for sign in word)


def may_head(document: Document, line: Line, token: int) -> bool:
    """Say whether an unlabelled word may head the lines below as their instrument.

    ``Session: ASIAN`` among other fields is one of them and no title.
    """
    if is_vague(document, line, token):
        return False
    shape = line.shape
    if shape[-1:] != ":" and begins_a_reason(document, line, token):
        return False
    at = shape.find(":")
    if not 0 < at < token - line.first or not is_plain(document, token):
        return True
    if shape[at - 1] in _TITLED or "Y" in shape[:at]:
        return True
    named = document.letters[token + 1 : token + 3] in {"(w", "(f"}
    if named and document.raw(token + 2)[0].isupper():
        return True  # Report: AAPL (Apple Inc.)
    label = shape[:at].strip("|-.")
    heads = document.raw(line.first + at - 1).lower() in _HEADS
    return heads or (len(label) > 1 and stands_apart(document, line))


def begins_a_reason(document: Document, line: Line, token: int) -> bool:
    """Say whether a word in small letters follows: WYCKOFF accumulation, FDA approval."""
    behind = token + 1
    if behind >= line.last or document.letters[behind] != "w":
        return False
    return document.raw(behind)[0].islower() and is_plain(document, token)


def stands_apart(document: Document, line: Line) -> bool:
    """Say whether no line stands right above or right below, ruled ones left out."""
    lines = document.lines
    near = (
        *lines[max(0, line.number - 1) : line.number],
        *lines[line.number + 1 : line.number + 2],
    )
    return not any(item.shape for item in near)


def begins(document: Document, line: Line) -> bool:
    """Say whether a line is the first that says anything."""
    return not any(item.shape for item in document.lines[max(0, line.number - 3) : line.number])


def is_beside(document: Document, line: Line, token: int, action: int) -> bool:
    """Say whether a name goes with an action on its line, and not with a reason for it.

    Args:
        document: The text.
        line: The line of both.
        token: The name.
        action: The action.
    """
    letters = document.letters
    if letters[token] != SYMBOL or not is_plain(document, token) or document.raw(token)[0] in "$#":
        return True
    first, last = min(token, action), max(token, action)
    between = letters[first + 1 : last]
    # Words behind a name make it a part of a reason: SELL given FDA rules.
    ends = token + 1 == line.last or letters[token + 1] not in "wf"
    joined = last - first <= _CLOSE + 1 and not between.strip(_JOINING)
    if joined and (ends or "w" not in between):
        return True
    if not letters[line.first : token].strip(_LEADING) or _is_told_before(document, line, token):
        return True
    before = letters[token - 1]
    if ends:
        return before in "Y>v:=|([-," or letters[token + 1 : token + 2] in set(":|=->])")
    behind = document.raw(token + 1).lower()
    return before in "Y>v" or not behind.isascii() or (token < action and behind in _BEHIND)


def speaks_of(document: Document, line: Line, token: int) -> bool:
    """Say whether a line says of the one name in a text that the text is about it.

    Args:
        document: The text.
        line: A line that mentions it.
        token: The mention.
    """
    if not is_plain(document, token) or document.raw(token)[0] in "$#":
        return True
    if line.shape.strip("|-:.[]()") == SYMBOL or _acts_near(document, line, token):
        return True
    titled = _titled(line.shape)
    if titled == _BY_DASH or (titled == _BY_LABEL and may_head(document, line, token)):
        return True
    if _COMMAND.match(document.folded, line.start, line.end) is not None:
        return True
    return _is_marked(document, line, token) or _is_spoken_of(document, line, token)


def _acts_near(document: Document, line: Line, token: int) -> bool:
    """Say whether an action stands near, and nothing parts it from a name."""
    letters = document.letters
    for step in (-1, 1):
        at = token + step
        while line.first <= at < line.last and abs(at - token) <= _NEAR + 1:
            if letters[at] in ACTIONS:
                return True
            if letters[at] not in _JOINING + ":|":
                break
            at += step
    return False


def _is_marked(document: Document, line: Line, token: int) -> bool:
    """Say whether quotes or brackets set a name off; ``(BVPS): 27.70`` is of a value."""
    start, end = document.starts[token], document.ends[token]
    around = document.text[max(0, start - 1) : start] + document.text[end : end + 1]
    if around == "()":
        behind = document.letters[token + 2 : token + 4]
        return behind not in {":N", ":P"} and token - 1 > line.first
    return around in _QUOTES


def _is_spoken_of(document: Document, line: Line, token: int) -> bool:
    """Say whether the words beside a name tell of it: analysing AAPL, UNH offers."""
    if _is_told_before(document, line, token):
        return True
    if token + 1 >= line.last:
        return False
    end = document.ends[token]
    begins = not line.shape[: token - line.first].strip("-|.>")
    if begins and document.letters[token + 1] in "Z@":
        return True  # TATAPOWER CMP 412
    if token > line.first and document.raw(token - 1).lower() in _FROM:
        return False
    return document.raw(token + 1).lower() in _BEHIND or document.folded[end : end + 2] == "'s"


def _is_told_before(document: Document, line: Line, token: int) -> bool:
    """Say whether the words in front of a name tell of it: rating on NVDA."""
    if token <= line.first:
        return False
    letters = document.letters
    before = document.raw(token - 1).lower()
    if letters[token - 1] == "Y" or before.upper() in EXCHANGES:
        return True
    if before in _BEFORE or before.startswith(_OBJECT_OF):
        return True
    if before not in _OF or token - 1 <= line.first:
        return False
    if letters[token - 2] in _RELATING or document.raw(token - 2).lower() in _RELATED:
        return True
    # A text headed Round table on ABNB; a Strong Buy on KSS.
    headed = token + 1 == line.last and begins(document, line)
    rated = letters[token - 2] in ACTIONS and letters[token + 1 : token + 2] not in {"w", "f"}
    return headed or rated
