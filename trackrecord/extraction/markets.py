"""Whether a text speaks of a market at all: houses, crops and software are bought and held, too."""

from __future__ import annotations

from typing import Final

import re2

from trackrecord.extraction.document import SYMBOL, Document
from trackrecord.extraction.findings import Findings, Statement
from trackrecord.extraction.packs import RANKS

_FEWEST_WORDS: Final = 4
"""Unknown words from which a text says what it is about; a bare decision may be about anything."""
_MOST_WORDS: Final = 2000
"""Words up to which the text is about one thing."""
_SIDES: Final = frozenset({"long", "short", "overweight", "underweight"})
_RULE: Final = "code/no-market"
_REASON: Final = "the text speaks of no instrument, price or market"
_WORDS: Final = (
    r"stocks? shares? markets? pric(?:e|es|ing) trad(?:e|es|er|ers|ing) invest\w* portfolios?",
    r"bulls? bullish bears? bearish rsi macd sma ema atr adx vwap stochastic bollinger",
    r"fibonacci ichimoku supertrend resistance break-?outs? momentum trends? trending uptrend",
    r"downtrend earnings valuations? dividends? eps crypto\w* bitcoin ethereum forex nifty",
    r"banknifty sensex nasdaq volatility candles? candlestick charts? technicals?",
    r"fundamentals? indicators? oversold overbought upside downside ticker broker",
    r"equit(?:y|ies) securit(?:y|ies) hedg(?:e|ed|ing) back-?test\w* etfs? commodit(?:y|ies)",
    r"gold oil tokens? coins? options? futures calls puts strikes? stop[-_]?loss",
    r"take[-_]?profit pull-?back rally dips? sell-?off drawdown p&l pnl roi intraday swing",
    r"scalp\w* btst multibagger entry averages? sentiment analysts? quarterly revenues?",
    r"inflation yields? acci[oó]n(?:es)? mercados? precios? tendencia alcista bajista soporte",
    r"resistencia bolsa a[cç][aã]o a[cç][oõ]es pre[cç]os? alta baixa carteira aktien? kurs\w*",
    r"markt\w* b[oö]rse unternehmen umsatz\w* gewinn\w* bourse cours titres? march[eé]s?",
    r"tendance haussi\w* baissi\w* valorisation hisse\w* fiyat\w* piyasa\w* borsa\w*",
    r"expected[_ ]returns? win[_ ](?:rates?|ratios?) breadth",
    r"y[uü]kseli\w* d[uü][sş][uü][sş]\w* saham harga pasar",
)
_STEMS: Final = "акци|рыно|рынк|цен[аыу]|тренд|бирж|котиров|крипто|доллар|рубл|дивиденд"
# Texts in scripts without spaces, or of India, are not asked.
_OTHER_SCRIPTS: Final = r"[\x{0900}-\x{0dff}\x{0e00}-\x{0eff}\x{2e80}-\x{9fff}\x{ac00}-\x{d7af}]"
OF_MARKETS: Final = re2.compile(
    rf"(?i)(?:^|[^\pL])(?:{'|'.join(' '.join(_WORDS).split(' '))})(?:[^\pL]|$)"
    rf"|{_STEMS}|{_OTHER_SCRIPTS}"
)


def drop(document: Document, flags: frozenset[str], findings: Findings) -> None:
    """Refuse what is decided in a text that is about something else than a market.

    Only texts that say what they are about are asked: several words, and none of them of a
    market, an indicator, an instrument or its levels. A final decision is left alone, save to
    hold: whatever is reviewed may be held.

    Args:
        document: The text.
        flags: What the text as a whole holds.
        findings: Its statements; those that are refused move to ``rejected``.
    """
    if not findings.statements or "levels" in flags or SYMBOL in document.letters:
        return
    bare = [item for item in findings.statements if not item.is_row and item.bound is None]
    words = document.letters.count("w") if bare else 0
    if not _FEWEST_WORDS <= words <= _MOST_WORDS or OF_MARKETS.search(document.folded):
        return
    unsaid = [
        item
        for item in bare
        if item.symbol is None
        and item.price_token is None
        and (item.rank < RANKS["final"] or _is_any_hold(document, item))
        and document.raw(item.token).lower() not in _SIDES
    ]
    findings.refuse(document, unsaid, _RULE, _REASON)


def _is_any_hold(document: Document, statement: Statement) -> bool:
    """Say whether a final decision is to hold, and no transaction's."""
    line = document.lines[statement.line]
    label = document.folded[line.start : document.starts[statement.token]].lower()
    return statement.action == "HOLD" and "transaction" not in label
