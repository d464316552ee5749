"""Who says who they are: passwords, tokens, and the cookie of a browser."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import httpx
import jwt
import pytest

from tests.support.guarded import ME, PASSWORD, SECRET, Guarded, owner, refused
from trackrecord.access import passwords
from trackrecord.access.attempts import OF_USER
from trackrecord.access.store import users
from trackrecord.access.store.audit import COMMAND_LINE
from trackrecord.access.tokens import ACCESS_FOR, AccessTokens, Bearer
from trackrecord.api.app import place_of
from trackrecord.api.guard import COOKIE
from trackrecord.clock import SYSTEM_CLOCK
from trackrecord.runtime.settings import Settings

pytestmark = [pytest.mark.kafka, pytest.mark.usefixtures("no_failed_logins")]


def test_a_name_and_password_give_tokens_that_say_who_asks(asked: Guarded) -> None:
    answer = asked.login("alice")
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    found = answer.json()
    assert (found["token_type"], found["expires_in"]) == ("bearer", 900)
    me = asked.bearer(found["access_token"]).json()
    assert (me["name"], me["role"], me["key"]) == ("alice", "trader", None)
    assert "publish" in me["permissions"]


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("alice", "wrong"),
        ("alice", PASSWORD + " "),
        ("nobody", PASSWORD),
        ("nobody\x00", PASSWORD),
        ("{{user}}", PASSWORD),
        ("' OR 1=1 --", PASSWORD),
        ("alice", "\x00"),
        ("alice", "é" * 256),
    ],
)
def test_what_does_not_fit_is_refused_in_the_same_words(
    asked: Guarded, name: str, password: str
) -> None:
    found = asked.problem(asked.login(name, password), 401)
    assert found["detail"] == "no user has this name and this password"


def test_an_unknown_name_costs_one_comparison_as_a_known_one_does(
    asked: Guarded, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str | None] = []
    really = passwords.fits

    def fits(password: str, as_kept: str | None) -> bool:
        compared.append(as_kept)
        return really(password, as_kept)

    monkeypatch.setattr(passwords, "fits", fits)
    asked.login("alice", "wrong")
    asked.login("nobody", "wrong")
    known, unknown = compared
    assert known is not None
    assert unknown is None
    # What stands in for it was made with the same parameters, so that it takes as long.
    assert not passwords.is_outdated(passwords.NOBODYS)
    assert not passwords.is_outdated(known)
    with owner(settings) as cursor:
        cursor.execute("DELETE FROM login_attempts")


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({}, "username"),
        ({"username": "alice"}, "password"),
        ({"grant_type": "refresh_token"}, "refresh_token"),
        ({"grant_type": "client_credentials"}, "grant_type"),
        ({"username": "a" * 257, "password": "x"}, "username"),
        ({"username": "alice", "password": "x", "role": "admin"}, "role"),
    ],
)
def test_a_form_that_lacks_something_is_told_what(
    asked: Guarded, form: dict[str, str], field: str
) -> None:
    answer = asked.client.post("/api/v1/auth/token", data=form)
    assert answer.status_code in {400, 422}
    found = asked.problem(answer, answer.status_code)
    assert field in json.dumps(found["errors"])


def test_a_body_that_is_no_form_is_refused(asked: Guarded) -> None:
    for content, kind in (
        (b'{"username":"alice"}', "application/json"),
        (b"\x00\xff" * 1000, "application/x-www-form-urlencoded"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b"x", "multipart/form-data"),
    ):
        answer = asked.client.post(
            "/api/v1/auth/token", content=content, headers={"content-type": kind}
        )
        assert answer.status_code in {400, 401, 422}, (kind, answer.text)
        asked.problem(answer, answer.status_code)


def made(asked: Guarded, settings: Settings, name: str = "alice") -> Bearer:
    """Whom a token of a user names."""
    tokens = AccessTokens(SECRET, place_of(settings))
    return tokens.read(asked.login(name).json()["access_token"], SYSTEM_CLOCK.now())


def test_tokens_that_are_expired_forged_or_unsigned_open_nothing(
    asked: Guarded, settings: Settings
) -> None:
    good = asked.login("alice").json()["access_token"]
    head, body, signature = good.split(".")
    said = jwt.decode(good, options={"verify_signature": False})
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    bearer = made(asked, settings)
    old = AccessTokens(SECRET, place_of(settings)).written(
        bearer, SYSTEM_CLOCK.now() - ACCESS_FOR - timedelta(seconds=1)
    )
    root = jwt.encode({**said, "sub": str(made(asked, settings, "root").user_id)}, SECRET, "HS256")
    for token in (
        f"{unsigned}.{body}.",
        f"{unsigned}.{body}.{signature}",
        f"{head}.{body}.{signature[::-1]}",
        jwt.encode(said, SECRET[::-1], "HS256"),
        jwt.encode(said, SECRET * 2, "HS512"),
        AccessTokens(SECRET, "another installation").written(bearer, SYSTEM_CLOCK.now()),
        # Rightly signed, for a login that is of somebody else.
        root,
        "x",
        "x" * 10_000,
        "tr_" + "x" * 43,
    ):
        refused(asked, asked.bearer(token))
    assert "expired" in refused(asked, asked.bearer(old))
    assert asked.bearer(good).status_code == 200


def test_other_ways_to_say_who_one_is_are_not_taken(asked: Guarded) -> None:
    for headers in (
        {},
        {"authorization": "Basic YWxpY2U6eA=="},
        {"authorization": "Bearer"},
        {"authorization": asked.keys["alice"]},
        {"x-api-key": "x"},
        {"x-api-key": ""},
        {"cookie": f"{COOKIE}=x"},
        {"cookie": f"{COOKIE}={asked.keys['alice']}"},
        {"cookie": "\x22;=,"},
        # What comes first decides: a wrong token is not made good by a key beside it.
        {"authorization": "Bearer x", "x-api-key": asked.keys["alice"]},
    ):
        refused(asked, asked.client.get(ME, headers=headers))
    assert asked.client.get(ME, params={"access_token": asked.keys["alice"]}).status_code == 401


def test_a_refresh_token_is_good_once_and_its_reuse_ends_the_login(asked: Guarded) -> None:
    first = asked.login("alice").json()
    second = asked.refresh(first["refresh_token"]).json()
    assert asked.bearer(second["access_token"]).status_code == 200
    asked.problem(asked.refresh(first["refresh_token"]), 401)
    # Whoever has which of the two, both are good for nothing now.
    asked.problem(asked.refresh(second["refresh_token"]), 401)
    refused(asked, asked.bearer(second["access_token"]))
    refused(asked, asked.bearer(first["access_token"]))
    asked.problem(asked.refresh("none of ours"), 401)
    asked.problem(asked.refresh("\x00"), 401)


def test_two_logins_at_once_are_two_logins(asked: Guarded) -> None:
    start = threading.Barrier(2)

    def login() -> dict[str, str]:
        start.wait()
        found: dict[str, str] = asked.login("alice").json()
        return found

    with ThreadPoolExecutor(2) as pool:
        one, other = (each.result() for each in [pool.submit(login) for _ in range(2)])
    assert one["refresh_token"] != other["refresh_token"]
    assert asked.bearer(one["access_token"], "/api/v1/auth/revoke", "POST").status_code == 204
    refused(asked, asked.bearer(one["access_token"]))
    assert asked.bearer(other["access_token"]).status_code == 200


def test_a_login_is_ended_by_its_token_and_not_by_another_s(asked: Guarded) -> None:
    alice, bob = asked.login("alice").json(), asked.login("bob").json()

    def revoke(token: str, what: str) -> None:
        answer = asked.client.post(
            "/api/v1/auth/revoke",
            data={"token": what},
            headers={"authorization": f"Bearer {token}"},
        )
        assert answer.status_code == 204, answer.text

    revoke(bob["access_token"], alice["refresh_token"])
    assert asked.bearer(alice["access_token"]).status_code == 200
    revoke(bob["access_token"], "none of ours")
    revoke(alice["access_token"], alice["refresh_token"])
    refused(asked, asked.bearer(alice["access_token"]))
    asked.problem(asked.refresh(alice["refresh_token"]), 401)
    assert asked.bearer(bob["access_token"]).status_code == 200


def test_failed_logins_are_limited_and_it_is_said_when_to_try_again(asked: Guarded) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: asked.login("vera", "wrong"), range(OF_USER + 6)))
    assert [each.status_code for each in found].count(401) == OF_USER
    answer = asked.login("vera")
    asked.problem(answer, 429)
    assert 800 < int(answer.headers["retry-after"]) <= 900
    assert asked.login("alice").status_code == 200
    # Keys and logins that are open go on.
    assert asked.people["vera"].get(ME).status_code == 200


def test_a_user_who_is_disabled_is_out_at_once(asked: Guarded, settings: Settings) -> None:
    token = asked.login("vera").json()["access_token"]
    try:
        with owner(settings) as cursor:
            users.set_disabled(cursor, COMMAND_LINE, "vera", disabled=True, now=SYSTEM_CLOCK.now())
        refused(asked, asked.bearer(token))
        refused(asked, asked.people["vera"].get(ME))
        asked.problem(asked.login("vera"), 401)
    finally:
        with owner(settings) as cursor:
            users.set_disabled(cursor, COMMAND_LINE, "vera", disabled=False, now=SYSTEM_CLOCK.now())
    assert asked.people["vera"].get(ME).status_code == 200


@contextmanager
def browser(asked: Guarded, name: str = "alice") -> Iterator[httpx.Client]:
    with httpx.Client(base_url=asked.url, timeout=30) as client:
        answer = client.post(
            "/api/v1/auth/session",
            data={"username": name, "password": PASSWORD},
            headers={"origin": asked.url},
        )
        assert answer.status_code == 200, answer.text
        cookie = answer.headers["set-cookie"].lower()
        for part in ("httponly", "samesite=lax", "path=/", "max-age=604800"):
            assert part in cookie
        yield client


def test_a_browser_logs_in_by_a_cookie_and_out_again(asked: Guarded) -> None:
    with browser(asked) as client:
        assert client.get(ME).json()["name"] == "alice"
        value = client.cookies[COOKIE]
        answer = client.delete("/api/v1/auth/session", headers={"origin": asked.url})
        assert answer.status_code == 204
        assert COOKIE not in client.cookies
    again = asked.client.get(ME, headers={"cookie": f"{COOKIE}={value}"})
    refused(asked, again)


@pytest.mark.parametrize(
    "origin", [None, "https://evil.example", "null", "http://127.0.0.1:1", "", "x"]
)
def test_a_page_of_another_site_changes_nothing_with_the_cookie(
    asked: Guarded, origin: str | None
) -> None:
    headers = {} if origin is None else {"origin": origin}
    with browser(asked) as client:
        assert client.get(ME, headers=headers).status_code == 200
        for method, path in (
            ("POST", "/api/v1/me/keys"),
            ("DELETE", "/api/v1/auth/session"),
            ("POST", "/api/v1/events/signal_emitted"),
            ("PATCH", "/api/v1/claims/momentum"),
        ):
            answer = client.request(method, path, headers=headers, json={})
            assert "may change nothing" in str(asked.problem(answer, 403)["detail"])
        own = client.patch(
            "/api/v1/claims/momentum", json={"public": False}, headers={"origin": asked.url}
        )
        assert own.status_code == 200


def test_a_page_of_another_site_logs_nobody_in(asked: Guarded) -> None:
    answer = asked.client.post(
        "/api/v1/auth/session",
        data={"username": "bob", "password": PASSWORD},
        headers={"origin": "https://evil.example"},
    )
    asked.problem(answer, 403)
    assert "set-cookie" not in answer.headers
