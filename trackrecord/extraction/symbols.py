"""Which instrument a statement is about."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from typing import Final, final

import re2

from trackrecord.extraction import capitals, name_headings
from trackrecord.extraction.document import NUMBER, SYMBOL, WORD, Document, Line
from trackrecord.extraction.findings import Statement
from trackrecord.extraction.names import EXCHANGES
from trackrecord.extraction.words import UNNAMED

_LABEL: Final = re2.compile(rb"[YO][:=|#f(\[>-]{0,3}(?:[w.]{0,4}[(])?(S)")
_CODE: Final = re2.compile(rb"Y[:=|(f]{0,3}(?:w{1,3}[(]?)?(N)")
_NAMED: Final = re2.compile(rb"Y[:=](w)(?:$|[|,;(])")
_HEADING: Final = re2.compile(
    rb"^\|?(?:[wgKfLD]?[\[(]?N(?:/N)?[\]).:]*)?-?[wf]{0,2}(?:L[:-]?)?(?:[(])?(S)[)]?(?:$|[:-]?$|[(]|-[wf]|[:|-]?[wYLV]{1,3}(?:[(][^()]*[)])?:?$|\|)"
)
_TITLE: Final = re2.compile(
    rb"^[|]*[wLYgF]{1,5}(?:[(][^()]*[)])?[-:](S)(?:[(][wfSY.,&-]{1,7}[)])?[|]*$"
)
# [KO] above the lines that tell of it
_SECTIONED: Final = re2.compile(rb"^\[(S)\]:?$")
_COMPANY: Final = re2.compile(rb"^[Sw][wfk.,&]{1,6}[(](S)[)]")
# Nvidia (NASDAQ: NVDA)
_LISTED: Final = re2.compile(rb"^[-|.>]*[wfSk.,&]{1,6}[(]w:(S)[)]")
# Apple Inc. (AAPL) - Fundamental Report
_FIRM: Final = re2.compile(rb"^[-|>]*[wS][wfSk.,&]{1,5}[(](S)[)](?:[:-]?$|[-:][wVLYf]{1,4}$)")
# BTC/USDT: waiting for a pullback
_DESCRIBED: Final = re2.compile(r"^[-|]*(S):[wfSgknVUKZy]{2,8}$")
# 600036 最终决策, 招商银行 (600036) 分析:, where stocks are named by numbers.
_CODE_TITLE: Final = re2.compile(
    rb"^z?(?:\[[wYLVgk]{1,4}\])?\[?(?:[wgVk]{1,4}[(](N)[)]|(N)[(]?[wgVkLF])[)\]]?[wgVkLFYf]{0,5}[:-]?$"
    rb"|^[wgVkLFYf]{2,8}[:-](N)$"
)


_SHORT_CODE: Final = 4
_NEAR: Final = 60
_BESIDE: Final = 4
_BEGINNING: Final = 12


@final
class Section:
    """From this line on the text speaks of one instrument."""

    __slots__ = ("company", "labelled", "line", "symbol", "token")

    def __init__(
        self, line: int, token: int, symbol: str, labelled: bool, company: bool = False
    ) -> None:
        self.line = line
        self.token = token
        self.symbol = symbol
        self.labelled = labelled
        self.company = company
        """Whether its label says that it is a company's name."""


def _name(document: Document, token: int) -> str | None:
    letter = document.letters[token]
    if letter == SYMBOL:
        return document.symbol(token)
    if letter == NUMBER:
        usable = document.is_code(token) or document.is_bracketed_code(token)
        return document.raw(token) if usable else None
    word = document.raw(token)
    if letter != WORD or not word.isascii() or not word.isalnum():
        return None
    known = word.upper() in UNNAMED or word in document.rules.not_symbols
    return None if known else word


@lru_cache(maxsize=8192)
def _places(shape: str) -> tuple[tuple[int, ...], int | None]:
    """Return where a line of this shape may name its instrument: behind labels, as a heading."""
    data = shape.encode("ascii", "replace")
    labelled: tuple[int, ...] = ()
    if "Y" in shape or "O" in shape:
        found = [pattern.search(data) for pattern in (_LABEL, _CODE, _NAMED)]
        labelled = tuple([int(match.start(1)) for match in found if match is not None])
    if "S" in shape and not any(mark in shape for mark in "RUqb"):
        match = _HEADING.search(data) or _TITLE.search(data) or _LISTED.search(data)
        match = match or _FIRM.search(data) or _DESCRIBED.search(shape) or _SECTIONED.search(data)
        if match is not None:
            return labelled, int(match.start(1))
    if "N" in shape and (match := _CODE_TITLE.search(data)) is not None:
        return labelled, int(max(match.start(group) for group in (1, 2, 3)))
    return labelled, None


