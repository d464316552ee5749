"""What runs: the stages, each in a folder of its own with the same files."""

from importlib.util import find_spec

STAGES = ("extractor", "signal_tracker", "outcome_scorer", "trainer")
"""The stages, in the order of the flow; each is ``services.<name>.service.STAGE``."""

NEEDS = {
    "outcome_scorer": ("lightgbm", "sklearn", "scipy"),
    "trainer": ("faust", "lightgbm", "optuna", "sklearn", "scipy"),
}
"""Packages of the extra ``learning`` that a stage needs besides those of ``services``."""


def lacking(stage: str) -> list[str]:
    """The packages that a stage needs and that are not installed here."""
    return [name for name in NEEDS.get(stage, ()) if not _is_there(name)]


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ValueError:
        return True  # imported already, and another module stands in its place
