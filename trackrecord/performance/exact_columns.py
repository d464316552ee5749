"""Columns of exact decimals: whole numbers of units of 10^-places, computed by numpy.

Machine integers where a bound shows that no result can leave them, Python's
whole numbers otherwise: the same code, and never a lost digit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from trackrecord.performance.exact import exact
from trackrecord.performance.measure import FloatArray

_MACHINE = 2**63 - 1
_EXACT_FLOAT = 2**53
_FLOAT_PLACES = 15
_EXACT_POWER = 22
"""The largest power of ten that a double holds exactly."""

Integers = npt.NDArray[Any]
"""Of dtype int64, or object holding Python's whole numbers."""


@dataclass(frozen=True, eq=False)
class Column:
    """Exact decimals, shape (n,): value = units / 10^places.

    Attributes:
        units: int64 or object array.
        places: Digits after the point, >= 0.
    """

    units: Integers
    places: int

    def __len__(self) -> int:
        """How many values."""
        return len(self.units)

    @staticmethod
    def of(values: Iterable[Decimal]) -> Column:
        """From decimals, with as many places as the longest of them has.

        Raises:
            ValueError: One is NaN or infinite.
        """
        listed = list(values)
        places = 0
        for value in listed:
            exponent = value.as_tuple().exponent
            if not isinstance(exponent, int):
                raise ValueError(f"{value} is not a number that can be summed")  # noqa: TRY004
            places = max(places, -exponent)
        with exact():
            return Column.whole([int(value.scaleb(places)) for value in listed], places)

    @staticmethod
    def whole(units: list[int], places: int = 0) -> Column:
        """From whole numbers of 10^-places."""
        small = all(-_MACHINE <= unit <= _MACHINE for unit in units)
        return Column(np.array(units, dtype=np.int64 if small else object), places)

    @staticmethod
    def from_floats(values: npt.NDArray[Any]) -> Column:
        """From doubles, each read as the shortest decimal that it prints as.

        Raises:
            ValueError: One is NaN or infinite.
        """
        array = np.asarray(values, dtype=np.float64)
        if not np.isfinite(array).all():
            place = int(np.flatnonzero(~np.isfinite(array))[0])
            raise ValueError(f"value {place} is {array[place]}, not a number that can be summed")
        largest = float(np.max(np.abs(array), initial=0.0))
        for places in range(_FLOAT_PLACES + 1):
            if largest * 10**places >= _EXACT_FLOAT:
                break
            scaled = np.rint(array * 10**places)
            if np.array_equal(scaled / 10**places, array):
                return Column(scaled.astype(np.int64), places)
        return Column.of(Decimal(repr(value)) for value in array.tolist())

    def to(self, places: int) -> Integers:
        """Units at a scale of at least as many places."""
        factor = 10 ** (places - self.places)
        return self.units if factor == 1 else product(self.units, factor)

    def floats(self) -> FloatArray:
        """As doubles, each rounded once where its units fit 2^53.

        A value is the same to the last bit whether the others of its column fit 64 bits or not.
        """
        scale = 10**self.places
        if self.places > _EXACT_POWER:
            return np.array([unit / scale for unit in self.units.tolist()], dtype=np.float64)
        result: FloatArray = self.units.astype(np.float64) / float(scale)
        return result

    def decimals(self) -> list[Decimal]:
        """As decimals, exact."""
        return [decimal(unit, self.places) for unit in self.units.tolist()]

    def total(self) -> Decimal:
        """The exact sum; 0 of nothing."""
        return decimal(total(self.units), self.places)


def bound(units: Integers) -> int:
    """The largest absolute value; 0 of nothing."""
    if not len(units):
        return 0
    return max(abs(int(units.max())), abs(int(units.min())))


def product(left: Integers, right: Integers | int) -> Integers:
    """Left · right, exact."""
    other = abs(right) if isinstance(right, int) else bound(right)
    if bound(left) * other > _MACHINE or other > _MACHINE:
        left = left.astype(object)
    result: Integers = left * right
    return result


def plus(left: Integers, right: Integers) -> Integers:
    """Left + right, exact."""
    if bound(left) + bound(right) > _MACHINE:
        left = left.astype(object)
    result: Integers = left + right
    return result


def total(units: Integers) -> int:
    """The exact sum as a whole number."""
    if units.dtype != object and bound(units) * len(units) > _MACHINE:
        # High and low halves add up apart, so neither sum can leave 64 bits.
        return (int(np.sum(units >> 32)) << 32) + int(np.sum(units & 0xFFFFFFFF))
    return int(np.sum(units)) if len(units) else 0


def group_sums(units: Integers, starts: npt.NDArray[np.int64]) -> Integers:
    """Exact sums of consecutive runs.

    Args:
        units: Shape (n,), n >= 1.
        starts: Where each run begins, rising, the first 0; shape (g,), g >= 1.

    Returns:
        Shape (g,).
    """
    if len(starts) == len(units):
        return units
    longest = int(np.diff(starts, append=len(units)).max())
    if units.dtype != object and bound(units) * longest > _MACHINE:
        # High and low halves add up apart, so neither sum can leave 64 bits.
        high = np.add.reduceat(units >> 32, starts).astype(object)
        low = np.add.reduceat(units & 0xFFFFFFFF, starts)
        return Column.whole(((high << 32) + low).tolist()).units
    sums: Integers = np.add.reduceat(units, starts)
    return sums


def decimal(units: int, places: int) -> Decimal:
    """Units / 10^places, exact."""
    return Decimal(f"{units}e-{places}") if places else Decimal(units)
