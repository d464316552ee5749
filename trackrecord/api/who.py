"""Who asks, and what they may: the one place where access is decided.

:class:`~trackrecord.api.guard.Guard` finds out who has sent a request before any route is looked
for; a route says here what it takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, Request

from trackrecord.access.roles import EVERYTHING, Permission
from trackrecord.access.store.audit import Actor
from trackrecord.access.store.identities import Identity
from trackrecord.api.problems import ProblemError
from trackrecord.runtime.errors import ConfigurationError


@dataclass(frozen=True)
class Reader:
    """Whoever sent a request.

    Attributes:
        identity: The user; None: anybody on this machine, where nobody needs to say who they are.
        permissions: What they may do.
        hidden: Names of strategies and scripts that must not even be told to be there.
        view: Another text for whoever sees something else; part of every version.
        address: From where.
    """

    identity: Identity | None
    permissions: frozenset[Permission]
    hidden: frozenset[str] = frozenset()
    view: str = ""
    address: str | None = None

    @property
    def known(self) -> Identity:
        """The user.

        Raises:
            ProblemError: There are no users where everybody may do everything (403).
        """
        if self.identity is None:
            raise ProblemError(
                403, "everybody may do everything here: there are no users (docs/access.md)"
            )
        return self.identity

    @property
    def whose(self) -> str:
        """Tells this one from others, in cursors."""
        return "" if self.identity is None else str(self.identity.user_id)

    @property
    def user_id(self) -> UUID | None:
        """The user's id; None: nobody needs to say who they are."""
        return None if self.identity is None else self.identity.user_id

    @property
    def owner(self) -> str:
        """Whose the strategies are that this one asks for, in words."""
        return ONLY_USER if self.identity is None else self.identity.name

    @property
    def actor(self) -> Actor:
        """The user, as the audit log names one."""
        return Actor(self.owner, self.user_id, self.address)


ONLY_USER: Final = "local"
"""Who asks where nobody needs to say who they are; the command line is called so, too."""

ANYBODY: Final = Reader(None, EVERYTHING)
"""Whoever reaches an API that asks nobody: it listens on this machine only."""


async def whoever(request: Request) -> Reader:
    """As :func:`asker`, for routes."""
    return asker(request)


def asker(request: Request) -> Reader:
    """Whoever sent a request, as the guard has found out."""
    found: Reader = request.state.reader
    return found


def _may(permission: Permission) -> Any:
    # It waits for nothing: as a plain function it would be run in a thread.
    async def allowed(request: Request) -> Reader:
        found = asker(request)
        if permission not in found.permissions:
            raise ProblemError(403, _why_not(found, permission))
        return found

    return Depends(allowed)


def _why_not(found: Reader, permission: Permission) -> str:
    who = found.known
    if who.key is not None:
        return f"this key of {who.name}, {who.role}, may not {_WORDS[permission]}"
    return f"{who.name} is {who.role} and may not {_WORDS[permission]}"


_WORDS: Final = {
    "read_public": "read the record",
    "read_own": "read what is its own",
    "read_all": "read all records",
    "publish": "publish",
    "publish_shared": "publish what is nobody's",
    "manage": "manage keys and claims",
    "operate": "look after the stages",
    "administer": "manage users",
}

Who = Annotated[Reader, _may("read_public")]
"""What routes take that read the record."""

Publisher = Annotated[Reader, _may("publish")]
Operator = Annotated[Reader, _may("operate")]
Manager = Annotated[Reader, _may("manage")]
Admin = Annotated[Reader, _may("administer")]

Anyone = Annotated[Reader, Depends(whoever)]
"""What a route takes that whoever has logged in may ask."""


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
            "listens on 127.0.0.1, ::1 or localhost only, unless TRACKRECORD_JWT_SECRET is set "
            "(docs/access.md)"
        )
