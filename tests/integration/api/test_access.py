"""Who is let in, by which token, key or cookie, and for how long."""

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

from tests.integration.api.conftest import settings_of
from tests.support.guarded import PASSWORD, ROLES, SECRET, Guarded
from tests.support.servers import Services
from tests.support.serving import served
from trackrecord.access import passwords
from trackrecord.access.attempts import OF_USER
from trackrecord.access.store import keys, logins, users
from trackrecord.access.store.audit import COMMAND_LINE
from trackrecord.access.tokens import ACCESS_FOR, AccessTokens, Bearer
from trackrecord.api.app import place_of
from trackrecord.api.guard import COOKIE
from trackrecord.api.pool import Pool
from trackrecord.api.server import run
from trackrecord.clock import SYSTEM_CLOCK
from trackrecord.runtime import database
from trackrecord.runtime.database import Cursor, rows
from trackrecord.runtime.errors import ConfigurationError
from trackrecord.runtime.settings import Settings
from trackrecord.testing import scratch_schema

pytestmark = pytest.mark.kafka

ME = "/api/v1/me"


@pytest.fixture
def settings(guarded_record: tuple[Settings, dict[str, str]]) -> Settings:
    return guarded_record[0]


@contextmanager
def owner(settings: Settings) -> Iterator[Cursor]:
    with database.session(settings, application="test") as cursor:
        yield cursor


@pytest.fixture(autouse=True)
def _no_failures(settings: Settings) -> Iterator[None]:
    """Each test begins without failed logins."""
    yield
    with owner(settings) as cursor:
        cursor.execute("DELETE FROM login_attempts")


