"""What can go wrong with the local stack, in words that say what to do."""

from __future__ import annotations

from trackrecord.errors import TrackrecordError


class LocalStackError(TrackrecordError, RuntimeError):
    """Something about the local stack did not work; the text says what to do."""


class PartsUnavailable(LocalStackError):  # noqa: N818 - names a condition callers fall back on
    """Java or Kafka's jars, or a PostgreSQL to run, cannot be had on this machine.

    Callers may catch it to fall back (the demo uses the mock broker) or to skip.

    Attributes:
        reason: One line that says what was missing and what was tried.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class StackFailed(LocalStackError):  # noqa: N818 - reads as a sentence where it is caught
    """The stack, or a part of it, did not come up or did not stop."""
