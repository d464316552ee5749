"""Cut a folded text into tokens.

One pass of one expression whose repetitions are all possessive or bounded, so the time
is linear in the text whatever it holds.
"""

from __future__ import annotations

import re
from typing import Final

_MARKS: Final = "\u0300-\u036f\u0900-\u0dff\u0591-\u05c7\u064b-\u065f\u0670"
_RUN: Final = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\u0e00-\u0eff"
_HIDDEN: Final = "\u200b-\u200d\u2060\ufeff\u00ad\ufe0e\ufe0f"
_LETTER: Final = rf"(?:[^\W\d_{_RUN}]|[{_MARKS}])"
_INNER: Final = rf"(?:[^\W{_RUN}]|[{_MARKS}{_HIDDEN}])"
_CURRENCY: Final = (
    r"(?:US\$|HK\$|A\$|C\$|R\$|[$€£¥₹₽₩₺₫฿]|Rs\.?|RS\.?|INR|USDT?(?=\s?\d)|EUR(?=\s?\d))"
)

# 1:1 with the classes of shape below; "word" tokens are classified by the rules.
LEXER: Final = re.compile(
    rf"""
      (?P<newline>\n)
    | (?P<date>
        (?<![\w.])(?:\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{4}})(?![\d])
        (?:[T\ ]\d{{1,2}}:\d{{2}}(?::\d{{2}})?(?:[.,]\d{{1,9}})?(?:Z|[+-]\d{{2}}:?\d{{2}})?)?
      | (?<![\w.:])\d{{1,2}}:\d{{2}}(?::\d{{2}}(?:[.,]\d{{1,9}})?)?(?![\d.:])
      )
    | (?P<ticker> (?<![\w.,])\d{{4,6}}\.(?:SH|SZ|SS|HK|BJ|TW|TWO|T|KS|KQ|XSHG|XSHE)(?!\w) )
    | (?P<number>
        (?:(?<![\w.)%\]])[-+])?+%?+(?:{_CURRENCY}\s?+[-+]?+)?+
        (?: \d++(?:[.,]\d++)++(?:[eE][-+]?\d{{1,3}}(?!\w))?+
          | \.\d++(?!\w)
          | \d++(?:[eE][-+]?\d{{1,3}}(?!\w))?+(?![A-Za-z_]|\.[A-Za-z]) )
        (?:[kKMB](?![\w]))?+(?:\s?%(?!\s?\d))?+
      | \d++(?:[.,]\d++)?+[kKMB](?!\w)
      )
    | (?P<word> [PpKk]/[LlZzEe](?!\w) | (?:[$#](?=[A-Z]))?+(?:\d{{1,6}}(?=[^\W\d_]))?+{_LETTER}{_INNER}*+
        (?:['._&-](?=\w){_INNER}++)*+ )
    | (?P<run> [{_RUN}]++ )
    | (?P<mark> ->|=>|>>|→|===*+|--+|\*\*+|[:=<>≤≥|,;.()\[\]{{}}/@?!%~"'`•·\u202d\u202e-] )
    """,
    re.VERBOSE,
)

_JOINERS: Final = str.maketrans("", "", "_-.&'$#/\u200b\u200c\u200d\u2060\ufeff\u00ad\ufe0e\ufe0f")


def key(word: str) -> str:
    """Return what a word is looked up by: lower case, without what joins its parts.

    ``stop_loss``, ``Stop-Loss``, ``stopLoss`` and the words ``stop loss`` have one key.
    """
    return word.translate(_JOINERS).lower()
