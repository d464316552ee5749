"""Strategies over HTTP: made, looked at, changed, activated, copied, deleted; and refused."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from tests.support.guarded import Guarded, owner
from tests.support.made import BROKEN, CROSS, DRAFT, HOLDS, PATH, REFUSED, at, made
from trackrecord.access.store import keys, users
from trackrecord.access.store.audit import COMMAND_LINE
from trackrecord.clock import SYSTEM_CLOCK
from trackrecord.runtime.database import rows
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka


def reasons(found: dict[str, Any]) -> str:
    return str(found["detail"])


def test_a_sentence_becomes_a_strategy_that_goes_through_its_whole_life(
    asked: Guarded, settings: Settings
) -> None:
    alice = asked.people["alice"]
    answer = alice.post(f"{PATH}/generate/", json={"prompt": CROSS, "name": "life"})
    assert answer.status_code == 201, answer.text
    new = answer.json()
    assert answer.headers["location"] == at(new)
    assert (new["status"], new["answer"]["status"], new["provider"]) == (
        "done", "validated", "offline",
    )  # fmt: skip
    assert "def execute_strategy" in new["current"]["code"]
    assert new["current"]["rule"] is not None
    assert new["current"]["declared"]
    shown = alice.get(at(new))
    found = shown.json()
    assert found["strategy"] == new["strategy"]
    assert (found["strategy"]["status"], found["strategy"]["yours"]) == ("validated", True)
    same = {"if-none-match": shown.headers["etag"]}
    assert alice.get(at(new), headers=same).status_code == 304

    refused = asked.problem(alice.post(at(new, "activate")), 409)
    assert "has no symbols" in reasons(refused)
    changes = {
        "symbols": ["LIFE1", "LIFE2"], "quantity": "2.50", "description": "of a test",
        "parameters": {}, "currency": "EUR", "takes_over": True, "source": None,
    }  # fmt: skip
    changed = alice.put(at(new), json=changes).json()["strategy"]
    assert changed["quantity"] == "2.5"
    assert {name: changed[name] for name in changes} == changes | {"quantity": "2.5"}
    assert alice.get(at(new), headers=same).status_code == 200

    active = alice.post(at(new, "activate"))
    assert active.status_code == 200, active.text
    assert active.json()["strategy"]["status"] == "active"
    assert active.json()["strategy"]["record_name"] == "life"
    # Symbols that nobody has sent bars of are no mistake yet, but worth a word.
    assert "LIFE1, LIFE2" in active.json()["notes"][0]
    claims = {each["name"]: each for each in alice.get("/api/v1/claims").json()["claims"]}
    assert (claims["life"]["yours"], claims["life"]["public"]) == (True, False)
    refused = asked.problem(alice.put(at(new), json={"timeframe": "1h"}), 409)
    assert "archive it first" in reasons(refused)

    archived = alice.post(at(new, "archive")).json()["strategy"]
    assert archived["status"] == "archived"
    assert alice.post(at(new, "activate")).json()["strategy"]["status"] == "active"
    gone = alice.delete(at(new))
    assert (gone.status_code, gone.content) == (204, b"")
    asked.problem(alice.get(at(new)), 404)
    asked.problem(alice.delete(at(new)), 404)
    names = [each["name"] for each in alice.get(f"{PATH}/").json()["strategies"]]
    assert "life" not in names
    with owner(settings) as cursor:
        kept = rows(
            cursor,
            "SELECT action FROM audit_log WHERE details->>'strategy_id' = %s ORDER BY audit_id",
            (new["strategy_id"],),
        )
    assert [action for (action,) in kept] == [
        "strategy added", "strategy changed", "strategy activated", "strategy archived",
        "strategy activated", "strategy archived", "strategy deleted",
    ]  # fmt: skip


def test_each_path_is_answered_with_and_without_its_last_slash(asked: Guarded) -> None:
    alice = asked.people["alice"]
    new = made(alice, "slashes")
    for path in (
        f"{PATH}/", f"{PATH}/templates/", f"{PATH}/generation-logs/", at(new),
        at(new, "versions"), at(new, "versions", "1"), f"{PATH}/requests/{new['request_id']}/",
    ):  # fmt: skip
        for spelt in (path, path.rstrip("/")):
            assert alice.get(spelt).status_code == 200, spelt
    assert alice.post(f"{PATH}/validate", json={"code": BROKEN}).status_code == 200
    document = alice.get("/api/v1/openapi.json").json()
    ours = [path for path in document["paths"] if path.startswith(PATH)]
    assert all(path.endswith("/") for path in ours)
    # A fixed path is no strategy of that name, whatever the method.
    for path in ("validate", "validate/"):
        answer = alice.put(f"{PATH}/{path}", json={})
        asked.problem(answer, 405)
        assert answer.headers["allow"] == "POST"
    assert alice.post(at(new)).headers["allow"] == "DELETE, GET, PUT"


def test_what_was_asked_for_and_every_attempt_is_told(asked: Guarded) -> None:
    alice = asked.people["alice"]
    new = made(alice, "logged", request_id="alice/logged")
    path = f"{PATH}/requests/alice%2Flogged/"
    found = alice.get(path).json()
    assert (found["status"], found["strategy_id"]) == ("done", new["strategy_id"])
    assert found["answer"]["reads_as"]
    page = alice.get(f"{PATH}/generation-logs/?request_id=alice/logged").json()
    [attempt] = page["attempts"]
    assert (attempt["status"], attempt["provider"], attempt["prompt"], attempt["owner"]) == (
        "success", "offline", CROSS, "alice",
    )  # fmt: skip
    assert attempt["ended_at"] is not None
    assert "code" not in attempt
    whole = alice.get(f"{PATH}/generation-logs/{attempt['attempt_id']}/").json()
    assert whole["code"] == new["current"]["code"]
    for more in ("status=failure", "provider=gemini", "request_id=none"):
        url = f"{PATH}/generation-logs/?request_id=alice/logged&{more}"
        if more != "request_id=none":
            assert alice.get(url).json()["attempts"] == []


def test_the_same_request_twice_is_one_and_another_of_its_id_is_refused(asked: Guarded) -> None:
    alice, body = asked.people["alice"], {"prompt": CROSS, "name": "once", "request_id": "once"}
    first = alice.post(f"{PATH}/generate/", json=body)
    again = alice.post(f"{PATH}/generate/", json=body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["strategy"] == again.json()["strategy"]
    other = alice.post(f"{PATH}/generate/", json={**body, "prompt": "Golden cross"})
    assert "choose another id" in reasons(asked.problem(other, 409))
    # Somebody else learns that the id is taken, and nothing of what it is of.
    other = asked.people["bob"].post(f"{PATH}/generate/", json=body)
    assert CROSS not in asked.problem(other, 409)
    asked.problem(asked.people["bob"].get(f"{PATH}/requests/once/"), 404)


def test_what_is_not_understood_is_a_draft_and_what_is_nothing_is_nothing(asked: Guarded) -> None:
    alice = asked.people["alice"]
    draft = made(alice, "draft", DRAFT)
    assert draft["answer"]["status"] == "draft"
    assert draft["strategy"]["status"] == "draft"
    assert draft["current"]["problems"] or draft["current"]["not_understood"]
    alice.put(at(draft), json={"symbols": ["AAPL"]})
    refused = asked.problem(alice.post(at(draft, "activate")), 409)
    assert "is a draft" in reasons(refused)
    assert "can be deleted" in reasons(asked.problem(alice.post(at(draft, "archive")), 409))
    answer = alice.post(f"{PATH}/generate/", json={"prompt": REFUSED, "name": "rich"})
    assert answer.status_code == 200
    found = answer.json()
    assert (found["status"], found["answer"]["status"]) == ("done", "refused")
    assert (found["strategy"], found["strategy_id"]) == (None, None)
    assert found["answer"]["problems"]


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"prompt": CROSS, "provider": "oracle"}, "provider", "choose from offline, gemini"),
        ({"prompt": "x" * 100_000}, "prompt", "20000"),
        ({"prompt": ""}, "prompt", "1"),
        ({"prompt": "buy\0"}, "prompt", "NUL"),
        ({"prompt": CROSS, "timeframe": "3 fortnights"}, "timeframe", "match"),
        ({"prompt": CROSS, "symbols": ["A"] * 1_001}, "symbols", "1000"),
        ({"prompt": CROSS, "owner": "bob"}, "owner", "not known"),
        ({"prompt": CROSS, "name": "a\nb"}, "name", "control"),
        ({}, "prompt", "missing"),
    ],
)  # fmt: skip
def test_a_request_that_breaks_a_rule_is_told_which(
    asked: Guarded, body: dict[str, Any], field: str, words: str
) -> None:
    found = asked.problem(asked.people["alice"].post(f"{PATH}/generate/", json=body), 422)
    [error] = [each for each in found["errors"] if each["field"].startswith(field)]  # type: ignore[attr-defined]
    assert words in error["reason"], found


def test_all_symbols_are_one_star_and_no_symbols_are_no_symbols(asked: Guarded) -> None:
    alice = asked.people["alice"]
    both = alice.post(f"{PATH}/generate/", json={"prompt": CROSS, "symbols": ["*", "AAPL"]})
    assert "name no other beside it" in reasons(asked.problem(both, 409))
    new = made(alice, "all of it", symbols=["*"])
    assert new["strategy"]["symbols"] == ["*"]
    assert "no bars of 1M" in str(
        alice.put(at(new), json={"timeframe": "1M"}).status_code == 200
        and alice.post(at(new, "activate")).json()["notes"]
    )


def test_code_is_checked_and_nothing_is_kept_of_it(asked: Guarded) -> None:
    alice = asked.people["alice"]
    found = alice.post(f"{PATH}/validate/", json={"code": HOLDS, "quick": True}).json()
    assert (found["valid"], found["problems"]) == (True, [])
    assert found["decisions"] > 0
    for code in ("", "buy low", BROKEN, "import os\n" + HOLDS, "x" * 150_000):
        answer = alice.post(f"{PATH}/validate/", json={"code": code, "quick": True})
        assert answer.status_code == 200, (code[:20], answer.text)
        found = answer.json()
        assert not found["valid"], code[:20]
        assert found["problems"][0]["message"]
    over = {"code": HOLDS, "parameters": {"level": 99, "none": 1}, "quick": True}
    found = alice.post(f"{PATH}/validate/", json=over).json()
    assert [each["code"] for each in found["problems"]]
    asked.problem(alice.post(f"{PATH}/validate/", json={"code": "x" * 200_001}), 422)


def test_code_of_one_s_own_becomes_a_strategy(asked: Guarded) -> None:
    alice = asked.people["alice"]
    body = {"name": "written", "code": HOLDS, "description": "mine", "symbols": ["AAPL"]}
    answer = alice.post(f"{PATH}/", json=body)
    assert answer.status_code == 201, answer.text
    new = answer.json()
    assert answer.headers["location"] == at(new)
    assert (new["strategy"]["status"], new["strategy"]["kind"]) == ("validated", "code")
    assert (new["strategy"]["description"], new["current"]["provider"]) == ("mine", "")
    assert "already" in reasons(asked.problem(alice.post(f"{PATH}/", json=body), 409))
    draft = alice.post(f"{PATH}/", json={"name": "unwritten", "code": "buy low"}).json()
    assert draft["strategy"]["status"] == "draft"
    assert draft["current"]["problems"]
    assert "is a draft" in reasons(asked.problem(alice.post(at(draft, "activate")), 409))
    # What a rule made is a rule's again, and what a model wrote says so.
    rule = made(alice, "ruled")["current"]
    body = {"name": "ruled again", "code": rule["code"]}
    assert alice.post(f"{PATH}/", json=body).json()["current"]["rule"] == rule["rule"]
    mark = "# trackrecord: written by openai (gpt-x), asked at 2026-01-02T03:04:05Z"
    body = {"name": "by a model once", "code": f"{HOLDS}\n{mark}\n"}
    current = alice.post(f"{PATH}/", json=body).json()["current"]
    assert (current["model"], current["asked_at"]) == ("gpt-x", "2026-01-02T03:04:05Z")


def test_a_new_version_is_another_strategy_under_the_same_name(asked: Guarded) -> None:
    alice = asked.people["alice"]
    new = made(alice, "versions", symbols=["AAPL"])
    second = alice.post(at(new, "versions"), json={"code": HOLDS})
    assert second.status_code == 201, second.text
    assert second.json()["strategy"]["version"] == 2
    assert second.json()["strategy"]["kind"] == "code"
    assert second.json()["current"]["code"] == HOLDS
    assert second.json()["current"]["declared"]["level"]["default"] == 1.0
    # The same code once more is no other version.
    same = alice.put(at(new), json={"code": HOLDS, "parameters": {"level": 2.5}})
    assert same.status_code == 200, same.text
    assert (same.json()["strategy"]["version"], same.json()["strategy"]["parameters"]) == (
        2, {"level": 2.5},
    )  # fmt: skip
    refused = asked.problem(alice.put(at(new), json={"parameters": {"level": 99}}), 409)
    assert "9.0 at most" in reasons(refused)
    alice.post(at(new, "activate"))
    refused = asked.problem(alice.put(at(new), json={"code": BROKEN}), 409)
    assert "nothing is changed" in reasons(refused)
    assert refused["errors"]
    third = alice.post(at(new, "versions"), json={"prompt": "Golden cross"}).json()
    assert (third["strategy"]["version"], third["strategy"]["status"]) == (3, "active")
    found = alice.get(at(new, "versions")).json()["versions"]
    assert [each["version"] for each in found] == [3, 2, 1]
    first = alice.get(at(new, "versions", "1")).json()
    assert first["content"]["code"] == new["current"]["code"]
    asked.problem(alice.get(at(new, "versions", "9")), 404)
    for body in ({}, {"code": HOLDS, "prompt": CROSS}):
        found = asked.problem(alice.post(at(new, "versions"), json=body), 422)
        assert "one of both" in reasons(found)


def test_a_public_strategy_can_be_read_and_copied_by_all_and_changed_by_nobody_else(
    asked: Guarded,
) -> None:
    alice, bob, vera = (asked.people[name] for name in ("alice", "bob", "vera"))
    new = made(bob, "shared", symbols=["AAPL"])
    asked.problem(alice.post(at(new, "copy"), json={}), 404)
    assert bob.put(at(new), json={"public": True}).status_code == 200
    for client in (alice, vera):
        seen = client.get(at(new)).json()
        assert (seen["strategy"]["yours"], seen["strategy"]["owner"]) == (False, None)
        assert seen["current"]["code"] == new["current"]["code"]
        listed = client.get(f"{PATH}/?whose=public").json()["strategies"]
        assert new["strategy_id"] in [each["strategy_id"] for each in listed]
        mine = client.get(f"{PATH}/").json()["strategies"]
        assert new["strategy_id"] not in [each["strategy_id"] for each in mine]
    for answer in (
        alice.put(at(new), json={"description": "mine"}),
        alice.post(at(new, "activate")),
        alice.post(at(new, "archive")),
        alice.post(at(new, "resume")),
        alice.post(at(new, "versions"), json={"code": HOLDS}),
        alice.post(at(new, "backtest"), json={}),
        alice.delete(at(new)),
    ):
        assert "copy it" in reasons(asked.problem(answer, 403))
    asked.problem(vera.post(at(new, "copy"), json={}), 403)
    copied = alice.post(at(new, "copy"), json={"name": "shared too"})
    assert copied.status_code == 201, copied.text
    assert copied.headers["location"] == at(copied.json())
    found = copied.json()["strategy"]
    assert (found["copied_from"], found["yours"], found["public"]) == (
        new["strategy_id"], True, False,
    )  # fmt: skip
    assert found["symbols"] == ["AAPL"]
    assert bob.get(at(new)).json()["strategy"]["copies"] == 1
    again = asked.problem(alice.post(at(new, "copy"), json={"name": "shared too"}), 409)
    assert "already" in reasons(again)
    # What was public is nobody else's to see once it is not, and what was copied stays.
    bob.put(at(new), json={"public": False})
    asked.problem(alice.get(at(new)), 404)
    assert alice.get(at(copied.json())).status_code == 200


def test_one_s_name_may_be_another_s_too_until_both_are_to_have_a_record(asked: Guarded) -> None:
    alice, bob = asked.people["alice"], asked.people["bob"]
    hers, his = (made(client, "two owners", symbols=["AAPL"]) for client in (alice, bob))
    twice = alice.post(f"{PATH}/generate/", json={"prompt": CROSS, "name": "two owners"})
    assert "already" in reasons(asked.problem(twice, 409))
    assert alice.post(at(hers, "activate")).status_code == 200
    refused = asked.problem(bob.post(at(his, "activate")), 409)
    assert "somebody else's" in reasons(refused)
    assert bob.put(at(his), json={"name": "two owners, his"}).status_code == 200
    assert bob.post(at(his, "activate")).status_code == 200
    # A record that is there already is not continued by something else.
    old = made(alice, "momentum", symbols=["AAPL"])
    refused = asked.problem(alice.post(at(old, "activate")), 409)
    assert "there is a record under 'momentum' already" in reasons(refused)


def test_an_admin_sees_and_searches_all_and_archives_many(asked: Guarded) -> None:
    alice, bob, root = (asked.people[name] for name in ("alice", "bob", "root"))
    hers, his = (
        made(client, f"admin's, of {name}", symbols=["AAPL"])
        for client, name in ((alice, "alice"), (bob, "bob"))
    )
    draft = made(alice, "admin's draft", DRAFT)
    for client, found in ((alice, hers), (bob, his)):
        assert client.post(at(found, "activate")).status_code == 200
    listed = root.get(f"{PATH}/?whose=all&search=ADMIN'S, OF").json()["strategies"]
    assert {(each["owner"], each["yours"]) for each in listed} == {
        ("alice", False), ("bob", False),
    }  # fmt: skip
    one = root.get(f"{PATH}/?whose=all&owner=bob&status=active&search=admin's").json()
    assert [each["strategy_id"] for each in one["strategies"]] == [his["strategy_id"]]
    logs = root.get(f"{PATH}/generation-logs/?owner=bob&limit=500").json()["attempts"]
    assert {each["owner"] for each in logs} == {"bob"}
    for path in (f"{PATH}/?owner=bob", f"{PATH}/generation-logs/?owner=bob"):
        asked.problem(alice.get(path), 403)
        assert alice.get(path.replace("bob", "alice")).status_code == 200
    asked.problem(root.put(at(his), json={"description": "root's"}), 403)
    asked.problem(root.put(at(his), json={"public": True}), 403)
    assert root.put(at(his), json={"public": False}).status_code == 200
    asked.problem(root.post(at(his, "versions"), json={"code": HOLDS}), 403)
    ids = [each["strategy_id"] for each in (hers, his, draft)] + [str(uuid4())]
    asked.problem(alice.post(f"{PATH}/archive/", json={"ids": ids}), 403)
    found = root.post(f"{PATH}/archive/", json={"ids": ids}).json()
    assert set(found["archived"]) == {hers["strategy_id"], his["strategy_id"]}
    assert {each["strategy_id"] for each in found["refused"]} == set(ids[2:])
    assert alice.get(at(hers)).json()["strategy"]["status"] == "archived"
    audit = root.get("/api/v1/audit?limit=10").json()["entries"]
    assert [each["actor"] for each in audit if each["action"] == "strategy archived"] == [
        "root", "root",
    ]  # fmt: skip
    assert root.delete(at(his)).status_code == 204
    asked.problem(bob.get(at(his)), 404)


def test_lists_go_page_by_page(asked: Guarded) -> None:
    bob = asked.people["bob"]
    for number in range(3):
        made(bob, f"page {number}", "Golden cross")
    for path, name in ((f"{PATH}/", "strategies"), (f"{PATH}/generation-logs/", "attempts")):
        found, following = [], ""
        while True:
            page = bob.get(f"{path}?limit=1{following}").json()
            found += page[name]
            if page["next"] is None:
                break
            following = f"&cursor={page['next']}"
        assert found == bob.get(f"{path}?limit=500").json()[name]
        assert len(found) >= 3
        times = [each.get("created_at") or each["asked_at"] for each in found]
        assert times == sorted(times, reverse=True)
        first = bob.get(f"{path}?limit=1").json()["next"]
        for other in (f"{path}?limit=1&cursor={first}", f"{path}?status=active&cursor={first}"):
            client = asked.people["alice"] if "status" not in other else bob
            answer = client.get(other.replace("status=active", "owner=bob"))
            assert answer.status_code == 400, answer.text


def test_a_key_that_is_limited_to_names_is_good_for_strategies_of_these(
    asked: Guarded, settings: Settings
) -> None:
    with owner(settings) as cursor:
        alice = users.find(cursor, "alice")
        _, new = keys.make(
            cursor, COMMAND_LINE, alice.user_id, "k", ["publish", "read"], SYSTEM_CLOCK.now(),
            names=["keyed"],
        )  # fmt: skip
    hers = made(asked.people["alice"], "not keyed", symbols=["AAPL"])

    def ask(method: str, path: str, **more: Any) -> Any:
        return asked.client.request(method, path, headers={"x-api-key": new.text}, **more)

    for name in (None, "another"):
        body = {"prompt": CROSS} | ({} if name is None else {"name": name})
        asked.problem(ask("POST", f"{PATH}/generate/", json=body), 403)
    for body in ({}, {"name": "another"}):
        asked.problem(ask("POST", at(hers, "copy"), json=body), 403)
    asked.problem(ask("POST", at(hers, "activate")), 403)
    asked.problem(ask("PUT", at(hers), json={"description": "x"}), 403)
    answer = ask("POST", f"{PATH}/generate/", json={"prompt": CROSS, "name": "keyed"})
    assert answer.status_code == 201, answer.text
    keyed = answer.json()
    asked.problem(ask("PUT", at(keyed), json={"name": "another"}), 403)
    assert ask("PUT", at(keyed), json={"symbols": ["AAPL"]}).status_code == 200
    assert ask("POST", at(keyed, "activate")).status_code == 200


def test_a_key_without_the_scope_makes_nothing(asked: Guarded, settings: Settings) -> None:
    with owner(settings) as cursor:
        alice = users.find(cursor, "alice")
        _, new = keys.make(
            cursor, COMMAND_LINE, alice.user_id, "r", ["read"], SYSTEM_CLOCK.now()
        )  # fmt: skip
    headers = {"x-api-key": new.text}
    assert asked.client.get(f"{PATH}/", headers=headers).status_code == 200
    for path, body in (("generate", {"prompt": CROSS}), ("validate", {"code": HOLDS})):
        answer = asked.client.post(f"{PATH}/{path}/", json=body, headers=headers)
        assert "this key of alice" in reasons(asked.problem(answer, 403))


def test_a_language_model_is_asked_beside_the_request(asked: Guarded, settings: Settings) -> None:
    bob = asked.people["bob"]
    body = {"prompt": CROSS, "provider": "openai", "name": "by a model"}
    answer = bob.post(f"{PATH}/generate/", json={**body, "request_id": "by a model"})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"{PATH}/requests/by%20a%20model/"
    found = bob.get(answer.headers["location"]).json()
    assert (found["status"], found["provider"], found["strategy_id"]) == ("waiting", "openai", None)
    with owner(settings) as cursor:
        [(content, whose)] = rows(
            cursor,
            "SELECT content, (SELECT name FROM users WHERE user_id = r.user_id)"
            " FROM strategy_requests AS r WHERE request_id = 'by a model'",
        )
    assert (content["owner"], content["provider"], whose) == ("bob", "openai", "bob")
    # Each costs money: nobody has many of them waiting.
    answers = [bob.post(f"{PATH}/generate/", json=body) for _ in range(20)]
    assert {each.status_code for each in answers} == {202, 429}
    assert "under way" in reasons(asked.problem(answers[-1], 429))
    assert made(bob, "by rules meanwhile")["status"] == "done"
    with owner(settings) as cursor:
        cursor.execute("DELETE FROM strategy_requests WHERE status = 'waiting'")


def test_what_is_made_keeps_no_other_request_waiting(asked: Guarded) -> None:
    alice, bob = asked.people["alice"], asked.people["bob"]
    body = {"code": HOLDS.replace("close <", "sum(range(3000)) and close <")}
    made(alice, "warm")

    def look(_: int) -> int:
        return alice.post(f"{PATH}/validate/", json=body).status_code

    with ThreadPoolExecutor(8) as many:
        looks = [many.submit(look, number) for number in range(8)]
        waits = []
        while not all(each.done() for each in looks):
            began = time.monotonic()
            assert bob.get("/api/v1/me").status_code == 200
            waits.append(time.monotonic() - began)
    # Four of one user's at a time; who comes with more is told to come back.
    assert {each.result() for each in looks} == {200, 429}
    assert len(waits) > 5
    assert sorted(waits)[len(waits) // 2] < 0.5


def test_templates_can_be_taken_as_they_are(asked: Guarded) -> None:
    bob = asked.people["bob"]
    found = bob.get(f"{PATH}/templates/").json()["templates"]
    assert len(found) >= 10
    assert len({each["name"] for each in found}) == len(found)
    taken = made(bob, found[0]["name"], found[0]["prompt"])
    assert taken["strategy"]["status"] == "validated"


def test_a_suspended_strategy_is_asked_again_once_its_user_says_so(
    asked: Guarded, settings: Settings
) -> None:
    alice = asked.people["alice"]
    new = made(alice, "suspended", symbols=["AAPL"])
    alice.post(at(new, "activate"))
    assert "is not suspended" in reasons(asked.problem(alice.post(at(new, "resume")), 409))
    with owner(settings) as cursor:
        cursor.execute(
            "UPDATE strategies SET suspended_at = now(), suspended_why = 'it fails'"
            " WHERE strategy_id = %s",
            (new["strategy_id"],),
        )
    assert alice.get(at(new)).json()["strategy"]["suspended_why"] == "it fails"
    assert alice.post(at(new, "resume")).json()["strategy"]["suspended_why"] is None
