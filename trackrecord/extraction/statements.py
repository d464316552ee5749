"""Find what each line states: actions that a rule takes, and those that a rule refuses."""

from __future__ import annotations

from typing import Final

from trackrecord.extraction import endings, fields, lists, stacked
from trackrecord.extraction.document import NUMBER, SYMBOL, Document, Line
from trackrecord.extraction.findings import Findings, Statement, in_order, reject
from trackrecord.extraction.packs import RANKS
from trackrecord.extraction.refusals import UNTAKEN, WEAK, why_not
from trackrecord.extraction.ruleset import ShapeMatch
from trackrecord.extraction.shapes import action_places

ROW: Final = RANKS["row"]

_LOOK_AHEAD: Final = 3
# Limits that bound the time on hostile text, far above what a script prints.
_MOST_ACTIONS: Final = 64
_LONGEST_LINE: Final = 4000
_MOST_SHAPES: Final = 400
_AT_REACH: Final = 9
_HEADED_WORDS: Final = 3
_LABEL_ABOVE: Final = "label-above"
_LONGEST_SIDE: Final = 16
_MAY_REASON: Final = frozenset("w-|>.ifs")
"""Letters of what a line that gives a reason begins with."""


def _list_under(document: Document, line: Line, findings: Findings, joined: set[int]) -> bool:
    """Read the list under a heading such as "Buy candidates:", one instrument an item."""
    place = lists.heads(line.shape)
    if place is None or not lists.may_head(document, line, joined):
        return False
    token = line.first + place
    term = document.terms[token]
    if term is None or _is_plain_weak(document, line, token):
        return False
    action = "BTST_BUY" if term.kind == "btst" else term.value
    if action == "BUY" and document.marked_btst(line.last):
        action = "BTST_BUY"
    found = lists.items(document, line, joined)
    for number, name in found:
        statement = Statement(number, token, action, ROW, "code/list-under-heading")
        statement.symbol, statement.symbol_token = document.symbol(name), name
        statement.price_token = price_at(document, document.lines[number], name)
        findings.statements.append(statement)
    if not found and lists.is_empty(document, line, joined):
        findings.rejected.append(
            reject(document, token, "code/empty-list", "it heads a list without items")
        )
        return True
    return bool(found)


def _is_plain_weak(document: Document, line: Line, token: int) -> bool:
    """Say whether a heading is only a word such as watch or pass, without a colon or a count."""
    term = document.terms[token]
    weak = term is not None and (term.kind == "action.weak" or document.letters[token] == "a")
    if not weak or line.shape[-1] in ":k)" or "k" in line.shape:
        return False
    return term is None or term.kind == "action.weak" or len(line.shape) > 1


def _btst(document: Document, line: Line, findings: Findings) -> bool:
    """Read a line that names what to buy today and sell tomorrow without saying so: BTST: TRENT."""
    place = lists.btst_on_line(line.shape)
    if place is None:
        return False
    token = line.first + line.shape.index("B")
    statement = Statement(line.number, token, "BTST_BUY", ROW, "code/btst")
    statement.symbol_token = line.first + place
    statement.symbol = document.symbol(statement.symbol_token)
    statement.price_token = price_at(document, line, statement.symbol_token)
    findings.statements.append(statement)
    findings.statements.extend(_also(document, line, statement))
    return True


def _headed(document: Document, line: Line, findings: Findings) -> None:
    """Read Buys: AAPL, MSFT, and a name behind a tag: [매수 후보] 005930."""
    at = line.shape.index("h")
    term = document.terms[line.first + at]
    name = at + 1
    while line.shape[name : name + 1] in {"f", "w", "d"} and name < at + _HEADED_WORDS:
        name += 1
    named = line.shape[name : name + 2]
    tagged = line.shape[at - 1 : at] == "[" and named in {"]S", "]N"}
    if named == "]N" and not document.is_code(line.first + name + 1):
        return
    if term is None or not (named == ":S" or tagged):
        return
    statement = Statement(line.number, line.first + at, term.value, ROW, "code/list-under-heading")
    statement.symbol_token = line.first + name + 1
    statement.symbol = document.symbol(statement.symbol_token)
    findings.statements.append(statement)
    findings.statements.extend(_also(document, line, statement))


def _side(document: Document, line: Line, flags: frozenset[str], findings: Findings) -> bool:
    """Read a side alone below the name of its instrument."""
    if len(line.shape) > _LONGEST_SIDE or "position" in flags:
        return False
    side = stacked.read(document, line)
    term = None if side is None else document.terms[side.token]
    if side is None or term is None:
        return False
    statement = Statement(line.number, side.token, term.value, ROW, "code/side-below-name")
    if statement.action == "BUY" and document.marked_btst(line.last):
        statement.action = "BTST_BUY"
    statement.symbol_token = side.name
    statement.symbol = document.symbol(side.name)
    statement.price_token = side.price if side.price >= 0 else None
    findings.statements.append(statement)
    return True


