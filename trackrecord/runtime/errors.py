"""What a stage and the commands raise, by what happens next; drawn in :mod:`trackrecord.errors`."""

from __future__ import annotations

from typing import Final

from trackrecord.errors import TrackrecordError

EXIT_NO: Final = 1
"""A command ran, and its answer is no."""

EXIT_COULD_NOT: Final = 2
"""A command or service could not run: usage, settings, unreachable."""

EXIT_HALTED: Final = 3
"""A stage stopped loudly and would stop again: an operator must look."""


class ConfigurationError(TrackrecordError):
    """Settings are missing or wrong."""


class UnreachableError(TrackrecordError):
    """The broker, the database or the Dask cluster does not answer."""


class PassingError(TrackrecordError):
    """Something that may work in a moment: broker or database away, deadlock, serialization."""


class TooSlowError(PassingError):
    """The database ended a statement that took too long for it."""


class BadContentError(TrackrecordError):
    """The database refuses something in the batch for what it is."""


class FencedError(TrackrecordError):
    """The offsets are not ours any more, or not where we left them."""


class FatalError(TrackrecordError):
    """The process cannot go on."""


class HaltedError(FatalError):
    """The process must not go on, and neither may its successor, until somebody has looked."""
