"""What is another user's can be neither read, changed nor guessed, on any path of the document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

import httpx
import pytest

from tests.support.guarded import CLAIMED, ROLES, Guarded
from tests.support.made import HOLDS, made
from trackrecord.access.store import keys, users
from trackrecord.access.store.audit import COMMAND_LINE
from trackrecord.api.guard import OPEN
from trackrecord.clock import SYSTEM_CLOCK
from trackrecord.runtime import database
from trackrecord.runtime.database import rows
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka

HIDDEN: Final = {
    "vera": ("momentum", "trend", "scanners/gap.py"),
    "alice": ("trend", "scanners/gap.py"),
    "bob": ("momentum",),
    "olga": (),
    "root": (),
}
"""By user: the names that must not be told to be there."""

ABSENT: Final = "absent"
"""A name that nobody has used; as long as any other, so that no answer tells them apart."""

_NAMES: Final = {"name", "script_name", "strategy", "s"}
"""Parameters that take the name of a strategy or script."""

_MAY: Final = {
    "operate": {"olga", "root"},
    "administer": {"root"},
    "publish": {"alice", "bob", "olga", "root"},
}
_NEEDS: Final = {
    **dict.fromkeys(("list_dead_letters", "show_dead_letter", "requeue", "status"), "operate"),
    **dict.fromkeys(
        (
            "list_users", "add_user", "change_user", "audit", "give_name", "release_name",
            "archive_strategies",
        ),
        "administer",
    ),
    **dict.fromkeys(
        (
            "generate_strategy", "validate_strategy", "add_strategy", "change_strategy",
            "delete_strategy",
            "activate_strategy", "archive_strategy", "resume_strategy", "copy_strategy",
            "add_version", "backtest_strategy",
        ),
        "publish",
    ),
}  # fmt: skip

NO_STRATEGY: Final = "00000000-0000-4000-8000-000000000000"
"""An id that no strategy has."""

_OF_THINGS: Final = ("strategy_id", "request_id", "attempt_id")
"""Parameters of paths that take the id of what is one user's."""

Operation = tuple[str, str, dict[str, Any]]


@pytest.fixture(scope="module")
def document(asked: Guarded) -> dict[str, Any]:
    found: dict[str, Any] = asked.people["vera"].get("/api/v1/openapi.json").json()
    return found


def operations(document: dict[str, Any], *methods: str) -> Iterator[Operation]:
    for path, found in document["paths"].items():
        for method, operation in found.items():
            if not methods or method in methods:
                yield method.upper(), path, operation


def filled(path: str, value: str) -> str:
    path = path.replace("{strategy_id}", NO_STRATEGY).replace("{version}", "1")
    return re.sub(r"\{[^}]+\}", quote(value, safe=""), path)


def parameters(operation: dict[str, Any], where: str) -> list[str]:
    return [each["name"] for each in operation.get("parameters", ()) if each["in"] == where]


def of_a_script(path: str) -> bool:
    return "script" in path


def asking(operation: Operation, value: str) -> Iterator[str]:
    """The paths of an operation that name something."""
    _, path, what = operation
    if "{" in path:
        yield filled(path, value)
    for name in parameters(what, "query"):
        if name in _NAMES:
            yield f"{filled(path, 'v2')}?{name}={quote(value, safe='')}"


def said(answer: httpx.Response, value: str) -> tuple[int, str, dict[str, str]]:
    """An answer without what it says back of the question, and without the time."""
    text = answer.text.replace(value, "NAME")
    text = re.sub(r'"(as_of|judged_as_of|version)":"[^"]*"', "", text)
    kept = {"content-type", "content-disposition", "cache-control"}
    return answer.status_code, text, {n: v for n, v in answer.headers.items() if n in kept}


def test_every_operation_wants_to_know_who_asks(asked: Guarded, document: dict[str, Any]) -> None:
    every = list(operations(document))
    assert len(every) > 40
    for method, path, _ in every:
        if (method, path) in OPEN or path == "/api/v1/stream":
            continue
        answer = asked.client.request(method, filled(path, "x"))
        asked.problem(answer, 401)
    for path in ("/metrics", "/status", "/api/v1/openapi.json", "/", "/none", "/api/v1/stream"):
        asked.problem(asked.client.get(path), 401)
        asked.problem(asked.client.post(path), 401)
    for path in ("/healthz", "/readyz"):
        assert asked.client.get(path).status_code == 200