def find(document: Document, flags: frozenset[str], taken: set[int], findings: Findings) -> None:
    """Find the statements of all lines that no table has taken.

    Args:
        document: The text.
        flags: See flags.of_text.
        taken: Indexes of lines that a table has explained.
        findings: Receives statements in print order, and the actions that a rule refused.
    """
    lines = document.lines
    joined: set[int] = set()
    shapes: set[str] = set()
    for line in lines:
        leads_on = line.traits.leads_on
        lists_some = line.traits.lists
        if not (leads_on or line.traits.acts or lists_some):
            continue
        if line.number in taken or line.number in joined:
            continue
        shape = line.shape
        if leads_on:
            following = _continuation(lines, line, taken)
            if following is None:
                continue
            shape += following.shape
            joined.add(following.number)
        if "position" not in flags and _list_under(document, line, findings, joined):
            continue
        if lists_some and not line.traits.acts:
            if "position" not in flags and not _btst(document, line, findings) and "h" in shape:
                _headed(document, line, findings)
            continue
        if not _side(document, line, flags, findings):
            _read_line(document, line, shape, flags, findings, shapes)
    in_order(findings)


def _continuation(lines: list[Line], line: Line, taken: set[int]) -> Line | None:
    """Return the line that holds the action of a label standing alone on this one."""
    for following in lines[line.number + 1 : line.number + 1 + _LOOK_AHEAD]:
        if following.shape:
            starts = following.shape.lstrip("->|[(<")[:1]
            # Where an object was read between them, the action's tokens are not the next ones.
            usable = starts in {"A", "a"} and following.number not in taken
            return following if usable and following.first == line.last else None
    return None


def _read_line(
    document: Document,
    line: Line,
    shape: str,
    flags: frozenset[str],
    findings: Findings,
    shapes: set[str],
) -> None:
    shapes.add(shape)
    actions = action_places(shape)
    if len(actions) > _MOST_ACTIONS or len(shape) > _LONGEST_LINE or len(shapes) > _MOST_SHAPES:
        reason = "more actions than a line or a text of advice has"
        findings.rejected.append(reject(document, line.first + actions[0], "code/limit", reason))
        return
    paired = lists.pairs(shape) if len(actions) > 1 and len(shape) == len(line.shape) else ()
    if paired and "position" not in flags:
        _take_pairs(document, line, paired, findings)
        return
    before = len(findings.statements)
    untaken: list[int] = []
    by_action = _by_action(document, line, shape, flags)
    for position in actions:
        token = line.first + position
        matches = by_action.get(position, [])
        best = _best(matches)
        refused = why_not(document, line, shape, position, matches, best, flags)
        term = document.terms[token]
        if best is None or refused is not None or term is None:
            rule, reason = refused or UNTAKEN
            findings.rejected.append(reject(document, token, rule, reason))
            if refused is None:
                untaken.append(position)
            elif refused[1] == WEAK:
                findings.weak.extend(_weak(document, line, token, matches, best))
            continue
        action = term.value
        if action == "BUY" and document.marked_btst(line.last):
            action = "BTST_BUY"
        statement = Statement(line.number, token, action, best.rule.rank, best.rule.rule)
        if line.shape[:1] in _MAY_REASON and endings.gives_reason(
            document.folded[line.start : line.end]
        ):
            # What a reason says decides less: "Reason: low confidence or signal is NEUTRAL".
            statement.rank = min(statement.rank, RANKS["stated"])
        _place(document, line, matches, statement)
        findings.statements.append(statement)
        findings.statements.extend(_also(document, line, statement))
    if untaken and len(findings.statements) > before:
        _refuse_half(document, shape, untaken, before, findings)


def _by_action(
    document: Document, line: Line, shape: str, flags: frozenset[str]
) -> dict[int, list[ShapeMatch]]:
    """Return the rules that speak of each action of a line."""
    found: dict[int, list[ShapeMatch]] = {}
    for match in document.rules.match_shape(shape):
        if _stands_above(line, shape, match) and _applies(document, line, match, flags):
            found.setdefault(match.action, []).append(match)
    return found


def _weak(
    document: Document, line: Line, token: int, matches: list[ShapeMatch], best: ShapeMatch | None
) -> list[Statement]:
    """Return what a row of a weaker word states, if the lines beside it decide."""
    term = document.terms[token]
    if best is None or term is None:
        return []
    statement = Statement(line.number, token, term.value, best.rule.rank, best.rule.rule)
    _place(document, line, matches, statement)
    return [statement]


