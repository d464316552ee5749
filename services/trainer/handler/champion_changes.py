"""Which version of a model serves, which did, and back to one that served before."""

from __future__ import annotations

from typing import Any

from services.trainer.store import champions, models, training_log
from trackrecord.errors import TrackrecordError
from trackrecord.learning.files import TamperedError, unpack
from trackrecord.learning.targets import against_target
from trackrecord.runtime import champion
from trackrecord.runtime.database import Cursor


class RefusedError(TrackrecordError, ValueError):
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
    champions.lock(cursor, model)
    present = champion.champion(cursor, model)
    target = None if none else to or champions.before(cursor, model, present)
    if target == present:
        raise RefusedError(
            f"no version of {model} serves" if present is None else f"{present} serves already"
        )
    if target is not None:
        _check(cursor, model, target)
    champions.change(cursor, model, target, f"rolled back from {present or 'none'}", None)
    return target


def _check(cursor: Cursor, model: str, version: str) -> None:
    if not models.is_known(cursor, model, version):
        raise RefusedError(f"{model} has no version {version}: see `trackrecord models list`")
    try:
        unpack(champion.model_files(cursor, version))
    except TamperedError as error:
        raise RefusedError(f"{version} cannot serve: {error}") from None


def versions(cursor: Cursor, model: str) -> list[dict[str, Any]]:
    """Every version of a model, newest first."""
    present = champion.champion(cursor, model)
    return [
        {"version": made["version"], "live": made["version"] == present, **made}
        for made in models.versions(cursor, model)
    ]


def history(cursor: Cursor, model: str) -> list[dict[str, Any]]:
    """Which version was live when, the present one first."""
    return champions.history(cursor, model)


def runs(cursor: Cursor, model: str) -> dict[str, Any]:
    """How the runs of a model ended, and whether enough of them ended well."""
    found = training_log.ended(cursor, model)
    return {
        **found._asdict(),
        "retraining_success": against_target("retraining_success", found.success),
    }
