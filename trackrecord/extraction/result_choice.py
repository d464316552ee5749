"""Choose among results of one text by what they are: net, realised, the last exit."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Final

import re2

from trackrecord.extraction import looks
from trackrecord.extraction.document import Document
from trackrecord.extraction.model import Rejected
from trackrecord.extraction.result_values import Candidate
from trackrecord.extraction.ruleset import matcher

_GROSS: Final = matcher(r"(?i)^gross")
_ONE_SIDE: Final = matcher(r"(?i)^total[ _](?:profit|gain|loss)")
_NET: Final = matcher(
    r"(?i)^(?:total[ _])?net|^net|^(?:strategy|portfolio|total)[ _]returns?|^neto|净|純|순"
)
_REALISED: Final = matcher(
    r"(?i)reali[sz]ed|^settled|^booked|^closed|已实现|实现盈亏|实现损益|実現|실현"
)
_TOTAL_OF_BOTH: Final = matcher(
    r"(?i)^(?:total|net|overall|combined)[ _]?(?:p&l|pnl|p/l|pl|profit|gain)"
    r"|^(?:pnl|p&l|p/l)$|^总盈亏|^总损益"
)
_STILL_OPEN: Final = looks.ask(
    r"(?i)unreali[sz]ed|\bopen[ _](?:pnl|p&l|p/l|profit|positions? p)|floating"
    r"|paper (?:pnl|p&l|profit|gain)|\bu-?pnl\b|未实现|浮动盈亏|浮盈|浮亏|含み|미실현|평가손익"
)
_PERCENT_LINE: Final = re2.compile(
    r"(?i)^[^\w\n%+-]{0,12}(?:(?:pnl|p&l|p/l|profit|return|gain|loss)[ _]?)?"
    r"(?:percent\w*|pct|percentual|percentuale|porcentaje|porcentagem|pourcentage|prozent\w*|yüzde"
    r"|oran|%|比例|百分比|比率|盈亏比例|割合|비율)[^\w\n+-]{0,6}([+-]?%?\d[\d.,]*)\s?%?\W{0,4}$"
)
_BARE_RETURN: Final = matcher(r"(?i)^(?:total|net|cumulative|final|strategy)?[ _]?returns?$")
_AMOUNT_OF: Final = matcher(r"(?i)pnl|p&l|profit|gain")
_CAPITAL: Final = re2.compile(
    r"(?i)\b(?:(?:initial|starting|start|begin)[ _]?)?(?:capital|cash|balance)['\"]?\s?[:=]\s?"
    r"['\"]?[$€£¥₹]?\s?(\d[\d,.]*)"
)
_ROUNDED: Final = Decimal("0.006")
_WHOLE: Final = matcher(r"(?i)\b(?:closed|exited|final|fully|all)\b|平仓")
_PART: Final = matcher(
    r"(?i)\b(?:tp[ _]?\d|partial\w*|target[ _]?\d|scal\w+|trail\w*|take profit \d)\b|部分"
)


@lru_cache(maxsize=4096)
def _is_net(label: str) -> bool:
    return _NET(label)


@lru_cache(maxsize=4096)
def _is_realised(label: str) -> bool:
    return _REALISED(label)


def prefer(
    document: Document, candidates: list[Candidate], rejected: list[Rejected]
) -> list[Candidate]:
    """Keep net results beside gross ones, realised ones beside totals with what is open.

    Of exits in parts, the one of the rest decides.

    Args:
        document: The text.
        candidates: Its results.
        rejected: Receives those that are left out.

    Returns:
        The candidates that decide.
    """
    if len(candidates) < 2:  # noqa: PLR2004
        return candidates
    kept = candidates
    if any(_is_net(item.label) for item in kept):
        lost = any(item.kind == "loss" for item in kept)
        parts = [item for item in kept if _GROSS(item.label) or (lost and _ONE_SIDE(item.label))]
        kept = _without(kept, parts, "net", rejected)
    if any(_is_realised(item.label) for item in kept) and document.may(_STILL_OPEN):
        amounts = {item.money for item in kept if _is_realised(item.label)}
        both = [
            item
            for item in kept
            if _TOTAL_OF_BOTH(item.label)
            and not _is_realised(item.label)
            and item.kind != "loss"
            and (item.money is None or item.money not in amounts)
        ]
        kept = _without(kept, both, "realised", rejected)
    return _the_last_exit(document, kept, rejected)


def _without(
    kept: list[Candidate], dropped: list[Candidate], why: str, rejected: list[Rejected]
) -> list[Candidate]:
    if not dropped or len(dropped) == len(kept):
        return kept
    for item in dropped:
        value = item.percent if item.percent is not None else item.money
        rejected.append(
            Rejected(
                f"result {value}", item.rule, f"the {why} result decides", item.start, item.end
            )
        )
    return [item for item in kept if item not in dropped]


def _the_last_exit(
    document: Document, candidates: list[Candidate], rejected: list[Rejected]
) -> list[Candidate]:
    trades = sorted(
        (item for item in candidates if item.kind == "trade" and item.line >= 0),
        key=lambda item: item.line,
    )
    if len({item.line for item in trades}) < 2:  # noqa: PLR2004
        return candidates
    last = trades[-1].line
    if not _WHOLE(_text(document, last)) or _PART(_text(document, last)):
        return candidates
    earlier = [item for item in trades if item.line != last]
    if not all(_PART(_text(document, item.line)) for item in earlier):
        return candidates
    return _without(candidates, earlier, "last exit's", rejected)


def _text(document: Document, number: int) -> str:
    line = document.lines[number]
    return document.folded[line.start : line.end]


def with_percent_below(document: Document, candidates: list[Candidate]) -> list[Candidate]:
    """Add the percentage that stands in a line of its own below an amount: Percent: +0.43%."""
    if all(item.percent is not None or item.line < 0 for item in candidates):
        return candidates
    if any(item.percent is not None for item in candidates):
        return candidates
    found = []
    for item in candidates:
        below = item
        if item.money is not None and 0 <= item.line < len(document.lines) - 1:
            match = _PERCENT_LINE.search(_text(document, item.line + 1))
            value = None if match is None else document.parse(match.group(1).replace("%", ""))
            if value is not None:
                value = -abs(value) if item.money < 0 else value
                below = item.of(value, item.money, item.others)
        found.append(below)
    return found


def with_percent_of_capital(document: Document, candidates: list[Candidate]) -> list[Candidate]:
    """Take a bare total return for a percentage where profit and capital show that it is one.

    ``capital 10000, total_net_pnl 1250, total_return 12.5``: 100 * 1250 / 10000 = 12.5.
    """
    if any(item.percent is not None for item in candidates):
        return candidates
    returns = [item for item in candidates if item.money and _BARE_RETURN(item.label)]
    amounts = [item.money for item in candidates if item.money and _AMOUNT_OF(item.label)]
    if not returns or not amounts:
        return candidates
    capital = _CAPITAL.search(document.folded)
    base = None if capital is None else document.parse(capital.group(1).rstrip(".,"))
    if base is None or base <= 0:
        return candidates
    shares = [100 * amount / base for amount in amounts]
    return [
        item.of(item.money, None, item.others)
        if item in returns and any(_agree(share, item.money) for share in shares)
        else item
        for item in candidates
    ]


def _agree(share: Decimal, printed: Decimal | None) -> bool:
    return printed is not None and abs(share - printed) <= _ROUNDED
