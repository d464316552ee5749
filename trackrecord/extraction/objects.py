"""Read the recommendations of objects: one of each innermost object that holds an action.

Everything of a recommendation comes from its own object, or from those around it as far as they
speak of it alone; never from another object, wherever the two stand on their lines.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

from trackrecord.extraction import notation, object_refusals
from trackrecord.extraction.document import READ_AT_EACH_END, Document
from trackrecord.extraction.fields import Found
from trackrecord.extraction.findings import Findings, Statement
from trackrecord.extraction.model import Rejected
from trackrecord.extraction.notation import Node
from trackrecord.extraction.object_actions import (
    STRENGTH,
    Acting,
    Tree,
    live_of,
    lose,
    strength,
    walk,
    within,
)
from trackrecord.extraction.object_context import Context
from trackrecord.extraction.object_fields import Keys
from trackrecord.extraction.object_refusals import Reason
from trackrecord.extraction.object_values import (
    Taken,
    around,
    collect,
    drop_fractions,
    own_symbol,
    symbol_of,
)
from trackrecord.extraction.object_words import SOURCE_KEYS
from trackrecord.extraction.packs import RANKS
from trackrecord.extraction.ruleset import RuleSet

_DATES: Final = frozenset({
    "date", "time", "timestamp", "datetime", "ts", "createdat", "generatedat", "day", "index",
})  # fmt: skip
_RANKS: Final = {"F": RANKS["final"], "G": RANKS["outcome"]}


def roots_of(document: Document) -> list[Node]:
    """Return the outermost objects of a text, in print order."""
    text = document.folded
    if not document.may(notation.MAY_START):
        return []
    if "{" not in text and "=" not in text and "[(" not in text:
        return []
    size, kinds = len(text), document.looks
    if size <= 2 * READ_AT_EACH_END:
        places = [
            (line.start, line.end) for line in document.lines if line.looks & notation.MAY_START
        ]
        return notation.find(text, 0, size, kinds, places)
    return [
        *notation.find(text, 0, READ_AT_EACH_END, kinds),
        *notation.find(text, size - READ_AT_EACH_END, size, kinds),
    ]


def read(
    document: Document, keys: Keys, roots: list[Node], findings: Findings
) -> list[tuple[int, int]]:
    """Read what objects recommend.

    Args:
        document: The text.
        keys: What keys mean.
        roots: Its outermost objects.
        findings: Receives their statements, and the actions that are none.

    Returns:
        Where the objects stand that name actions; the rules of lines leave them alone.
    """
    taken: list[tuple[int, int]] = []
    before = 0
    context: Context | None = None
    for root in roots:
        if not root.opener:
            reason = "more objects than a text of advice has"
            findings.rejected.append(
                Rejected("objects", "code/limit", reason, root.start, root.end)
            )
            taken.append((root.start, root.end))
            break
        tree = Tree(root)
        walk(keys, root, tree)
        if tree.acting or tree.rejected:
            context = Context(document, root, context, before)
            _read(document, keys, tree, context, findings)
            taken.append((root.start, root.end))
        else:
            context = None
        before = root.end
    return taken


_known: dict[int, Keys] = {}


def keys_of(rules: RuleSet) -> Keys:
    """Return what keys mean by a set of rules."""
    held = _known.get(id(rules))
    if held is None or held.rules is not rules:
        if len(_known) > 8:  # noqa: PLR2004 - a process uses one set, tests a few
            _known.clear()
        held = _known[id(rules)] = Keys(rules)
    return held


def _read(document: Document, keys: Keys, tree: Tree, context: Context, findings: Findings) -> None:
    """Make statements of the actions of one outermost object."""
    nodes = {id(item.node): item for item in tree.acting}
    kept: list[Acting] = []
    for item in tree.acting:
        reason = _refusal(keys, tree, item, context, nodes)
        if reason is not None:
            lose(tree, item, reason)
        else:
            kept.append(item)
    kept = _named(keys, tree, _outermost(keys, tree, kept), context)
    for item in kept:
        findings.statements.append(_statement(document, keys, nodes, item, kept, context))
    for start, end, action, (rule, why) in tree.rejected:
        findings.rejected.append(Rejected(action, rule, why, start, end))


def _has_source(words: set[str], found: Taken) -> bool:
    """Say whether an object without levels names which of several it comes from."""
    return not SOURCE_KEYS.isdisjoint(words) and "T" not in found and "X" not in found


def _refusal(  # noqa: C901, PLR0911 - one question after the other
    keys: Keys, tree: Tree, item: Acting, context: Context, nodes: dict[int, Acting]
) -> Reason | None:
    node = item.node
    if node.cut and not node.closed:
        return object_refusals.BROKEN
    if item.letter in "DL" and not node.closed and context.follows_trades:
        return object_refusals.OVER
    if object_refusals.of_template(node):
        return object_refusals.TEMPLATE
    own = item.symbol is not None or own_symbol(keys, node) is not None
    letter = item.letter
    container = object_refusals.of_containers(keys, node, letter, own_symbol=own)
    if container is not None:
        return container
    if context.reason is not None and not (
        letter == "F" and context.reason[0] != "code/object-template"
    ):
        return context.reason
    if item.mapped:
        return None
    around = []
    at = node.parent
    while at is not None:
        if not at.listed:
            around.append(live_of(keys, tree, at))
        at = at.parent
    found = collect(keys, node, nodes)
    if not own and _has_source(live_of(keys, tree, node).words, found):
        return object_refusals.VOTE
    wide = around[:1] if node.parent is not None and not node.parent.listed else []
    levels = bool(found) or any(other.letters & set("TXC") for other in wide)
    reason = object_refusals.of_contents(
        live_of(keys, tree, node), around, letter, item.word, levels=levels
    )
    if reason in (object_refusals.REQUEST, object_refusals.SIDE) and context.placing:
        item.rank = RANKS["order"]
        return None
    if reason == object_refusals.SIDE and context.labelled:
        return None
    return reason


def _outermost(keys: Keys, tree: Tree, kept: list[Acting]) -> list[Acting]:
    """Of an object and one inside it on the same instrument, keep the one that decides."""
    by_node = {id(item.node): item for item in kept if not item.mapped}
    dropped: set[int] = set()
    for item in kept:
        if item.mapped or own_symbol(keys, item.node) is not None:
            continue
        if item.node.key and keys.symbol_like(item.node.key):
            continue
        at = item.node.parent
        while at is not None:
            outer = by_node.get(id(at))
            if outer is not None and id(outer) not in dropped:
                inner_wins = strength(keys, item) > strength(keys, outer)
                loser = outer if inner_wins else item
                dropped.add(id(loser))
                lose(tree, loser, ("code/object-key", "the object around or inside it decides"))
                break
            at = at.parent
    return [item for item in kept if id(item) not in dropped]


def _named(keys: Keys, tree: Tree, kept: list[Acting], context: Context) -> list[Acting]:
    """Drop what differs under several keys, or in an undated list, and names no instrument."""
    nameless: dict[int, list[Acting]] = {}
    for item in kept:
        parent = item.node.parent
        if parent is not None and not item.mapped and symbol_of(keys, item, context) is None:
            dated = any(keys.meaning(entry.key).word in _DATES for entry in item.node.entries)
            if not dated and strength(keys, item) < STRENGTH["F"]:
                nameless.setdefault(id(parent), []).append(item)
    dropped: set[int] = set()
    for items in nameless.values():
        if len({item.action for item in items}) > 1:
            for item in items:
                dropped.add(id(item))
                lose(tree, item, ("code/object-nameless", "several, and none names its instrument"))
    return [item for item in kept if id(item) not in dropped]


def _statement(
    document: Document,
    keys: Keys,
    nodes: dict[int, Acting],
    item: Acting,
    kept: list[Acting],
    context: Context,
) -> Statement:
    """Make the statement of an action."""
    token = _token(document, item.at)
    final = context.final or strength(keys, item) == STRENGTH["F"]
    rank = RANKS["final"] if final else _RANKS.get(item.letter, item.rank)
    action = item.action
    line = _line_of(document, token)
    if action == "BUY" and _btst(document, item.node):
        action = "BTST_BUY"
    statement = Statement(line, token, action, rank, "code/object")
    named = symbol_of(keys, item, context)
    if named is not None:
        statement.symbol = named[0]
        statement.symbol_token = _token(document, named[1])
    taken: Taken = {} if item.mapped else collect(keys, item.node, nodes)
    at = item.node.parent
    inner = item.node
    while at is not None and not item.mapped:
        if at.listed and len(at.entries) > 1:
            break
        alone = all(other is item or not within(other.node, at) for other in kept)
        if not alone:
            break
        if not at.listed:
            for letter, found in around(keys, at, inner, nodes).items():
                taken.setdefault(letter, found)
        inner, at = at, at.parent
    if taken:
        drop_fractions(keys, item.node, taken)
    statement.bound = {
        letter: Found(value, _token(document, label), _token(document, start))
        for letter, (value, label, start) in taken.items()
    }
    return statement


def _btst(document: Document, node: Node) -> bool:
    first, last = _token(document, node.start), bisect_left(document.starts, node.end)
    return "B" in document.letters[first:last] or document.marked_btst(first)


def _token(document: Document, offset: int) -> int:
    """Return the token at an offset, or the next one."""
    at = bisect_left(document.ends, offset + 1)
    return min(at, len(document.starts) - 1)


def _line_of(document: Document, token: int) -> int:
    low, high = 0, len(document.lines) - 1
    while low < high:
        middle = (low + high) // 2
        if document.lines[middle].last > token:
            high = middle
        else:
            low = middle + 1
    return low
