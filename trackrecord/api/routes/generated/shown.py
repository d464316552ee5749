"""Strategies as answers tell of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from trackrecord.api.who import Reader
from trackrecord.catalogue.store.strategies import Strategy, Version


def is_own(found: Strategy, who: Reader) -> bool:
    """Whether a strategy is of whoever asks; where nobody needs to say who they are, all are."""
    return who.identity is None or found.user_id == who.user_id


def strategy_shown(found: Strategy, who: Reader) -> dict[str, Any]:
    """A strategy, but for its code.

    Args:
        found: One that they may see.
        who: Who asks.
    """
    told = asdict(found)
    for name in ("user_id", "deleted_at"):
        del told[name]
    yours = is_own(found, who)
    # Who else there is, is not everybody's to know.
    told["owner"] = found.owner if yours or "administer" in who.permissions else None
    return {**told, "yours": yours}


def version_shown(found: Version) -> dict[str, Any]:
    """What a strategy is or was, its code included."""
    told = asdict(found)
    del told["strategy_id"]
    return told


def whole(found: Strategy, current: Version, who: Reader) -> dict[str, Any]:
    """A strategy with the version of it that counts."""
    return {"strategy": strategy_shown(found, who), "current": version_shown(current)}
