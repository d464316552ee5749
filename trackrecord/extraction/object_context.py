"""What the words before an object say of it."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Final

from trackrecord.extraction.document import SYMBOL, Document
from trackrecord.extraction.notation import Node
from trackrecord.extraction.object_refusals import HELD, TEMPLATE, VOTE, Reason

_REQUEST_LINE: Final = re.compile(
    r"(?i)(?:^|\s)-d ['\"]|\b(?:curl|POST|PUT|payload|request|body|--data|assert"
    r"|orders? (?:sent|params|data|book)|expected|example|sample|schema|template|format|mock\w*"
    r"|dummy\w*|fixture|const|let|var|return|yield|usage|config|settings|default|prompt)\b"
)


_TRADED: Final = re.compile(
    r"(?i)['\"](?:exit\w{0,16}|exited_?at|close[d_]\w{0,12}|open_?time\w{0,3}|opened_?at|pnl\w{0,8}"
    r"|unrealized\w{0,8}|realized\w{0,8}|profit_pct|pnl_on_margin_pct|distance_to_\w{2,6})['\"]\s?:"
    r"|['\"](?:result|outcome)['\"]\s?:\s?['\"](?:win|loss|won|lost|tp|sl)\b"
)
_REACH: Final = 2000


class Context:
    """What stands before an outermost object on its line, or on the line above it."""

    __slots__ = (
        "before", "final", "labelled", "placing", "reason", "symbol", "symbol_start", "trades",
    )  # fmt: skip

    def __init__(self, document: Document, root: Node, last: Context | None, before: int) -> None:  # noqa: C901 - word by word
        text = document.folded
        self.before = text[max(0, root.start - _REACH) : root.start]
        self.trades: bool | None = None
        self.final = False
        self.labelled = False
        """Whether a label of a decision announces it: Signal generated: {...}."""
        self.placing = False
        """Whether the text says that it places this order now."""
        self.reason: Reason | None = None
        self.symbol: str | None = None
        self.symbol_start = -1
        line = text.rfind("\n", before, root.start) + 1
        beside = last is not None and before >= line
        if (
            last is not None
            and beside
            and (not text[before : root.start].strip(" ,;") or last.reason == TEMPLATE)
        ):
            # A further one beside it: what was said of the first holds for both.
            self.reason, self.final, self.placing = last.reason, last.final, last.placing
            self.labelled = last.labelled
            return
        if text[root.start - 1 : root.start] == "{":
            self.reason = TEMPLATE
            return
        start = max(line, before)
        prefix = text[start : root.start]
        if not prefix.strip(" \t`'\"[(,"):
            found = _line_above(text, line, before)
            if found is None:
                return
            start, stop = found
        else:
            stop = root.start
        first = bisect_left(document.starts, start)
        letters = document.letters[first : bisect_left(document.starts, stop)]
        head = letters.rstrip(":=>-([{|,.f")
        if _REQUEST_LINE.search(text[start:stop]) is not None:
            self.reason = TEMPLATE
            return
        near = max(head.rfind("|"), head.rfind(";")) + 1
        for at in range(near, len(head)):
            term = document.terms[first + at]
            if head[at] in "zb" and term is not None:
                self.reason = (term.rule, term.reason or "the line is not advice")
                return
            if head[at] == "n" and at + 3 >= len(head):
                self.reason = ("code/object-negated", "it is negated")
                return
        if head[-1:] == "V" or head[-2:-1] == "V":
            self.reason = VOTE
        elif head[-1:] == "O" or (head[-2:-1] == "O" and head[-1:] == "S"):
            self.reason = HELD
        self.final = "F" in head
        self.labelled = "L" in head[-2:]
        self.placing = "o" in head
        named = [at for at in range(near, len(head)) if head[at] == SYMBOL]
        if len(named) == 1 and named[0] + 4 >= len(head):
            self.symbol = document.symbol(first + named[0])
            self.symbol_start = document.starts[first + named[0]]

    @property
    def follows_trades(self) -> bool:
        """Whether what stands before it tells of trades: then so does one that is cut off."""
        if self.trades is None:
            self.trades = _TRADED.search(self.before) is not None
        return self.trades


def _line_above(text: str, line: int, before: int) -> tuple[int, int] | None:
    """Return where the heading above an object stands, if there is one."""
    stop = line - 1
    for _ in range(3):
        if stop <= before:
            return None
        start = text.rfind("\n", 0, stop) + 1
        words = text[start:stop].strip()
        if words and not words.startswith("```"):
            heads = words.rstrip("*_ ").endswith((":", "=", "=>", "->")) or len(words) < 60  # noqa: PLR2004
            return (
                (max(start, before), stop) if heads and words.rstrip("*_ ")[-1:] in ":=>" else None
            )
        stop = start - 1
    return None