def refused(asked: Guarded, answer: httpx.Response) -> str:
    """See that an answer says who to be, and nothing else."""
    found = asked.problem(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Bearer")
    return str(found["detail"])


# -- tokens ---------------------------------------------------------------------------------------


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


# -- browsers -------------------------------------------------------------------------------------


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


# -- keys -----------------------------------------------------------------------------------------


def test_a_body_that_is_no_json_is_refused_as_unreadable(asked: Guarded) -> None:
    for content in (b"{", b"\xff", b"[" * 100_000, b"NaN", b'{"name":"\\ud800","scopes":["read"]}'):
        answer = asked.people["alice"].post(
            "/api/v1/me/keys", content=content, headers={"content-type": "application/json"}
        )
        assert answer.status_code in {400, 422}, (content[:20], answer.text)
        asked.problem(answer, answer.status_code)


def test_a_key_is_made_used_and_revoked(asked: Guarded) -> None:
    alice = asked.people["alice"]
    answer = alice.post("/api/v1/me/keys", json={"name": "reader", "scopes": ["read"]})
    assert answer.status_code == 201, answer.text
    key = answer.json()
    with httpx.Client(base_url=asked.url, headers={"authorization": f"Bearer {key['key']}"}) as it:
        me = it.get(ME).json()
        assert me["permissions"] == ["read_own", "read_public"]
        assert me["key"]["key_id"] == key["key_id"]
        assert it.get("/api/v1/signals").status_code == 200
        for method, path in (
            ("POST", "/api/v1/events/signal_emitted"),
            ("GET", "/api/v1/me/keys"),
            ("GET", "/api/v1/dead-letters"),
        ):
            asked.problem(it.request(method, path), 403)
        shown = alice.get("/api/v1/me/keys").json()["keys"]
        [found] = [each for each in shown if each["key_id"] == key["key_id"]]
        assert found["last_used_at"].endswith(":00Z")
        assert key["key"] not in json.dumps(shown)
        # Another's key is not there for whoever else asks.
        asked.problem(asked.people["bob"].delete(f"/api/v1/me/keys/{key['key_id']}"), 404)
        asked.problem(asked.people["root"].delete(f"/api/v1/me/keys/{key['key_id']}"), 404)
        assert it.get(ME).status_code == 200
        assert alice.delete(f"/api/v1/me/keys/{key['key_id']}").json()["revoked_at"]
        refused(asked, it.get(ME))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x", "scopes": []}, "scopes"),
        ({"name": "x", "scopes": ["everything"]}, "scopes"),
        ({"name": "x", "scopes": ["read", "read"]}, "scopes"),
        ({"name": "x", "scopes": ["read"], "names": ["momentum"]}, "scopes"),
        ({"name": "\x1b[2J", "scopes": ["read"]}, "name"),
        ({"name": "x", "scopes": ["publish"], "names": ["\x00"]}, "names"),
        ({"name": "x", "scopes": ["publish"], "account": "dream"}, "account"),
        ({"name": "x", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}, "scopes"),
        ({"name": "x", "scopes": ["read"], "role": "admin"}, "role"),
        ({"name": 1, "scopes": ["read"]}, "name"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(
    asked: Guarded, body: dict[str, object], field: str
) -> None:
    found = asked.problem(asked.people["alice"].post("/api/v1/me/keys", json=body), 422)
    assert field in json.dumps(found["errors"])


def test_a_key_makes_none_that_may_more_than_itself(asked: Guarded, settings: Settings) -> None:
    with owner(settings) as cursor:
        alice = users.find(cursor, "alice")
        now = SYSTEM_CLOCK.now()
        _, manage = keys.make(cursor, COMMAND_LINE, alice.user_id, "m", ["manage"], now)
        _, named = keys.make(
            cursor, COMMAND_LINE, alice.user_id, "n", ["publish", "manage"], now, names=["x"]
        )
    for text, scopes, status in (
        (manage.text, ["read"], 403),
        (manage.text, ["manage"], 201),
        (named.text, ["publish"], 403),
    ):
        answer = asked.client.post(
            "/api/v1/me/keys",
            json={"name": "more", "scopes": scopes},
            headers={"x-api-key": text},
        )
        assert answer.status_code == status, answer.text


def test_a_password_is_changed_by_who_knows_the_old_one(asked: Guarded, settings: Settings) -> None:
    token = asked.login("vera").json()["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    path = "/api/v1/me/password"
    body = {"old": "wrong password", "new": "another horse battery"}
    asked.problem(asked.client.post(path, json=body, headers=headers), 401)
    body["old"] = PASSWORD
    asked.problem(asked.client.post(path, json={**body, "new": "short"}, headers=headers), 422)
    asked.problem(asked.people["vera"].post(path, json=body), 403)
    try:
        assert asked.client.post(path, json=body, headers=headers).status_code == 204
        refused(asked, asked.bearer(token))
        asked.problem(asked.login("vera"), 401)
        assert asked.login("vera", body["new"]).status_code == 200
    finally:
        with owner(settings) as cursor:
            from trackrecord.access import passwords  # noqa: PLC0415

            users.set_password(
                cursor, COMMAND_LINE, "vera", passwords.kept(PASSWORD), SYSTEM_CLOCK.now()
            )


# -- admins ---------------------------------------------------------------------------------------


def test_an_admin_adds_and_changes_users_and_reads_what_was_changed(asked: Guarded) -> None:
    root = asked.people["root"]
    new = {"name": "carol", "role": "viewer", "password": PASSWORD}
    answer = root.post("/api/v1/users", json=new)
    assert answer.status_code == 201, answer.text
    assert "password" not in answer.json()
    assert "name" in str(asked.problem(root.post("/api/v1/users", json=new), 422)["errors"])
    assert asked.login("carol").status_code == 200
    assert root.patch("/api/v1/users/carol", json={"role": "trader"}).json()["role"] == "trader"
    found = root.patch("/api/v1/users/carol", json={"disabled": True}).json()
    assert found["disabled_at"] is not None
    asked.problem(asked.login("carol"), 401)
    asked.problem(root.patch("/api/v1/users/nobody", json={"role": "admin"}), 404)
    asked.problem(root.patch("/api/v1/users/root", json={"role": "viewer"}), 422)
    names = {each["name"] for each in root.get("/api/v1/users").json()["users"]}
    assert names == {*ROLES, "carol"}
    entries = root.get("/api/v1/audit?limit=500").json()["entries"]
    assert {"user added", "role changed", "user disabled", "logged in", "login failed"} <= {
        each["action"] for each in entries
    }
    text = json.dumps(entries)
    assert PASSWORD not in text
    assert not any(key in text for key in asked.keys.values())


def test_lists_of_admins_are_read_by_pages(asked: Guarded) -> None:
    root = asked.people["root"]
    for path, rows_name in (("users", "users"), ("audit", "entries"), ("claims", "claims")):
        every = root.get(f"/api/v1/{path}?limit=500").json()[rows_name]
        found, cursor = [], ""
        while True:
            page = root.get(f"/api/v1/{path}?limit=2{cursor}").json()
            found += page[rows_name]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        assert found == every


# -- the process ----------------------------------------------------------------------------------


def test_a_listener_that_others_can_reach_needs_a_secret_of_32_bytes() -> None:
    beyond = {"api_host": "0.0.0.0", "api_port": 0}  # noqa: S104 - it must not
    with pytest.raises(ConfigurationError, match="TRACKRECORD_JWT_SECRET"):
        run(Settings().model_copy(update=beyond))
    for short in ("x", "x" * 31):
        with pytest.raises(ConfigurationError, match=r"TRACKRECORD_JWT_SECRET.*32 are the least"):
            run(Settings().model_copy(update={**beyond, "jwt_secret": short}))


def test_it_answers_nobody_while_its_role_could_pass_over_the_policies(services: Services) -> None:
    settings = settings_of(services, TRACKRECORD_JWT_SECRET=SECRET)
    with scratch_schema(settings), served(settings) as api:
        answer = api.client.get("/api/v1/signals", headers={"x-api-key": "tr_" + "x" * 43})
        assert "could see what is not" in str(api.problem(answer, 503)["detail"])
        assert "could see what is not" in api.client.get("/readyz").text
        assert api.client.get("/healthz").status_code == 200


def test_when_all_sessions_are_in_use_nobody_is_let_in(asked: Guarded) -> None:
    pool: Pool = asked.server.config.app.state.parts.pool  # type: ignore[union-attr]
    taken = [pool.connection() for _ in range(pool.size)]
    for each in taken:
        each.__enter__()
    try:
        asked.problem(asked.people["alice"].get(ME), 503)
        asked.problem(asked.people["alice"].get("/api/v1/signals"), 503)
    finally:
        for each in taken:
            each.__exit__(None, None, None)
    assert asked.people["alice"].get(ME).status_code == 200


def test_logins_that_nothing_is_kept_of_any_more_are_not_missed(
    asked: Guarded, settings: Settings
) -> None:
    assert asked.login("vera").status_code == 200
    with owner(settings) as cursor:
        assert logins.owner_of_refresh(cursor, "none") is None
        assert rows(cursor, "SELECT count(*) FROM logins") != [(0,)]
