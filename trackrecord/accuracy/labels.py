"""A labelled text: what was printed, and what a reader should take from it."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import Any, Final

from trackrecord.errors import TrackrecordError

ACTIONS: Final = ("BUY", "SELL", "HOLD", "STRONG_BUY", "STRONG_SELL", "BTST_BUY")
NUMBERS: Final = ("entry_price", "target_price", "stop_loss", "confidence")
FIELDS: Final = ("action", "symbol", *NUMBERS)
"""Fields of a recommendation."""
RESULT_FIELDS: Final = ("return_pct", "outcome")
"""Fields of the result."""
OUTCOMES: Final = ("profit", "loss", "breakeven")
_GOLD: Final = ("recommendations", "final_action", "result")
_EXAMPLE: Final = '{"text": "...", "gold": {"final_action": "BUY"}}'


class LabelError(TrackrecordError, ValueError):
    """A labelled text is not as it must be; the message says what is wanted."""


@dataclass(frozen=True, slots=True)
class Label:
    """What a text should be read as; what is left out is not checked."""

    text: str
    """What was printed."""
    gold: dict[str, Any]
    """Any of ``recommendations``, ``final_action`` and ``result``. Where recommendations are
    given and the final action is not, it is the action that they share, or None."""
    name: object = None
    """The text's id, if it has one."""
    tags: tuple[str, ...] = field(default=())
    """What kind of text it is, for figures by kind."""


def read_label(line: str) -> Label:
    """Read one labelled text.

    Args:
        line: A JSON object with ``text`` and ``gold``, perhaps with ``id`` and ``tags``; whatever
            else it holds is left alone.

    Raises:
        LabelError: Something is missing, or of the wrong kind.
    """
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        raise LabelError(f"is not JSON, wanted {_EXAMPLE}") from None
    if not isinstance(entry, dict):
        raise LabelError(f"is no JSON object, wanted {_EXAMPLE}")
    if not isinstance(entry.get("text"), str):
        raise LabelError('"text" must be what was printed, a string')
    gold = entry.get("gold")
    if not isinstance(gold, dict) or not any(name in gold for name in _GOLD):
        raise LabelError('"gold" must be an object with recommendations, final_action or result')
    _only(gold, _GOLD, "gold")
    checked: dict[str, Any] = {}
    if "recommendations" in gold:
        checked["recommendations"] = _recommendations(gold["recommendations"])
        actions = {each["action"] for each in checked["recommendations"] if "action" in each}
        if all("action" in each for each in checked["recommendations"]):
            checked["final_action"] = actions.pop() if len(actions) == 1 else None
    if "final_action" in gold:
        checked["final_action"] = _one_of(gold["final_action"], ACTIONS, "final_action", none=True)
    if "result" in gold:
        checked["result"] = _result(gold["result"])
    tags = entry.get("tags")
    if tags is not None and not (isinstance(tags, list) and all(isinstance(t, str) for t in tags)):
        raise LabelError('"tags" must be a list of strings')
    return Label(entry["text"], checked, entry.get("id"), tuple(tags or ()))


def _recommendations(given: Any) -> list[dict[str, Any]]:
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise LabelError("recommendations must be a list of objects, [] where there are none")
    for number, each in enumerate(given):
        place = f"recommendations[{number}]"
        _only(each, FIELDS, place)
        if "action" in each:
            _one_of(each["action"], ACTIONS, f"{place}.action", none=False)
        if not isinstance(each.get("symbol"), str | None):
            raise LabelError(f"{place}.symbol must be a string or null")
        for name in NUMBERS:
            _number(each.get(name), f"{place}.{name}")
    return given


def _result(given: Any) -> dict[str, Any]:
    # null as a whole says that nothing has happened.
    if given is None:
        return dict.fromkeys(RESULT_FIELDS)
    if not isinstance(given, dict):
        raise LabelError("result must be an object with return_pct and outcome, or null")
    _only(given, RESULT_FIELDS, "result")
    _number(given.get("return_pct"), "result.return_pct")
    if "outcome" in given:
        _one_of(given["outcome"], OUTCOMES, "result.outcome", none=True)
    return given


def _only(given: dict[str, Any], names: tuple[str, ...], place: str) -> None:
    for name in given:
        if name not in names:
            raise LabelError(f"{place} has no {name!r}: it may hold {', '.join(names)}")


def _one_of(given: Any, names: tuple[str, ...], place: str, *, none: bool) -> Any:
    if given not in names and not (none and given is None):
        raise LabelError(f"{place} must be {', '.join(names)}{' or null' if none else ''}")
    return given


def _number(given: Any, place: str) -> None:
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    if given is not None and not (is_number and abs(given) <= sys.float_info.max):
        raise LabelError(f"{place} must be a number or null")
