"""Names of options and futures, of several words: NIFTY 24500 CE, TSLA 06/21/24 $180 Call."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Final

from trackrecord.extraction.packs import Term
from trackrecord.extraction.words import SYMBOL, UNNAMED, Parts

_MONTH: Final = (
    "(?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEPT?|OCT|NOV|DEC"
    "|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)"
)
_NAME: Final = (
    r"(?P<name>(?:(?:BANK|FIN|MIDCAP|Bank|Fin|bank|fin)[ ])?[A-Za-z][A-Za-z0-9&]{0,19}"
    r"(?:[.-][A-Z0-9]{1,8})?)"
)
_DAY: Final = r"\d{1,2}(?:st|nd|rd|th|ST|ND|RD|TH)?"
_EXPIRY: Final = (
    rf"(?:{_DAY}[ -]?{_MONTH}(?:[ '-]{{0,2}}(?:\d{{4}}|\d{{2}}))?(?![0-9A-Za-z,.])"
    rf"|{_MONTH}[ -]?\d{{1,2}},?[ ]\d{{4}}(?![0-9])"
    rf"|{_MONTH}(?:[ '-]?(?:\d{{4}}|\d{{1,2}}))?(?![0-9A-Za-z,.])"
    r"|\d{4}-\d{2}-\d{2}|\d{1,2}[/-]\d{1,2}(?:[/-]\d{2,4})?(?![0-9/-])"
    r"|\d{6,8}(?=[ ])|(?:WEEKLY|MONTHLY|Weekly|Monthly|0DTE|0dte)(?![A-Za-z]))"
)
_STRIKE: Final = r"\$?\d{1,6}(?:,\d{2,3})*(?:\.\d{1,2})?"
_RIGHT: Final = r"(?:CE|PE|CALL|PUT|Call|Put|call|put|ce|pe)"
_END: Final = r"(?![A-Za-z0-9_/])"
_CONTRACT: Final = re.compile(
    rf"""(?<![\w$#^.:=/&@,-])(?:
      {_NAME}[ _-](?:{_EXPIRY}[ _-])?{_STRIKE}(?:[ _-]?{_RIGHT}|(?:[CPcp]|[ ][CP](?=[ ]\d))){_END}
        (?:[ ][(]?{_EXPIRY}[)]?)?
    | (?P<dated>[A-Z][A-Z0-9.]{{0,7}})[ ]{_EXPIRY}[ ]{_STRIKE}[ ][CP]{_END}
    | (?P<wide>[A-Z]{{1,6}})[ ]{{1,5}}\d{{6}}[CP]\d{{8}}(?!\w)
    | (?P<future>[A-Z][A-Z0-9&]{{1,19}})[ ](?:{_EXPIRY}[ ])?FUT(?!\w)
    | (?P<called>[A-Z][A-Z0-9&]{{1,19}})[ ](?:CE|PE|CALL|PUT)[ ]{_STRIKE}
        (?=[ ](?:@|AT|ABOVE|BELOW|NEAR|BUY|SELL|ENTRY|at|above|below)(?![A-Za-z]))
    | (?P<bare>{_STRIKE}[ ]?(?:CE|PE)(?:[ ]{_EXPIRY})?){_END}
    )""",
    re.VERBOSE,
)
_MAY_CONTRACT: Final = re.compile(
    r"[0-9][ _-]?(?:[CcPp][Ee]?|[Cc](?:all|ALL)|[Pp](?:ut|UT))(?![A-Za-z])|[0-9][CP][0-9]"
    r"|[ ]FUT(?!\w)|(?:CE|PE|CALL|PUT)[ ]\$?[0-9]"
)
_LOWER_NAMES: Final = frozenset({
    "nifty", "banknifty", "bank nifty", "finnifty", "fin nifty", "sensex", "bankex", "midcpnifty",
})  # fmt: skip
_SHORTEST_WORD: Final = 3


def find(line: str, begin: int, parts: Parts) -> list[tuple[int, int]]:
    """Return where the contracts of a line stand in the text.

    Args:
        line: The line.
        begin: Where it begins in the text.
        parts: Its tokens.
    """
    found: list[tuple[int, int]] = []
    if not _MAY_CONTRACT.search(line):
        return found
    letters, terms, starts, _, _, _ = parts
    position = 0
    while (match := _CONTRACT.search(line, position)) is not None:
        kind = next(
            (
                name
                for name in ("name", "dated", "wide", "future", "called", "bare")
                if match.group(name)
            ),
            "bare",
        )
        start = begin + match.start()
        first = bisect_left(starts, start)
        named = first < len(letters) and starts[first] == start
        if kind != "bare":
            name = match.group(kind)
            if not named or not _may_be_name(name, letters[first], terms[first]):
                # The word in front is none of it: BUY 24500 CE.
                position = match.end(kind)
                continue
        found.append((start, begin + match.end()))
        position = match.end()
    return found


def _may_be_name(name: str, letter: str, term: Term | None) -> bool:
    if name.lower() in _LOWER_NAMES or name.upper().startswith(("BANK ", "FIN ", "MIDCAP ")):
        return True
    if letter == SYMBOL:
        return True
    return (
        term is None
        and letter == "w"
        and name[0].isupper()
        and len(name) >= _SHORTEST_WORD
        and (name not in UNNAMED and not name.isupper())
    )
