"""The words that the reader's patterns are made of; any other word was not understood."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Final

from trackrecord.strategies.sentences import (
    averages,
    comparing,
    conditions,
    cursor,
    holding,
    indicators,
    leaving,
    levels,
    operands,
    pairs,
    predicates,
    reaching,
    special,
    statements,
    wording,
)

_MODULES: Final = (
    averages, comparing, conditions, cursor, holding, indicators, leaving, levels, operands, pairs,
    predicates, reaching, special, statements, wording,
)  # fmt: skip


def _texts(module: ModuleType) -> Iterator[str]:
    """Every text of a module, those within its functions too."""
    for value in vars(module).values():
        if isinstance(value, str):
            yield value
        elif isinstance(value, tuple | dict | frozenset):
            yield from _within(value)
        elif isinstance(value, type) and value.__module__ == module.__name__:
            for member in vars(value).values():
                if isinstance(member, str):
                    yield member
                function = getattr(member, "__func__", member)
                if isinstance(function, FunctionType):
                    yield from _constants(function.__code__)


def _within(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | dict | frozenset):
        for item in value:
            yield from _within(item)


def _constants(code: CodeType) -> Iterator[str]:
    for value in code.co_consts:
        if isinstance(value, CodeType):
            yield from _constants(value)
        elif isinstance(value, str | tuple | frozenset):
            yield from _within(value)


def _vocabulary() -> frozenset[str]:
    found: set[str] = set()
    for module in _MODULES:
        for text in _texts(module):
            for word, optional in re.findall(r"([a-z]+)(s\?)?", text):
                found.add(word)
                if optional:
                    found.add(f"{word}s")
                if word.endswith("s"):
                    found.add(word[:-1])
    return frozenset(found)


VOCABULARY: Final = _vocabulary()
"""Words that something may be made of."""

INDICATORS: Final = frozenset(
    [
        "rsi",
        "macd",
        "sma",
        "ema",
        "wma",
        "atr",
        "adx",
        "cci",
        "mfi",
        "obv",
        "roc",
        "bollinger",
        "supertrend",
        "keltner",
        "donchian",
        "stochastic",
        "bb",
        "vwap",
        "di",
        "momentum",
        "ma",
        "btst",
        "stop",
        "sl",
        "tp",
        "volume",
        "trend",
        "signal",
        "filter",
        "a",
        "e",
        "i",
        "o",
        "x",
        "r",
        "d",
        "y",
        "k",
        "m",
        "s",
        "t",
        "no",
        "an",
        "me",
        "is",
        "in",
        "so",
        "per",
        "on",
        "os",
        "as",
        "do",
        "des",
        "has",
        "long",
        "to",
        "were",
        "will",
        "who",
    ]
)
"""Words that are the same in many languages, or words of several."""

FOREIGN: Final = frozenset(
    [
        "der",
        "das",
        "wenn",
        "und",
        "unter",
        "kaufe",
        "kaufen",
        "verkaufe",
        "verkaufen",
        "kauf",
        "verkauf",
        "ist",
        "ein",
        "eine",
        "einen",
        "den",
        "dem",
        "bei",
        "nicht",
        "oder",
        "liegt",
        "steigt",
        "sobald",
        "kurs",
        "tage",
        "tagen",
        "gleitender",
        "durchschnitt",
        "quand",
        "lorsque",
        "le",
        "la",
        "les",
        "si",
        "et",
        "sous",
        "sur",
        "acheter",
        "achetez",
        "vendre",
        "vendez",
        "prix",
        "est",
        "jours",
        "moyenne",
        "mobile",
        "croise",
        "au",
        "dessus",
        "dessous",
        "cuando",
        "el",
        "los",
        "las",
        "compra",
        "comprar",
        "vender",
        "vende",
        "precio",
        "por",
        "debajo",
        "encima",
        "cruza",
        "dias",
        "media",
        "movil",
        "baja",
        "sube",
        "quando",
        "compre",
        "venda",
        "abaixo",
        "acima",
        "preco",
        "cai",
        "sobe",
        "vendi",
        "comprare",
        "sotto",
        "sopra",
        "scende",
        "sale",
        "media",
        "prezzo",
        "se",
        "koop",
        "verkoop",
        "wanneer",
        "als",
        "onder",
        "boven",
        "het",
        "een",
        "prijs",
        "gdy",
        "kup",
        "sprzedaj",
        "jest",
        "ponizej",
        "powyzej",
        "og",
        "hvis",
        "naar",
        "selg",
        "kjop",
        "kop",
        "salj",
        "nar",
        "under_",
        "koep",
        "osta",
        "al",
        "sat",
        "satin",
        "eger",
        "ise",
        "beli",
        "jual",
        "jika",
        "ketika",
        "dan",
        "harga",
        "di_",
        "bawah",
        "atas",
    ]
)
"""Words of other languages that are none in English."""

NOT_DAILY: Final = frozenset(
    [
        "vwap",
        "intraday",
        "minute",
        "minutes",
        "hour",
        "hours",
        "hourly",
        "tick",
        "ticks",
        "premarket",
        "afterhours",
        "noon",
    ]
)
"""Words for what happens within a day."""
