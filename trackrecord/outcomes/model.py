"""What an outcome is made of: a signal, bars, a policy, and the answer."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from trackrecord.errors import TrackrecordError

Outcome = Literal["target", "stop", "expired", "pending", "void"]
How = Literal["gap", "intrabar", "expiry"]
Policy = Literal["stop_first", "target_first", "open_proximity"]

POLICIES: Final[tuple[Policy, ...]] = ("stop_first", "target_first", "open_proximity")
"""What counts where target and stop lie inside one bar; ``open_proximity``: the one nearer to the
open, and of two equally near ones the stop."""

DEFAULT_HORIZON: Final = 20
"""After how many bars a signal without a horizon of its own expires."""

JUMP_LIMITS: Final = (Decimal("0.6"), Decimal("1.7"))
"""An open outside these multiples of the close before is a split or an error, not a price; where
one of both is not above 0, a multiple says nothing."""

ENTRY_NOT_POSITIVE: Final = "entry_not_positive"
"""Why a signal that is entered at 0 or below is not judged: no fraction of it means anything."""


DELISTED_AFTER: Final = 10
"""Sessions without a bar, while others traded, after which a symbol is taken for delisted."""


class RuleError(TrackrecordError, ValueError):
    """A signal or its bars break a rule; the message says which."""


class Bar(NamedTuple):
    """Prices of a bar."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    split_ratio: Decimal = Decimal(1)
    """New shares for an old one, from this bar on: 2 where each became two, 1 without a split."""


@dataclass(frozen=True)
class Signal:
    """A signal as far as its outcome depends on it.

    Attributes:
        direction: +1 for a long, -1 for a short.
        price: Of the entry.
        target: Where it takes its profit, if anywhere.
        stop: Where it takes its loss, if anywhere.
        horizon: Bars, the entry bar included, after which it expires.
    """

    direction: int
    price: Decimal
    target: Decimal | None = None
    stop: Decimal | None = None
    horizon: int = DEFAULT_HORIZON

    def check(self) -> None:
        """Check what an outcome can be told of.

        Raises:
            RuleError: A price is no number, a level lies on the wrong side of the entry, or the
                horizon is shorter than a bar.
        """
        if not self.price.is_finite():
            raise RuleError(f"the entry price must be a number, not {self.price}")
        side = "long" if self.direction > 0 else "short"
        for name, level, sign in (("target", self.target, 1), ("stop", self.stop, -1)):
            if level is None:
                continue
            if not level.is_finite():
                raise RuleError(f"the {name} must be a number, not {level}")
            if (level - self.price) * self.direction * sign <= 0:
                where = "above" if self.direction * sign > 0 else "below"
                raise RuleError(
                    f"the {name} of a {side} lies {where} its entry: {level} against {self.price}"
                )
        if self.horizon < 1:
            raise RuleError(f"the horizon must be at least one bar, not {self.horizon}")


@dataclass(frozen=True)
class Judged:
    """What happened to a signal.

    Attributes:
        outcome: What it met first; pending if the bars end before, void if nothing can be said.
        exit_index: The bar of the exit, counted from the entry bar as 0.
        exit_price: The open where it was jumped over, the level where it was touched, the close
            at the horizon; behind a split it is that of an old share, as the signal's levels are.
        how: At the open, inside the bar, or at the horizon.
        ambiguous: Target and stop lay inside that one bar, so that the policy decided.
        returned: Gross return on the entry price, as a fraction, in the signal's direction.
        mae: Maximum adverse excursion, as a fraction of the entry price; at most 0.
        mfe: Maximum favourable excursion, likewise; at least 0.
        reason: Why it is void.
    """

    outcome: Outcome
    exit_index: int | None = None
    exit_price: Decimal | None = None
    how: How | None = None
    ambiguous: bool = False
    returned: Decimal | None = None
    mae: Decimal | None = None
    mfe: Decimal | None = None
    reason: str | None = None

    @property
    def label(self) -> int | None:
        """+1 target, -1 stop, 0 expired; None while pending or void."""
        return {"target": 1, "stop": -1, "expired": 0}.get(self.outcome)

    def won(self, *, cost: Decimal = Decimal(0), threshold: Decimal = Decimal(0)) -> bool | None:
        """Whether the return less a cost is above a threshold, all fractions; None if none is."""
        return None if self.returned is None else self.returned - cost > threshold
