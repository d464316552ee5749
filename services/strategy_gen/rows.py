"""What came of a request, as the stage writes it down."""

from __future__ import annotations

from trackrecord.catalogue.answers import Ended, Outcome, answer_of, event_of, strategy_id_of

__all__ = ["Ended", "Outcome", "answer_of", "event_of", "strategy_id_of"]