@pytest.mark.parametrize("person", ROLES)
def test_each_role_may_what_it_may_and_no_more(
    asked: Guarded, document: dict[str, Any], person: str
) -> None:
    client = asked.people[person]
    for method, path, operation in operations(document):
        name = operation["operationId"]
        needed = "publish" if name.startswith("publish_") else _NEEDS.get(name)
        if path == "/api/v1/stream" or path.startswith("/api/v1/auth/"):
            continue
        # A body that breaks a rule: whoever may is told so, and nothing is changed.
        answer = client.request(method, filled(path, "none"), json={})
        may = needed is None or person in _MAY[needed]
        # A key changes no password, whatever its user may.
        if name != "change_password":
            assert (answer.status_code == 403) is not may, (person, method, path, answer.text)


@pytest.mark.parametrize("person", ["vera", "alice", "bob"])
def test_a_hidden_name_is_answered_for_as_one_that_there_is_not(
    asked: Guarded, document: dict[str, Any], person: str
) -> None:
    client, tried = asked.people[person], 0
    for operation in operations(document, "get"):
        if operation[2]["operationId"] == "stream":
            continue
        for hidden in HIDDEN[person]:
            for real, none in zip(
                asking(operation, hidden), asking(operation, ABSENT), strict=True
            ):
                found, absent = client.get(real), client.get(none)
                assert said(found, hidden) == said(absent, ABSENT), (person, real)
                tried += 1
    assert tried >= 10 * len(HIDDEN[person])


@pytest.mark.parametrize("person", ROLES)
def test_nothing_of_a_hidden_name_is_in_any_answer(
    asked: Guarded, document: dict[str, Any], person: str
) -> None:
    """Every list, file and page, with whatever can be asked for without naming it."""
    client = asked.people[person]
    texts = {}
    for _, path, operation in operations(document, "get"):
        # Templates are the same for all, and one speaks of momentum.
        if operation["operationId"] in {"stream", "list_templates"}:
            continue
        wanted = [filled(path, "v2"), filled(path, "both"), filled(path, "both-3")]
        if "limit" in parameters(operation, "query"):
            wanted = [f"{each}?limit=500" for each in wanted]
        if operation["operationId"].startswith("export"):
            wanted += [f"{each}?format=jsonl" for each in wanted]
        texts |= {each: client.get(each).text for each in wanted}
    texts["compare"] = client.get("/api/v1/compare?s=both").text
    if "operate" not in str(client.get("/api/v1/me").json()["permissions"]):
        for hidden in HIDDEN[person]:
            mark = hidden if "/" in hidden else f'"{hidden}"'
            for path, text in texts.items():
                assert mark not in text, (person, path)
                assert f"{hidden}-" not in text, (person, path)
                assert hidden not in text or hidden == "trend", (person, path)
    for name, (owner, public) in CLAIMED.items():
        if public or owner == person or not HIDDEN[person]:
            assert any(name in text for text in texts.values()), (person, name)


def test_ids_of_hidden_signals_are_ids_that_there_are_not(
    asked: Guarded, settings: Settings
) -> None:
    with database.session(settings, application="test") as cursor:
        found = rows(cursor, "SELECT signal_id, strategy FROM signals ORDER BY 1")
    for person in ("vera", "alice", "bob"):
        client = asked.people[person]
        none = said(client.get("/api/v1/signals/none"), "none")
        for signal_id, strategy in found:
            answer = client.get(f"/api/v1/signals/{quote(signal_id, safe='')}")
            if strategy in HIDDEN[person]:
                assert said(answer, signal_id) == none
            else:
                assert answer.status_code == 200, (person, signal_id)


