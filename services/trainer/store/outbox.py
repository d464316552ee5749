"""Events of the trainer, until they are acknowledged."""

from __future__ import annotations

from typing import Final

from services.trainer.store import STAGE
from trackrecord.runtime.job_outbox import JobOutbox

OUTBOX: Final = JobOutbox(STAGE, ("training_jobs", 0))
