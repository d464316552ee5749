"""Find the actions that objects name: behind labels, of instruments that are keys, in lists."""

from __future__ import annotations

from typing import Final, final

from trackrecord.extraction import object_refusals
from trackrecord.extraction.notation import Entry, Node, Scalar
from trackrecord.extraction.object_fields import Action, Keys, unwrapped
from trackrecord.extraction.object_refusals import Live, Reason
from trackrecord.extraction.packs import RANKS

_MOST: Final = 2000
_BEGIN_NUMBERS: Final = frozenset("0123456789+-.")
"""Actions in the objects of one text, far above what a scanner prints."""
ACTING: Final = "LFGD"
STRENGTH: Final = {"F": 50, "L": 30, "G": 20, "D": 10}
_ENTERING: Final = frozenset({"enter", "add", "invest", "scale in", "add to position", "open"})
_WORDED: Final = frozenset({"text", "value", "label", "name", "word", "title", "display"})
"""Keys of the word that a decision is shown by."""
_DECIDING: Final = ("decision", "recommendation", "verdict", "advice", "proposal", "action")


@final
class Acting:
    """An action that an object names."""

    __slots__ = (
        "action", "at", "entry", "letter", "mapped", "node", "rank", "symbol", "symbol_start",
        "word",
    )  # fmt: skip

    def __init__(
        self,
        node: Node,
        entry: Entry,
        action: str,
        letter: str,
        word: str,
        symbol: str | None = None,
        symbol_start: int = -1,
        at: int = -1,
        mapped: bool = False,
    ) -> None:
        self.node = node
        self.entry = entry
        self.action = action
        self.letter = letter
        """The class of the label in front."""
        self.word = word
        """The label."""
        self.symbol = symbol
        self.symbol_start = symbol_start
        self.at = at
        """Where the action stands."""
        self.mapped = mapped
        """Whether its key is its instrument: {"ABC": "BUY"}."""
        self.rank = RANKS["labelled"]


@final
class Tree:
    """An outermost object, and the actions that it and all within it name."""

    __slots__ = ("acting", "live", "rejected", "root")

    def __init__(self, root: Node) -> None:
        self.root = root
        self.acting: list[Acting] = []
        self.rejected: list[tuple[int, int, str, Reason]] = []
        self.live: dict[int, Live] = {}


def walk(keys: Keys, node: Node, tree: Tree) -> None:
    """Gather the actions that an object and all within it name."""
    if len(tree.acting) > _MOST:
        return
    if node.listed:
        _pair(keys, node, tree)
    else:
        _direct(keys, node, tree)
    for entry in node.entries:
        if isinstance(entry.value, Node):
            walk(keys, entry.value, tree)


def _pair(keys: Keys, node: Node, tree: Tree) -> None:
    """Read ("ABC", "BUY"), a row in a list of such."""
    if node.parent is None or not node.parent.listed or len(node.entries) > 8:  # noqa: PLR2004
        return
    values = [entry.value for entry in node.entries]
    scalars = [value for value in values if isinstance(value, Scalar) and value.quoted]
    actions = [value for value in scalars if keys.action(value.text) is not None]
    named = [value for value in scalars if keys.symbol_like(value.text)]
    if len(actions) == 1 and len(named) == 1:
        action = keys.action(actions[0].text)
        if action is not None and action.exact and not action.weak:
            entry = next(item for item in node.entries if item.value is actions[0])
            tree.acting.append(
                Acting(
                    node, entry, action.value, "L", "", named[0].text.lstrip("$#"),
                    named[0].start, actions[0].start, mapped=True,
                )
            )  # fmt: skip


def _direct(keys: Keys, node: Node, tree: Tree) -> None:  # noqa: C901, PLR0912 - key by key
    """Take the action of an object, and those of the instruments that are its keys."""
    best: Acting | None = None
    strongest = 0
    sides: list[tuple[Action, Entry]] = []
    mapped: list[Acting] = []
    votes = False
    for entry in node.entries:
        value = unwrapped(entry.value)
        if isinstance(value, Node):
            _listed_under(keys, entry, value, tree)
            _worded(keys, entry, value, tree)
            continue
        if not entry.key or not value.text:
            continue
        counted = not value.quoted and value.text[0] in _BEGIN_NUMBERS
        action = None if counted else keys.action(value.text)
        if action is None:
            _switched(keys, node, entry, value, tree)
            continue
        meaning = keys.meaning(entry.key)
        letter = "F" if meaning.word in {"consensus", "finalsignals"} else meaning.letter
        if letter == "D":
            sides.append((action, entry))
        if letter in ACTING and letter:
            strength = STRENGTH[letter] + (5 if action.exact else -5)
            strength += 2 if any(word in meaning.parts for word in _DECIDING) else 0
            found = Acting(node, entry, action.value, letter, meaning.word, at=value.start)
            if strength > strongest:
                if best is not None:
                    lose(tree, best, ("code/object-key", f"{entry.key} decides"))
                best, strongest = found, strength
            else:
                lose(tree, found, ("code/object-key", "another key of the object decides"))
        elif letter == "V":
            votes = True
            tree.rejected.append((value.start, value.end, action.value, object_refusals.VOTE))
        elif not letter and action.exact and not action.weak:
            found = Acting(
                node, entry, action.value, "L", "", entry.key.lstrip("$#"), entry.start,
                value.start, mapped=True,
            )  # fmt: skip
            mapped.append(found)
        elif action.exact:
            tree.rejected.append(
                (value.start, value.end, action.value, ("code/object-key", "the key is no label"))
            )
    if best is not None:
        _turn(best, sides, keys, tree)
    names = [keys.symbol_like(item.entry.key) for item in mapped]
    known = (
        any(names)
        and best is None
        and not votes
        and all(item.entry.key.upper() == item.entry.key for item in mapped)
    )
    for item, named in zip(mapped, names, strict=True):
        fits = named or (known and keys.symbol_like(item.entry.key, known=True))
        if fits and best is None and not votes:
            tree.acting.append(item)
        else:
            lose(tree, item, ("code/object-key", "the key is no label and no instrument"))


