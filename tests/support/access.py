"""Two users, and transactions of the tables' owner and of the API's role."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from trackrecord.access.store import identities, logins, users
from trackrecord.access.store.audit import COMMAND_LINE
from trackrecord.access.store.session import act_for
from trackrecord.access.store.users import User
from trackrecord.access.tokens import Bearer
from trackrecord.runtime import database
from trackrecord.runtime.database import Cursor
from trackrecord.runtime.settings import Settings

NOW = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)
HERE = "192.0.2.7"
TICK = timedelta(seconds=1)
HASH = "$argon2id$of-a-test"


class Access:
    """Transactions of the tables' owner and of the API."""

    def __init__(self, settings: Settings, as_api: Settings) -> None:
        self.settings, self.as_api = settings, as_api
        with self.owner() as cursor:
            self.alice = users.add(cursor, COMMAND_LINE, "alice", "trader", HASH, NOW)
            self.bob = users.add(cursor, COMMAND_LINE, "bob", "trader", HASH, NOW)

    @contextmanager
    def owner(self) -> Iterator[Cursor]:
        with database.session(self.settings, application="test") as cursor:
            yield cursor

    @contextmanager
    def api(self, user: User | None = None) -> Iterator[Cursor]:
        with database.session(self.as_api, application="test") as cursor:
            act_for(cursor, user and user.user_id)
            yield cursor

    def login(self, at: datetime = NOW) -> tuple[Bearer, str]:
        with self.api() as cursor:
            who = logins.attempt(cursor, "alice", HERE, at)
        with self.api() as cursor:
            return logins.begin_tokens(cursor, who, HERE, at, at)

    def refresh(self, token: str, at: datetime) -> tuple[Bearer, str] | None:
        with self.api() as cursor:
            return logins.refreshed(cursor, token, at)

    def known(self, bearer: Bearer, at: datetime) -> identities.Identity | None:
        with self.api() as cursor:
            return identities.of_login(cursor, bearer, at)
