"""What may be compared with what: prices with prices, volumes with volumes."""

from __future__ import annotations

from typing import Final

from trackrecord.strategies.rules.model import Field, Indicator, Number, Operand

_KINDS: Final = {
    "atr": "width", "range": "width", "stdev": "width", "macd": "macd", "macd_signal": "macd",
    "macd_histogram": "macd", "bollinger_upper": "price", "bollinger_lower": "price",
    "supertrend": "price", "keltner_upper": "price", "keltner_lower": "price",
    "plus_di": "directed", "minus_di": "directed", "adx": "directed", "stochastic_k": "stochastic",
    "stochastic_d": "stochastic", "aroon_up": "aroon", "aroon_down": "aroon",
}  # fmt: skip
_OF_SOURCE: Final = frozenset({"sma", "ema", "wma", "highest", "lowest"})


def kind(operand: Operand) -> str:
    """A word for what an operand measures; two of one kind may be compared.

    ``price``, ``volume``, ``width`` (differences of prices), ``macd``, ``directed``,
    ``stochastic``, ``number``, or an indicator's own name.
    """
    if isinstance(operand, Number):
        return "number"
    if isinstance(operand, Field):
        return "volume" if operand.name == "volume" else "price"
    if isinstance(operand, Indicator):
        if operand.name in _OF_SOURCE:
            return "price" if operand.source is None else kind(operand.source)
        if operand.source == Field("volume"):
            return f"volume {operand.name}"
        return _KINDS.get(operand.name, operand.name)
    return kind(operand.operand)
