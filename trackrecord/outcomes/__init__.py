"""From a signal and the bars that followed to what happened: the triple barrier, MAE and MFE.

:func:`label` judges one signal in exact decimals; :func:`label_many` judges any number of them in
columns, by the same rules. Neither knows where bars come from.
"""

from trackrecord.outcomes.label_many import Bars, Labels, Signals, label_many
from trackrecord.outcomes.label_one import label
from trackrecord.outcomes.model import (
    DEFAULT_HORIZON,
    JUMP_LIMITS,
    POLICIES,
    Bar,
    How,
    Judged,
    Outcome,
    Policy,
    RuleError,
    Signal,
)

__all__ = [
    "DEFAULT_HORIZON",
    "JUMP_LIMITS",
    "POLICIES",
    "Bar",
    "Bars",
    "How",
    "Judged",
    "Labels",
    "Outcome",
    "Policy",
    "RuleError",
    "Signal",
    "Signals",
    "label",
    "label_many",
]
