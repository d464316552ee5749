"""The rows of the trainer's tables as types, and stored features as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trackrecord.learning.data import in_order
from trackrecord.learning.probabilities import Floats
from trackrecord.learning.targets import retraining_success


class Job(NamedTuple):
    """A run that was taken up."""

    training_id: str
    model: str
    trigger: str
    options: dict[str, Any]
    cut_off: datetime
    started_at: datetime
    epoch: int
    attempts: int


@dataclass(frozen=True)
class Made:
    """A model that a run made.

    Attributes:
        version: Of the model.
        files: Contents by name.
        manifest: As JSON values.
        learnt_until: The last moment that any label it learnt from looked at.
        report: All that is told of it.
        promoted: Whether it was better than the champion on unseen outcomes.
        judged_against: That champion's version; None for the base rate.
        unseen_from: From which emission on outcomes were kept for the decision.
        decided_until: The last emission that the decision looked at.
    """

    version: str
    files: Mapping[str, bytes] = field(repr=False)
    manifest: Mapping[str, Any]
    learnt_until: datetime
    report: Mapping[str, Any]
    promoted: bool
    judged_against: str | None
    unseen_from: datetime
    decided_until: datetime


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    Attributes:
        outcome: ``refused``: there was not enough to learn from or to decide by.
        data_points: Outcomes that there were.
        reason: Why the model was promoted or not, or why the run was refused.
        error: What went wrong, where it failed.
        made: The model, where it was completed.
    """

    outcome: Literal["completed", "refused", "failed"]
    data_points: int
    reason: str | None = None
    error: str | None = None
    made: Made | None = None


class Last(NamedTuple):
    """What earlier runs leave for the next."""

    open: bool
    """Whether one is queued or running."""
    outcomes: int
    """That there were at the last run."""
    seconds_since: float | None
    """The last run was asked for."""


class Runs(NamedTuple):
    """How the runs of a model ended, as the log has it."""

    completed: int
    refused: int
    failed: int
    failed_in_a_row: int
    """The latest that failed, since the last that did not."""

    @property
    def success(self) -> float | None:
        """See :func:`retraining_success`."""
        return retraining_success(self.completed, self.refused, self.failed)


class Logged(NamedTuple):
    """How a run ended, as the log has it."""

    outcome: str
    promoted: bool
    duration_seconds: float
    reason: str | None
    error: str | None


class About(NamedTuple):
    """What is stored of a model."""

    learnt_until: datetime
    report: dict[str, Any]


def features(
    kinds: Sequence[str],
    texts: Sequence[str],
    sets: dict[str, list[str]],
    names: Sequence[str],
) -> Floats:
    """Features from text, each set's columns brought into one order."""
    result = np.full((len(texts), len(names)), np.nan)
    kind_of: NDArray[Any] = np.array(kinds, object)
    for kind, own in sets.items():
        place = np.flatnonzero(kind_of == kind)
        if len(place):
            text = " ".join(texts[number] for number in place.tolist())
            values = np.fromstring(text, np.float64, sep=" ").reshape(len(place), len(own))
            result[place] = in_order(values, own, names)
    # What is beyond measure is as good as unknown, and no model takes it.
    result[~np.isfinite(result)] = np.nan
    return result
