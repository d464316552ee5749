"""Headers of tables: the lines that name columns, and what their headings mean."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from trackrecord.extraction import looks
from trackrecord.extraction.cells import (
    Column,
    Table,
    cut_at,
    letters_of,
    pieces_of,
    tokens_in,
    words,
    words_of,
)
from trackrecord.extraction.document import Document, Line
from trackrecord.extraction.lists import heading_above
from trackrecord.extraction.ruleset import matcher

ACTIONS: Final = frozenset("Aa")
VALUES: Final = frozenset("NP")
LONGEST_LINE: Final = 1000
_FEWEST_COLUMNS: Final = 3
_MANY_COLUMNS: Final = 6
_SAMPLE: Final = 5
_DISTANCE: Final = re.compile(
    r"(?i)%|\b(?:pct|percent|percentage|pips|points|pts|atr|ticks|distance|dist|multiple)\b"
)
# Words that name the instrument, or that make each row one vote, where they head a column.
_NAMES: Final = frozenset({
    "name", "names", "stocks", "symbols", "tickers", "coins", "pairs", "share", "script",
    "company name", "asset name", "coin name", "epic", "counter", "stock / ticker", "ticker symbol",
    "instruments", "trading symbol", "symbol name", "security name", "stock id", "fund", "etf",
    "代码", "股票代码", "名称", "股票名称", "股票", "证券代码", "标的", "交易对", "币种", "品种",
    "銘柄", "銘柄コード", "コード", "종목", "종목명", "종목코드", "hisse", "sembol", "kod",
    "शेयर", "स्टॉक", "प्रतीक", "actif", "titre", "aktie", "wertpapier", "activo", "valor",
})  # fmt: skip
VOTERS: Final = frozenset({
    "indicator", "indicators", "timeframe", "time frame", "tf", "strategy", "strategies", "model",
    "agent", "analyst", "method", "factor", "source", "category", "interval", "expert", "component",
    "technical indicator", "rule", "condition", "scenario", "command", "horizon", "analysis",
    "module", "algorithm", "firm", "broker", "brokerage", "指标", "策略", "模型", "周期",
})  # fmt: skip
_OVER: Final = frozenset({
    "exit", "exit price", "exit date", "exit time", "exit reason", "closed at", "close date",
    "close time", "order id", "trade id", "order_id", "trade_id", "orderid", "ticket", "deal",
    "fill price", "filled", "avg price", "average price", "commission", "fee", "fees", "exit_price",
    "exit_date", "exit_time", "exit_reason", "fill_price", "filled_qty", "executed", "executed at",
    "holding days", "days held", "bars held", "entry_time", "realized", "entry order", "cash",
    "balance", "equity", "portfolio value", "order #", "trade #", "mkt value", "market value",
    "avg cost", "correct", "was correct", "outcome", "actual return", "actual outcome", "win/loss",
    "成交价", "成交价格", "成交数量", "手续费",
})  # fmt: skip
_LEVEL: Final = re.compile(
    r"(?:buy|sell|long|short)(?: |_)(?:price|above|below|at|range|zone|level|near|between)"
)
_DECISIONS: Final = frozenset({
    "call", "calls", "view", "our call", "our view", "new rating", "new signal",
    "new recommendation", "new action",
})  # fmt: skip
_ENTRY: Final = re.compile(r"(?:breakout|pullback|ideal|planned|suggested|limit|long|buy)[ _]entry")
_PRICES: Final = frozenset("ETXb")
_LABELS: Final = frozenset("LFDRVObp")
_CUT: Final = {
    "confidence": "C", "symbol": "Y", "ticker": "Y", "signal": "L", "action": "L", "target": "T",
    "recommendation": "L", "stop loss": "X", "entry price": "E", "target price": "T",
    "stop price": "X", "current price": "Z", "quantity": "q",
}  # fmt: skip
_SHORTEST: Final = 4
# Moves of a price; in a table of trades the profit has another name.
_MOVES: Final = frozenset({
    "gain", "gain %", "gain%", "% gain", "gains", "day gain", "gain/loss", "gain (%)", "day's gain",
})  # fmt: skip
_MOST_WORDS: Final = 16
# What stands behind a colon is a value, but in R:R.
_IS_LABELLED: Final = looks.later(matcher(r": |:[ ]*\||:$"))


def header_of(document: Document, line: Line) -> Table | None:
    """Read a line as the header of a table, None where it is none."""
    text = document.folded[line.start : line.end]
    bars = line.shape.count("|")
    labelled = ":" in line.shape and document.tells(line, _IS_LABELLED)
    if bars >= 2 or (bars == 1 and text.count("|") == 1):  # noqa: PLR2004
        return None if labelled else _cut(document, line, "|")
    for mark in ("\t", ";", ","):
        if mark in text:
            if not _like_it(document, line, mark):
                continue
            table = _cut(document, line, mark)
            if table is not None:
                return table
    if labelled:
        return None
    if "  " in text or text.startswith(" "):
        return aligned(document, line)
    return _narrow(document, line)


def _narrow(document: Document, line: Line) -> Table | None:
    """Read a header of single words, one space apart, over rows of as many words."""
    if line.number + 1 >= len(document.lines):
        return None
    following = document.lines[line.number + 1]
    if not following.traits.acts:
        return None
    heads = words(document, line.start, line.end)
    cells = words(document, following.start, following.end)
    if not 2 <= len(heads) <= _MOST_WORDS or len(cells) != len(heads):  # noqa: PLR2004
        return None
    columns = [_alone(document, start, end) for start, end in heads]
    named = [at for at, column in enumerate(columns) if "Y" in column.letters]
    decided = [at for at, column in enumerate(columns) if column.letters in {"L", "F"}]
    if len(named) != 1 or len(decided) != 1:
        return None
    acting = letters_of(document, cells[decided[0]])
    return Table(line, " ", columns) if acting in {"A", "a"} else None


def _alone(document: Document, start: int, end: int) -> Column:
    """Make a column of a single word, whatever phrase it may begin."""
    column = column_of(document, start, end)
    term = document.rules.term(column.text) if column.text else None
    if term is not None:
        column.letters = meaning(term.letter, column.text)
    return column


def _like_it(document: Document, line: Line, mark: str) -> bool:
    """Say whether the next line is cut as the header is, which prose is not."""
    for following in document.lines[line.number + 1 : line.number + 3]:
        if following.shape:
            return len(cut_at(document, following, mark)) == len(cut_at(document, line, mark))
    return False


def _cut(document: Document, line: Line, mark: str) -> Table | None:
    columns = [column_of(document, start, end) for start, end in cut_at(document, line, mark)]
    named = [column for column in columns if column.text]
    # One column is no table, and a line between two bars one of a box.
    if len(columns) < 2 or not (_is_decision(named) or len(named) > 1):  # noqa: PLR2004
        return None
    if len(named) == 2:  # noqa: PLR2004
        short = len(columns) == 2 and not _decides_by_name(columns)  # noqa: PLR2004
        headed = "Y" in named[0].letters and heading_above(document, line.number) is not None
        if not headed and (short or _is_field(document, *named)):
            return None
    elif len(columns) == 2 and not _decides_by_name(columns):  # noqa: PLR2004
        return None
    # Headings of several words are prose, unless many stand side by side.
    words_of_one = _FEWEST_COLUMNS if len(columns) < _MANY_COLUMNS else 2 * _FEWEST_COLUMNS
    if mark != "|" and any(len(column.text.split()) > words_of_one for column in columns):
        return None
    alternatives = [column for column in columns if not ACTIONS.isdisjoint(column.letters)]
    if alternatives and not _only_named(alternatives):
        return None
    return Table(line, mark, columns)


def _is_decision(named: list[Column]) -> bool:
    """Say whether the one column that has a heading is the decision."""
    return len(named) == 1 and named[0].letters in {"L", "F"}


def _is_field(document: Document, name: Column, value: Column) -> bool:
    """Say whether two cells are a field and its value, such as Ticker and LOW."""
    if name.letters != "Y":
        return False
    first = document.folded[name.start : name.end]
    second = document.folded[value.start : value.end]
    capitals = second.isupper() and not first.isupper()
    return capitals or not _LABELS.intersection(value.letters)


def _decides_by_name(columns: list[Column]) -> bool:
    """Say whether two columns are an instrument and what to do with it."""
    first, second = columns
    return "Y" in first.letters and any(letter in second.letters for letter in "LFD")


def _only_named(columns: list[Column]) -> bool:
    """Say whether actions in a header only explain a column: Signal (BUY/SELL), Exit Price."""
    return all(
        column.text in _OVER or any(letter in "LFDb" for letter in column.letters)
        for column in columns
    )


def column_of(document: Document, start: int, end: int) -> Column:
    """Make a column of a heading."""
    tokens = tokens_in(document, (start, end))
    text = words_of(document, start, end).lower()
    letters = "".join([document.letters[token] for token in tokens])
    return Column(start, end, meaning(letters, text), tokens, is_percent(text), text)


def is_percent(text: str) -> bool:
    """Say whether a heading says that its values are percentages."""
    return "%" in text or "pct" in text or "percent" in text


@lru_cache(maxsize=8192)
def meaning(letters: str, text: str) -> str:
    """Return the letters of a heading, with what only a heading may say."""
    if text in _OVER:
        return "b" + letters.replace("a", "w").replace("A", "w")
    known = _by_text(text)
    if known and not (known == "Y" and "Y" in letters):
        return known
    if "unreal" in text or "floating" in text:
        return "p" + letters
    if _ENTRY.fullmatch(text) is not None and _PRICES.isdisjoint(letters):
        return "E"
    if _DISTANCE.search(text) is not None and "C" not in letters:
        # A distance is no price, whatever it is measured from.
        return letters.replace("E", "Z").replace("T", "Z").replace("X", "Z")
    return letters


def _by_text(text: str) -> str:
    """Return the letter of a heading that means something by its whole text."""
    if _LEVEL.fullmatch(text) is not None:
        return "Z"
    for letter, texts in (("Z", _MOVES), ("Y", _NAMES), ("V", VOTERS), ("L", _DECISIONS)):
        if text in texts:
            return letter
    if text.endswith("\u2026") and len(text) > _SHORTEST:
        # A heading that was cut to the width of its column.
        whole = [_CUT[known] for known in _CUT if known.startswith(text[:-1])]
        return whole[0] if len(whole) == 1 else ""
    return ""


def aligned(document: Document, line: Line, *, forced: bool = False) -> Table | None:
    """Read a header set by spaces: a column for each group of words, as wide as they are.

    Args:
        document: The text.
        line: The line.
        forced: Whether it is known to be a header, whatever it says.

    Returns:
        The table without its rows, None where the line heads none.
    """
    columns = _grouped(document, line)
    if not columns:
        return None
    _part_signal(document, line, columns)
    _widen(document, line, columns)
    if forced:
        return Table(line, " ", columns)
    alternatives = [column for column in columns if not ACTIONS.isdisjoint(column.letters)]
    headed = "".join([column.letters for column in columns])
    named = "Y" in headed and (
        any(letter in headed for letter in "TXC")
        or heading_above(document, line.number) is not None
    )
    # Prose has gaps too: of a table set by spaces, the header says what its rows are about.
    about = named or any(letter in headed for letter in "LFDRUObq")
    decided = "L" in headed or "F" in headed
    margin = document.folded[line.start : line.start + 3]
    if (
        (alternatives and not _only_named(alternatives))
        or not about
        or any(mark in headed for mark in ">!?")
        or (len(columns) < _FEWEST_COLUMNS and not (decided or _is_headed(document, line, named)))
        or (len(columns) == 1 and not margin.isspace())
    ):
        return None
    return Table(line, " ", columns)


def _is_headed(document: Document, line: Line, named: bool) -> bool:
    """Say whether a header of two columns, one of them of names, stands under an action."""
    return named and heading_above(document, line.number) is not None


def _grouped(document: Document, line: Line) -> list[Column]:
    """Make a column of each group of words that stand one space apart, or under its own cells."""
    columns: list[Column] = []
    text = document.folded
    edges = _edges(document, line)
    previous = -1
    for token in range(line.first, line.last):
        letter = document.letters[token]
        start, end = document.starts[token], document.ends[token]
        near = previous >= 0 and start - document.ends[previous] < 2  # noqa: PLR2004
        previous = token
        inside = [edge for edge in edges if start < edge < end]
        if inside:
            # A phrase that is the headings of several columns.
            for left, right in zip([start, *inside], [*inside, end], strict=True):
                part = text[left:right].strip()
                term = document.rules.term(part)
                known = "w" if term is None else term.letter
                columns.append(Column(left, left + len(part), known, [token], False))
        elif near and columns and letter != "\\" and start not in edges:
            last = columns[-1]
            last.letters += letter
            last.tokens.append(token)
            last.end = max(last.end, end)
        else:
            columns.append(Column(start, end, letter, [token], False))
    return columns


def _widen(document: Document, line: Line, columns: list[Column]) -> None:
    """Add to headings the marks that are no tokens: (%), $, #."""
    text = document.folded
    for at, column in enumerate(columns):
        limit = columns[at + 1].start if at + 1 < len(columns) else line.end
        while column.start > line.start and text[column.start - 1] in "#%([$":
            column.start -= 1
        while column.end < limit and text[column.end] in "%)]$\u2026":
            column.end += 1
        column.percent = "%" in text[column.start : min(column.end + 3, limit)]
        column.text = words_of(document, column.start, column.end).lower()
        column.letters = meaning(column.letters, column.text)
        if "%" in text[column.end : min(column.end + 2, limit)]:
            column.letters = meaning(column.letters, column.text + "%")


