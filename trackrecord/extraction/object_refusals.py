"""Why an object that names an action is no advice: what it is instead."""

from __future__ import annotations

import re
from typing import Final, final

from trackrecord.extraction.notation import Entry, Node, Scalar
from trackrecord.extraction.object_fields import (
    Keys,
    Meaning,
    nothing,
    number,
    placeholder,
    unwrapped,
)
from trackrecord.extraction.object_words import (
    DONE_KEYS,
    DROPPED_UNDER,
    EXECUTING_NAMES,
    EXIT_KEYS,
    HELD_KEYS,
    HOLDINGS,
    NOT_NOW,
    NOT_RATED,
    ORDER_KEYS,
    RATINGS,
    REASONS,
    REQUESTS,
    RULE_KEYS,
    STATE_KEYS,
    TEMPLATES,
    VOTERS,
)

Reason = tuple[str, str]
"""The rule that refuses, and why in words."""

OVER: Final = ("code/object-over", "the object tells of a trade or position that is closed")
HELD: Final = (
    "code/object-held",
    "the object tells of a position that is open, or of an old signal",
)
REQUEST: Final = ("code/object-request", "the object is an order as sent or done, not advice")
TEMPLATE: Final = ("code/object-template", "the object is a template, a setting or an example")
VOTE: Final = ("code/object-vote", "it is one vote among several, not the decision")
SIDE: Final = ("code/object-side", "the object gives a side without a level, not a decision")
DROPPED: Final = ("code/object-dropped", "the signal was dropped, or is no more than considered")
BROKEN: Final = ("code/object-broken", "the object is cut off or broken before its end")

_STATUS: Final = frozenset({"status", "state", "signalstatus", "event", "eventtype"})
_ENDINGS: Final = frozenset({"result", "outcome", "tradestatus"})
_SPENT: Final = frozenset({"cost", "proceeds", "cashafter", "totalcost", "tax", "turnover"})
_ENDING: Final = "outcome"
_LOOSE: Final = re.compile(r"action|操作|动作")
_DONE: Final = re.compile(r"成交|委托|撤单")
_OVER_STATE: Final = re.compile(
    r"(?i)\b(?:closed?|exited|stopped[ _-]?out"
    r"|(?:tp\d?|sl|target|stop(?:[ _-]?loss)?|take[ _-]?profit)[ _-]?hit"
    r"|position[ _-]?clos\w*|trade[ _-]?clos\w*|squared[ _-]?off|liquidated|won|lost|win|loss"
    r"|exit(?:[ _-]?(?:trade|position|executed))?|take[ _-]?profit|stop[ _-]?loss)\b"
)
_DONE_STATE: Final = re.compile(
    r"(?i)\b(?:(?:order|trade)?[ _-]?(?:filled|executed|fill|placed|submitted)"
    r"|partially[ _-]?filled|order[ _-]?\w+|execution|new_order|placed|accepted|executed)\b"
)
_DROPPED_STATE: Final = re.compile(
    r"(?i)\b(?:cancell?ed|rejected|expired|skipped|blocked|invalid(?:ated)?|suppressed|ignored"
    r"|failed|error|vetoed|discarded|dropped|filtered)\b"
)
_DECIDED_STATE: Final = re.compile(
    r"(?i)(?:win|won|loss|lost|tp\d?|sl|stop|stopped|target|breakeven)\W?"
)
_HELD_STATE: Final = re.compile(
    r"(?i)^(?:open|opened|active|in[ _-]?position|position[ _-]?open(?:ed)?|running|holding|live)$"
)

# {"action": "NEW", "order_type": "SELL"}: what is done with an order, beside its side.
_PLACING: Final = frozenset({
    "NEW", "NEW_ORDER", "CREATE", "PLACE", "PLACE_ORDER", "MODIFY", "AMEND", "SUBMIT",
})  # fmt: skip


@final
class Live:
    """What the keys of an object name, of those that hold a value."""

    __slots__ = ("entries", "letters", "outcomes", "states", "status", "words")

    def __init__(self, keys: Keys, node: Node) -> None:
        self.entries: list[tuple[Entry, Meaning]] = []
        self.letters: set[str] = set()
        self.words: set[str] = set()
        self.states: list[str] = []
        """What it says of its own state, event or kind."""
        self.status: list[str] = []
        """Of these, what it says of its state or event."""
        self.outcomes: list[str] = []
        """Of these, what it says of how it ended."""
        for entry in node.entries:
            if not entry.key:
                continue
            value = unwrapped(entry.value)
            empty = nothing(value.text) if isinstance(value, Scalar) else not value.entries
            if empty or (isinstance(value, Scalar) and value.text.lower() == "false"):
                continue
            meaning = keys.meaning(entry.key)
            if meaning.letter == "R" and isinstance(value, Scalar):
                read = number(value)
                if read is not None and read[0] == 0:
                    continue
            self.entries.append((entry, meaning))
            if meaning.letter:
                self.letters.add(meaning.letter)
            self.words.add(meaning.word)
            ended = meaning.word.endswith(_ENDING)
            if (ended or meaning.word in STATE_KEYS) and isinstance(value, Scalar):
                self.states.append(value.text.replace("_", " "))
                if meaning.word in _STATUS:
                    self.status.append(self.states[-1])
                elif ended or meaning.word in _ENDINGS:
                    self.outcomes.append(self.states[-1])