def test_a_signal_that_left_a_hidden_strategy_does_not_tell_of_it(
    asked: Guarded, settings: Settings
) -> None:
    with database.session(settings, application="test") as cursor:
        cursor.execute(
            "INSERT INTO signal_revisions SELECT * FROM signal_revisions"
            " WHERE signal_id = 'momentum-0' ON CONFLICT DO NOTHING"
        )
        columns = [
            name
            for (name,) in rows(
                cursor,
                "SELECT column_name FROM information_schema.columns"
                " WHERE table_schema = current_schema() AND table_name = 'signal_revisions'",
            )
            if name != "signal_id"
        ]
        quoted = ", ".join(f'"{name}"' for name in columns)
        cursor.execute(
            f"INSERT INTO signal_revisions (signal_id, {quoted}) SELECT 'both-3', {quoted}"
            " FROM signal_revisions WHERE signal_id = 'momentum-0'"
        )
    seen = asked.people["alice"].get("/api/v1/signals/both-3").json()["revisions"]
    assert {each["strategy"] for each in seen} == {"momentum"}
    assert asked.people["bob"].get("/api/v1/signals/both-3").json()["revisions"] == []


def test_sums_over_many_are_over_what_is_seen(asked: Guarded) -> None:
    every = asked.people["root"].get("/api/v1/outcomes").json()
    seen = asked.people["bob"].get("/api/v1/outcomes").json()
    assert any("momentum" in each for each in every["policies"].values())
    assert not any("momentum" in each for each in seen["policies"].values())
    assert sum(every["verdicts"].values()) > sum(seen["verdicts"].values())


def test_a_version_that_is_known_is_another_once_a_name_is_hidden_or_shown(asked: Guarded) -> None:
    bob, alice = asked.people["bob"], asked.people["alice"]
    tags = {}
    for path in ("/api/v1/strategies", "/api/v1/signals", "/api/v1/leaderboard", "/api/v1/scripts"):
        tags[path] = bob.get(path).headers["etag"]
        assert bob.get(path, headers={"if-none-match": tags[path]}).status_code == 304
        # What somebody else has kept is not good for this one.
        assert alice.get(path, headers={"if-none-match": tags[path]}).status_code == 200
    assert alice.patch("/api/v1/claims/momentum", json={"public": True}).status_code == 200
    try:
        for path, tag in tags.items():
            answer = bob.get(path, headers={"if-none-match": tag})
            assert answer.status_code == 200
        assert "momentum" in bob.get("/api/v1/strategies").text
    finally:
        alice.patch("/api/v1/claims/momentum", json={"public": False})
    assert bob.get("/api/v1/strategies/momentum").status_code == 404