def _edges(document: Document, line: Line) -> set[int]:
    """Return where columns begin although only one space parts their headings.

    There, in every one of the first rows, a word ends under the heading in front or begins under
    the one behind.
    """
    heads = words(document, line.start, line.end)
    close = [at for at in range(1, len(heads)) if heads[at][0] == heads[at - 1][1] + 1]
    if not close:
        return set()
    reach: dict[int, int] = {}
    """Where the headings end that stand one space apart from each."""
    for at in range(len(heads) - 1, 0, -1):
        reach[at] = reach[at + 1] if at + 1 in close else heads[at][1]
    edges: set[int] | None = None
    seen = 0
    for following in document.lines[line.number + 1 : line.number + 1 + _SAMPLE]:
        if not following.shape and not document.folded[following.start : following.end].strip():
            if seen:
                break
            continue
        if following.end - following.start > LONGEST_LINE or following.last - following.first < 2:  # noqa: PLR2004
            continue
        if not following.shape.strip("."):
            continue
        shift = line.start - following.start
        spans = words(document, following.start, following.end)
        if 2 * len(spans) < len(heads):
            break  # what stands behind the table
        starts = {start + shift for start, _ in spans}
        ends = {end + shift for _, end in spans}
        here = {
            heads[at][0]
            for at in close
            if (heads[at][0] in starts and heads[at - 1][0] in starts)
            or (
                _ends_at(ends, heads[at - 1][1])
                and any(
                    start + shift < reach[at] and end + shift > heads[at][0] for start, end in spans
                )
            )
        }
        edges = here if edges is None else edges & here
        seen += 1
    return edges or set()


def _ends_at(ends: set[int], place: int) -> bool:
    """Say whether a cell ends at a place: one that is too wide pushes those behind it by one."""
    return place in ends or place - 1 in ends or place + 1 in ends


def _part_signal(document: Document, line: Line, columns: list[Column]) -> None:
    """Part a phrase such as RSI Signal that is two headings: where rows have a value for each."""
    for at, column in enumerate(columns):
        text = document.folded[column.start : column.end]
        first, gap, last = text.rpartition(" ")
        if not gap or column.letters[:1] not in {"V", "Z"} or last.lower() != "signal":
            continue
        for following in document.lines[line.number + 1 : line.number + 4]:
            found = pieces_of(document, following)
            place = at - len(columns)
            more = len(found) - len(columns)
            if more not in {1, 2} or ACTIONS.isdisjoint(letters_of(document, found[place])):
                continue
            if VALUES.isdisjoint(letters_of(document, found[place - 1])):
                continue
            middle = column.start + len(first)
            token = column.tokens[0]
            columns[at] = Column(column.start, middle, column.letters, [token], False)
            columns.insert(at + 1, Column(middle + 1, column.end, "L", [token], False))
            return
