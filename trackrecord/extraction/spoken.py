"""Results told in a sentence: made $120 profit, the strategy returned 12.4 %, SL hit: -1.2 %."""

from __future__ import annotations

import re
from typing import Any, Final

import re2

from trackrecord.extraction import closings, endings, looks, numbers
from trackrecord.extraction.document import Document, Line
from trackrecord.extraction.result_values import Candidate

_NUMBER: Final = r"[+-]?\d[\d,]*(?:\.\d+)?"
_AMOUNT: Final = (
    r"([+-]?(?:Rs\.? ?)?[$€£¥₹]?[+-]?\d[\d,]*(?:\.\d+)?)( ?%)?"
    r"(?: ?(?:USDT|USDC|USD|INR|EUR|dollars|rupees))?"
)
_WHO: Final = (
    r"(?:strategy|portfolio|bot|account|fund|system|backtest|simulation|trade|position|model|agent"
    r"|algorithm|algo|trader|we|you|i|it)"
)
_BEFORE_WORD: Final = re2.compile(
    r"(?i)\b(?:made|earned|booked|reali[sz]ed|netted|banked|took|locked in"
    r"|(?:closed|exited|sold) (?:with|for|at|in)|ended with|finished with)"
    rf"(?: (?:a|an|total|net|of|profit of))* {_AMOUNT}"
    r" (?:of |in |net |total |realized )*(profits?|gains?|loss(?:es)?)\b"
)
_VERB: Final = re2.compile(
    rf"(?i)\b(?:{_WHO}) (?:has |have )?(returned|earned|gained|made|lost|netted)"
    rf"(?: a| an| total| net| of| return)* ({_NUMBER})( ?%)"
)
_CHANGED: Final = (
    r"(?:grew|rose|fell|shrank|went|increased|decreased|dropped|declined|moved|changed)"
)
_GREW: Final = re2.compile(
    r"(?i)\b(?:portfolio|account|capital|equity|balance|wallet)\b[^.\n:]{0,24}"
    rf"\b({_CHANGED})\b[^\n%(]{{0,48}}(?:\(|by )({_NUMBER})( ?%)"
)
# Backtest result: +5.4% over 12 trades; Backtest finished: 12 trades, +5.4% return
_RUN: Final = re2.compile(
    r"(?i)\bbacktest\w*\b[^\n%+-]{0,32}\b(?:results?|finished|completed?|done)\b[^\n%+]{0,40}?"
    r"[ :=(]([+-]\d[\d,]*(?:\.\d+)?) ?%"
    r"|^\W*(?:final )?results?\W{1,4}([+-]\d[\d,]*(?:\.\d+)?) ?%[^\n]{0,24}\btrades\b"
)
# Résultat: -243.31 $ (fermé par SL)
_BROUGHT: Final = re2.compile(
    r"(?i)^[^\w\n]*(?:r[ée]sultats?|resultado|ergebnis|risultato|результат|sonuç|hasil|kết quả|结果"
    r"|結果|결과)\W{0,3}[:=]\W{0,3}([+-] ?[$€£¥₹]? ?\d[\d,]*(?:\.\d+)?)( ?%)?"
)
# Trade #12: LONG KO 61.20 -> 63.10 (+3.1 %)
_TRIP: Final = re2.compile(
    r"(?i)^\W*(?:trade|deal|position) ?#? ?\d+\b[^\n]*\d ?(?:->|→) ?[$€£¥₹]?\d[^\n(]*"
    r"\(([+-]\d[\d.]*) ?(%)\)"
)
_OPERATION: Final = re2.compile(
    r"(?i)\b(?:operation profit|(?:trade )?(?:profit|pnl|p&l))\W{1,3}gross[:=]?\s?[$€£¥₹]?"
    r"-?[\d.,]*\d\W{1,3}net[:=]?\s?((?:-?[$€£¥₹]|[$€£¥₹]?-)?\d[\d,]*(?:\.\d+)?)"
)
_DOWN: Final = frozenset(
    {"lost", "loss", "losses", "fell", "shrank", "decreased", "dropped", "declined"}
)
_NOT_YET: Final = re.compile(
    r"\b(?:if|when|would|could|should|may|might|can|will|expect\w*|aim\w*|goal|plan\w*"
    r"|target(?:ing)?|potential\w*|up to|hope\w*|hypothetical\w*|assum\w*|unreali[sz]ed"
    r"|per (?:month|day|week|year|trade|annum)|(?:a|each|every) (?:month|day|week|year)|annual\w*"
    r"|monthly|daily|weekly|averag\w*|max\w*|not|never|no|buy ?(?:&|and) ?hold|benchmark"
    r"|example)\b",
    re.IGNORECASE,
)
_MAY_TELL: Final = looks.ask(
    r"(?i)\b(?:made|earned|booked|reali[sz]ed|netted|banked|took|locked|closed|exited|ended|finished"
    r"|sold)\b[^\n]*(?:profit|gain|loss)"
    rf"|\b(?:returned|earned|gained|made|lost|netted|{_CHANGED})\b[^\n]*%"
    r"|(?:hit|reached|achieved|triggered|stopped out|squared[ -]off|liquidated|clos|exit|平仓|止盈"
    r"|止损|result|outcome)[^\n]*[+-][R$€£¥₹\d]"
    r"|(?:sultat|resultado|ergebnis|risultato|результат|sonuç|hasil|kết quả|结果|結果|결과)"
    r"[^\n\d]*[+-]"
    r"|\d ?(?:->|→)[^\n]*\([+-]|gross[^\n]*net"
    r"|(?:result|outcome|finished|complete\w*|done)(?:[^\n]*%|$)"
)
_LONGEST: Final = 400
# Booked 50 % profit: a part of the position, not what it brought.
_SHARES: Final = frozenset({"25", "30", "33", "40", "50", "60", "70", "75", "80", "100"})
# Letters of lines that may hold an amount; 1R behind SL hit is a word.
_AMOUNTS: Final = frozenset("NPZ")
_REACHED: Final = re2.compile(
    r"(?i)\b(?:profit |price )?targets?[ _]?#?\d?[ _](?:was |is )?(?:hit|reached|achieved|done)\b"
)


