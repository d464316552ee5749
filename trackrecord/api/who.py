"""Who asks, and what they may: the one place where access is decided."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, Final, Literal

from fastapi import Depends, Request

from trackrecord.runtime.errors import ConfigurationError

Right = Literal["read", "publish", "manage"]

ALL_RIGHTS: Final[frozenset[Right]] = frozenset({"read", "publish", "manage"})


@dataclass(frozen=True)
class Reader:
    """Whoever sent a request.

    Attributes:
        name: Of the user; None: nobody has said.
        rights: What they may do.
    """

    name: str | None
    rights: frozenset[Right]


_ANYBODY: Final = Reader(None, ALL_RIGHTS)


async def reader(request: Request) -> Reader:
    """Whoever sent a request: everybody on this machine may do everything."""
    del request
    return _ANYBODY


Who = Annotated[Reader, Depends(reader)]
"""What every route takes."""


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, and nobody else can reach it there."""
    bare = host.strip("[]")
    try:
        return bare == "localhost" or ip_address(bare).is_loopback
    except ValueError:
        return False


def require_loopback(host: str) -> None:
    """Refuse to listen where others than this machine's own users could ask.

    Raises:
        ConfigurationError: They could.
    """
    if not is_loopback(host):
        raise ConfigurationError(
            f"TRACKRECORD_API_HOST={host}: the API lets everybody in who can reach it, so it "
            "listens on 127.0.0.1, ::1 or localhost only"
        )
