"""Keys, claims and users, as the API's own role and the tables' owner go about them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from uuid import UUID

import pytest

from services.signal_tracker.service import STAGE as TRACKER
from tests.support.access import NOW, TICK, Access
from tests.support.serving import signal
from trackrecord.access.keys import KeyRefusedError
from trackrecord.access.store import claims, identities, keys, users
from trackrecord.access.store.audit import COMMAND_LINE, Actor
from trackrecord.access.store.claims import ClaimRefusedError
from trackrecord.access.store.users import User, UserRefusedError
from trackrecord.runtime.database import rows
from trackrecord.runtime.settings import Settings
from trackrecord.testing import StageRun

pytestmark = pytest.mark.kafka


# -- keys -----------------------------------------------------------------------------------------


def make(access: Access, user: User, **more: object) -> tuple[keys.Key, str]:
    with access.api(user) as cursor:
        actor = Actor(user.name, user.user_id)
        key, new = keys.make(
            cursor, actor, user.user_id, "bot", ["publish", "read"], NOW, **more  # type: ignore[arg-type]
        )  # fmt: skip
    return key, new.text


def used(access: Access, text: str, at: datetime = NOW) -> identities.Identity | None:
    with access.api() as cursor:
        return identities.of_api_key(cursor, text, at)


def test_a_key_acts_for_its_user_within_its_scopes(access: Access) -> None:
    key, text = make(access, access.alice, names=["momentum"], account="paper")
    known = used(access, text)
    assert known is not None
    assert (known.user_id, known.name) == (access.alice.user_id, "alice")
    assert known.permissions == {"publish", "read_public", "read_own"}
    assert known.key is not None
    assert (known.key.names, known.key.account) == ({"momentum"}, "paper")
    assert used(access, text[:-1] + ("A" if text[-1] != "A" else "B")) is None
    assert used(access, key.prefix) is None
    with access.owner() as cursor:
        assert text not in str(rows(cursor, "SELECT k::text FROM api_keys k"))
        assert text not in str(rows(cursor, "SELECT a::text FROM audit_log a"))


def test_a_key_that_is_revoked_or_has_expired_is_good_for_nothing(access: Access) -> None:
    key, text = make(access, access.alice, expires_at=NOW + TICK)
    assert used(access, text) is not None
    assert used(access, text, NOW + TICK) is None
    key, text = make(access, access.alice)
    with access.api(access.bob) as cursor:
        bob = Actor("bob", access.bob.user_id)
        assert keys.revoke(cursor, bob, key.key_id, NOW) is None
    assert used(access, text) is not None
    with access.api(access.alice) as cursor:
        alice = Actor("alice", access.alice.user_id)
        found = keys.revoke(cursor, alice, key.key_id, NOW)
        assert found is not None
        assert found.revoked_at == NOW
        assert keys.revoke(cursor, alice, key.key_id, NOW + TICK) == found
        assert keys.revoke(cursor, alice, UUID(int=7), NOW) is None
    assert used(access, text) is None


def test_the_last_use_is_kept_to_the_minute(access: Access) -> None:
    key, _ = make(access, access.alice)
    with access.api(access.alice) as cursor:
        keys.note_use(cursor, key.key_id, NOW + 95 * TICK)
        [found] = keys.listed(cursor)
    assert found.last_used_at == NOW + 60 * TICK


def test_a_user_has_so_many_keys_at_most(access: Access) -> None:
    for _ in range(keys.MOST_OF_USER):
        make(access, access.alice)
    with pytest.raises(KeyRefusedError, match="revoke one"):
        make(access, access.alice)
    make(access, access.bob)


# -- claims ---------------------------------------------------------------------------------------


def publish(access: Access, user: User, *names: str) -> list[str]:
    with access.api(user) as cursor:
        return claims.claim_published(cursor, Actor(user.name, user.user_id), names, NOW)


def test_a_name_belongs_to_who_first_publishes_under_it(access: Access) -> None:
    assert publish(access, access.alice, "momentum", "trend", "momentum") == []
    assert publish(access, access.alice, "momentum") == []
    assert publish(access, access.bob, "momentum", "mine", "trend") == ["momentum", "trend"]
    with access.owner() as cursor:
        found = {each.name: (each.user, each.public, each.how) for each in claims.listed(cursor)}
    assert found == {
        "momentum": ("alice", False, "published"),
        "trend": ("alice", False, "published"),
        "mine": ("bob", False, "published"),
    }


def test_what_was_there_for_all_to_see_stays_so_when_it_is_claimed(
    access: Access, settings: Settings
) -> None:
    StageRun(TRACKER, settings).of([signal(1, "old")])
    publish(access, access.alice, "old", "new")
    with access.owner() as cursor:
        assert {each.name: each.public for each in claims.listed(cursor)} == {
            "new": False,
            "old": True,
        }


def test_of_two_who_publish_first_at_once_one_has_the_name(access: Access) -> None:
    start = threading.Barrier(2)

    def go(user: User) -> list[str]:
        start.wait()
        return publish(access, user, *(f"name{n}" for n in range(20)))

    with ThreadPoolExecutor(2) as pool:
        found = [each.result() for each in [pool.submit(go, u) for u in (access.alice, access.bob)]]
    assert sorted(map(len, found)) == [0, 20]


def test_only_its_user_says_who_sees_a_name(access: Access) -> None:
    publish(access, access.alice, "momentum")
    bob = Actor("bob", access.bob.user_id)
    with access.api(access.bob) as cursor, pytest.raises(ClaimRefusedError, match="nobody's"):
        claims.set_public(cursor, bob, "momentum", public=True)
    with access.api(access.alice) as cursor:
        alice = Actor("alice", access.alice.user_id)
        assert claims.set_public(cursor, alice, "momentum", public=True).public
    with access.api(access.bob) as cursor:
        assert [each.name for each in claims.listed(cursor)] == ["momentum"]
        with pytest.raises(ClaimRefusedError, match="somebody else's"):
            claims.set_public(cursor, bob, "momentum", public=False)
        with pytest.raises(ClaimRefusedError):
            claims.release(cursor, bob, "momentum")
    with access.owner() as cursor:
        claims.release(cursor, COMMAND_LINE, "momentum")
    assert publish(access, access.bob, "momentum") == []


def test_hidden_names_are_those_of_others_that_are_not_public(access: Access) -> None:
    publish(access, access.alice, "hers")
    publish(access, access.bob, "his")
    _, text = make(access, access.alice)
    with access.api() as cursor:
        known = identities.of_api_key(cursor, text, NOW)
        assert known is not None
        assert identities.view_of(cursor, known).hidden == {"his"}
    with access.owner() as cursor:
        users.set_role(cursor, COMMAND_LINE, "alice", "operator")
    with access.api() as cursor:
        known = identities.of_api_key(cursor, text, NOW)
        assert known is not None
        assert identities.view_of(cursor, known).hidden == frozenset()


# -- users ----------------------------------------------------------------------------------------


def test_there_is_always_an_admin_left(access: Access) -> None:
    with access.owner() as cursor:
        users.add(cursor, COMMAND_LINE, "root", "admin", None, NOW)
        changes: list[Callable[[], object]] = [
            lambda: users.set_role(cursor, COMMAND_LINE, "root", "viewer"),
            lambda: users.set_disabled(cursor, COMMAND_LINE, "root", disabled=True, now=NOW),
        ]
        for change in changes:
            with pytest.raises(UserRefusedError, match="only admin"):
                change()
        users.add(cursor, COMMAND_LINE, "root2", "admin", None, NOW)
        changes[1]()
        with pytest.raises(UserRefusedError, match="only admin"):
            users.set_role(cursor, COMMAND_LINE, "root2", "viewer")


def test_a_name_is_taken_once(access: Access) -> None:
    with access.owner() as cursor:
        with pytest.raises(UserRefusedError, match="already"):
            users.add(cursor, COMMAND_LINE, "alice", "viewer", None, NOW)
        assert users.count(cursor) == 2
        with pytest.raises(UserRefusedError, match="no user"):
            users.find(cursor, "nobody")