def _may_hold(line: str) -> bool:
    """Say whether a line holds a result's words, and none that say that it is none yet."""
    if len(line) > _LONGEST or _NOT_YET.search(_REACHED.sub("", line)) is not None:
        return False
    return endings.names_event(line) or any(
        pattern.search(line) is not None
        for pattern in (_OPERATION, _RUN, _BROUGHT, _TRIP, _BEFORE_WORD, _VERB, _GREW)
    )


_MAY_HOLD: Final = looks.later(_may_hold)


def find(document: Document, taken: set[int]) -> list[Candidate]:
    """Return the results that sentences tell.

    Args:
        document: The text.
        taken: Lines that are explained already.

    Returns:
        Candidates; sums that are planned, supposed, averaged or a benchmark's are none.
    """
    if not document.may(_MAY_TELL):
        return []
    found: list[Candidate] = []
    for line in document.lines:
        if not line.looks & _MAY_TELL or _AMOUNTS.isdisjoint(line.shape):
            continue
        if line.number in taken:
            continue
        if document.tells(line, _MAY_HOLD):
            candidate = _read(line, document.folded[line.start : line.end])
            if candidate is not None:
                found.append(candidate)
    return found


def _read(  # noqa: PLR0911 - one form after the other
    line: Line, text: str
) -> Candidate | None:
    match = _OPERATION.search(text)
    if match is not None:
        return _candidate(line, match, "", match.group(1), "", "code/operation-profit")
    match = _RUN.search(text)
    if match is not None:
        amount = match.group(1) or match.group(2)
        return _candidate(line, match, "", amount, "%", "code/told-return")
    match = _BROUGHT.search(text) or _TRIP.search(text)
    if match is not None:
        amount = match.group(1).replace(" ", "")
        return _candidate(line, match, "", amount, match.group(2), "code/told-ending")
    match = _BEFORE_WORD.search(text)
    if match is not None:
        word = match.group(3)
        if match.group(2) and match.group(1).rstrip() in _SHARES:
            return None
        return _candidate(line, match, word, match.group(1), match.group(2), "code/told-profit")
    match = _VERB.search(text) or _GREW.search(text)
    if match is not None:
        return _candidate(line, match, match.group(1), match.group(2), "%", "code/told-return")
    return closings.read(line, text)


def _candidate(
    line: Line, match: Any, word: str, amount: str, percent: str | None, rule: str
) -> Candidate | None:
    value = numbers.parse(amount)
    if value is None:
        return None
    if word.lower() in _DOWN and value > 0:
        value = -value
    start, end = line.start + match.start(), line.start + match.end()
    return Candidate(
        "trade", value if percent else None, None if percent else value, (), rule, rule,
        start, end, line.number,
    )  # fmt: skip
