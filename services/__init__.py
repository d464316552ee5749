"""What runs: the stages, each in a folder of its own with the same files.

Which there are stands in :mod:`trackrecord.stages`, where everything else reads it too.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from trackrecord.stages import STAGES

if TYPE_CHECKING:  # asking which stages there are must not load what they run with
    from trackrecord.runtime.jobs import JobStage
    from trackrecord.runtime.stage import Stage

__all__ = ["STAGES", "lacking", "stage_named"]


def stage_named(name: str) -> Stage | JobStage:
    """A stage as the runtime runs it.

    Args:
        name: One of :data:`STAGES`.
    """
    stage: Stage | JobStage = import_module(f"services.{name}.service").STAGE
    return stage


def lacking(stage: str) -> list[str]:
    """The packages that a stage needs and that are not installed here."""
    return [name for name in STAGES[stage].packages if not _is_there(name)]


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ValueError:
        return True  # imported already, and another module stands in its place
