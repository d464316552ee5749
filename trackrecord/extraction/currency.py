"""Which currency is printed with a price."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from trackrecord.extraction import looks
from trackrecord.extraction.words import without_values

_SIGNS: Final = {
    "US$": "USD", "HK$": "HKD", "NT$": "TWD", "NZ$": "NZD", "MX$": "MXN", "CA$": "CAD",
    "AU$": "AUD", "SG$": "SGD", "A$": "AUD", "C$": "CAD", "R$": "BRL", "S$": "SGD", "$": "USD",
    "₹": "INR", "€": "EUR", "£": "GBP", "₩": "KRW", "₽": "RUB", "₺": "TRY", "₫": "VND",
    "฿": "THB", "₪": "ILS", "₱": "PHP", "₦": "NGN", "₴": "UAH", "₿": "BTC", "zł": "PLN",
    "Kč": "CZK", "Ft": "HUF", "₸": "KZT", "¥": "¥",
}  # fmt: skip
_WORDS: Final = {
    "RS": "INR", "RS.": "INR", "RUPEES": "INR", "RUPEE": "INR", "RE": "INR", "DOLLARS": "USD",
    "DOLLAR": "USD", "EUROS": "EUR", "EURO": "EUR", "POUNDS": "GBP", "YEN": "JPY", "YUAN": "CNY",
    "RMB": "CNY", "CNH": "CNY", "TL": "TRY", "WON": "KRW", "FRANCS": "CHF", "REAIS": "BRL",
    "РУБ": "RUB", "РУБ.": "RUB", "РУБЛЕЙ": "RUB", "रुपये": "INR", "रु": "INR", "रू": "INR",
    "元": "元", "圆": "元", "圓": "元", "人民币": "CNY", "人民幣": "CNY", "美元": "USD",
    "美金": "USD", "港元": "HKD", "港币": "HKD", "港幣": "HKD", "新台币": "TWD", "新台幣": "TWD",
    "台币": "TWD", "台幣": "TWD", "日元": "JPY", "日圆": "JPY", "円": "JPY", "欧元": "EUR",
    "歐元": "EUR", "英镑": "GBP", "英鎊": "GBP", "韩元": "KRW", "韓元": "KRW", "원": "KRW",
    "달러": "USD", "ドル": "USD", "ユーロ": "EUR", "บาท": "THB",
}  # fmt: skip
_CODES: Final = frozenset({
    "USD", "INR", "EUR", "GBP", "JPY", "CNY", "HKD", "TWD", "KRW", "AUD", "CAD", "CHF", "NZD",
    "SGD", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "TRY", "RUB", "BRL", "MXN", "ZAR", "THB",
    "IDR", "PHP", "MYR", "ILS", "AED", "SAR", "VND", "KZT", "USDT", "USDC", "BUSD", "FDUSD",
    "TUSD", "DAI",
})  # fmt: skip
PAID: Final = _CODES | {"RS", "NT", "RM", "RP", "TL", "RMB"}
"""Words in front of a number that say what is paid, in capitals."""
_COINS: Final = frozenset({"BTC", "ETH", "BNB"})


def _any(names: list[str]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=lambda name: (-len(name), name)))


_SIGN: Final = _any(list(_SIGNS))
_WORD: Final = _any([*_WORDS, *_CODES])
_COIN: Final = _any(sorted(_COINS))
_RAW: Final = re.compile(rf"[-+%\s]*(?:(?P<sign>{_SIGN})|(?P<word>(?i:{_WORD})))")
_BEFORE: Final = re.compile(
    rf"(?:(?P<sign>{_SIGN})|(?<![^\W\d_])(?P<word>(?i:{_WORD}))\.?)[ \u2060]?$"
)
_BEHIND: Final = re.compile(
    rf"[ \u2060]?(?:(?P<sign>{_SIGN})(?![ ]?[0-9])"
    rf"|(?P<word>(?i:{_WORD}))(?![A-Za-z0-9_/]|[ ]?[0-9@])"
    rf"|(?P<coin>{_COIN})(?=[ ]?(?:$|[,;)|\n])))"
)
_INSIDE: Final = re.compile(
    rf"(?P<sign>{_SIGN})|(?<![^\W\d_])(?P<word>(?i:{_WORD}))(?![A-Za-z0-9_/])"
)
_BRACKETED: Final = re.compile(
    rf"[(\[][ ]?(?:in[ ])?(?:(?P<sign>{_SIGN})|(?P<word>(?i:{_WORD})))\.?[ ]?[)\]]"
)
MAY_BE: Final = looks.ask(
    _SIGN,
    rf"(?:^|[^\pL])(?i:{_WORD})(?:[^A-Za-z]|$)",
    rf"(?:{_COIN})(?:[^A-Za-z]|$)",
)
"""The question whether a currency may be printed in a text."""
_NAMED: Final = re.compile(r"(?i)\b(?:quote[ _]?)?currency[\"']?[ ]?[:=|][ ]?[\"']?([A-Z]{3,5})\b")
_KANA: Final = re.compile(r"[\u3040-\u30ff]")
_HAN: Final = re.compile(r"[\u4e00-\u9fff]")
_CHINESE: Final = re.compile(
    r"(?i)(?:\d{6}(?:\.(?:sh|sz|ss|bj|xshg|xshe))?|(?:sh|sz|bj)\.?\d{6}|.*(?:cny|cnh))"
)
_REACH: Final = 8
MARGIN: Final = 12
"""Characters around a price that are looked at; more than any sign, its reach and its edges."""


def of_price(folded: str, start: int, end: int, label_end: int, symbol: str | None) -> str | None:
    """Return the currency that is printed with a price.

    Args:
        folded: The text.
        start: Where the number begins, with what the lexer took for a part of it.
        end: Where it ends.
        label_end: Where its label ends; the same as ``start`` where it has none.
        symbol: The instrument, which tells yen from yuan.

    Returns:
        A code such as ``INR`` or ``USDT``; None where none is printed, or it may be of several.
    """
    first = max(0, min(label_end, start - MARGIN))
    near = without_values(folded[first : end + MARGIN])
    code = _near(near, start - first, end - first, label_end - first)
    return None if code is None else _in_context(code, folded, symbol)


@lru_cache(maxsize=16384)
def _near(near: str, start: int, end: int, label_end: int) -> str | None:
    """Return the code or the ambiguous sign beside a price, from the text around it.

    Args:
        near: The text around it, every digit made 0.
        start: Where the number begins in it.
        end: Where it ends.
        label_end: Where its label ends.
    """
    found = (
        _RAW.match(near, start, end)
        or _BEFORE.search(near, max(0, start - _REACH), start)
        or _BEHIND.match(near, end, end + _REACH)
        or _INSIDE.search(near, start, end)
        or (_BRACKETED.search(near, label_end, start) if label_end < start else None)
    )
    if found is None:
        return None
    groups = found.groupdict()
    sign, word = groups.get("sign"), groups.get("word")
    if sign is not None:
        # A letter in front is a part of the sign, though the lexer left it: NT$580.
        longer = near[max(0, found.start("sign") - 2) : found.end("sign")]
        for length in (3, 2):
            if longer[-length:] in _SIGNS and not longer[-length - 1 : -length].isalpha():
                sign = longer[-length:]
                break
        return _SIGNS[sign]
    if word is not None:
        upper = word.upper()
        return _WORDS.get(upper, upper)
    return groups.get("coin")


def named(folded: str) -> str | None:
    """Return the one currency that a text names for all its prices: Currency: INR."""
    if "urrency" not in folded and "URRENCY" not in folded:
        return None
    codes = {_WORDS.get(code.upper(), code.upper()) for code in _NAMED.findall(folded)}
    known = codes & (_CODES | _COINS)
    return known.pop() if len(known) == 1 and len(codes) == 1 else None


def _in_context(code: str, folded: str, symbol: str | None) -> str | None:
    """Tell what ¥ and 元 are by the instrument's exchange, and else by the text's language."""
    if code not in {"¥", "元"}:
        return code
    name = (symbol or "").upper()
    if code == "元":
        return "HKD" if name.endswith(".HK") else "TWD" if name.endswith((".TW", ".TWO")) else "CNY"
    if name.endswith(".T") or "JPY" in name:
        return "JPY"
    if symbol and _CHINESE.fullmatch(symbol):
        return "CNY"
    if _KANA.search(folded) or "円" in folded:
        return "JPY"
    return "CNY" if _HAN.search(folded) else None