def sections(document: Document) -> list[Section]:
    """Return where the text turns to an instrument, by a label or a heading."""
    found: list[Section] = []
    for line in document.lines:
        if not line.traits.names:
            continue
        behind_labels, heading = _places(line.shape)
        token = _first_name(document, line, behind_labels)
        labelled = token is not None
        if token is None:
            if heading is None:
                continue
            token = line.first + heading
        if labelled:
            token = _bracketed_ticker(line, token)
        name = _name(document, token)
        if name is not None and not _announced(document, line, token, labelled=labelled):
            continue
        if name is None and not labelled and _is_title_code(document, token):
            name = document.raw(token)
        if name is not None and (not found or found[-1].symbol != name or labelled):
            company = labelled and _names_company(document, line, token)
            found.append(Section(line.number, token, name, labelled, company))
    return _without_companies(found) if any(_is_company(item) for item in found) else found


def _first_name(document: Document, line: Line, places: tuple[int, ...]) -> int | None:
    """Return the first of some places on a line that holds a name."""
    for at in places:
        if _name(document, line.first + at):
            return line.first + at
    return None


def _bracketed_ticker(line: Line, token: int) -> int:
    """Return the ticker in brackets behind a company's name: Company: NVIDIA Corp (NVDA)."""
    return token + _ticker_at(line.shape[token - line.first :])


@lru_cache(maxsize=8192)
def _ticker_at(shape: str) -> int:
    """Return where the ticker in brackets behind a company's name stands, 0 where there is none."""
    match = _COMPANY.search(shape.encode("ascii", "replace"))
    return 0 if match is None else int(match.start(1))


@lru_cache(maxsize=8192)
def _is_described(shape: str) -> bool:
    """Say whether a line of this shape is a name and, behind a colon, words about it."""
    return _DESCRIBED.search(shape) is not None


def _announced(document: Document, line: Line, token: int, *, labelled: bool) -> bool:
    """Say whether a label or a heading announces a name, and not only words in capitals."""
    if not labelled:
        if document.letters[max(0, token - 3) : token] == "(w:":
            return document.raw(token - 2) in EXCHANGES
        behind = document.letters[token] == NUMBER and document.letters[token - 1] in ":-"
        if _is_described(line.shape) and capitals.is_plain(document, token):
            return False
        apart = capitals.begins(document, line) or capitals.stands_apart(document, line)
        if behind and token > line.first and not apart:
            return False
        return capitals.may_head(document, line, token)
    beside = token > line.first and document.letters[token - 1] in "YO"
    return not (beside and capitals.is_vague(document, line, token))


def _is_title_code(document: Document, token: int) -> bool:
    """Say whether a number of four digits in front of a name is a stock's code, and no year."""
    text, end = document.raw(token), document.ends[token]
    name = document.folded[end : end + 2].lstrip(" ")[:1]
    return (
        len(text) == _SHORT_CODE
        and text.isdigit()
        and text[:2] not in {"19", "20"}
        and name.isalpha()
        and not name.isascii()
        and not document.is_counting(token)
    )


def _is_company(section: Section) -> bool:
    """Say whether a section is named by a company's name, not by a ticker."""
    name = section.symbol
    if section.company or not section.labelled:
        return section.company
    return name[:1].isupper() and name[1:2].islower() and name.isascii()


def _names_company(document: Document, line: Line, token: int) -> bool:
    """Say whether the label in front of a name is one of companies: company_name."""
    label = document.letters.rfind("Y", line.first, token)
    return label >= line.first and document.raw(label).lower().startswith("company")


def _without_companies(found: list[Section]) -> list[Section]:
    """Drop companies' names beside which a ticker stands: Ticker: AAPL, Company: Apple Inc."""
    kept = []
    for at, section in enumerate(found):
        beside = [*found[max(0, at - 1) : at], *found[at + 1 : at + 2]]
        if _is_company(section) and any(
            not _is_company(item) and abs(item.line - section.line) <= _BESIDE for item in beside
        ):
            continue
        kept.append(section)
    return kept


def assign(document: Document, statements: list[Statement], found: list[Section]) -> None:
    """Give each statement without a symbol of its own the one it speaks of."""
    labelled = {section.symbol for section in found if section.labelled}
    names = {section.symbol for section in found}
    starts = [section.line for section in found]
    lone = None if found else _only_one(document)
    parts = _parts(document)
    for statement in statements:
        if statement.symbol is not None and not _is_a_word(document, statement):
            _take_listed(document, statement)
            continue
        token = _on_line(document, statement)
        if token is not None:
            statement.symbol_token = token
            statement.symbol = _name(document, token)
            _take_listed(document, statement)
            continue
        before = bisect_right(starts, statement.line)
        if before:
            section = found[before - 1]
            statement.symbol, statement.symbol_token = section.symbol, section.token
        elif len(labelled) == 1 or len(names) == 1:
            only = next(iter(labelled if len(labelled) == 1 else names))
            section = next(item for item in found if item.symbol == only)
            statement.symbol, statement.symbol_token = only, section.token
        elif lone is not None and not _is_on_line(document, statement, lone):
            statement.symbol, statement.symbol_token = document.symbol(lone), lone
        _keep_own(document, statement, parts)
    if "#" in document.folded:
        name_headings.assign(document, statements)


