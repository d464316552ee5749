"""What the block of lines around an action says of it: that it is over, held, or no decision.

A block is the lines between two blank or ruled ones, the lines of one logged message, or the
innermost braces on a line. An exit, a realised profit or a filled order in it means that the
side it names is of what was done; a plan to leave is none.
"""

from __future__ import annotations

from typing import Final

import re2

from trackrecord.extraction import block_signs, endings, looks
from trackrecord.extraction.block_signs import Block
from trackrecord.extraction.document import Document, Line
from trackrecord.extraction.findings import Findings, Statement, reject
from trackrecord.extraction.refusals import FINAL, LABELLED, ROW
from trackrecord.extraction.shapes import ACTIONS, log_prefix
from trackrecord.extraction.things import names_a_thing

NAMED: Final = frozenset("SNP")
"""Letters of names and values, which a title has none of."""

_LONGEST_BLOCK: Final = 40
_LONGEST_OBJECT: Final = 2000
_TELLING: Final = looks.ask(
    r"(?i)closed|exit|hit|reach|achiev|triggered|filled|executed|booked|stopped|squared|liquidat"
    r"|complete|covered|sold|smashed|touched|pnl|p&l|p/l|profit|loss|result|outcome|成交|平仓|止"
    r"|default|fall|默认|兜底|example|sample|scenario|case|mock|illustrat|hypothetic|quantity|qty"
    r"|size|amount|units|volume|lots|position|trades?\b|holding|order|fill|held|since"
    r"|r[ée]sultat|resultado|ergebnis|risultato|результат|sonuç|hasil|kết quả|结果|結果|결과|损益"
    r"|盈亏|손익|損益|gewinn|verlust|gain|perte|ganancia|p[ée]rdida|lucro|preju|прибыль|убыток"
    r"|ferm[ée]|cl[oô]tur|cerrad|fechad|encerrad|geschloss|chius|kapat|kapand|ditutup|закрыт|zamkni"
    r"|secret|passphrase|api_?key|密[钥鑰]|订单号|单号|ticket|status|price"
    r"|open(?:ed)?_?(?:at|time)|remaining|(?:old|new|original)[ _](?:stop|sl|tp)"
)
"""What a line must hold so that any block can take an action back."""
_DEFAULTING: Final = re2.compile(
    r"(?i)\b(?:defaulting|falling back|defaults|defaulted) (?:to|on)\b"
)
_LEFT_BELOW: Final = 3
_RULES: Final = "-=_*~#─━═"
_RULED_TITLE: Final = re2.compile(r"^[-=_*~#─━═]{3,} ?[^-=_*~#─━═ ].{0,120}? ?[-=_*~#─━═]{3,}\s*$")


def refuse(document: Document, findings: Findings, torn: set[int]) -> None:
    """Take back the statements whose block says that they are no decision.

    Args:
        document: The text.
        findings: Its statements; those taken back go to the rejected ones, and the parts of the
            text that speak of what is over to ``over``.
        torn: Lines of tracebacks.
    """
    if not findings.statements:
        return
    telling = document.may(_TELLING) or document.may(block_signs.MAY_BE_HELD)
    cut = _cut(document) if telling else []
    exits = document.may(endings.MAY_EXIT)
    objects: dict[int, Block] = {}
    kept: list[Statement] = []
    for statement in findings.statements:
        if statement.line in torn:
            why: tuple[str, str] | None = ("code/traceback", "it stands in an error's traceback")
        elif names_a_thing(document, statement):
            why = ("code/thing", "what is bought, sold or held is no instrument")
        elif telling:
            block = _object(document, statement, objects) or cut[statement.line]
            why = _asked(document, statement, block, findings)
            if why is None and statement.rank < FINAL and not statement.is_row and exits:
                left = block.first < block.last or block is cut[statement.line]
                if left and _left_below(document, cut, block):
                    why = "code/exited", "the block below it holds the price at which it was left"
        else:
            why = None
        if why is None:
            kept.append(statement)
            continue
        findings.rejected.append(reject(document, statement.token, why[0], why[1]))
        if why[0] == "code/example" and statement.symbol is not None:
            findings.named.add(statement.symbol)
    findings.statements = kept


def _asked(
    document: Document, statement: Statement, block: Block, findings: Findings
) -> tuple[str, str] | None:
    """Return why a block takes a statement back, and keep the block in mind where it is over."""
    if not block.is_read:
        block_signs.read(document, block)
    why = _why_not(document, statement, block)
    if why is not None and block.over is not None:
        whole = document.lines[block.first].first, document.lines[block.last].last
        if findings.over[-1:] != [whole]:
            findings.over.append(whole)
    return why


