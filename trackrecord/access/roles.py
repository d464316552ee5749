"""What each role may do, and what of it a key of a scope may."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal, get_args

Role = Literal["viewer", "trader", "operator", "admin"]

Permission = Literal[
    "read_public",
    "read_own",
    "read_all",
    "publish",
    "publish_shared",
    "manage",
    "operate",
    "administer",
]

Scope = Literal["publish", "read", "manage"]

ROLES: Final[tuple[Role, ...]] = get_args(Role)
"""From the one that may least to the one that may most: each may what those before it may."""

SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)

_ADDED: Final[Mapping[Role, frozenset[Permission]]] = {
    # Public records, those of claims that an admin has given them, and their own keys.
    "viewer": frozenset({"read_public", "read_own", "manage"}),
    # Events of strategies and scripts that are theirs or nobody's yet.
    "trader": frozenset({"publish"}),
    # Every record, dead letters, where the stages are; bars and whatever else belongs to nobody.
    "operator": frozenset({"read_all", "operate", "publish_shared"}),
    # Users, claims of others, the audit log.
    "admin": frozenset({"administer"}),
}

_OF_SCOPE: Final[Mapping[Scope, frozenset[Permission]]] = {
    "publish": frozenset({"publish", "publish_shared"}),
    "read": frozenset({"read_public", "read_own", "read_all"}),
    "manage": frozenset({"manage", "operate", "administer"}),
}

EVERYTHING: Final[frozenset[Permission]] = frozenset(get_args(Permission))
"""What the only user of a machine may."""


def of_role(role: Role) -> frozenset[Permission]:
    """What a user of a role may."""
    upto = ROLES[: ROLES.index(role) + 1]
    return frozenset[Permission]().union(*(_ADDED[each] for each in upto))


def of_key(role: Role, scopes: Iterable[Scope]) -> frozenset[Permission]:
    """What a key may: never more than its user may now, whatever was so when it was made."""
    asked = frozenset[Permission]().union(*(_OF_SCOPE[each] for each in scopes))
    return asked & of_role(role)
