"""What a backtest is worth, in one of five phrases, and why.

Only what lies out of sample is judged. The order matters: a record that is too short says nothing,
whatever it earned; one that is worse than doing nothing is not worth a test of luck.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from trackrecord.performance.returns.sharpe import CONFIDENCE

Verdict = Literal[
    "too few to tell", "worse than holding", "worth trying", "no evidence", "no evidence yet"
]

FEWEST_CLOSED: Final = 30
"""Closed trades out of sample, below which nothing can be told."""
FEWEST_SESSIONS: Final = 250
"""Sessions out of sample, likewise: about a year."""


@dataclass(frozen=True)
class Record:
    """What a verdict is made of, all of it out of sample and net of costs.

    Attributes:
        closed: Trades that were closed.
        sessions: Dates on which there were bars.
        sharpe: Annualised; None where undefined.
        total: Return on the capital.
        holding_sharpe: Of buying every symbol once and keeping it; None where undefined.
        holding_total: Likewise.
        deflated: Deflated Sharpe ratio, 0 to 1; None where undefined.
        tries: N of it.
        remembered: Sessions that a language model may have known when it wrote the code.
    """

    closed: int
    sessions: int
    sharpe: float | None
    total: float
    holding_sharpe: float | None
    holding_total: float
    deflated: float | None
    tries: int
    remembered: int = 0


def judge(record: Record) -> tuple[Verdict, str]:
    """The verdict, and one sentence that says why."""
    if record.closed < FEWEST_CLOSED or record.sessions < FEWEST_SESSIONS:
        return "too few to tell", (
            f"{record.closed} closed trades in {record.sessions} sessions out of sample; "
            f"it takes {FEWEST_CLOSED} in {FEWEST_SESSIONS}"
        )
    if is_worse_than_holding(record):
        return "worse than holding", (
            f"it earned {record.total:+.1%}, holding {record.holding_total:+.1%}, and less for its "
            "risk too"
        )
    deflated = record.deflated
    stands_out = deflated is not None and deflated >= CONFIDENCE
    luck = (
        "the Sharpe ratio is not defined"
        if deflated is None
        else f"the chance that its Sharpe ratio is above {_luck(record.tries)} is "
        f"{percent(deflated)}; it takes {CONFIDENCE * 100:.0f} %"
    )
    if record.remembered:
        return "no evidence yet", (
            f"a language model wrote it and may remember {record.remembered} of the "
            f"{record.sessions} sessions; only what comes after can tell ({luck})"
        )
    return ("worth trying" if stands_out else "no evidence"), luck


def _luck(tries: int) -> str:
    if tries == 1:
        return "0, with this one try,"
    return f"what the best of {tries:,} tries has by luck"


def percent(share: float) -> str:
    """A probability in percent that no rounding lifts over a limit."""
    return f"{int(share * 1000) / 10:.1f} %"


def is_worse_than_holding(record: Record) -> bool:
    """Whether it earned less than holding, and less for its risk (by Sharpe ratio) as well.

    Where one of the two Sharpe ratios is undefined, what was earned decides alone.
    """
    if not record.total < record.holding_total:
        return False
    if record.sharpe is None or record.holding_sharpe is None:
        return True
    return record.sharpe < record.holding_sharpe
