"""Reading all that is known of one signal: what was said, and what became of it."""

from __future__ import annotations

from typing import Any, Final

from trackrecord.reports.hidden import NOTHING, Hidden
from trackrecord.reports.signal_pages import as_record, selected
from trackrecord.runtime.database import Cursor, rows

_SAID: Final = (
    "revision", "strategy", "symbol", "side", "price", "quantity", "currency", "emitted_at",
    "timeframe", "target_price", "stop_loss", "horizon_bars", "exits", "entry", "fee", "fee_rate",
    "leverage", "confidence", "source", "execution_id", "model_version", "account", "metadata",
    "appended_at",
)  # fmt: skip
_FIRST: Final = ("first_appended_at", "said_revision")
_EXIT: Final = (
    "exit_id", "revision", "price", "quantity", "closed_at", "fee", "fee_rate", "interest",
    "funding", "reason", "entry_price", "appended_at",
)  # fmt: skip
_CAME_TO: Final = (
    "first_appended_at", "said_revision", "backdated", "corrected_late", "before_entry",
    "closed_quantity", "realised_pnl", "fees", "carry",
)  # fmt: skip
_OUTCOME: Final = (
    "policy", "revision", "outcome", "label", "return", "mae", "mfe", "bars_held", "exit_price",
    "how", "ambiguous", "delisted", "exit_opened_at", "known_at", "ends_at", "scored_at",
)  # fmt: skip
_ASSESSED: Final = (
    "probability", "verdict", "quality", "model_version", "assessed_at", "names", "features",
)  # fmt: skip


def read_signal(cursor: Cursor, signal_id: str, hidden: Hidden = NOTHING) -> dict[str, Any] | None:
    """One signal; None where nothing is known of it.

    Args:
        cursor: In one snapshot.
        signal_id: Its id.
        hidden: Strategies whose signals are not told to be there, nor that a signal was once
            theirs.

    Returns:
        ``said``: its last revision, with when the broker got it; ``position``: what became of it,
        as a page of signals tells it (null while only exits are known); ``revisions``: all that
        was said before or after, of a signal that was corrected; ``exits``: each with what it
        realised and its own ``revisions``; ``assessment``: what a model said of it when it was
        emitted, with its features by name, or null; ``outcomes``: on the bars, one for each
        policy. Money is ``Decimal``.
    """
    named = (signal_id,)
    said = _records(cursor, (*_SAID, *_FIRST), "signals WHERE signal_id = %s", named)
    if not said or said[0]["strategy"] in hidden:
        return None
    positions = rows(cursor, f"SELECT {selected()} FROM positions WHERE signal_id = %s", named)
    revised: dict[str, list[dict[str, Any]]] = {}
    for each in _records(
        cursor, _EXIT, "exit_revisions WHERE signal_id = %s ORDER BY revision", named
    ):
        revised.setdefault(each["exit_id"], []).append(each)
    exits = _records(
        cursor,
        (*_EXIT, *_CAME_TO),
        "exits WHERE signal_id = %s ORDER BY closed_at, exit_id",
        named,
    )
    return {
        "signal_id": signal_id,
        "said": said[0] if said[0]["revision"] >= 0 else None,
        "position": as_record(positions[0]) if positions else None,
        "revisions": [
            each
            for each in _records(
                cursor, _SAID, "signal_revisions WHERE signal_id = %s ORDER BY revision", named
            )
            if each["strategy"] not in hidden
        ],
        "exits": [{**each, "revisions": revised.get(each["exit_id"], [])} for each in exits],
        "assessment": _assessment(cursor, signal_id),
        "outcomes": _records(
            cursor, _OUTCOME, "outcomes WHERE signal_id = %s ORDER BY policy", named
        ),
    }


def _assessment(cursor: Cursor, signal_id: str) -> dict[str, Any] | None:
    found = _records(
        cursor,
        _ASSESSED,
        "assessments JOIN feature_sets USING (feature_set) WHERE signal_id = %s",
        (signal_id,),
    )
    if not found:
        return None
    names, values = found[0].pop("names"), found[0].pop("features")
    return {**found[0], "features": dict(zip(names, values, strict=True))}


def _records(
    cursor: Cursor, names: tuple[str, ...], tables: str, parameters: tuple[Any, ...]
) -> list[dict[str, Any]]:
    found = rows(cursor, f"SELECT {selected(names)} FROM {tables}", parameters)
    return [dict(zip(names, row, strict=True)) for row in found]
