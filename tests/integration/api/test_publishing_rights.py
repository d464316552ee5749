"""Who may publish under which names, and whose a name becomes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from services.signal_tracker.service import STAGE as TRACKER
from tests.integration.api.conftest import settings_of
from tests.support import wire
from tests.support.api_role import granted
from tests.support.guarded import Guarded, add_people, guarded
from tests.support.servers import Services
from tests.support.serving import exit_of, signal
from trackrecord.access.store import claims, keys, users
from trackrecord.access.store.audit import COMMAND_LINE
from trackrecord.clock import SYSTEM_CLOCK
from trackrecord.events import SignalEmitted
from trackrecord.runtime import database, kafka
from trackrecord.runtime.database import rows
from trackrecord.runtime.settings import Settings
from trackrecord.testing import StageRun, scratch_schema

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def place(services: Services, role_url: str) -> Iterator[tuple[Settings, Guarded]]:
    settings = settings_of(services, TRACKRECORD_API_DATABASE_URL=role_url)
    with scratch_schema(settings):
        granted(settings, role_url)
        kafka.ensure_topics(settings)
        StageRun(TRACKER, settings).of([signal(1, "old"), signal(1, "hers"), signal(1, "his")])
        found = add_people(settings)
        with database.session(settings, application="test") as cursor:
            for name, owner in (("hers", "alice"), ("his", "bob")):
                user = users.find(cursor, owner)
                claims.give(cursor, COMMAND_LINE, name, user.user_id, SYSTEM_CLOCK.now())
                claims.set_public(cursor, COMMAND_LINE, name, public=name == "hers")
        with guarded(settings, found) as api:
            yield settings, api


def emitted(number: int, of: str, **more: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(signal(number, of).to_json())
    return found | more


def closed(number: int, of: str, **more: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(exit_of(signal(number, of), "101").to_json())
    return found | more


def publish(
    client: httpx.Client, kind: str, body: object, key: str | None = None
) -> httpx.Response:
    headers = {} if key is None else {"x-api-key": key}
    return client.post(f"/api/v1/events/{kind}", json=body, headers=headers)


def messages_on(settings: Settings, kind: str) -> int:
    return len(wire.read(settings, settings.topic(kind)))


def owners(settings: Settings) -> dict[str, tuple[str | None, bool]]:
    with database.session(settings, application="test") as cursor:
        return {each.name: (each.user, each.public) for each in claims.listed(cursor)}


def test_a_name_becomes_whose_key_first_publishes_under_it(
    place: tuple[Settings, Guarded],
) -> None:
    settings, api = place
    alice, bob = api.people["alice"], api.people["bob"]
    before = messages_on(settings, "signal_emitted")
    assert publish(alice, "signal_emitted", emitted(1, "fresh")).status_code == 202
    assert owners(settings)["fresh"] == ("alice", False)
    refused = publish(bob, "signal_emitted", emitted(2, "fresh"))
    found = api.problem(refused, 403)
    assert found["errors"] == [
        {"event": 1, "field": "strategy", "reason": "belongs to somebody else: 'fresh'"}
    ]
    assert (
        publish(alice, "signal_emitted", [emitted(n, "fresh") for n in (3, 4)]).status_code == 202
    )
    assert messages_on(settings, "signal_emitted") == before + 3


def test_a_name_on_record_that_is_claimed_stays_public(place: tuple[Settings, Guarded]) -> None:
    settings, api = place
    assert publish(api.people["alice"], "signal_emitted", emitted(2, "old")).status_code == 202
    assert owners(settings)["old"] == ("alice", True)
    assert api.people["bob"].get("/api/v1/strategies/old").json()["standing"] == "public"


def test_a_batch_with_one_event_of_another_s_sends_and_claims_nothing(
    place: tuple[Settings, Guarded],
) -> None:
    settings, api = place
    before = messages_on(settings, "signal_emitted")
    batch = [emitted(1, "mine-to-be"), emitted(5, "his"), emitted(2, "mine-to-be")]
    found = api.problem(publish(api.people["alice"], "signal_emitted", batch), 403)
    assert [each["event"] for each in found["errors"]] == [2]  # type: ignore[attr-defined]
    assert "mine-to-be" not in owners(settings)
    assert messages_on(settings, "signal_emitted") == before


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        # To close, correct or take over a signal that is another's.
        ("signal_closed", closed(1, "his")),
        ("signal_closed", closed(1, "his", strategy="alice-s")),
        ("signal_closed", closed(1, "his", strategy="his")),
        ("signal_emitted", emitted(1, "his", strategy="alice-s", revision=1)),
        ("signal_emitted", emitted(1, "alice-s", signal_id="his-1")),
        ("script_executed", {
            "execution_id": "e1", "script": "his", "started_at": "2026-01-05T09:30:00Z",
            "finished_at": "2026-01-05T09:31:00Z", "exit_code": 0, "output": "BUY",
        }),
    ],
)  # fmt: skip
def test_what_is_another_s_is_neither_closed_nor_corrected_nor_taken(
    place: tuple[Settings, Guarded], kind: str, body: dict[str, Any]
) -> None:
    settings, api = place
    before = messages_on(settings, kind)
    for person in ("alice", "olga", "root"):
        answer = publish(api.people[person], kind, body)
        found = api.problem(answer, 403)
        # Whose it is, or what it is called, is not told to who has only guessed an id.
        said = json.dumps(body)
        assert ("'his'" in str(found)) == ('"strategy": "his"' in said or '"script": "his"' in said)
    assert messages_on(settings, kind) == before
    assert publish(api.people["bob"], "signal_closed", closed(1, "his")).status_code == 202


def test_what_is_one_s_own_is_corrected_and_closed(place: tuple[Settings, Guarded]) -> None:
    _, api = place
    alice = api.people["alice"]
    corrected = emitted(1, "hers", revision=1, price="99")
    assert publish(alice, "signal_emitted", corrected).status_code == 202
    assert publish(alice, "signal_closed", closed(1, "hers")).status_code == 202
    # An exit may come before the broker's readers have seen the entry.
    assert publish(alice, "signal_closed", closed(77, "hers")).status_code == 202


def test_a_key_publishes_the_names_that_it_is_for(place: tuple[Settings, Guarded]) -> None:
    settings, api = place
    with database.session(settings, application="test") as cursor:
        alice = users.find(cursor, "alice")
        made = {
            name: keys.make(
                cursor, COMMAND_LINE, alice.user_id, name, [scope], SYSTEM_CLOCK.now(), names=names  # type: ignore[list-item]
            )[1].text
            for name, scope, names in (
                ("limited", "publish", ["only-this"]),
                ("open", "publish", None),
                ("reader", "read", None),
            )
        }  # fmt: skip
    ask = api.client
    assert (
        publish(ask, "signal_emitted", emitted(1, "only-this"), made["limited"]).status_code == 202
    )
    found = api.problem(publish(ask, "signal_emitted", emitted(1, "hers"), made["limited"]), 403)
    assert "this key is not for 'hers'" in str(found)
    # Nor does it close what its user may close.
    api.problem(publish(ask, "signal_closed", closed(1, "hers"), made["limited"]), 403)
    assert publish(ask, "signal_emitted", emitted(3, "hers"), made["open"]).status_code == 202
    api.problem(publish(ask, "signal_emitted", emitted(4, "hers"), made["reader"]), 403)
    api.problem(ask.get("/api/v1/signals", headers={"x-api-key": made["open"]}), 403)
    with database.session(settings, application="test") as cursor:
        assert "fewer" not in str(rows(cursor, "SELECT names FROM api_keys"))


def test_a_viewer_publishes_nothing(place: tuple[Settings, Guarded]) -> None:
    settings, api = place
    found = api.problem(publish(api.people["vera"], "signal_emitted", emitted(1, "vera-s")), 403)
    assert "vera is viewer" in str(found) or "key of vera" in str(found)
    assert "vera-s" not in owners(settings)


def test_what_is_nobody_s_is_published_by_operators(place: tuple[Settings, Guarded]) -> None:
    _, api = place
    bar = {
        "symbol": "AAPL", "timeframe": "1d", "source": "feed",
        "opened_at": "2026-01-05T00:00:00Z", "closed_at": "2026-01-06T00:00:00Z",
        "open": "1", "high": "2", "low": "1", "close": "2", "volume": "5",
    }  # fmt: skip
    api.problem(publish(api.people["alice"], "market_bar", bar), 403)
    for person in ("olga", "root"):
        assert publish(api.people[person], "market_bar", bar).status_code == 202


def test_a_strategy_is_asked_for_in_one_s_own_name(place: tuple[Settings, Guarded]) -> None:
    _, api = place
    wanted = {"request_id": "r1", "owner": "alice", "prompt": "buy low, sell high"}
    api.problem(publish(api.people["bob"], "strategy_requested", wanted), 403)
    assert publish(api.people["alice"], "strategy_requested", wanted).status_code == 202


def test_a_signal_is_of_the_account_kind_that_it_says_or_else_of_its_key_s(
    place: tuple[Settings, Guarded],
) -> None:
    settings, api = place
    with database.session(settings, application="test") as cursor:
        alice = users.find(cursor, "alice")
        _, paper = keys.make(
            cursor, COMMAND_LINE, alice.user_id, "p", ["publish"], SYSTEM_CLOCK.now(),
            account="paper",
        )  # fmt: skip
    batch = [
        emitted(1, "kinds"),
        emitted(2, "kinds", account="live"),
        emitted(3, "kinds", account=None),
        emitted(4, "kinds", metadata={"account": "of mine", "more": [1]}),
    ]
    assert publish(api.client, "signal_emitted", batch, paper.text).status_code == 202
    assert publish(api.people["alice"], "signal_emitted", emitted(5, "kinds")).status_code == 202
    found = {
        each["signal_id"]: each
        for each in (json.loads(parcel.value or b"") for parcel in
                     wire.read(settings, settings.topic("signal_emitted")))
        if each["strategy"] == "kinds"
    }  # fmt: skip
    assert {name[-1]: each.get("account") for name, each in found.items()} == {
        "1": "paper", "2": "live", "3": "paper", "4": "paper", "5": None,
    }  # fmt: skip
    assert found["kinds-4"]["metadata"] == {"account": "of mine", "more": [1]}
    events = [SignalEmitted.model_validate(each) for each in found.values()]
    StageRun(TRACKER, settings).of(events)
    shown = api.people["alice"].get("/api/v1/signals?strategy=kinds").json()["signals"]
    assert {each["signal_id"][-1]: each["account"] for each in shown} == {
        "1": "paper", "2": "live", "3": "paper", "4": "paper", "5": None,
    }  # fmt: skip
    one = api.people["alice"].get("/api/v1/signals/kinds-2").json()
    assert (one["said"]["account"], one["position"]["account"]) == ("live", "live")
    file = api.people["alice"].get("/api/v1/signals/export?strategy=kinds").text
    assert "paper" in file
    refused = publish(api.people["alice"], "signal_emitted", emitted(6, "kinds", account="dream"))
    assert "account" in str(api.problem(refused, 422)["errors"])


def test_the_account_kind_is_part_of_what_a_revision_says(settings: Settings) -> None:
    said = [signal(1, "kinds", account="paper"), signal(1, "kinds", account="live", revision=1)]
    StageRun(TRACKER, settings).of(said, batches=[1, 1])
    with database.session(settings, application="test") as cursor:
        assert rows(cursor, "SELECT account FROM signals") == [("live",)]
        assert rows(cursor, "SELECT account FROM signal_revisions ORDER BY revision") == [
            ("paper",), ("live",),
        ]  # fmt: skip
