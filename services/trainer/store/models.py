"""Models and their files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from services.trainer.rows import About, Job, Made
from trackrecord.runtime.database import Cursor, rows


def about(cursor: Cursor, version: str) -> About:
    """What is stored of a model that there is."""
    [found] = rows(cursor, "SELECT learnt_until, report FROM models WHERE version = %s", (version,))
    return About(*found)


def is_known(cursor: Cursor, model: str, version: str) -> bool:
    """Whether a model has a version."""
    query = "SELECT 1 FROM models WHERE model = %s AND version = %s"
    return bool(rows(cursor, query, (model, version)))


def versions(cursor: Cursor, model: str) -> list[dict[str, Any]]:
    """Every version of a model with how its run ended, newest first."""
    names = (
        "version", "created_at", "learnt_until", "training_id", "promoted", "reason", "metrics",
    )  # fmt: skip
    found = rows(
        cursor,
        "SELECT version, created_at, learnt_until, m.training_id, l.promoted, l.reason,"
        " m.metrics FROM models m JOIN ml_training_log l USING (version)"
        " WHERE m.model = %s ORDER BY created_at DESC",
        (model,),
    )
    return [dict(zip(names, row, strict=True)) for row in found]


def write(cursor: Cursor, job: Job, made: Made, targets: Mapping[str, Any]) -> None:
    """Write a model and its files.

    Args:
        cursor: Inside a transaction.
        job: The run that made it.
        made: The model.
        targets: What was asked for and reached, which its report tells.
    """
    cursor.execute(
        "INSERT INTO models (version, model, training_id, created_at, learnt_until, manifest,"
        " metrics, report) VALUES (%s, %s, %s, clock_timestamp(), %s, %s, %s, %s)",
        (made.version, job.model, job.training_id, made.learnt_until,
         json.dumps(dict(made.manifest)), json.dumps(made.report["metrics"]),
         json.dumps({**made.report, "targets": dict(targets)})),
    )  # fmt: skip
    for name, content in made.files.items():
        cursor.execute("INSERT INTO model_files VALUES (%s, %s, %s)", (made.version, name, content))
