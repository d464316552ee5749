"""Which levels of a recommendation cannot be what they were taken for."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

_LONG: Final = frozenset({"BUY", "STRONG_BUY", "BTST_BUY"})
_SHORT: Final = frozenset({"SELL", "STRONG_SELL"})

RULE: Final = "code/level-guard"
"""Rule of a level that was dropped."""
_WORDS: Final = {"target_price": "target", "stop_loss": "stop"}
_DISTANCE: Final = "beside a price above 0, a level at or below 0 is a distance or a placeholder"
_SAME: Final = "a price is not both the target and the stop"
_PLACEHOLDER: Final = "a price of 0 or below stands alone: nothing says that it is one"


def dropped(action: str, prices: dict[str, Decimal | None]) -> dict[str, str]:
    """Return the levels that cannot stand, and why.

    A target lies on the side of the entry that the action bets on, a stop on the other. Without
    an entry nothing tells which of two levels is wrong, so both stay. How far a level is away is
    no reason.

    Args:
        action: What is recommended; HOLD has no side.
        prices: ``entry_price``, ``target_price`` and ``stop_loss``, None where not said.

    Returns:
        Name of each level to drop, and the reason in words.
    """
    lost: dict[str, str] = {}
    said = {name: value for name, value in prices.items() if value is not None}
    low = [name for name, value in said.items() if value <= 0]
    if low:
        below = [name for name in low if said[name] < 0]
        if not below or (len(low) == 1 and "entry_price" not in low):
            reason = _DISTANCE if len(said) > len(low) else _PLACEHOLDER
            lost.update(dict.fromkeys(low, reason))
        elif "entry_price" not in low and len(said) > len(low):
            lost.update(dict.fromkeys(low, _DISTANCE))
    target = said.get("target_price")
    if target is not None and target == said.get("stop_loss"):
        lost["stop_loss"] = _SAME
    entry = said.get("entry_price")
    if entry is None or "entry_price" in lost or action not in _LONG | _SHORT:
        return lost
    up = 1 if action in _LONG else -1
    for name, side in (("target_price", up), ("stop_loss", -up)):
        level = said.get(name)
        if level is not None and name not in lost and (level - entry) * side <= 0:
            where = "above" if side > 0 else "below"
            lost[name] = f"the {_WORDS[name]} of a {action} lies {where} its entry of {entry}"
    return lost