def _why_not(document: Document, statement: Statement, block: Block) -> tuple[str, str] | None:
    line = document.lines[statement.line]
    own = document.folded[line.start : line.end]
    if statement.action == "HOLD" and (block.default or _defaulting(document, own)):
        return "code/default", "it is what the text falls back to after an error"
    if statement.rank >= FINAL or statement.is_row:
        return None
    weak = "weak" in statement.rule
    if block.over is not None and (
        statement.rank < block.below or (weak and block.below >= LABELLED)
    ):
        return block.over
    if block.is_kept and statement.action == "BUY":
        return "code/held", "its block tells for how long it has been held"
    return _shown(statement, block, own if document.may(block_signs.MAY_SHOW) else "")


def _defaulting(document: Document, own: str) -> bool:
    return document.may(block_signs.MAY_DEFAULT) and _DEFAULTING.search(own) is not None


def _shown(statement: Statement, block: Block, own: str) -> tuple[str, str] | None:
    """Return why a statement is only shown: as a request, in an example, as a position."""
    if block.request:
        return "code/request", "it is an order as sent, not advice"
    if block.example or (own and block_signs.EXAMPLE.search(own) is not None):
        return "code/example", "it is an example, not a decision"
    beside = statement.rank <= ROW or "weak" in statement.rule
    if beside and 0 <= block.holding < statement.line:
        return "code/position", "it stands under a heading of open positions"
    return None


def _object(document: Document, statement: Statement, objects: dict[int, Block]) -> Block | None:
    """Return the innermost braces around a statement that open on its line, None outside any."""
    line = document.lines[statement.line]
    if "{" not in line.shape:
        return None
    letters = document.letters
    depth = 0
    for at in range(statement.token, line.first - 1, -1):
        depth += (letters[at] == "}") - (letters[at] == "{")
        if depth >= 0:
            continue
        known = objects.get(at)
        if known is None:
            start = document.starts[at]
            end = document.folded.find("}", document.ends[statement.token], start + _LONGEST_OBJECT)
            end = max(end if end >= 0 else line.end, document.ends[statement.token])
            known = objects[at] = Block(line.number, line.number, start, end)
        return known
    return None


def _cut(document: Document) -> list[Block]:
    """Return the block of each line, by the line's number."""
    lines = document.lines
    blocks: list[Block] = []
    block: Block | None = None
    for line in lines:
        number = line.number
        if (
            block is None
            or not line.shape
            or not lines[number - 1].shape
            or number - block.first >= _LONGEST_BLOCK
            or (line.traits.begins and not _goes_on(document, lines[number - 1], line))
            or _is_ruled_title(document, line)
        ):
            first = number
            if line.shape and number > 1 and _is_title(document, lines, number):
                first = number - 2
            block = Block(first, number, lines[first].start, line.end)
        block.last, block.end = number, line.end
        blocks.append(block)
    return blocks


def _is_ruled_title(document: Document, line: Line) -> bool:
    """Say whether a line holds words between two rules: ``----- Yesterday's call -----``."""
    if document.folded[line.start] not in _RULES:
        return False
    return _RULED_TITLE.search(document.folded[line.start : line.end]) is not None


def _goes_on(document: Document, before: Line, line: Line) -> bool:
    """Say whether a logged line is set in under the one above it, as part of one message."""
    behind = log_prefix(line.shape)
    if behind < 2 or behind >= len(line.shape) or log_prefix(before.shape) < 2:  # noqa: PLR2004
        return False
    prefix_end = document.ends[line.first + behind - 1]
    text = document.folded
    if text[prefix_end : prefix_end + 3] != "   ":
        return False
    # The same clock, so that a list of later events is none.
    head = before.first, line.first
    clocks = [text[document.starts[at] : document.ends[at]] for at in head]
    return clocks[0] == clocks[1]


def _is_title(document: Document, lines: list[Line], first: int) -> bool:
    """Say whether a line without a name or a number, then a blank or ruled one, heads a block."""
    title, rule = lines[first - 2], lines[first - 1]
    if rule.shape or not title.shape or (first > 2 and lines[first - 3].shape):  # noqa: PLR2004
        return False
    ruled = bool(document.folded[rule.start : rule.end].strip())
    return ruled or NAMED.isdisjoint(title.shape)


def _left_below(document: Document, cut: list[Block], block: Block) -> bool:
    """Say whether the levels of a statement, in the block below its own, are those of an exit."""
    at = block.last + 1
    while at < len(cut) and not document.lines[at].shape and at <= block.last + _LEFT_BELOW:
        at += 1
    if at >= len(cut) or cut[at] is block:
        return False
    lines = document.lines[cut[at].first : cut[at].last + 1]
    acts = range(lines[0].first, lines[-1].last)
    if any(document.letters[at] in ACTIONS and not _is_exit(document, at) for at in acts):
        return False
    text = document.folded[cut[at].start : cut[at].end]
    return block_signs.exits(document, cut[at], text) and any(
        block_signs.pays(document, line) for line in lines
    )


def _is_exit(document: Document, token: int) -> bool:
    return document.raw(token).lower().startswith(("exit", "close"))
