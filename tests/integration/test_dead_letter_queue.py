"""Dead letters again: a message once, a large one named, a dismissed one apart."""

from __future__ import annotations

import pytest

from tests.support import compare, wire
from tests.support.pipeline import until
from trackrecord.clock import SYSTEM_CLOCK
from trackrecord.runtime import database, kafka
from trackrecord.runtime.admin.dead_letter_queue import (
    dismiss_letters,
    read_letters,
    replay_letters,
)
from trackrecord.runtime.dead_letters import DeadLetter, insert
from trackrecord.runtime.errors import PassingError
from trackrecord.runtime.kafka import ensure_topics
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka


def letter(settings: Settings, name: str, offset: int, value: bytes = b"bad") -> DeadLetter:
    now = SYSTEM_CLOCK.now()
    return DeadLetter(
        name, name[0], settings.topic("signal_emitted"), 0, offset, now, b"K", value,
        [], "invalid", "why", now, 1,
    )  # fmt: skip


def has_leaders(settings: Settings) -> bool:
    client = kafka.admin(settings)
    try:
        topic = settings.topic("signal_emitted")
        return len(kafka.end_offsets(client, kafka.partitions_of(client, [topic]))) == 3
    except PassingError:
        return False


@pytest.fixture(autouse=True)
def _letters(settings: Settings) -> None:
    ensure_topics(settings)
    until(lambda: has_leaders(settings), "every partition has a leader")
    connection = database.connect(settings, application="test")
    with connection, connection.cursor() as cursor:
        found = [letter(settings, "a-5", 5), letter(settings, "b-5", 5), letter(settings, "a-6", 6)]
        insert(cursor, [*found, letter(settings, "a-7", 7, b"x" * 1_200_000)])
    connection.close()


def test_a_message_of_two_letters_is_sent_once_and_a_large_one_keeps_none_back(
    settings: Settings,
) -> None:
    done = replay_letters(settings, [])
    assert (done.letters, done.messages) == (3, 2)
    [failed] = done.failed
    assert failed["id"] == "a-7"
    assert [each["id"] for each in read_letters(settings)] == ["a-7"]
    sent = wire.read(settings, settings.topic("signal_emitted"))
    assert sorted(each.header("dlq_origin") or "" for each in sent) == ["0/5", "0/6"]
    assert {each.header("dlq_attempt") for each in sent} == {"2"}


def test_one_letter_that_is_named_takes_those_of_the_same_message_along(settings: Settings) -> None:
    done = replay_letters(settings, ["b-5", "never"])
    assert (done.letters, done.messages, done.missing) == (2, 1, ["never"])
    assert {each["id"] for each in read_letters(settings)} == {"a-6", "a-7"}


def test_what_is_dismissed_is_kept_with_the_reason_and_not_replayed(settings: Settings) -> None:
    asked = ["a-7", "never"]
    assert dismiss_letters(settings, asked, "a test") == {"a-7": "dismissed", "never": "missing"}
    assert dismiss_letters(settings, ["a-7"], "again") == {"a-7": "dismissed before"}
    assert "a-7" not in {each["id"] for each in read_letters(settings)}
    [kept] = [each for each in read_letters(settings, replayed=True) if each["id"] == "a-7"]
    assert kept["dismissed_why"] == "a test"
    assert replay_letters(settings, []).failed == []
    assert compare.fetch(settings, "SELECT count(*) FROM dead_letters") == [(4,)]
