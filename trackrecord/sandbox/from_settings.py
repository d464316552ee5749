"""The sandbox as the settings want it."""

from __future__ import annotations

from trackrecord.runtime.settings import Settings
from trackrecord.sandbox.limits import Limits
from trackrecord.sandbox.monty import MontyExecutor


def limits_of(settings: Settings) -> Limits:
    """What a decision may take."""
    return Limits(seconds=settings.sandbox_seconds, memory_mb=settings.sandbox_memory_mb)


def executor_of(settings: Settings) -> MontyExecutor:
    """What runs strategies; nothing starts before the first one is run.

    When it does, it raises :class:`trackrecord.sandbox.isolation.SandboxError` where there is less
    isolation than ``TRACKRECORD_SANDBOX_LEAST``.
    """
    return MontyExecutor(limits_of(settings), least=settings.sandbox_least)
