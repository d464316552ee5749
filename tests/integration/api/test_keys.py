"""Keys of users, their passwords, and what admins do."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.support.guarded import ME, PASSWORD, ROLES, Guarded, owner, refused
from trackrecord.access.store import keys, users
from trackrecord.access.store.audit import COMMAND_LINE
from trackrecord.clock import SYSTEM_CLOCK
from trackrecord.runtime.settings import Settings

pytestmark = [pytest.mark.kafka, pytest.mark.usefixtures("no_failed_logins")]


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
