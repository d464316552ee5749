"""Numbers that are no prices: distances, multiples, shares of something, times and amounts."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

# ruff: noqa: RUF001 - signs of many scripts are what is looked for
# Sizes of a distance. R is a multiple of the risk, unless it names a ratio (R:R).
_DISTANCE: Final = (
    r"(?:pips?|pipettes?|points?|ticks?|handles?"
    r"|pts?(?![ ]?[:=$₹€£0-9])|percent(?:age)?|per[ ]cent|pct|perc|prozent"
    r"|porcento|por[ ]ciento|pourcent|procent|bps|bp|basis[ ]points?"
    r"|(?:standard[ ]deviations?|std(?:\.|dev)?s?|stdevs?|sd|sigmas?|σ)"
    r"|(?:daily[ ]|[0-9]{1,3}[- ]?(?:day|d|bar|period)[ ])?(?:n?atrs?|true[ ]range|adr)"
    r"|puntos|pontos|punkte?n?|punti|puan|puntos?|пунктов|пункта|пункт|пипсов|пипса|тиков|тика"
    r"|процентов|процента|процент|ポイント|ピップス|ティック|포인트|틱|퍼센트|अंक|पॉइंट|प्रतिशत"
    r"|个点|個點|点|點|个百分点|跳|倍(?:ATR)?)"
)
# Amounts and times, but not what labels the next value (132 Qty: 75, 132 LOT SIZE 25).
_AMOUNT: Final = (
    r"(?:(?:bars|candles|candlesticks|periods|sessions|days|hours|hrs|minutes|mins|seconds|secs"
    r"|weeks|wks|months|years|yrs|trading[ ]days|times|shares|shrs|lots|contracts|units|qty|coins"
    r"|lotes|lotti|tokens|tage?n|wochen|stunden|stück|aktien|jours|heures|semaines|días|dias"
    r"|horas|semanas|acciones|ações|giorni|azioni|gün|adet|hisse|saat|дней|дня|часов|акций|лотов|лота"
    r"|株|枚|本|日間?|時間|週間?|주|일|계약|दिन|शेयर|लॉट"
    r"|手|股|张|張|份|天|交易日|小时|小時|分钟|分鐘|周|个月|個月|根)(?![ ]?(?:[:=]|[$₹€£]?[0-9]))"
    r"|(?:bar|candle|period|session|day|hour|hr|minute|min|week|month|year|share|lot|contract|unit"
    r"|jour|tag|лот)(?=[ ]?(?:$|[),.;|/\n])))"
)
_TIMES: Final = r"(?:[ ]{0,2}[x×*][ ]{0,2})"
_BEHIND: Final = re.compile(
    rf"(?i:[ \t-]?(?:{_TIMES}?{_DISTANCE}|{_AMOUNT}|%)(?![^\W\d_]))"
    r"|[ ]?(?:[Xx×][ ]?)?(?:R(?![\w:/])|[Rr]isk\b|[Rr]\b(?=\s*(?:$|[),;|\n])))"
    r"|[ ](?:away|(?:from|below|above|off)[ ](?:the[ ])?entry)\b"
    r"|[ ]?[x×](?![\w.])"
    r"|[ ]{0,3}[x×*][ ]{0,2}(?i:n?atrs?|risk|adr|σ)\b"
    r"|个点|個點|个百分点|点(?![0-9])|點(?![0-9])|[手股张張份天根倍跳株枚]|个?交易日|小时|分钟|个?月(?![0-9])"
)
# Several numbers may share a unit: 40/80 pips. A price beside one does not: 1.0825, 25 pips.
_FIGURES: Final = frozenset("0123456789")
_DIGITS_OF_A_SIZE: Final = 3
_LISTING: Final = frozenset(",/&~")
_LIST: Final = re.compile(r"(?:[ ]?(?:[/,&~-]|to)[ ]?[+]?[0-9]{1,4}(?![.0-9])){1,5}")
_BETWEEN: Final = re.compile(
    rf"(?i)(?<![0-9.])(?<![0-9.][ ])(?<![^\W\d_])"
    rf"(?:{_DISTANCE}|multiple|multiplier|mult|%|r(?=[)\]]))(?![^\W\d_])"
)
_FURTHER: Final = re.compile(r"[ ]?(?:\(|=|→|->|=>|@|:|\bat\b)[ ]?(?:at[ ]|@[ ]?)?")
_LONGEST: Final = 48
_ENDS: Final = frozenset({"", "\n"})
# What no unit and no list of numbers begins with, so that most numbers are not looked at.
_NO_UNIT: Final = frozenset(")]}|:;.\"'(=<>@#$€£₹!?_`")
# What mostly stands between a label and its price: no unit.
_MARKS: Final = " \t:=|@$€£₹-"


def follows(text: str, end: int) -> int | None:
    """Return where the unit ends that makes the number in front of it no price.

    Args:
        text: Folded text.
        end: Where the number ends.

    Returns:
        The offset behind the unit; None where no unit follows, or a currency.
    """
    behind = text[end : end + 1]
    if behind in _ENDS or behind in _NO_UNIT:
        return None
    if behind == " ":
        behind = text[end + 1 : end + 2]
        if behind in _ENDS or behind in _NO_UNIT:
            return None
    match = None if behind in _LISTING else _BEHIND.match(text, end, end + _LONGEST)
    if match is None and _is_short(text, end):
        others = _LIST.match(text, end, end + _LONGEST)
        if others is not None:
            match = _BEHIND.match(text, others.end(), others.end() + _LONGEST)
    return None if match is None else match.end()


def _is_short(text: str, end: int) -> bool:
    """Say whether a number that ends here has one to three digits and no other part."""
    at = end
    while at > 0 and end - at <= _DIGITS_OF_A_SIZE and text[at - 1] in _FIGURES:
        at -= 1
    if not 0 < end - at <= _DIGITS_OF_A_SIZE:
        return False
    return at == 0 or text[at - 1] not in ".,"


@lru_cache(maxsize=4096)
def heads(between: str) -> bool:
    """Say whether what stands between a label and its number makes it no price: SL (pips): 25.

    A unit behind a number of its own does not: Stop (2 ATR): 98 is a price.
    """
    return bool(between.strip(_MARKS)) and _BETWEEN.search(between) is not None


def price_behind(text: str, unit_end: int) -> int | None:
    """Return where a price may stand that explains a distance: 40 pips (1.0890)."""
    match = _FURTHER.match(text, unit_end, unit_end + _LONGEST)
    return None if match is None else match.end()