def _take_pairs(
    document: Document, line: Line, paired: tuple[tuple[int, int, int], ...], findings: Findings
) -> None:
    """Take each pair of a line such as AAPL BUY | MSFT HOLD."""
    for position, name, rank in paired:
        token = line.first + position
        term = document.terms[token]
        if term is None:
            continue
        statement = Statement(line.number, token, term.value, rank, "code/pairs")
        if statement.action == "BUY" and document.marked_btst(line.last):
            statement.action = "BTST_BUY"
        statement.symbol_token = line.first + name
        statement.symbol = document.symbol(statement.symbol_token)
        after = line.first + max(position, name)
        statement.price_token = price_at(document, line, after)
        findings.statements.append(statement)


def _refuse_half(
    document: Document,
    shape: str,
    untaken: list[int],
    before: int,
    findings: Findings,
) -> None:
    """Refuse a line whole that states more than was taken of it, rather than tell half."""
    seen = set(lists.statements_seen(shape))
    taken = findings.statements[before:]
    if seen.isdisjoint(untaken) or any(item.rank >= RANKS["stated"] for item in taken):
        return
    reason = "the line states more actions than could be read, and half would be false"
    findings.rejected.extend(
        reject(document, item.token, "code/half-read", reason) for item in taken
    )
    del findings.statements[before:]


def _applies(document: Document, line: Line, match: ShapeMatch, flags: frozenset[str]) -> bool:
    """Say whether the text has what a rule needs; a number is a symbol only as a stock's code."""
    if not (flags.issuperset(match.rule.needs) and flags.isdisjoint(match.rule.unless)):
        return False
    token = -1 if match.symbol is None else line.first + match.symbol
    if token < 0 or document.letters[token] != NUMBER:
        return True
    return document.is_code(token) or document.is_bracketed_code(token)


def _stands_above(line: Line, shape: str, match: ShapeMatch) -> bool:
    """Say whether a rule for labels on a line of their own meets such a one."""
    if not match.rule.rule.endswith(_LABEL_ABOVE):
        return True
    return len(line.shape) < len(shape) and match.action >= len(line.shape)


def _best(matches: list[ShapeMatch]) -> ShapeMatch | None:
    """Return the strongest rule that takes an action, the first of equals."""
    best = None
    for match in matches:
        if match.rule.rank > (RANKS["vote"] if best is None else best.rule.rank):
            best = match
    return best


def _also(document: Document, line: Line, statement: Statement) -> list[Statement]:
    """Return one more statement for each further name in BUY: AAPL, MSFT, NVDA."""
    found: list[Statement] = []
    if statement.symbol_token is None or statement.symbol_token < statement.token:
        return found
    at = statement.symbol_token + 1
    while (
        at + 1 < line.last and document.letters[at] in ",f" and document.letters[at + 1] == SYMBOL
    ):
        more = Statement(
            line.number, statement.token, statement.action, statement.rank, statement.rule
        )
        more.symbol, more.symbol_token = document.symbol(at + 1), at + 1
        found.append(more)
        at += 2
    return found


def _place(document: Document, line: Line, matches: list[ShapeMatch], statement: Statement) -> None:
    """Take symbol and price from whichever rule names them, the strongest first."""
    for match in sorted(matches, key=lambda match: -match.rule.rank):
        if match.rule.rank <= RANKS["vote"]:
            continue
        if statement.symbol is None and match.symbol is not None:
            statement.symbol_token = line.first + match.symbol
            statement.symbol = document.symbol(statement.symbol_token)
        if statement.price_token is None and match.price is not None:
            statement.price_token = line.first + match.price
    quoted = price_at(document, line, statement.token)
    if quoted is None and document.letters[statement.token + 1 : statement.token + 3] == ":N":
        statement.is_order = document.raw(statement.token).lower().endswith("limit")
        quoted = statement.token + 2 if statement.is_order else None
    if quoted is not None:
        statement.price_token = quoted


def price_at(document: Document, line: Line, token: int) -> int | None:
    """Return the price that follows an @ or at behind an action, before any other label."""
    letters = document.letters
    for at in range(token + 1, min(line.last - 1, token + _AT_REACH)):
        if letters[at] == "@":
            if at + 2 < line.last and fields.is_currency(document, at + 1, line.last):
                return at + 2
            if letters[at + 1] == ":" and at + 2 < line.last and letters[at + 2] == "N":
                return at + 2
            return at + 1 if letters[at + 1] == "N" else None
        if letters[at] in "ETXCZRUOKA;.":
            return None
    return None