def of_template(node: Node) -> bool:
    """Say whether a value of an object is a placeholder, so that all of it is an example."""
    found = node.known.get("template")
    if found is None:
        found = node.known["template"] = _holds_placeholder(node)
    return found


def _holds_placeholder(node: Node) -> bool:
    for entry in node.entries:
        value = unwrapped(entry.value)
        if isinstance(value, Scalar) and not value.quoted and value.text in {"...", "…"}:
            return True
        if isinstance(value, Scalar) and len(value.text) < 80 and value.quoted:  # noqa: PLR2004
            if placeholder(value.text):
                return True
        elif isinstance(value, Scalar) and value.text.startswith("<") and ":" not in value.text:
            return True
    return False


def of_containers(  # noqa: C901, PLR0911 - one question after the other
    keys: Keys, node: Node, letter: str, *, own_symbol: bool
) -> Reason | None:
    """Return why an object is no advice, by what the objects around it are called.

    Args:
        keys: What keys mean.
        node: The object.
        letter: The class of the label in front of its action.
        own_symbol: Whether it names its own instrument, as one vote seldom does.
    """
    at: Node | None = node
    while at is not None:
        for called in (at.key, at.name):
            if not called:
                continue
            meaning = keys.meaning(called)
            word = meaning.word
            if meaning.letter == "F":
                return None
            if word in TEMPLATES:
                return TEMPLATE
            if word in DROPPED_UNDER:
                return DROPPED
            if word in VOTERS or (meaning.letter == "V" and not own_symbol):
                return VOTE
            if word in NOT_NOW or (meaning.letter == "O" and word not in HOLDINGS):
                return OVER if word in NOT_NOW else HELD
            if word in HOLDINGS and (letter == "D" or word not in {"position", "portfolio"}):
                return HELD
            if letter == "D" and word.endswith(("positions", "holdings")):
                return HELD
            leg = word.rstrip("s0123456789").endswith("leg")
            if letter != "F" and ((word in REQUESTS and letter == "D") or leg):
                return REQUEST
        parts = keys.meaning(at.name).parts if at.name and letter in "DL" else ()
        if parts and parts[-1] in EXECUTING_NAMES:
            return REQUEST
        at = at.parent
    return None


def _is_analysed(live: Live, around: list[Live]) -> bool:
    """Say whether an object without levels rates an instrument, as no order or position does."""
    known = live.words.union(*[other.words for other in around])
    if "q" in live.letters or "p" in live.letters or known & NOT_RATED:
        return False
    named = "Y" in live.letters or any("Y" in other.letters for other in around)
    return named and len(live.words & RATINGS) > 1


def of_contents(  # noqa: C901, PLR0911, PLR0912 - one question after the other
    live: Live, around: list[Live], letter: str, word: str, *, levels: bool
) -> Reason | None:
    """Return why an object is no advice, by what else it and those around it say.

    Args:
        live: What its keys name.
        around: The same of the objects around it.
        letter: The class of the label in front of its action.
        word: That label.
        levels: Whether it gives a target, a stop, an entry or a confidence.
    """
    weak = letter == "D"
    loose = weak or _LOOSE.search(word) is not None
    said = live.states
    outside = [state for other in around for state in other.states]
    if any(_DROPPED_STATE.search(state) for state in live.status):
        return DROPPED
    if live.words & EXIT_KEYS or any(_DECIDED_STATE.fullmatch(state) for state in live.outcomes):
        return OVER
    if loose and (
        "R" in live.letters or any(_OVER_STATE.search(state) for state in (*said, *outside))
    ):
        return OVER
    if loose and (live.words & DONE_KEYS or any(_DONE.search(name) for name in live.words)):
        return REQUEST
    if loose and "q" in live.letters and "price" in live.words and live.words & _SPENT:
        return REQUEST
    if loose and any(_DONE_STATE.search(state) for state in (*said, *outside)):
        return REQUEST
    if live.words & RULE_KEYS:
        return TEMPLATE
    if weak and "q" in live.letters and "E" in live.letters and "currentprice" in live.words:
        return HELD
    if live.words & HELD_KEYS and (loose or "q" in live.letters):
        return HELD
    if "p" in live.letters and loose:
        return HELD
    if weak and any(_HELD_STATE.search(state) for state in said):
        return HELD
    reasoned = bool(live.words & REASONS) or "C" in live.letters or "F" in live.letters
    orders = live.words & ORDER_KEYS
    if live.words & {"apikey", "secret", "passphrase", "signature"}:
        return REQUEST
    if "q" in live.letters and not reasoned:
        advised = "T" in live.letters or "X" in live.letters
        if loose and (not advised or orders):
            return REQUEST
        if orders and letter == "L" and not advised:
            return REQUEST
    if orders and loose and not reasoned and not levels:
        return REQUEST
    if weak and "q" in live.letters and not reasoned and "price" in live.words:
        return REQUEST
    if weak and not levels and not (reasoned and word.lower() == "operation"):
        return None if _is_analysed(live, around) else SIDE
    if weak and any(
        isinstance(entry.value, Scalar) and entry.value.text.upper() in _PLACING
        for entry, meaning in live.entries
        if meaning.letter == "L"
    ):
        return REQUEST
    if weak and live.words & {"enabled", "isenabled"}:
        return TEMPLATE
    return None
