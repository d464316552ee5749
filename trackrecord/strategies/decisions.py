"""Whether an answer of a strategy is a decision: every value there is gets a decision or a fault.

Nothing is clamped, rounded or left out on the way. What comes here may have been made by hostile
code, so no method of a value is called before its exact type is known.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final, Literal

from trackrecord.strategies.contract import (
    FLAT,
    LARGEST_METADATA,
    LONGEST_REASON,
    Decision,
    Fault,
    Position,
    Side,
    Sides,
)

_ACTIONS: Final = ("buy", "sell", "hold")
_KEYS: Final = ("action", "confidence", "reason", "metadata")
_LEVELS: Final = ("stop_loss", "target_price")
MOST_HORIZON: Final = 100_000
"""Bars after which a position may be closed at the latest, as elsewhere in trackrecord."""
_LARGEST_WHOLE: Final = 2**63
_LARGEST_PRICE: Final = 1e15
_DEEPEST: Final = 20


def check_decision(
    answer: object,
    last_close: float,
    *,
    position: Position = FLAT,
    sides: Sides = "long",
) -> Decision | Fault:
    """Check what ``execute_strategy`` returned.

    Args:
        answer: Whatever it was.
        last_close: Of the bar decided upon; stop and target lie on its two sides.
        position: What was held; with ``sides`` it tells which side the action would open.
        sides: Which sides the strategy trades.
    """
    try:
        return _checked(answer, last_close, opened(answer, position, sides))
    except _NotDecisionError as error:
        return Fault("contract", str(error))


class _NotDecisionError(Exception):
    """Carries the words of a fault to the one place that gives it back."""


def opened(answer: object, position: Position, sides: Sides) -> Side | None:
    """The side that an answer would open, or None where it opens nothing."""
    action = answer.get("action") if type(answer) is dict else None
    return side_opened(action, position, sides) if type(action) is str else None


def side_opened(action: str, position: Position, sides: Sides) -> Side | None:
    """The side that an action opens at the next open, by what is held and may be traded.

    buy opens a long when flat and, where both sides are traded, also turns a short around; when
    short it else only closes. sell mirrors. The same side again is a hold.
    """
    wanted: dict[str, tuple[Side, Literal["long", "short"]]] = {
        "buy": ("LONG", "long"),
        "sell": ("SHORT", "short"),
    }
    if action not in wanted:
        return None
    side, word = wanted[action]
    if position.side == side or sides not in {word, "both"}:
        return None
    if position.side is not None and sides != "both":
        return None
    return side


def _checked(answer: object, last_close: float, side: Side | None) -> Decision:
    if type(answer) is not dict:
        raise _NotDecisionError(
            f"execute_strategy returned {shown(answer)}: it returns a dict such as "
            '{"action": "hold"}'
        )
    for key in answer:
        if type(key) is not str or key not in _KEYS:
            raise _NotDecisionError(
                f"the answer has the key {shown(key)}: there are {', '.join(_KEYS)}; anything "
                "else goes into metadata"
            )
    if "action" not in answer:
        raise _NotDecisionError('the answer has no "action": it is "buy", "sell" or "hold"')
    action = answer["action"]
    if type(action) is not str or action not in _ACTIONS:
        raise _NotDecisionError(f'action is {shown(action)}: it is "buy", "sell" or "hold"')
    confidence = _confidence(answer)
    reason = answer.get("reason", "")
    _check_text("reason", reason)
    if len(reason) > LONGEST_REASON:
        raise _NotDecisionError(f"reason has {len(reason)} characters: {LONGEST_REASON} at most")
    metadata = answer.get("metadata", {})
    if type(metadata) is not dict:
        raise _NotDecisionError(f"metadata is {shown(metadata)}: it is a dict, or left out")
    _check_json(metadata)
    stop, target = (_level(name, metadata) for name in _LEVELS)
    _check_sides(stop, target, last_close, side)
    return Decision(
        action=action,  # type: ignore[arg-type] # one of three, as was looked at
        confidence=confidence,
        reason=reason,
        stop_loss=stop,
        target_price=target,
        horizon_bars=_horizon(metadata),
        metadata=metadata,
    )


def shown(value: object) -> str:
    """A value in a message: never long, and by no code of its own."""
    if value is None or type(value) in {bool, float}:
        return str(value)
    if type(value) is int:
        return str(value) if abs(value) < _LARGEST_WHOLE else "a number of that size"
    if type(value) is str:
        return repr(value if len(value) <= 40 else value[:37] + "...")  # noqa: PLR2004
    name = type(value).__name__
    return "an object of a class" if "Proxy" in name else f"a {name}"


def _number(name: str, value: object) -> float:
    if type(value) not in {int, float}:
        raise _NotDecisionError(f"{name} is {shown(value)}: it is a number, or left out")
    try:
        number = float(value)  # type: ignore[arg-type] # an int or a float
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise _NotDecisionError(f"{name} is {shown(value)}: it is a finite number")
    return number


def _confidence(answer: dict[str, Any]) -> float | None:
    if "confidence" not in answer:
        return None
    value = _number("confidence", answer["confidence"])
    if not 0 <= value <= 1:
        raise _NotDecisionError(f"confidence is {shown(answer['confidence'])}: it is 0 to 1")
    return value


def _level(name: str, metadata: dict[str, Any]) -> float | None:
    if name not in metadata:
        return None
    value = _number(name, metadata[name])
    if abs(value) > _LARGEST_PRICE:
        raise _NotDecisionError(f"{name} is {value:g}: that is no price")
    return value


def _horizon(metadata: dict[str, Any]) -> int | None:
    if "horizon_bars" not in metadata:
        return None
    value = metadata["horizon_bars"]
    if type(value) is not int or not 1 <= value <= MOST_HORIZON:
        raise _NotDecisionError(
            f"horizon_bars is {shown(value)}: it is a whole number from 1 to {MOST_HORIZON:,}, or "
            "left out"
        )
    return value


def _check_sides(
    stop: float | None, target: float | None, last_close: float, side: Side | None
) -> None:
    """A level on the wrong side of the close would be met before there is a position."""
    if side is None:
        return
    below, above = (stop, target) if side == "LONG" else (target, stop)
    names = _LEVELS if side == "LONG" else tuple(reversed(_LEVELS))
    what = "a long" if side == "LONG" else "a short"
    if below is not None and not below < last_close:
        raise _NotDecisionError(
            f"{names[0]} of {what} is below the last close {last_close:g}, not {below:g}"
        )
    if above is not None and not above > last_close:
        raise _NotDecisionError(
            f"{names[1]} of {what} is above the last close {last_close:g}, not {above:g}"
        )


def _check_text(name: str, value: object) -> None:
    if type(value) is not str:
        raise _NotDecisionError(f"{name} is {shown(value)}: it is a text, or left out")
    if "\0" in value:
        raise _NotDecisionError(f"{name} holds a NUL character")
    if any("\ud800" <= each <= "\udfff" for each in value):
        raise _NotDecisionError(f"{name} holds half of a surrogate pair")


def _check_json(metadata: dict[Any, Any]) -> None:
    """That metadata is JSON as it stands, and not more than there may be of it.

    It goes down level by level, not by recursion, and stops as soon as there is too much.
    """
    level: list[object] = [metadata]
    seen = 0
    for _ in range(_DEEPEST):
        below: list[object] = []
        for value in level:
            seen += 1
            if seen > LARGEST_METADATA:
                raise _too_large()
            if type(value) is dict:
                for key in value:
                    if type(key) is not str:
                        raise _NotDecisionError(
                            f"metadata has the key {shown(key)}: keys are texts"
                        )
                    _check_text("a key of metadata", key)
                below.extend(value.values())
            elif type(value) is list:
                below.extend(value)
            else:
                _check_leaf(value)
        if not below:
            break
        level = below
    else:
        raise _NotDecisionError(f"metadata is nested more than {_DEEPEST} levels deep")
    if len(json.dumps(metadata, ensure_ascii=False).encode()) > LARGEST_METADATA:
        raise _too_large()


def _too_large() -> _NotDecisionError:
    return _NotDecisionError(f"metadata is larger than {LARGEST_METADATA // 1024} KiB as JSON")


def _check_leaf(value: object) -> None:
    if value is None or type(value) is bool:
        return
    if type(value) is str:
        _check_text("a text in metadata", value)
    elif type(value) is float:
        if not math.isfinite(value):
            raise _NotDecisionError(f"metadata holds {value}: numbers are finite")
    elif type(value) is int:
        if abs(value) >= _LARGEST_WHOLE:
            raise _NotDecisionError("metadata holds a whole number beyond 64 bits")
    else:
        raise _NotDecisionError(
            f"metadata holds {shown(value)}: it holds what JSON does (texts, numbers, True, "
            "False, None, lists and dicts)"
        )