def _turn(best: Acting, sides: list[tuple[Action, Entry]], keys: Keys, tree: Tree) -> None:
    """Take the side of an action such as enter or exit from the key that gives it."""
    value = unwrapped(best.entry.value)
    action = keys.action(value.text) if isinstance(value, Scalar) else None
    side = next((item for item, entry in sides if entry is not best.entry), None)
    if action is not None and action.weak and side is not None:
        if action.word in _ENTERING:
            best.action = side.value
        elif best.action == "SELL" and side.word == "short":
            lose(tree, best, object_refusals.OVER)
            return
    tree.acting.append(best)


def lose(tree: Tree, item: Acting, reason: Reason) -> None:
    """Say why an action of an object is no advice."""
    value = item.entry.value
    tree.rejected.append((item.at, value.end, item.action, reason))


def _switched(keys: Keys, node: Node, entry: Entry, value: Scalar, tree: Tree) -> None:
    """Read {"symbol": "ABC", "buy": true}."""
    if value.text not in {"true", "True"}:
        return
    word = keys.meaning(entry.key).word
    action = keys.action(word.removesuffix("signal"))
    if action is None or action.weak or len(word) > 20:  # noqa: PLR2004
        return
    others = [
        item
        for item in node.entries
        if item is not entry
        and isinstance(item.value, Scalar)
        and item.value.text in {"true", "True"}
        and keys.action(keys.meaning(item.key).word.removesuffix("signal")) is not None
    ]
    if others or not any(keys.meaning(item.key).letter == "Y" for item in node.entries):
        return
    tree.acting.append(Acting(node, entry, action.value, "L", word, at=entry.start))


def _listed_under(keys: Keys, entry: Entry, value: Node, tree: Tree) -> None:
    """Read {"BUY": ["ABC", "XYZ"], "SELL": []}, and lists of objects in their place."""
    action = keys.action(entry.key) if value.listed and entry.key else None
    if action is None or action.weak or not action.exact:
        return
    for item in value.entries:
        inner = unwrapped(item.value)
        if isinstance(inner, Scalar):
            if inner.quoted and keys.symbol_like(inner.text.lstrip("$#"), known=True):
                tree.acting.append(
                    Acting(
                        value, item, action.value, "L", "", inner.text.lstrip("$#"), inner.start,
                        entry.start, mapped=True,
                    )
                )  # fmt: skip
        elif not inner.listed and any(keys.meaning(e.key).letter == "Y" for e in inner.entries):
            acts = any(
                isinstance(e.value, Scalar)
                and keys.meaning(e.key).letter in ACTING
                and keys.action(e.value.text) is not None
                for e in inner.entries
                if e.key
            )
            if not acts:
                tree.acting.append(Acting(inner, entry, action.value, "L", "", at=entry.start))


def _worded(keys: Keys, entry: Entry, value: Node, tree: Tree) -> None:
    """Read {"decision": {"text": "HOLD", "color": "amber"}}: a decision and how it is shown."""
    if value.listed or not entry.key:
        return
    meaning = keys.meaning(entry.key)
    if meaning.letter not in ("L", "F"):
        return
    for item in value.entries:
        inner = unwrapped(item.value)
        if not isinstance(inner, Scalar) or item.key.lower() not in _WORDED:
            continue
        action = keys.action(inner.text)
        if action is not None and (action.exact or not action.weak):
            tree.acting.append(
                Acting(value, item, action.value, meaning.letter, meaning.word, at=inner.start)
            )
            return


def live_of(keys: Keys, tree: Tree, node: Node) -> Live:
    """Return what the keys of an object name, worked out once."""
    found = tree.live.get(id(node))
    if found is None:
        found = tree.live[id(node)] = Live(keys, node)
    return found


def strength(keys: Keys, item: Acting) -> int:
    """Return how much an action counts by its label and by what the objects around it are."""
    at: Node | None = item.node
    while at is not None:
        if at.key and keys.meaning(at.key).letter == "F":
            return STRENGTH["F"]
        at = at.parent
    return STRENGTH[item.letter]


def within(node: Node, outer: Node) -> bool:
    """Say whether an object is another one or stands inside it."""
    at: Node | None = node
    while at is not None:
        if at is outer:
            return True
        at = at.parent
    return False
