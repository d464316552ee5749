"""Which version of a model serves, which did, and back to one that served before."""

from __future__ import annotations

from typing import Any

from services.trainer import store
from trackrecord.learning.files import TamperedError, unpack
from trackrecord.learning.targets import against_target
from trackrecord.runtime import champion
from trackrecord.runtime.database import Cursor, rows


class RefusedError(ValueError):
    """Nothing was changed; the message says why."""


def roll_back(cursor: Cursor, model: str, to: str | None, *, none: bool = False) -> str | None:
    """Have another version serve from now on.

    Args:
        cursor: Inside a transaction.
        model: The model.
        to: The version; None: the one that served before the present one took over.
        none: Whether no version shall serve.

    Returns:
        The version that serves now; None where there was none before the first.

    Raises:
        RefusedError: There is no such version, or its files are not those that were written.
    """
    store.lock_champion(cursor, model)
    present = champion.champion(cursor, model)
    target = None if none else to or _before(cursor, model, present)
    if target == present:
        raise RefusedError(
            f"no version of {model} serves" if present is None else f"{present} serves already"
        )
    if target is not None:
        _check(cursor, model, target)
    store.change_champion(cursor, model, target, f"rolled back from {present or 'none'}", None)
    return target


def _before(cursor: Cursor, model: str, present: str | None) -> str | None:
    """What served when a version took over by a training; so a second step goes further back."""
    if present is None:
        return None
    found = rows(
        cursor,
        "SELECT earlier.version FROM champions won LEFT JOIN champions earlier"
        " ON earlier.model = won.model AND earlier.live_until = won.live_from"
        " WHERE won.model = %s AND won.version = %s AND won.training_id IS NOT NULL"
        " ORDER BY won.live_from LIMIT 1",
        (model, present),
    )
    return found[0][0] if found else None


def _check(cursor: Cursor, model: str, version: str) -> None:
    known = rows(cursor, "SELECT 1 FROM models WHERE model = %s AND version = %s", (model, version))
    if not known:
        raise RefusedError(f"{model} has no version {version}: see `trackrecord models list`")
    try:
        unpack(champion.model_files(cursor, version))
    except TamperedError as error:
        raise RefusedError(f"{version} cannot serve: {error}") from None


def versions(cursor: Cursor, model: str) -> list[dict[str, Any]]:
    """Every version of a model, newest first."""
    present = champion.champion(cursor, model)
    return [
        {
            "version": version,
            "live": version == present,
            "created_at": created_at,
            "learnt_until": learnt_until,
            "training_id": training_id,
            "promoted": promoted,
            "reason": reason,
            "metrics": metrics,
        }
        for version, created_at, learnt_until, training_id, promoted, reason, metrics in rows(
            cursor,
            "SELECT version, created_at, learnt_until, m.training_id, l.promoted, l.reason,"
            " m.metrics FROM models m JOIN ml_training_log l USING (version)"
            " WHERE m.model = %s ORDER BY created_at DESC",
            (model,),
        )
    ]


def runs(cursor: Cursor, model: str) -> dict[str, Any]:
    """How the runs of a model ended, and whether enough of them ended well."""
    found = store.runs(cursor, model)
    return {
        **found._asdict(),
        "retraining_success": against_target("retraining_success", found.success),
    }


def history(cursor: Cursor, model: str) -> list[dict[str, Any]]:
    """Which version was live when, the present one first."""
    names = ("version", "live_from", "live_until", "reason", "training_id")
    return [
        dict(zip(names, row, strict=True))
        for row in rows(
            cursor,
            f"SELECT {', '.join(names)} FROM champions WHERE model = %s ORDER BY live_from DESC",
            (model,),
        )
    ]
