"""Logins, refresh tokens and attempts, as the API's own role goes about them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from tests.support.access import HASH, HERE, NOW, TICK, Access
from trackrecord.access.attempts import OF_ADDRESS, OF_USER, WINDOW, TooManyAttemptsError
from trackrecord.access.roles import of_role
from trackrecord.access.store import attempts, identities, logins, users
from trackrecord.access.store.audit import COMMAND_LINE
from trackrecord.access.store.logins import LoginRefusedError
from trackrecord.access.tokens import LOGIN_FOR, REFRESH_FOR, SESSION_FOR, Bearer
from trackrecord.runtime.database import rows

pytestmark = pytest.mark.kafka


def test_a_login_is_of_its_user_with_the_role_of_now(access: Access) -> None:
    bearer, _ = access.login()
    known = access.known(bearer, NOW)
    assert known is not None
    assert (known.name, known.role, known.permissions) == ("alice", "trader", of_role("trader"))
    with access.owner() as cursor:
        users.set_role(cursor, COMMAND_LINE, "alice", "viewer")
    known = access.known(bearer, NOW)
    assert known is not None
    assert known.permissions == of_role("viewer")
    assert access.known(Bearer(access.bob.user_id, bearer.login_id), NOW) is None
    assert access.known(bearer, NOW + LOGIN_FOR) is None
    with access.owner() as cursor:
        users.set_disabled(cursor, COMMAND_LINE, "alice", disabled=True, now=NOW)
    assert access.known(bearer, NOW) is None


def test_a_refresh_token_is_good_once_and_a_second_use_ends_the_login(access: Access) -> None:
    bearer, first = access.login()
    found = access.refresh(first, NOW)
    assert found is not None
    again, second = found
    assert (again, second != first) == (bearer, True)
    assert access.refresh(first, NOW + TICK) is None
    assert access.refresh(second, NOW + TICK) is None
    assert access.known(bearer, NOW) is None
    with access.owner() as cursor:
        assert rows(cursor, "SELECT ended_why FROM logins") == [("reuse",)]
        assert rows(cursor, "SELECT count(*) FROM audit_log"
                            " WHERE action = 'refresh token reused'") == [(1,)]  # fmt: skip


def test_reuse_ends_no_other_login_of_the_user(access: Access) -> None:
    _, stolen = access.login()
    other, _ = access.login(NOW + TICK)
    access.refresh(stolen, NOW)
    access.refresh(stolen, NOW)
    assert access.known(other, NOW + TICK) is not None


def test_of_two_who_refresh_at_once_one_is_answered_and_the_login_ends(access: Access) -> None:
    bearer, token = access.login()
    start = threading.Barrier(2)

    def refresh() -> object:
        start.wait()
        return access.refresh(token, NOW)

    with ThreadPoolExecutor(2) as pool:
        found = [each.result() for each in [pool.submit(refresh) for _ in range(2)]]
    assert len([each for each in found if each is not None]) == 1
    assert access.known(bearer, NOW) is None


@pytest.mark.parametrize("after", [REFRESH_FOR, LOGIN_FOR])
def test_a_refresh_token_expires(access: Access, after: timedelta) -> None:
    _, token = access.login()
    assert access.refresh(token, NOW + after) is None
    assert access.refresh("none of ours", NOW) is None
    assert access.refresh("\ud800", NOW) is None


def test_a_login_goes_on_by_refreshing_until_it_is_90_days_old(access: Access) -> None:
    at, (_, token) = NOW, access.login()
    while (found := access.refresh(token, at)) is not None:
        token = found[1]
        at += timedelta(days=20)
    assert at - NOW == timedelta(days=100)


def test_what_is_kept_of_tokens_opens_nothing(access: Access) -> None:
    _, token = access.login()
    with access.owner() as cursor:
        [(kept,)] = rows(cursor, "SELECT encode(token_hash, 'hex') FROM refresh_tokens")
        everything = str(rows(cursor, "SELECT t::text FROM refresh_tokens t"))
    assert token not in everything
    assert access.refresh(kept, NOW) is None


def test_a_login_that_is_ended_ends_its_tokens(access: Access) -> None:
    bearer, token = access.login()
    with access.api(access.bob) as cursor:
        assert not logins.end(cursor, Bearer(access.bob.user_id, bearer.login_id), "logout", NOW)
    with access.api(access.alice) as cursor:
        assert logins.end(cursor, bearer, "logout", NOW)
        assert not logins.end(cursor, bearer, "logout", NOW)
    assert access.known(bearer, NOW) is None
    assert access.refresh(token, NOW) is None


def test_a_password_that_is_changed_ends_all_logins(access: Access) -> None:
    bearer, token = access.login()
    with access.api() as cursor:
        who = logins.attempt(cursor, "alice", HERE, NOW)
    with access.owner() as cursor:
        users.set_password(cursor, COMMAND_LINE, "alice", HASH + "2", NOW)
    assert access.known(bearer, NOW) is None
    assert access.refresh(token, NOW) is None
    # One whose old password was being compared meanwhile.
    with pytest.raises(LoginRefusedError), access.api() as cursor:
        logins.begin_tokens(cursor, who, HERE, NOW, NOW)


def test_a_session_is_its_cookie_s(access: Access) -> None:
    with access.api() as cursor:
        who = logins.attempt(cursor, "Alice ", HERE, NOW)
        cookie = logins.begin_session(cursor, who, HERE, NOW, NOW)
    with access.api() as cursor:
        known = identities.of_session(cursor, cookie, NOW)
        assert known is not None
        assert known.name == "alice"
        assert identities.of_session(cursor, cookie + "x", NOW) is None
        assert identities.of_session(cursor, cookie, NOW + SESSION_FOR) is None
    with access.owner() as cursor:
        assert cookie not in str(rows(cursor, "SELECT l::text FROM logins l"))


# -- attempts -------------------------------------------------------------------------------------


def failing(access: Access, user: str, address: str, at: datetime) -> None:
    with access.api() as cursor:
        logins.attempt(cursor, user, address, at)


def test_a_user_s_failures_are_limited_wherever_they_come_from(access: Access) -> None:
    for number in range(OF_USER):
        failing(access, "alice", f"192.0.2.{number}", NOW + number * TICK)
    with pytest.raises(TooManyAttemptsError) as refused:
        failing(access, "ALICE", "192.0.2.99", NOW + 20 * TICK)
    assert refused.value.seconds == (WINDOW - 20 * TICK).total_seconds()
    failing(access, "bob", "192.0.2.99", NOW + 20 * TICK)
    failing(access, "alice", "192.0.2.99", NOW + WINDOW)


def test_an_address_s_failures_are_limited_whatever_names_it_tries(access: Access) -> None:
    for number in range(OF_ADDRESS):
        failing(access, f"nobody{number}", HERE, NOW)
    with pytest.raises(TooManyAttemptsError):
        failing(access, "alice", HERE, NOW)
    failing(access, "alice", "192.0.2.99", NOW)


def test_names_that_nobody_can_have_are_counted_too(access: Access) -> None:
    for bad in ["\x00", "\ud800", "", "a b", "x" * 1000] * 2:
        failing(access, bad, f"192.0.2.{len(bad) % 9}", NOW)
    with pytest.raises(TooManyAttemptsError):
        failing(access, "{{user}}", "192.0.2.99", NOW)


def test_a_login_that_succeeds_forgets_the_failures_of_its_user_alone(access: Access) -> None:
    for _ in range(OF_USER - 1):
        failing(access, "alice", HERE, NOW)
        failing(access, "bob", HERE, NOW)
    access.login(NOW + TICK)
    with access.owner() as cursor:
        left = rows(cursor, "SELECT subject, count(*) FROM login_attempts GROUP BY 1 ORDER BY 1")
    assert left == [(f"address:{HERE}", 2 * (OF_USER - 1)), ("user:bob", OF_USER - 1)]


def test_many_at_once_are_not_more_than_the_limit(access: Access) -> None:
    start = threading.Barrier(20)

    def attempt() -> bool:
        start.wait()
        try:
            failing(access, "alice", HERE, NOW)
        except TooManyAttemptsError:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        tried = [each.result() for each in [pool.submit(attempt) for _ in range(20)]]
    assert sum(tried) == OF_USER


def test_what_is_out_of_the_window_is_forgotten(access: Access) -> None:
    failing(access, "alice", HERE, NOW)
    failing(access, "bob", "192.0.2.99", NOW + WINDOW + TICK)
    with access.owner() as cursor:
        assert rows(cursor, "SELECT count(*) FROM login_attempts") == [(2,)]


def test_the_limits_are_counted_by_all_processes_together(access: Access) -> None:
    """It is a table, and no memory of one process."""
    with access.owner() as cursor:
        for _ in range(OF_USER):
            attempts.begin(cursor, "alice", HERE, NOW)
    with pytest.raises(TooManyAttemptsError):
        failing(access, "alice", "192.0.2.99", NOW)
