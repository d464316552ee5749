"""Actions that name a thing of everyday life: buy a mattress, hold the button."""

from __future__ import annotations

from typing import Final

from trackrecord.extraction.document import Document, Line
from trackrecord.extraction.findings import Statement
from trackrecord.extraction.packs import RANKS

_MARKET: Final = frozenset("SYOqETXZCVKRBgpkAUbP")
"""Letters of words that are of the market."""
_WHOLE: Final = frozenset("SYOqETXZCVKRBpPbU")
_DETERMINERS: Final = frozenset(
    {
        "a",
        "an",
        "the",
        "your",
        "my",
        "his",
        "her",
        "their",
        "this",
        "that",
        "these",
        "those",
        "some",
    }
)
_NOUNS: Final = frozenset({
    "stock", "stocks", "share", "shares", "position", "positions", "dip", "dips", "rally",
    "rallies", "breakout", "breakouts", "breakdown", "pullback", "pullbacks", "retest",
    "weakness", "strength", "market", "markets", "coin", "coins", "token", "tokens", "pair",
    "asset", "assets", "instrument", "contract", "contracts", "future", "futures", "option",
    "options", "call", "calls", "put", "puts", "underlying", "index", "etf", "etfs", "fund",
    "funds", "bounce", "bounces", "rip", "news", "rumor", "rumour", "low", "lows", "high",
    "highs", "open", "close", "trend", "gap", "zone", "level", "levels", "support", "resistance",
    "range", "spread", "straddle", "strangle", "company", "name", "names", "security",
    "securities", "equity", "equities", "crypto", "currency", "metal", "gold", "silver", "oil",
    "bond", "bonds", "setup", "signal", "trade", "trades", "entry", "lot", "lots", "half", "rest",
    "remainder", "remaining", "whole", "full", "existing", "long", "longs", "short", "shorts",
    "holding", "holdings", "portfolio", "cash", "sector", "leg", "euro", "dollar", "pound", "yen",
    "rupee", "bitcoin", "ether", "ethereum", "nifty", "sensex", "dow", "nasdaq", "profit",
    "profits", "exposure", "stake", "investment", "bullish", "bearish", "correction", "selloff",
    "crossover", "momentum", "breakthrough", "volatility", "premium", "discount", "base",
    "bottom", "top", "spike", "drop", "decline", "fall", "rise", "now", "today", "tomorrow",
    "immediately", "aggressively", "cautiously", "here", "again", "more", "less", "all", "none",
    "strongly", "intraday", "swing", "reversal", "continuation", "target", "session", "candle",
    "bar", "move", "quarter", "year", "month", "week", "day", "growth", "valuation", "business",
    "earnings", "price", "chart", "pattern", "time", "risk", "upside", "downside", "side", "ticker",
    "symbol", "yield", "rate", "rates", "results", "guidance", "margin", "revenue",
    "uptrend", "downtrend", "trendline",
})  # fmt: skip
_POINTING: Final = frozenset({"this", "these", "my", "our", "his", "her"})
_GOODS: Final = frozenset({
    "version", "versions", "plan", "plans", "subscription", "edition", "app", "apps", "course",
    "courses", "membership", "license", "licence", "bundle", "warranty", "insurance", "phone",
    "laptop", "car", "house", "ticket", "tickets", "package", "product", "products",
})  # fmt: skip
# Of these, no more than the thing tells what is meant: Action: add support for exchanges.
_VERBS: Final = frozenset({"add", "keep", "invest", "enter", "maintain"})
_REACH: Final = 5


def names_a_thing(document: Document, statement: Statement) -> bool:
    """Say whether an action in small letters is done to something that is no instrument.

    Args:
        document: The text.
        statement: What seems to be a recommendation.
    """
    token = statement.token
    if document.letters[token] not in "ay" or statement.symbol is not None:
        return False
    if statement.rank < RANKS["stated"]:
        return False
    line = document.lines[statement.line]
    if _explained_by_thing(document, line, token):
        return True
    if token + 1 >= line.last or document.letters[token + 1] not in "fwN":
        return False
    determined = document.raw(token + 1).lower() in _DETERMINERS
    # Behind a label, and in other languages, the words that follow mostly say how or why.
    unlabelled = statement.rank < RANKS["labelled"] and _WHOLE.isdisjoint(document.letters)
    doing = document.raw(token).lower() in _VERBS and document.letters[token + 1] == "w"
    doing = doing and not document.raw(token + 1).lower().endswith("ly")
    return (determined or unlabelled or doing) and _thing_follows(document, line, token)


def _explained_by_thing(document: Document, line: Line, token: int) -> bool:
    """Say whether a rating is explained by a thing, in a text that speaks of no market."""
    if token + 3 >= line.last or document.letters[token + 1] not in "-,:;.":
        return False
    if document.raw(token + 2).lower() not in _POINTING or not _WHOLE.isdisjoint(document.letters):
        return False
    return _thing_follows(document, line, token + 2)


def _thing_follows(document: Document, line: Line, token: int) -> bool:
    """Say whether a word follows and none near it is of the market."""
    found = False
    near = range(token + 1, min(line.last, token + 1 + _REACH))
    if any(document.raw(at).lower() in _GOODS for at in near if document.letters[at] == "w"):
        return True
    for at in range(token + 1, min(line.last, token + 1 + _REACH)):
        letter = document.letters[at]
        if letter in _MARKET or (letter in "wf" and document.raw(at).lower() in _NOUNS):
            return False
        if letter not in "wfN":
            break
        found = found or letter == "w"
    return found
