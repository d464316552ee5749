"""A number that may be undefined: a value, or the reason why there is none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Floats = Sequence[float] | npt.NDArray[Any]
"""What functions of a series accept: a list or a one-dimensional array."""

NO_DATA: Final = "no_data"
TOO_FEW: Final = "too_few"
NO_VARIANCE: Final = "no_variance"
NO_DOWNSIDE: Final = "no_downside"
NO_DRAWDOWN: Final = "no_drawdown"
NO_LOSSES: Final = "no_losses"
ENTRY_NOT_POSITIVE: Final = "entry_not_positive"
BELOW_ZERO: Final = "below_zero"
OVERFLOW: Final = "overflow"

DUST: Final = 1e-12
"""A spread below this share of the largest value is what floats leave where 0 is meant."""


def above_zero(price: FloatArray) -> FloatArray:
    """Prices that a ratio can be made of; NaN where they are not above 0.

    Args:
        price: Any shape, which the answer has too.
    """
    return np.where(price > 0, price, np.nan)


class Measure(NamedTuple):
    """A value, or None and the reason.

    Attributes:
        value: Finite, or None where the number is undefined.
        reason: A word such as ``no_data``; None where there is a value.
    """

    value: float | None
    reason: str | None = None


def undefined(reason: str) -> Measure:
    """No value, and why."""
    return Measure(None, reason)


def finite(value: float) -> Measure:
    """The value; undefined (``overflow``) where it left the range of doubles."""
    value = float(value)
    return Measure(value) if math.isfinite(value) else undefined(OVERFLOW)


def as_series(values: Floats) -> FloatArray:
    """A series as doubles; NaN marks a period without an observation.

    Args:
        values: One-dimensional, length n.

    Returns:
        An array of shape (n,).

    Raises:
        ValueError: It has another shape, or holds an infinity.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"a series has one dimension, this has {array.ndim}")
    if not np.isfinite(array).all() and np.isinf(array).any():
        place = int(np.flatnonzero(np.isinf(array))[0])
        raise ValueError(f"value {place} is infinite; leave it out or write NaN for none")
    return array


def observed(values: Floats) -> FloatArray:
    """The values of a series that were observed: without NaN, shape (m,), m <= n.

    Raises:
        ValueError: As :func:`as_series`.
    """
    array = np.asarray(values, dtype=np.float64)
    # The usual series has no gap, and one look shows it.
    if array.ndim == 1 and np.isfinite(array).all():
        return array
    array = as_series(array)
    return array[~np.isnan(array)]


def spread(values: FloatArray) -> float | None:
    """Standard deviation (ddof 1), or None where it is dust beside the largest value.

    Args:
        values: At least two observations.
    """
    deviation = float(np.std(values, ddof=1))
    return None if deviation <= DUST * float(np.max(np.abs(values))) else deviation


@dataclass(frozen=True)
class Numbers:
    """Numbers by name, and why some of them are None.

    Attributes:
        values: Money as Decimal, ratios as float, counts as int; None where undefined.
        reasons: Name to reason, for each None.
    """

    values: dict[str, Any]
    reasons: dict[str, str]


class Book:
    """Collects numbers and, for each that is None, its reason."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._reasons: dict[str, str] = {}

    def put(self, name: str, value: Any, reason: str | None = None) -> None:
        """Enter a number; a Measure brings its own reason.

        Args:
            name: In snake case, as published.
            value: A number, a list of numbers, a Measure, or None.
            reason: Why the value is None; not read where there is one.
        """
        if isinstance(value, Measure):
            value, reason = value
        self._values[name] = value
        if value is None and reason:
            self._reasons[name] = reason

    def numbers(self, *, empty: bool = False) -> Numbers:
        """What was entered.

        Args:
            empty: There was nothing to measure: that is the reason of every None.
        """
        if empty:
            return Numbers(self._values, dict.fromkeys(self._reasons, NO_DATA))
        return Numbers(self._values, self._reasons)
