"""What the signal_tracker writes; the SQL of a step stands beside the function that runs it."""

from services.signal_tracker.store.batch import Applied, apply, load
from services.signal_tracker.store.temporary import TEMPORARY

__all__ = ["TEMPORARY", "Applied", "apply", "load"]
