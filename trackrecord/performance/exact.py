"""Exact decimal arithmetic: enough digits for every product, and one way of rounding."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, localcontext

_DIGITS = 400
"""More than any sum of products of three wire decimals (38 digits each) can need."""

_EXACT = Context(prec=_DIGITS, traps=[Inexact])


@contextmanager
def exact() -> Iterator[Context]:
    """A context in which additions and multiplications lose no digit.

    Raises:
        decimal.Inexact: A result would have been rounded.
    """
    with localcontext(prec=_DIGITS) as context:
        context.traps[Inexact] = True
        yield context


def plus(left: Decimal, right: Decimal) -> Decimal:
    """Left + right, exact, whatever the context."""
    return _EXACT.add(left, right)


def round_ratio(numerator: Decimal, denominator: Decimal, places: int) -> Decimal:
    """Divide, and round the true quotient once, half to even.

    Args:
        numerator: Any finite decimal.
        denominator: Not 0.
        places: Digits after the point that are kept.

    Returns:
        The multiple of 10^-places nearest to numerator / denominator.

    Raises:
        ZeroDivisionError: The denominator is 0.
    """
    if denominator == 0:
        raise ZeroDivisionError("a ratio to nothing")
    # Whole numbers only: exact whatever the context, and quicker than decimals.
    above, below = numerator.as_integer_ratio()
    by_above, by_below = denominator.as_integer_ratio()
    negative = (above < 0) != (by_above < 0)
    below *= abs(by_above)
    quotient, rest = divmod(abs(above) * by_below * 10**places, below)
    if 2 * rest > below or (2 * rest == below and quotient % 2):
        quotient += 1
    return Decimal(f"{-quotient if negative else quotient}e-{places}")


def half_even(value: Decimal, places: int) -> Decimal:
    """Round to ``places`` digits after the point, half to even."""
    with localcontext(prec=_DIGITS):
        return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)
