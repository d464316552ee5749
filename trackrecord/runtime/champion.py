"""Which model serves, and its files: the trainer writes them, and whoever judges signals reads."""

from __future__ import annotations

from trackrecord.runtime.database import Cursor, rows


def champion(cursor: Cursor, model: str) -> str | None:
    """The version that serves; None where none does."""
    found = rows(
        cursor,
        "SELECT version FROM champions WHERE model = %s AND live_until IS NULL",
        (model,),
    )
    return found[0][0] if found else None


def model_files(cursor: Cursor, version: str) -> dict[str, bytes]:
    """A model's files as they are stored; empty where there is no such model."""
    found = rows(cursor, "SELECT name, content FROM model_files WHERE version = %s", (version,))
    return {name: bytes(content) for name, content in found}
