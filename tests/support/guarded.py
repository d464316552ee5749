"""The API where users log in, and users of every role with their tokens and keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import httpx

from tests.support.serving import SLASH, Served, served
from trackrecord.access import passwords
from trackrecord.access.roles import SCOPES
from trackrecord.access.store import claims, keys, users
from trackrecord.access.store.audit import COMMAND_LINE
from trackrecord.clock import SYSTEM_CLOCK
from trackrecord.runtime import database
from trackrecord.runtime.database import Cursor
from trackrecord.runtime.settings import Settings

SECRET: Final = "a secret of the tests, long enough to sign with"
PASSWORD: Final = "correct horse battery"
ROLES: Final = {
    "vera": "viewer",
    "alice": "trader",
    "bob": "trader",
    "olga": "operator",
    "root": "admin",
}
CLAIMED: Final = {
    # Of strategies and scripts of the record that tests.support.serving.fill puts together.
    "momentum": ("alice", False),
    "trend": ("bob", False),
    SLASH: ("bob", True),
    "scanners/gap.py": ("bob", False),
}
"""Whose a name is, and whether it is public."""

ME: Final = "/api/v1/me"

Json = dict[str, Any]


class Guarded(Served):
    """A running API where users log in.

    Attributes:
        keys: By user: a key that may do all that its user may.
        people: By user: asks with that key. ``nobody`` brings nothing.
    """

    def __init__(self, api: Served, found: Mapping[str, str]) -> None:
        self.client, self.server, self.url = api.client, api.server, api.url
        self.keys = dict(found)
        self.people = {
            name: httpx.Client(base_url=api.url, timeout=30, headers={"x-api-key": key})
            for name, key in found.items()
        }
        self.people["nobody"] = api.client

    def login(self, name: str, password: str = PASSWORD) -> httpx.Response:
        """Ask for tokens."""
        return self.client.post(
            "/api/v1/auth/token",
            data={"grant_type": "password", "username": name, "password": password},
        )

    def refresh(self, token: str) -> httpx.Response:
        """Ask for other tokens."""
        return self.client.post(
            "/api/v1/auth/token", data={"grant_type": "refresh_token", "refresh_token": token}
        )

    def bearer(self, token: str, path: str = "/api/v1/me", method: str = "GET") -> httpx.Response:
        """Ask with an access token."""
        return self.client.request(method, path, headers={"authorization": f"Bearer {token}"})


def add_people(settings: Settings) -> dict[str, str]:
    """Users of every role, each with a key of all scopes, and names that are theirs.

    Returns:
        The keys, by user.
    """
    now, found = SYSTEM_CLOCK.now(), {}
    kept = passwords.kept(PASSWORD)
    with database.session(settings, application="test") as cursor:
        for name, role in ROLES.items():
            user = users.add(cursor, COMMAND_LINE, name, role, kept, now)  # type: ignore[arg-type]
            _, new = keys.make(cursor, COMMAND_LINE, user.user_id, "test", SCOPES, now)
            found[name] = new.text
        for name, (owner, public) in CLAIMED.items():
            user = users.find(cursor, owner)
            claims.give(cursor, COMMAND_LINE, name, user.user_id, now)
            claims.set_public(cursor, COMMAND_LINE, name, public=public)
    return found


@contextmanager
def guarded(settings: Settings, found: Mapping[str, str]) -> Iterator[Guarded]:
    """The API with some settings, where users log in."""
    with served(settings.model_copy(update={"jwt_secret": SECRET})) as api:
        result = Guarded(api, found)
        try:
            yield result
        finally:
            for client in result.people.values():
                client.close()


@contextmanager
def owner(settings: Settings) -> Iterator[Cursor]:
    """A cursor of whoever owns the tables."""
    with database.session(settings, application="test") as cursor:
        yield cursor


def refused(asked: Guarded, answer: httpx.Response) -> str:
    """See that an answer says who to be, and nothing else."""
    found = asked.problem(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Bearer")
    return str(found["detail"])