def test_the_cursor_of_somebody_else_is_refused(asked: Guarded) -> None:
    for path in ("signals", "strategies", "claims", "models", "models/training-log"):
        page = asked.people["alice"].get(f"/api/v1/{path}?limit=1").json()
        assert page["next"], path
        whole = f"/api/v1/{path}?limit=1&cursor={page['next']}"
        assert asked.people["alice"].get(whole).status_code == 200
        for other in ("bob", "root"):
            asked.problem(asked.people[other].get(whole), 400)
        for place in (0, len(page["next"]) // 2, -1):
            text = page["next"]
            letter = "A" if text[place] != "A" else "B"
            changed = text[:place] + letter + (text[place + 1 :] if place != -1 else "")
            asked.problem(
                asked.people["alice"].get(f"/api/v1/{path}?limit=1&cursor={changed}"), 400
            )


def test_what_is_said_of_a_name_s_standing(asked: Guarded) -> None:
    alice = asked.people["alice"]
    found = {
        each["strategy"]: each["standing"]
        for each in alice.get("/api/v1/strategies?limit=500").json()["strategies"]
    }
    assert found["momentum"] == "private"
    assert found["desk/euro"] == "public"
    assert found["both"] == "unclaimed"
    assert alice.get("/api/v1/strategies/momentum").json()["standing"] == "private"
    scripts = asked.people["bob"].get("/api/v1/scripts").json()["scripts"]
    assert [(each["script"], each["standing"]) for each in scripts] == [
        ("scanners/gap.py", "private")
    ]
    performance = alice.get("/api/ml-performance").json()["performance"]
    assert performance["both"]["standing"] == "unclaimed"


# -- changing -------------------------------------------------------------------------------------


def tables(settings: Settings) -> dict[str, str]:
    """All that is kept of users, claims, strategies and letters, but when a key was used."""
    with database.session(settings, application="test") as cursor:
        return {
            name: str(rows(cursor, f"SELECT {what} FROM {name} AS t ORDER BY 1"))
            for name, what in {
                "users": "t::text",
                "claims": "t::text",
                "api_keys": "key_id, name, scopes, names, revoked_at",
                "logins": "login_id, ended_at",
                "dead_letters": "t::text",
                "strategies": "t::text",
                "strategy_versions": "t::text",
                "strategy_requests": "t::text",
                "generation_log": "t::text",
                "audit_log": "count(*)",
            }.items()
            if name != "audit_log"
        }


BODIES: Final = {
    "show_or_hide_name": {"public": True},
    "give_name": {"user": "alice"},
    "change_user": {"role": "admin"},
    "add_user": {"name": "mallory", "role": "admin", "password": "correct horse battery"},
    "change_strategy": {"public": True},
    "add_version": {"code": HOLDS},
    "copy_strategy": {"name": "taken"},
    "backtest_strategy": {},
}


@pytest.mark.parametrize("person", ["vera", "alice", "olga"])
def test_nobody_changes_what_is_another_s(
    asked: Guarded, document: dict[str, Any], settings: Settings, person: str
) -> None:
    with database.session(settings, application="test") as cursor:
        bob = users.find(cursor, "bob")
        key, _ = keys.make(cursor, COMMAND_LINE, bob.user_id, "his", ["read"], SYSTEM_CLOCK.now())
    before, client, tried = tables(settings), asked.people[person], 0
    for method, path, operation in operations(document, "post", "put", "patch", "delete"):
        name = operation["operationId"]
        if name.startswith("publish_") or path.startswith(("/api/v1/auth/", "/api/v1/me/pass")):
            continue
        if method == "POST" and path == "/api/v1/me/keys":
            continue
        for value in (str(key.key_id), "trend", "desk/euro", "bob"):
            answer = client.request(method, filled(path, value), json=BODIES.get(name))
            assert answer.status_code in {403, 404, 422}, (person, method, path, answer.text)
            tried += 1
    assert tried >= 20
    assert tables(settings) == before


@pytest.fixture(scope="module")
def of_bob(asked: Guarded) -> dict[str, str]:
    """Ids of what is bob's alone, by the parameters that take them."""
    # A part of an id is no word of it: it begins with what is searched for. No word here may be a
    # password of another test: the process would hide it in answers.
    new = made(asked.people["bob"], "bobsown plan", request_id="bobsown request", symbols=["AAPL"])
    logged = asked.people["bob"].get("/api/strategies/generation-logs/?limit=1").json()
    return {
        "strategy_id": new["strategy_id"],
        "request_id": "bobsown request",
        "attempt_id": logged["attempts"][0]["attempt_id"],
    }


@pytest.mark.parametrize("person", ["vera", "alice", "olga"])
def test_what_another_has_made_is_answered_for_as_what_there_is_not(
    asked: Guarded,
    document: dict[str, Any],
    settings: Settings,
    of_bob: dict[str, str],
    person: str,
) -> None:
    """On every operation of the document that takes the id of a user's thing."""
    client, before, tried = asked.people[person], tables(settings), 0
    for method, path, operation in operations(document):
        taken = [name for name in _OF_THINGS if f"{{{name}}}" in path]
        if not taken:
            continue
        [name] = taken
        absent = NO_STRATEGY if name != "request_id" else "bobsown-request"
        answers = []
        for value in (of_bob[name], absent):
            url = filled(path.replace(f"{{{name}}}", quote(value, safe="")), "1")
            body = BODIES.get(operation["operationId"])
            for spelt in (url, url.rstrip("/")):
                answer = client.request(method, spelt, json=body)
                assert answer.status_code in {403, 404}, (person, method, spelt, answer.text)
                answers.append(said(answer, value))
        assert len(set(map(str, answers))) == 1, (person, method, path, answers)
        tried += 1
    assert tried >= 13
    assert tables(settings) == before


@pytest.mark.parametrize("person", ["vera", "alice", "olga"])
def test_nothing_of_what_another_has_made_is_in_any_answer(
    asked: Guarded, document: dict[str, Any], of_bob: dict[str, str], person: str
) -> None:
    client, tried = asked.people[person], 0
    for _, path, operation in operations(document, "get"):
        if operation["operationId"] == "stream":
            continue
        whole = filled(path, "v2")
        asking_all = [whole]
        if "whose" in parameters(operation, "query"):
            asking_all = [f"{whole}?limit=500&whose={each}" for each in ("mine", "public", "all")]
            asking_all.append(f"{whole}?whose=all&search=bobsown")
        elif "limit" in parameters(operation, "query"):
            asking_all = [f"{whole}?limit=500"]
        for url in asking_all:
            text = client.get(url).text
            for words in (*of_bob.values(), "bobsown plan"):
                assert words not in text, (person, url)
            tried += 1
    assert tried >= 20
    root = asked.people["root"].get("/api/strategies/?whose=all&search=bobsown").text
    assert of_bob["strategy_id"] in root


def test_a_hidden_claim_is_not_told_to_be_there_by_trying_to_change_it(asked: Guarded) -> None:
    alice = asked.people["alice"]
    found = alice.patch("/api/v1/claims/trend", json={"public": True})
    none = alice.patch(f"/api/v1/claims/{ABSENT}", json={"public": True})
    assert said(found, "trend") == said(none, ABSENT)
    names = {each["name"] for each in alice.get("/api/v1/claims?limit=500").json()["claims"]}
    assert "trend" not in names
    assert {"momentum", "desk/euro"} <= names
    asked.problem(alice.patch("/api/v1/claims/desk%2Feuro", json={"public": False}), 403)


def test_a_letter_that_is_sent_again_is_in_the_log(asked: Guarded, settings: Settings) -> None:
    with database.session(settings, application="test") as cursor:
        cursor.execute(
            "INSERT INTO dead_letters (id, stage, topic, partition, log_offset, appended_at,"
            " value, headers, error_class, reason, attempt, first_seen) VALUES"
            " ('a-letter', 'signal_tracker', %s, 0, 0, now(), 'x', '[]', 'x', 'x', 1, now())",
            (settings.topic("signal_emitted"),),
        )
    asked.problem(asked.people["alice"].get("/api/v1/dead-letters/a-letter"), 403)
    asked.problem(asked.people["alice"].post("/api/v1/dead-letters/a-letter/requeue"), 403)
    answer = asked.people["olga"].post("/api/v1/dead-letters/a-letter/requeue")
    assert (answer.status_code, answer.json()["letters"]) == (200, 1), answer.text
    [found] = [
        each
        for each in asked.people["root"].get("/api/v1/audit?limit=500").json()["entries"]
        if each["action"] == "letter sent again"
    ]
    assert (found["actor"], found["subject"]) == ("olga", "a-letter")


def first_event(asked: Guarded, person: str, **headers: str) -> tuple[str, str]:
    """The name and id of the first event of somebody's stream."""
    found: dict[str, str] = {}
    with asked.people[person].stream("GET", "/api/v1/stream", headers=headers) as stream:
        for line in stream.iter_lines():
            name, _, value = line.partition(": ")
            found[name] = value
            if not line and "id" in found:
                return found["event"], found["id"]
    raise AssertionError(found)


def test_how_much_is_published_is_not_told_to_who_may_not_see_all(asked: Guarded) -> None:
    event, seen = first_event(asked, "alice")
    assert event == "here"
    assert seen == first_event(asked, "alice")[1]
    everything = first_event(asked, "olga")[1]
    numbers = dict(part.split(".") for part in everything.split("-"))
    assert int(numbers["signals"]) == 10
    assert not set(numbers.values()) & {part.split(".")[1] for part in seen.split("-")}
    assert seen != first_event(asked, "bob")[1]
    # Who comes back with the id is told only of what has moved since.
    assert first_event(asked, "alice", **{"last-event-id": everything})[0] == "change"
