"""A decision to hold that is about software or work: Recommendation: HOLD deployment.

To hold is a word of every release, review and test run. It is no advice where what is held is
named right behind it, or where the text speaks of such affairs and of nothing of a market.
"""

from __future__ import annotations

from typing import Final

import re2

from trackrecord.extraction import looks
from trackrecord.extraction.document import PERCENT, Document
from trackrecord.extraction.findings import Findings, Statement
from trackrecord.extraction.markets import OF_MARKETS
from trackrecord.extraction.ruleset import matcher

_RULE: Final = "code/affair"
_REASON: Final = "what is held is a piece of work, no instrument"
_FEWEST: Final = 2
_WORDS: Final = (
    r"(?:deploy|releas|roll-?out|migrat|merg|pull request|go-?live|sign-?off|remediat|regression"
    r"|staging|production|validation|runtime|vulnerabilit|repositor|commits?\b|reproduc|acceptance"
    r"|checks? pass|checks? fail|tests? pass|tests? fail|code review|compliance review)"
)
_AFFAIRS: Final = re2.compile(rf"(?i)(?:^|[^a-z])({_WORDS})")
_MAY: Final = looks.ask(rf"(?i)(?:^|[^a-z]){_WORDS}")
_HELD: Final = matcher(
    r"(?i)^\W{0,4}(?:the |all |any |this |on )?"
    r"(?:deploy|releas|roll-?out|migrat|merg|go-?live|launch|production|sign-?off)"
)


def drop(document: Document, findings: Findings) -> None:
    """Refuse decisions to hold that are about a piece of work.

    Args:
        document: The text.
        findings: Its statements; those that are refused move to ``rejected``.
    """
    if not document.may(_MAY):
        return
    held = [item for item in findings.statements if item.action == "HOLD" and item.symbol is None]
    if not held:
        return
    elsewhere = (
        PERCENT not in document.letters
        and len({word.lower() for word in _AFFAIRS.findall(document.folded)}) >= _FEWEST
        and OF_MARKETS.search(document.folded) is None
    )
    lost = [item for item in held if elsewhere or _is_work(document, item)]
    findings.refuse(document, lost, _RULE, _REASON)


def _is_work(document: Document, statement: Statement) -> bool:
    """Say whether what is held stands right behind the action, and is a piece of work."""
    end = document.ends[statement.token]
    return bool(_HELD(document.folded[end : document.lines[statement.line].end]))
