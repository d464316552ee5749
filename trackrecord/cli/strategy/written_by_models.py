"""Whether a language model wrote a strategy, as the log of attempts under the home folder knows."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from trackrecord.providers.attempt_file import AttemptFile
from trackrecord.strategies.tries import code_identity


def requested_on(home: Path, code: str) -> date | None:
    """The date on which a model was last asked for a strategy; None where none was.

    A log that cannot be read, and a line that is damaged, are passed over: who wants to hide where
    a strategy comes from can do so by other means, and the log is not what decides a verdict alone.

    Args:
        home: The home folder.
        code: The strategy's, as :func:`code_identity` gives it.
    """
    try:
        attempts = AttemptFile(home).attempts()
    except OSError:
        return None
    return max(
        (
            each.question.asked_at.date()
            for each in attempts
            if each.result.code is not None and code_identity(each.result.code) == code
        ),
        default=None,
    )
