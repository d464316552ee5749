"""How many trades a text counts: a run without any has no result, whatever its total says."""

from __future__ import annotations

from typing import Final

import re2

from trackrecord.extraction import looks
from trackrecord.extraction.document import Document
from trackrecord.extraction.ruleset import matcher

# Words that count some of the trades only; of the others there may be many.
_WHAT: Final = (
    r"(?:(?:total|closed|completed|executed|overall|number|num|nb|nr|no|n|count|of|round|all|the"
    r"|simulated|backtest)[.]?[ _-]{0,2}){0,4}"
)
_NOUN: Final = r"(?:(?:round[ _-]?)?trips?|trades?|transactions?|deals?|orders? filled)"
_BEHIND: Final = (
    r"(?:[ _-]?(?:count|made|executed|closed|taken|total|done|placed|completed|number|num))?"
    r"(?:[ ]?/[ ]?daily avg trades)?"
)
_OTHERS: Final = (
    "total/daily avg trades|交易次数|总交易次数|交易总数|成交次数|交易数|总交易数|取引回数"
    "|总交易(?:笔数|数)?|总成交(?:笔数|次数)?|成交笔数|交易笔数|交易总次数|總?交易次數|總?成交筆數"
    "|総?トレード(?:回数|数)|総?取引数|総取引回数|売買回数|총 ?거래 ?(?:횟수|수|건수)?"
    "|거래 ?(?:횟수|수)|매매 ?횟수|체결 ?건수"
    "|कुल (?:ट्रेड|सौदे)|toplam işlem|işlem sayisi|anzahl trades"
    "|operaciones totales|total operaciones|nombre de trades"
)
_LABEL: Final = rf"(?:{_WHAT}{_NOUN}{_BEHIND}|{_OTHERS})"
# At the beginning of a line or a part of one: behind a word it counts only some of them.
_BEFORE: Final = r"(?:^|[\n|,;{(\[.!]|[ ]{2,}|[^\x00-\x7f])[ \t'\"*#•>·-]{0,8}"
_GAP: Final = r"[\])]?['\"*`]{0,3}[ \t]*(?:[:=|>.]|[ \t(])[ \t'\"*`|:=(.]*"

# Not 0.5, 0 % or 0 open: nothing that counts something else.
_ZERO: Final = r"0(?:\.0+)?(?:[ \t]*(?:[^.,\d%\w \t]|[a-np-z]|$)|[.,](?:\D|$)|[ \t]*\n)"

_NONE: Final = matcher(
    rf"(?i){_BEFORE}{_LABEL}{_GAP}{_ZERO}",
    rf"(?i)(?:total|number of|num|closed|completed|executed|#)[ _]?{_NOUN}{_BEHIND}{_GAP}{_ZERO}",
    r"(?i)\b(?:0|no|zero) (?:closed |completed |executed )?trades\b",
    r"[无無]成交|[没沒]有(?:成交|交易记录|交易紀錄)|[无無](?:任何交易|交易记录|交易紀錄)"
    r"|未[产產]生(?:任何)?交易|取引(?:なし|は?ありません|がありません)|거래 ?내역 ?없음|거래가 없",
)
_SOME: Final = re2.compile(rf"(?i){_BEFORE}{_LABEL}{_GAP}[1-9]\d*(?:[^.%\d]|\.(?:\D|$)|\.0|$)")
_MAY: Final = looks.ask(
    r"(?i)trade|transact|deal|trip|交易|成交|取引|トレード|売買|거래|매매|체결|ट्रेड|सौदे|işlem|operacion"
)


def none_made(document: Document) -> bool:
    """Say whether a text says that no trade was made, and nowhere counts any."""
    folded = document.folded
    return document.may(_MAY) and _NONE(folded) and _SOME.search(folded) is None
