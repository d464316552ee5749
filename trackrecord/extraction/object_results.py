"""Read the results that objects state: each with its own trades, the outermost total first."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

from trackrecord.extraction.document import Document
from trackrecord.extraction.model import Rejected
from trackrecord.extraction.notation import Entry, Node, Scalar
from trackrecord.extraction.object_fields import Keys, number, unwrapped
from trackrecord.extraction.object_refusals import Live
from trackrecord.extraction.object_words import (
    HOLDINGS,
    OTHER_RESULTS,
    TRADE_COUNTS,
)
from trackrecord.extraction.result_values import Candidate

_UPDATES: Final = frozenset({
    "position", "positions", "positionupdate", "positionsupdate", "positionupdated",
    "positionchanged", "positionopened", "positionstatus", "openposition",
})  # fmt: skip
_OF_THE_DAY: Final = (("day",), ("daily",), ("today",), ("todays",), ("session",))
_KINDS: Final = {"total": "total", "percent": "total", "loss": "loss"}


def find(
    document: Document, keys: Keys, roots: list[Node], rejected: list[Rejected]
) -> tuple[list[Candidate], list[tuple[int, int]]]:
    """Read the results of the outermost objects of a text.

    Args:
        document: The text.
        keys: What keys mean.
        roots: Its objects; those that are cut off are left to the rules of lines.
        rejected: Receives what is none.

    Returns:
        Candidates, and where the objects stand that state them or that no trade was made.
    """
    found: list[Candidate] = []
    spans: list[tuple[int, int]] = []
    for root in roots:
        first = bisect_left(document.starts, root.start)
        last = bisect_left(document.starts, root.end)
        if root.cut or "R" not in document.letters[first:last]:
            continue
        read: list[tuple[int, Candidate]] = []
        _walk(keys, root, 0, read, rejected)
        spans.append((root.start, root.end))
        totals = [depth for depth, item in read if item.kind == "total"]
        outermost = min(totals, default=0)
        found.extend(item for depth, item in read if item.kind != "total" or depth == outermost)
    return found, spans


def _walk(
    keys: Keys,
    node: Node,
    depth: int,
    found: list[tuple[int, Candidate]],
    rejected: list[Rejected],
) -> None:
    if not node.listed:
        idle = any(_counts_none(keys, entry) for entry in node.entries)
        held: bool | None = None
        for entry in node.entries:
            value = unwrapped(entry.value)
            if not entry.key or isinstance(value, Node):
                continue
            candidate = _candidate(keys, node, entry, value)
            if candidate is None:
                continue
            if held is None and candidate.kind == "trade" and not idle:
                held = _is_held(keys, node)
            running = held and candidate.kind == "trade"
            if idle or running or _moves_open(keys, node, entry.key):
                reason = "no trade was made" if idle else "the position is still open"
                amount = candidate.percent if candidate.percent is not None else candidate.money
                rejected.append(
                    Rejected(
                        f"result {amount}", candidate.rule, reason, candidate.start, candidate.end
                    )
                )
            else:
                found.append((depth, candidate))
        if idle:
            return
    for entry in node.entries:
        if isinstance(entry.value, Node) and keys.meaning(entry.key).word not in OTHER_RESULTS:
            _walk(keys, entry.value, depth + 1, found, rejected)


def _moves_open(keys: Keys, node: Node, key: str) -> bool:
    """Say whether a key names what the day brought beside positions that are still open."""
    if keys.meaning(key).parts[:1] not in _OF_THE_DAY:
        return False
    for entry in node.entries:
        value = unwrapped(entry.value)
        held = isinstance(value, Node) and value.entries
        if held and entry.key and keys.meaning(entry.key).word in HOLDINGS:
            return True
    return False


def _counts_none(keys: Keys, entry: Entry) -> bool:
    value = unwrapped(entry.value)
    if not entry.key or keys.meaning(entry.key).word not in TRADE_COUNTS:
        return False
    if isinstance(value, Node):
        return value.listed and not value.entries and value.closed
    read = number(value)
    return read is not None and read[0] == 0


def _is_held(keys: Keys, node: Node) -> bool:
    """Say whether an object is a position that is still open."""
    live = Live(keys, node)
    if "p" in live.letters:
        return True
    at: Node | None = node
    while at is not None:
        if (at.key and keys.meaning(at.key).word in HOLDINGS) or _updates_position(keys, at):
            return True
        at = at.parent
    return any(
        isinstance(entry.value, Scalar)
        and meaning.word in {"status", "state"}
        and entry.value.text.lower() in {"open", "active", "running"}
        for entry, meaning in live.entries
    )


def _updates_position(keys: Keys, node: Node) -> bool:
    """Say whether an object is a message about a position: {"type": "position_update", ...}."""
    return any(
        isinstance(entry.value, Scalar)
        and keys.meaning(entry.key).word in {"type", "event", "kind", "topic", "channel"}
        and entry.value.text.lower().replace("_", "").replace(" ", "") in _UPDATES
        for entry in node.entries
        if entry.key
    )


def _candidate(keys: Keys, node: Node, entry: Entry, value: Scalar) -> Candidate | None:
    """Read a value behind the label of a result."""
    meaning = keys.meaning(entry.key)
    term = meaning.term
    if meaning.letter != "R" or term is None:
        return None
    read = number(value)
    if read is None:
        return None
    amount, is_percent = read
    percent = is_percent or term.value.endswith("%")
    if term.value == "percent" and not percent:
        return None
    if term.value.startswith("loss"):
        if not percent and value.text.strip("+-.,0123456789eE") == "":
            return None  # the loss of a training
        amount = -abs(amount)
    # A line of its own for each object: what two of them say does not belong together.
    return Candidate(
        _KINDS.get(term.value.rstrip("%"), "trade"),
        amount if percent else None,
        None if percent else amount,
        (),
        term.rule,
        entry.key.lower(),
        entry.start,
        value.end,
        -1 - node.start,
    )
