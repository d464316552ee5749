"""The instrument, the prices and the confidence of an object that names an action."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from trackrecord.extraction.fields import CONFIDENCE, ENTRY, STOP, TARGET
from trackrecord.extraction.notation import Node, Scalar
from trackrecord.extraction.object_actions import Acting
from trackrecord.extraction.object_context import Context
from trackrecord.extraction.object_fields import (
    Keys,
    confidence,
    nothing,
    number,
    price,
    symbol,
    unwrapped,
)

_PLAIN_SYMBOL: Final = ("symbol", "ticker", "pair", "tradingpair", "tradingsymbol", "instrument")
_VAGUE_SYMBOL: Final = frozenset({
    "market", "index", "company", "code", "contract", "analysis", "security", "token", "asset",
    "underlying", "processing", "checking", "stockname", "scripname", "name", "technicalanalysis",
})  # fmt: skip
_APART: Final = frozenset("VZURObp")
_ELSEWHERE: Final = frozenset({
    "scenario", "scenarios", "bull", "base", "bear", "bullcase", "basecase", "bearcase", "bestcase",
    "worstcase", "optimistic", "pessimistic", "sensitivity", "montecarlo", "history", "peers",
    "comparables", "analysts", "analystconsensus", "consensus", "previous", "backtest",
    "alternatives", "whatif",
})  # fmt: skip
"""What holds levels and probabilities that are not the decision's."""
_RATIO: Final = 20


def own_symbol(keys: Keys, node: Node) -> tuple[str, int] | None:
    """Return the instrument that an object names by a key of its own."""
    if node.names is None:
        found = _find_symbol(keys, node)
        node.names = [] if found is None else [found]
    return node.names[0] if node.names else None


def _find_symbol(keys: Keys, node: Node) -> tuple[str, int] | None:
    best: tuple[int, str, int] | None = None
    for entry in node.entries:
        if not entry.key:
            continue
        meaning = keys.meaning(entry.key)
        if meaning.letter != "Y" and meaning.word != "name":
            continue
        value = unwrapped(entry.value)
        if isinstance(value, Node):
            inner = own_symbol(keys, value) if not value.listed else None
            found = None if inner is None else (1, inner[0], inner[1])
        else:
            name = symbol(value)
            if name is None:
                continue
            vague = meaning.word in _VAGUE_SYMBOL
            if vague and not keys.symbol_like(name):
                continue
            weight = 3 if meaning.word in _PLAIN_SYMBOL else 2 if not vague else 1
            weight += 4 if keys.symbol_like(name, known=True) else 0
            found = (weight, name, value.start)
        if found is not None and (best is None or found[0] > best[0]):
            best = found
    return None if best is None else (best[1], best[2])


def symbol_of(keys: Keys, item: Acting, context: Context) -> tuple[str, int] | None:
    """Return the instrument of an action: its object's own, its key, or that of one around."""
    if item.symbol is not None:
        return item.symbol, item.symbol_start
    at: Node | None = item.node
    while at is not None:
        own = None if at.listed else own_symbol(keys, at)
        if own is not None:
            return _key_before(keys, at, own[0]) or own
        inside = None if at.listed else _inside(keys, at)
        if inside is not None:
            return inside
        if at.key and keys.symbol_like(at.key, known=_beside_names(keys, at)):
            return at.key.lstrip("$#"), at.key_start
        at = at.parent
    return None if context.symbol is None else (context.symbol, context.symbol_start)


def _key_before(keys: Keys, node: Node, name: str) -> tuple[str, int] | None:
    """Return the key of an object where it is an instrument and the name inside a company's.

    Of `"TSLA": {"company_name": "Tesla Inc.", "signal": "BUY"}`, the instrument is TSLA.
    """
    if not node.key or keys.symbol_like(name, known=True) or not keys.symbol_like(node.key):
        return None
    return node.key.lstrip("$#"), node.key_start


def _inside(keys: Keys, node: Node) -> tuple[str, int] | None:
    """Return the one instrument that the objects right inside another name."""
    if node.inner_names is None:
        found = _find_inside(keys, node)
        node.inner_names = [] if found is None else [found]
    return node.inner_names[0] if node.inner_names else None


def _find_inside(keys: Keys, node: Node) -> tuple[str, int] | None:
    found: tuple[str, int] | None = None
    for entry in node.entries:
        if isinstance(entry.value, Node) and not entry.value.listed:
            named = own_symbol(keys, entry.value)
            if named is not None:
                if found is not None and found[0] != named[0]:
                    return None
                found = named
    return found


def _beside_names(keys: Keys, node: Node) -> bool:
    """Say whether an object stands among others whose keys are names of instruments."""
    parent = node.parent
    if parent is None:
        return False
    found = parent.known.get("names")
    if found is None:
        siblings = [entry.key for entry in parent.entries if isinstance(entry.value, Node)]
        found = len(siblings) > 1 and any(keys.symbol_like(key) for key in siblings)
        parent.known["names"] = found
    return found


