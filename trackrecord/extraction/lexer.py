"""Cut a folded text into tokens.

One pass of one expression whose repetitions are all possessive or bounded, and which takes
every run that it walks over, so the time is linear in the text whatever it holds.
"""

from __future__ import annotations

import re
from typing import Final

_MARKS: Final = "\u0300-\u036f\u0900-\u0dff\u0591-\u05c7\u064b-\u065f\u0670"
_RUN: Final = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\u0e00-\u0eff"
_HIDDEN: Final = "\u200b-\u200d\u2060\ufeff\u00ad\ufe0e\ufe0f"
_LETTER: Final = rf"(?:[A-Za-z]|[^\W\d_{_RUN}]|[{_MARKS}])"
_INNER: Final = rf"(?:[A-Za-z0-9_]++|[^\W{_RUN}]|[{_MARKS}]|[{_HIDDEN}]++(?=[^\W{_RUN}]))"
# A code of a currency, unless it is the second half of a pair.
_PAID: Final = r"(?<![\w/-])(?<![A-Z]:)(?:R[sS]\.?|INR|USDT?|EUR)"
_JOINED: Final = rf"(?:['._&-](?=[{_HIDDEN}]*+\w){_INNER}++)"
_CURRENCY: Final = rf"(?:(?:US|HK|[ACR])\$|[$€£¥₹₽₩₺₫฿]|{_PAID}(?=\s?[-+]?\d))"
_NOT_CURRENCY: Final = rf"(?!(?:US|HK|[ACR])\$|{_PAID}\s?[-+]?\d)"
# Where stocks are named by numbers.
_EXCHANGES: Final = "SH|SZ|SS|HK|BJ|TW|TWO|T|KS|KQ|XSHG|XSHE|SHSE|SZSE|XHKG|BO|NS|KL|SR|SI|OF|QA"
# Spaces, quotes, bullets, rules and pictures carry no meaning of their own.
_SKIPPED: Final = (
    "[ \\t\\r\\f\\v\"'`~*•·\u200b-\u200f\u2060\ufeff\u00ad\ufe0e\ufe0f"
    "\u2500-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]"
)

NEWLINE: Final = 1
TEXT: Final = 2
DATE: Final = 3
TICKER: Final = 4
NUMBER: Final = 5
RUN: Final = 6
MARK: Final = 7
CODE: Final = 8
JUNK: Final = 9
"""Number of the group that matched: what kind of token it is. 0 is nothing of interest."""

LEXER: Final = re.compile(
    rf"""
    {_SKIPPED}*+
    (?:
      (\n)
    | ( (?:[PpKk]/[LlZzEe]|[Ss]/[Ll]|[Tt]/[Pp])(?!\w)
      | {_NOT_CURRENCY}(?:[$\#](?=[A-Z]))?+{_LETTER}{_INNER}*+{_JOINED}*+ )
    | ( (?<![\w.])
          (?:\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{4}})(?!\d)
          (?:[T\ ]\d{{1,2}}:\d{{2}}(?::\d{{2}})?(?:[.,]\d{{1,9}})?(?:Z|[+-]\d{{2}}:?\d{{2}})?)?
      | (?<![\w.:])\d{{1,2}}:\d{{2}}(?::\d{{2}}(?:[.,]\d{{1,9}})?)?(?![\d.:]) )
    | ( (?<![A-Za-z0-9_.,])\d{{1,6}}\.(?:{_EXCHANGES})(?![A-Za-z0-9_]) )
    | ( (?:(?<![\w.)%\]])[-+])?+%?+(?:{_CURRENCY}\s?+[-+]?+)?+
        (?: \d{{1,3}}+(?:'\d{{3}})++(?!\d)(?:[.,]\d++)?+(?![A-Za-z_])
          | \d++(?:[.,]\d++)++(?:[eE][-+]?\d{{1,3}}(?!\w))?+
          | \.\d++(?!\w)
          | \d++(?:[eE][-+]?\d{{1,3}}(?!\w))?+(?![A-Za-z_]|\.[A-Za-z]) )
        (?:[kKMB](?!\w))?+(?:[ \t]?%(?!\d))?+
      | \d++[kKMB](?!\w) )
    | ( [{_RUN}]++ )
    | ( [=-]++>|>>++|<<++|→|===*+|--+|\.{{4,}}+|[:=<>≤≥|,;.()\[\]{{}}/@?!%\u202d\u202e-] )
    | ( \d{{1,6}}(?=[^\W\d_]){_INNER}++(?:['._&-](?=\w){_INNER}++)*+ )
    | ( \d++ )
    )
    | {_SKIPPED}++
    """,
    re.VERBOSE,
)

_UNSEEN: Final = str.maketrans("", "", "\u200b\u200c\u200d\u2060\ufeff\u00ad\ufe0e\ufe0f")
_JOINERS: Final = str.maketrans("", "", "_-.&'$#/\u200b\u200c\u200d\u2060\ufeff\u00ad\ufe0e\ufe0f")


def key(word: str) -> str:
    """Return what a word is looked up by: lower case, without what joins its parts.

    ``stop_loss``, ``Stop-Loss``, ``stopLoss`` and the words ``stop loss`` have one key.
    """
    return word.translate(_JOINERS).lower()


def seen(word: str) -> str:
    """Return a word without the characters that take no room."""
    return word if word.isascii() else word.translate(_UNSEEN)
