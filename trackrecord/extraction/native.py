"""What tells the compiler of the rules how to make their objects, and does nothing else."""

from __future__ import annotations

try:
    from mypy_extensions import mypyc_attr
except ImportError:  # it comes with the compiler, and what is not compiled needs none
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

    def mypyc_attr(*_attributes: str, **_values: object) -> Callable[[T], T]:
        """Return what leaves a class as it is."""
        return lambda made: made


__all__ = ["mypyc_attr"]
