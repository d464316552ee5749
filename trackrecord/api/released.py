"""Which version of the program answers."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def released() -> str:
    """The version of the installed package; ``0`` in its folder without an installation."""
    try:
        return version("trackrecord")
    except PackageNotFoundError:
        return "0"