Taken = dict[str, tuple[Decimal, int, int]]
"""Values by letter, and where label and value stand."""


def collect(keys: Keys, node: Node, nodes: dict[int, Acting]) -> Taken:
    """Gather prices and confidence of an object, and of those inside it that hold no action."""
    taken: Taken = {}
    _gather(keys, node, nodes, taken, 0)
    return taken


def _gather(  # noqa: C901 - one branch a class of label
    keys: Keys, node: Node, nodes: dict[int, Acting], taken: Taken, depth: int
) -> None:
    inside: list[Node] = []
    void: set[str] = set()
    for entry in node.entries:
        if not entry.key:
            continue
        meaning = keys.meaning(entry.key)
        value = unwrapped(entry.value)
        letter = meaning.letter
        if letter in (ENTRY, TARGET, STOP):
            found = _level(keys, letter, value)
            if found is not None and letter not in taken and letter not in void:
                taken[letter] = (found[0], entry.start, found[1])
            elif found is None and isinstance(value, Node) and value.entries:
                void.add(letter)
        elif letter == CONFIDENCE:
            scalar = value if isinstance(value, Scalar) else _named(value, "value", "score")
            sure = None if scalar is None else confidence(scalar, meaning.word)
            if scalar is not None and sure is not None and letter not in taken:
                taken[letter] = (sure, entry.start, scalar.start)
        elif isinstance(value, Node) and letter not in _APART and meaning.word not in _ELSEWHERE:
            inside.append(value)
    for inner in inside:
        aside = inner.listed or depth > 4 or own_symbol(keys, inner) is not None  # noqa: PLR2004
        if not aside and not _acts(inner, nodes):
            _gather(keys, inner, nodes, taken, depth + 1)


def _acts(node: Node, nodes: dict[int, Acting]) -> bool:
    """Say whether an object or one inside it names an action."""
    waiting = [node]
    while waiting:
        at = waiting.pop()
        if id(at) in nodes:
            return True
        waiting.extend(entry.value for entry in at.entries if isinstance(entry.value, Node))
    return False


def _level(  # noqa: C901, PLR0911 - one branch a form
    keys: Keys, letter: str, value: Scalar | Node
) -> tuple[Decimal, int] | None:
    """Read a price: a number, the first of a list of targets, the price of an object."""
    if isinstance(value, Scalar):
        found = price(value)
        return None if found is None else (found, value.start)
    if value.listed:
        if letter != TARGET and len(value.entries) != 1:
            return None
        for entry in value.entries[:1]:
            return _level(keys, letter, unwrapped(entry.value))
        return None
    named = _named(
        value, "price", "level", "value", "first", "primary", "target", "1", "tp1", "t1", "target1"
    )
    if named is not None:
        found = price(named)
        return None if found is None else (found, named.start)
    if letter == TARGET:
        for entry in value.entries:
            inner = unwrapped(entry.value)
            if keys.meaning(entry.key).letter == TARGET and not nothing(entry.key):
                return _level(keys, letter, inner)
    for entry in value.entries:
        inner = unwrapped(entry.value)
        if keys.meaning(entry.key).letter == letter and isinstance(inner, Scalar):
            return _level(keys, letter, inner)
    return None


def _named(node: Node, *words: str) -> Scalar | None:
    """Return the value without parts that one of these keys names, the first that does."""
    for word in words:
        for entry in node.entries:
            value = unwrapped(entry.value)
            if entry.key.lower() == word and isinstance(value, Scalar):
                return value
    return None


def around(keys: Keys, node: Node, inner: Node, nodes: dict[int, Acting]) -> Taken:
    """Gather what an enclosing object says beside the one inside it."""
    beside = Node(node.opener, node.name, node.key, node.start, node.parent)
    beside.entries = [entry for entry in node.entries if entry.value is not inner]
    return collect(keys, beside, nodes)


def drop_fractions(keys: Keys, node: Node, taken: Taken) -> None:
    """Drop stops and targets below 1 beside a price many times as high: parts, not prices."""
    prices = [taken[ENTRY][0]] if ENTRY in taken else []
    for entry in node.entries:
        value = unwrapped(entry.value)
        if isinstance(value, Scalar) and keys.meaning(entry.key).word.endswith(("price", "close")):
            read = number(value)
            if read is not None:
                prices.append(read[0])
    for letter in (TARGET, STOP):
        if (
            letter in taken
            and abs(taken[letter][0]) < 1
            and any(abs(found) > _RATIO * abs(taken[letter][0]) for found in prices)
        ):
            del taken[letter]
