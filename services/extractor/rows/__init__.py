"""From the outputs of a batch of runs to the rows that COPY takes, and the signals they become."""

from services.extractor.rows.reading import Prepared, Run, read
from services.extractor.rows.signals import SOURCE, close_event, refusal_to_signal

__all__ = ["SOURCE", "Prepared", "Run", "close_event", "read", "refusal_to_signal"]
