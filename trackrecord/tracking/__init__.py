"""From entries and exits to PnL.

:func:`~trackrecord.tracking.fold.fold` is the definition: a function of the
set of a signal's exits, whatever the order in which they arrived.
"""

from trackrecord.tracking.fold import CLOCK_TOLERANCE, Entry, Exit, Position, Realised, fold

__all__ = ["CLOCK_TOLERANCE", "Entry", "Exit", "Position", "Realised", "fold"]
