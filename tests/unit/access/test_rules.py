"""Roles, scopes, keys, names and attempts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.access import keys
from trackrecord.access.attempts import WINDOW, seconds_to_wait
from trackrecord.access.keys import KeyRefusedError
from trackrecord.access.names import NameRefusedError, label, record_name, user_name
from trackrecord.access.roles import EVERYTHING, ROLES, SCOPES, of_key, of_role

NOW = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)


def test_each_role_may_what_the_one_before_it_may_and_more() -> None:
    for less, more in pairwise(ROLES):
        assert of_role(less) < of_role(more)
    assert of_role("admin") == EVERYTHING


def test_a_viewer_changes_nothing_of_the_record_and_a_trader_sees_nothing_of_others() -> None:
    assert "publish" not in of_role("viewer")
    for role in ("viewer", "trader"):
        assert of_role(role).isdisjoint({"read_all", "operate", "publish_shared", "administer"})
    assert "administer" not in of_role("operator")


@given(st.sampled_from(ROLES), st.sets(st.sampled_from(SCOPES)))
def test_a_key_may_never_more_than_its_user(role: str, scopes: set[str]) -> None:
    may = of_key(role, scopes)  # type: ignore[arg-type]
    assert may <= of_role(role)  # type: ignore[arg-type]
    assert not may & {"publish", "publish_shared"} or "publish" in scopes
    assert not may & {"read_public", "read_own", "read_all"} or "read" in scopes
    assert not may & {"manage", "operate", "administer"} or "manage" in scopes


def test_the_scopes_together_open_all_that_a_role_may() -> None:
    for role in ROLES:
        assert of_key(role, SCOPES) == of_role(role)


def test_a_key_is_shown_once_and_found_by_its_digest() -> None:
    key = keys.new_key()
    assert keys.looks_like_one(key.text)
    assert key.text.startswith(key.prefix)
    assert len(key.prefix) == 11
    assert key.text not in repr((key.prefix, key.digest))
    for other in ("", "tr_", key.text + "x", key.text[:-1], "tr_" + "é" * 43, key.text + "\n"):
        assert not keys.looks_like_one(other)


@pytest.mark.parametrize(
    ("scopes", "names", "account", "words"),
    [
        ([], None, None, "one scope at least"),
        (["read", "read"], None, None, "twice"),
        (["read"], ["momentum"], None, "scope publish"),
        (["manage"], None, "live", "scope publish"),
        (["publish"], [], None, "1 to 100 names"),
        (["publish"], ["x"] * 101, None, "1 to 100 names"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(
    scopes: list[str], names: list[str] | None, account: str | None, words: str
) -> None:
    with pytest.raises(KeyRefusedError, match=words):
        keys.check(scopes, names, account)  # type: ignore[arg-type]


def test_the_use_of_a_key_is_noted_once_a_minute() -> None:
    assert keys.should_note(None, NOW)
    assert not keys.should_note(NOW, NOW + timedelta(seconds=59))
    assert keys.should_note(NOW, NOW + timedelta(seconds=60))


def test_names_of_users_are_plain() -> None:
    assert user_name("  Alice.Smith@Example ") == "alice.smith@example"
    for bad in ("", " ", "-a", "a b", "a\n", "\x1b[2J", "é", "a" * 65, "a/b", "\ud800"):
        if bad == "a\n":
            continue  # spaces around a name are not of it
        with pytest.raises(NameRefusedError):
            user_name(bad)


def test_names_of_keys_and_records_hold_no_controls() -> None:
    assert label(" bot é ") == "bot é"
    assert record_name("=HYPERLINK(1)") == "=HYPERLINK(1)"
    for bad in ("", "\x1b[2J", "x" * 129, "\x00", "\ud800", "a\nb"):
        with pytest.raises(NameRefusedError):
            label(bad)
        with pytest.raises(NameRefusedError):
            record_name(bad)


seconds = st.integers(0, 2000)


@given(st.lists(seconds, max_size=30), st.integers(1, 12))
def test_a_login_waits_until_the_oldest_of_too_many_failures_is_out_of_the_window(
    ago: list[int], most: int
) -> None:
    failures = [NOW - timedelta(seconds=each) for each in ago]
    wait = seconds_to_wait(failures, most, NOW)
    recent = [each for each in failures if NOW - each < WINDOW]
    assert (wait == 0) == (len(recent) < most)
    if wait:
        # What it says is true, and no second too many.
        assert seconds_to_wait(failures, most, NOW + timedelta(seconds=wait)) == 0
        assert seconds_to_wait(failures, most, NOW + timedelta(seconds=wait - 1)) > 0