def _parts(document: Document) -> list[int]:
    """Return the lines on which an item of a printed list begins below another one: }, then {."""
    if "},{" not in document.letters:
        return []
    lines = document.lines
    return [
        line.number
        for line in lines[1:]
        if line.shape == "{" and lines[line.number - 1].shape in ("}", "},")
    ]


def _keep_own(document: Document, statement: Statement, parts: list[int]) -> None:
    """Forget a name that stands in another item of a list than a statement, each cut off."""
    if not parts or statement.symbol_token is None or statement.bound is not None:
        return
    place = document.line_at(document.starts[statement.symbol_token])
    if bisect_right(parts, place) != bisect_right(parts, statement.line):
        statement.symbol = statement.symbol_token = None


def _is_a_word(document: Document, statement: Statement) -> bool:
    """Say whether what a line seems to name is a word of its label or reason; forget it then."""
    token = statement.symbol_token
    if token is None or statement.is_row or statement.bound is not None:
        return False
    line = document.lines[statement.line]
    if token < statement.token:
        labels = document.letters[token + 1] == ":"
        if not labels or not capitals.ends_a_phrase(document, line, token):
            return False
    elif document.letters[token - 1] != "-" or not capitals.begins_a_reason(document, line, token):
        return False
    statement.symbol = statement.symbol_token = None
    return True


def _listed(document: Document, token: int) -> int:
    """Return the ticker of an exchange in brackets behind a name: LVMH (MC.PA), else the name."""
    named, listed = document.symbol(token), document.symbol(token + 2)
    return token + 2 if "." in listed and "." not in named else token


def _take_listed(document: Document, statement: Statement) -> None:
    """Prefer the ticker in brackets behind a statement's name."""
    at = statement.symbol_token
    if at is not None and at + 1 < statement.token and capitals.is_plain(document, at):
        # TIGER VIP #SOL BUY: a tag is the better name.
        for token in range(at + 1, min(statement.token, at + _BESIDE)):
            if document.letters[token] == SYMBOL and document.raw(token)[0] in "#$":
                at = statement.symbol_token = token
                statement.symbol = document.symbol(token)
    if at is not None and document.letters[at : at + 4] == "S(S)":
        statement.symbol_token = _listed(document, at)
        statement.symbol = document.symbol(statement.symbol_token)


def _only_one(document: Document) -> int | None:
    """Return the first mention of the one instrument that a text names at all and speaks of."""
    letters = document.letters
    if SYMBOL not in letters:
        return None
    # Beside a pair, a word in capitals may be anything: #GOLD #XAUUSD.
    first: dict[bool, int] = {}
    names: dict[bool, set[str]] = {True: set(), False: set()}
    for line in document.lines:
        at = letters.find(SYMBOL, line.first, line.last)
        while at >= 0:
            if not capitals.is_vague(document, line, at):
                certain = capitals.is_certain(document, at)
                names[certain].add(document.symbol(at))
                if len(names[True]) > 1:
                    return None
                if certain not in first and capitals.speaks_of(document, line, at):
                    first[certain] = at
            at = letters.find(SYMBOL, at + 1, line.last)
    if names[True]:
        return first.get(True)
    return first.get(False) if len(names[False]) == 1 else None


def _is_on_line(document: Document, statement: Statement, token: int) -> bool:
    """Say whether a name stands on a statement's line, where it was looked for already."""
    line = document.lines[statement.line]
    return line.first <= token < line.last


def _on_line(document: Document, statement: Statement) -> int | None:
    """Return the one symbol that the statement's own line names."""
    line = document.lines[statement.line]
    # What stands before an object on its line.
    place = min(statement.token, line.last)
    braces = line.shape.find("{", statement.token - line.first)
    last = line.last if braces < 0 or "{" in line.shape[:braces] else line.first + braces
    near = range(max(line.first, place - _NEAR), min(last, place + _NEAR))
    tokens = [
        token
        for token in near
        if (document.letters[token] == SYMBOL and not capitals.is_vague(document, line, token))
        or (document.letters[token] == NUMBER and document.is_code(token))
    ]
    if not tokens:
        return _in_cells_before(document, line, near.start)
    several = len({_name(document, token) for token in tokens}) > 1
    tokens = [
        token for token in tokens if capitals.is_beside(document, line, token, statement.token)
    ]
    if tokens and not several:
        return tokens[0]
    before = [token for token in tokens if token < statement.token]
    if before and statement.token - before[-1] <= 3:  # noqa: PLR2004 - beside it
        return before[-1]
    after = [token for token in tokens if token > statement.token]
    if after and after[0] - statement.token <= 3:  # noqa: PLR2004 - beside it
        return after[0]
    return None


def _in_cells_before(document: Document, line: Line, end: int) -> int | None:
    """Return the one symbol among the first cells of a row whose last cell goes on for long."""
    last = min(line.first + _BEGINNING, end)
    found = [at for at in range(line.first, last) if document.letters[at] == SYMBOL]
    if len(found) != 1 or document.letters[found[0] + 1] != "|":
        return None
    return None if capitals.is_vague(document, line, found[0]) else found[0]
