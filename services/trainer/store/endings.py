"""The end of a run: all that came of it, in one transaction, once."""

from __future__ import annotations

from datetime import datetime

from services.trainer.rows import Ended, Job, Made
from services.trainer.store import champions, models, runs, training_log
from services.trainer.store.outbox import OUTBOX
from trackrecord.events import ModelTrained
from trackrecord.learning.targets import against_target
from trackrecord.runtime.champion import champion
from trackrecord.runtime.database import Cursor
from trackrecord.runtime.settings import Settings


def finish(cursor: Cursor, settings: Settings, job: Job, ended: Ended) -> None:
    """Write all that came of a run and the event that tells of it, in one transaction, once.

    Raises:
        SupersededError: The run is in other hands; nothing may be committed.
    """
    made = ended.made
    finished_at = runs.end(cursor, job, ended)
    champions.lock(cursor, job.model)
    promoted, reason = False, ended.reason
    if made is not None:
        promoted = made.promoted
        if promoted and champion(cursor, job.model) != made.judged_against:
            promoted, reason = False, "another model serves than the one it was judged against"
        _write_model(cursor, job, made, promoted=promoted)
        if promoted:
            champions.change(cursor, job.model, made.version, str(reason), job.training_id)
    event = _event(job, ended, promoted, reason, champion(cursor, job.model), finished_at)
    training_log.write(cursor, job, ended, event, finished_at)
    OUTBOX.write(cursor, settings, event, finished_at)


def _write_model(cursor: Cursor, job: Job, made: Made, *, promoted: bool) -> None:
    logged = training_log.ended(cursor, job.model)
    # This run has ended well, and is logged in this transaction.
    success = logged._replace(completed=logged.completed + 1).success
    targets = made.report["targets"] | {
        "retraining_success": against_target("retraining_success", success)
    }
    models.write(cursor, job, made, targets)
    runs.note_model(cursor, job, made, promoted=promoted)


def _event(
    job: Job,
    ended: Ended,
    promoted: bool,
    reason: str | None,
    serves: str | None,
    finished_at: datetime,
) -> ModelTrained:
    made = ended.made
    return ModelTrained(
        training_id=job.training_id,
        model=job.model,
        version=made.version if made else None,
        status="completed" if made else "failed",
        promoted=promoted,
        trained_at=finished_at,
        duration_seconds=(finished_at - job.started_at).total_seconds(),
        data_points=ended.data_points,
        metrics=made.report["metrics"] if made else {},
        feature_importances=made.report["feature_importances"] if made else {},
        champion_version=serves,
        reason=reason,
        error=None if made else ended.error or ended.reason,
    )
