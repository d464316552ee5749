"""How right the extractor is on labelled texts: what a label may hold, and the figures.

Pure, like the rules that it judges: no clock, no files, no network.
"""

from __future__ import annotations

from trackrecord.accuracy.differences import Difference, differences
from trackrecord.accuracy.figures import SHARES, figures
from trackrecord.accuracy.labels import FIELDS, RESULT_FIELDS, Label, LabelError, read_label

__all__ = [
    "FIELDS",
    "RESULT_FIELDS",
    "SHARES",
    "Difference",
    "Label",
    "LabelError",
    "differences",
    "figures",
    "read_label",
]
