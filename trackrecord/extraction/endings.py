"""What tells that a position was left or an order filled, and what only plans or supposes it."""

from __future__ import annotations

import re
from typing import Final

import re2

from trackrecord.extraction import looks

_REASON: Final = re.compile(
    r"\W*(?:reason|why|note|because|rationale|comment|理由|原因|근거|이유|motivo|begründung|raison|justificativa|justificación|justification|причина|обоснование)",
    re.IGNORECASE,
)
_BEFORE: Final = 24
_HIT: Final = r"(?:hit|reached|achieved|triggered|done|smashed|booked|touched)"
_GOAL: Final = (
    r"(?:tp|tgt|target|take[ _-]?profit|sl|tsl|stop|stop[ _-]?loss|trailing[ _-]stop)s?[ _]?#?\d?"
)
_ENDED: Final = r"(?:closed|exited|filled|executed|completed|liquidated|stopped out|squared[ -]off)"
_EVENT: Final = re2.compile(
    r"(?i)(?:\b(?:trade|position|order|deal|signal)s?[ _](?:is |was |has been |been |now )?"
    rf"{_ENDED}\b"
    r"|\b(?:closed|exited|covered)[ _](?:the |my |our |a |your )?"
    r"(?:long|short|position|trade|buy|sell)\b"
    rf"|\b{_GOAL}[ _](?:was |has been |is |price )?{_HIT}\b|\b(?:hit|hits) (?:the )?{_GOAL}\b"
    r"|\b(?:all targets (?:hit|done|achieved)|stopped out|squared[ -]off|liquidated)\b"
    r"|\bbooked (?:a )?(?:full |partial )?(?:profit|loss|gain)|\b(?:profit|loss)s? booked\b"
    r"|\bclosed (?:in|with|for) (?:a )?(?:profit|loss|gain)"
    r"|\bexit[ _](?:alert|executed|filled|done|reason)\b|\bexited (?:at|@|with)"
    r"|\b(?:result|outcome)['\"]?\s?[:=]\s?['\"]?(?:win|won|loss|lost|tp|sl|profit|stop)\b"
    r"|\b(?:ferm[ée]e?s?|cl[oô]tur[ée]e?s?|cerrad[oa]s?|fechad[oa]s?|encerrad[oa]s?|geschlossen|chius[oa]"
    r"|kapat.ld.|kapand.|ditutup|закрыт[аоы]?|zamkni[eę]t[ay])"
    rf"(?: (?:par|por|con|durch|per|da|au|a|al|im|em|no|по|na|w)(?: l[ea]| el| o| il)?)? {_GOAL}\b"
    r"|(?:已平仓|平仓完成|止盈触发|止损触发|触发止损|触发止盈|已止盈|已止损|全部成交|已成交))"
)
_STATUS: Final = re2.compile(
    r"(?i)\b(?:(?:order|trade|position|signal|deal)[ _]?)?(?:status|state)['\"]?\s?[:=]\s?['\"]?"
    r"(?:closed|filled|executed|exited|completed?|stopped|stopped_out|liquidated"
    r"|sl_hit|tp_hit|hit_sl|hit_tp)\b"
)
_FAILED: Final = re2.compile(
    r"(?i)\border\b\W{0,3}(?:is |was |has been )?"
    r"(?:fail\w*|reject\w*|declin\w*|cancel\w*|not filled)"
    r"|\b(?:order|position|trade|deal)s?\b[^\n]{0,16}\b(?:opened|created)\b"
    r"[^\n]{0,80}(?:#|\b(?:ticket|id)\W{0,3})\d{5,}"
    r"|^\W*(?:new )?(?:trade|position|deal|posici[oó]n|posi[cç][aã]o|posizione) "
    r"(?:opened|ouverte?|abiert[ao]|aberta|aperta|geöffnet|eröffnet)\W*$"
    r"|\bfill(?:ed)?(?: price| at)?\s?[:=@]\s?[$€£₹]?\d"
)
_FILLED: Final = re2.compile(r"(?i)^[^\w\n]*(?:order )?(?:executed|filled)\b")
_EXIT_PRICE: Final = re2.compile(
    r"(?i)\b(?:exit(?:[ _]?(?:price|rate|at))?|exited at|sold at|close[ _]rate)\b"
    r"['\"]?\s*[:=|@]?\s*['\"]?[$€£¥₹]?\s?(?:Rs\.?\s?)?\d[\d,.]*(?:\s|[,}'\")|]|$)"
)
_UNLESS: Final = re.compile(
    r"(?:\b(?:if|when|once|until|unless|till|after|before|in case|whichever|either|or|not|no|never"
    r"|will be|to be|market|exchange|session|candle|bar|be|auto)\b)[\w\s'\"]{0,16}$",
    re.IGNORECASE,
)
_NOT_SO: Final = re.compile(
    r"\W{0,4}(?:rate|ratio|probability|count|%|no\b|false\b|0\b(?!\.\d)|percent|if\b|when\b)",
    re.IGNORECASE,
)
MAY_TELL: Final = looks.ask(
    r"(?i)clos|exit|hit|reach|achiev|trigger|fill|fail|reject|declin|cancel|open|create|ouvert|abiert"
    r"|abert|apert|öffnet|executed|booked|stopped|squar|liquidat|complet"
    r"|covered|smashed|touched|done|result|outcome|成交|平仓|止"
    r"|ferm[ée]|cl[oô]tur|cerrad|fechad|encerrad|geschloss|chius|kapat|kapand|ditutup|закрыт|zamkni"
)
"""The question whether a line may tell that something is over."""
MAY_EXIT: Final = looks.ask(r"(?i)exit|sold at|close[ _]rate")
"""The question whether it may name what something was left at."""


def names_event(line: str) -> bool:
    """Say whether a line holds words that tell of an exit or a fill, real or not."""
    return _EVENT.search(line) is not None


def _may_be_over(line: str) -> bool:
    return any(pattern.search(line) is not None for pattern in (_EVENT, _STATUS, _FAILED, _FILLED))


MAY_BE_OVER: Final = looks.later(_may_be_over)
"""The question whether anything here may say yes of a whole line, to be asked later."""


def happened(part: str) -> bool:
    """Say whether a line tells that a position was left or an order filled."""
    return _FILLED.search(part) is not None or end_of_event(part) >= 0


def end_of_event(part: str) -> int:
    """Return where the words end that tell of an exit or a fill, -1 where none do."""
    at = 0
    while (match := _EVENT.search(part, at)) is not None:
        at = int(match.end())
        if _is_real(part, match.start()) and _NOT_SO.match(part, at) is None:
            return at
    return -1


def has_ended(part: str) -> bool:
    """Say whether a line gives a status such as closed or filled."""
    match = _STATUS.search(part)
    return match is not None and _is_real(part, match.start())


def was_sent(part: str) -> bool:
    """Say whether a line tells of an order that failed, or was made and has a number or a fill."""
    match = _FAILED.search(part)
    if match is None or not _is_real(part, match.start()):
        return False
    return _NOT_SO.match(part, int(match.end())) is None


def gives_reason(part: str) -> bool:
    """Say whether a line only gives the reason of what another says."""
    return _REASON.match(part) is not None


def names_exit(text: str) -> bool:
    """Say whether a price follows an exit."""
    return _EXIT_PRICE.search(text) is not None


def _is_real(part: str, start: int) -> bool:
    """Say whether no condition, plan or other subject stands before what seems to be told."""
    return _UNLESS.search(part[max(0, start - _BEFORE) : start]) is None
