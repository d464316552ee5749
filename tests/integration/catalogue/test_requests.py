"""Requests and attempts in a real database: kept once, taken up by one, ended once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from tests.support.access import Access
from tests.support.compare import fetch
from tests.support.strategies_kept import DIP, NOW, by_rule, requested
from trackrecord.access.store.audit import COMMAND_LINE
from trackrecord.catalogue.store import attempts, requests, strategies, tries
from trackrecord.catalogue.store.attempts import AttemptTable
from trackrecord.catalogue.store.requests import (
    ConflictingRequestError,
    Request,
    SupersededRequestError,
)
from trackrecord.providers.attempts import INTERRUPTED, Question, Result
from trackrecord.runtime import database
from trackrecord.runtime.database import Cursor
from trackrecord.strategies.tries import Run

pytestmark = pytest.mark.kafka


def claim(cursor: Cursor, worker: str = "a", **more: object) -> Request | None:
    given = {"stale_seconds": 60.0, "now": NOW, **more}
    return requests.claim(cursor, worker, **given)  # type: ignore[arg-type]


def question(number: int = 1) -> Question:
    return Question(
        attempt_id=f"attempt-{number}", generation_id="g", number=number, owner="ada",
        sentence="buy", instructions="you write", request="buy", provider="openai", model="m",
        most_tokens=100, most_seconds=10.0, asked_at=NOW + timedelta(seconds=number),
    )  # fmt: skip


def test_the_same_request_twice_is_one_and_another_under_its_id_is_refused(access: Access) -> None:
    asked = requested(symbols=["AAPL"])
    with access.owner() as cursor:
        assert requests.submit(cursor, asked, user_id=None, now=NOW)
        assert not requests.submit(cursor, asked, user_id=None, now=NOW)
        other = requested(DIP, request_id=asked.request_id)
        with pytest.raises(ConflictingRequestError, match="asks for something else"):
            requests.submit(cursor, other, user_id=None, now=NOW)
        found = requests.of(cursor, asked.request_id)
    assert found is not None
    assert (found.status, found.asked, found.epoch) == ("waiting", asked, 0)


def test_the_id_of_somebody_elses_request_is_refused_and_shows_nothing(access: Access) -> None:
    alice, bob = access.alice, access.bob
    asked = requested(owner="alice")
    with access.api(alice) as cursor:
        requests.submit(cursor, asked, user_id=alice.user_id, now=NOW)
    with access.api(bob) as cursor:
        assert requests.of(cursor, asked.request_id) is None
        with pytest.raises(ConflictingRequestError):
            requests.submit(cursor, asked, user_id=bob.user_id, now=NOW)
        assert claim(cursor) is None


def test_each_request_is_taken_up_by_one_the_oldest_first(access: Access) -> None:
    first, second = requested(), requested(provider="openai")
    with access.owner() as cursor:
        requests.submit(cursor, first, user_id=None, now=NOW)
        requests.submit(cursor, second, user_id=None, now=NOW + timedelta(seconds=1))
    with access.owner() as one, access.owner() as other:
        mine, theirs = claim(one), claim(other)
        assert mine is not None
        assert theirs is not None
        assert (mine.request_id, theirs.request_id) == (first.request_id, second.request_id)
        assert claim(one) is None


def test_who_makes_it_decides_what_kind_of_work_it_is(access: Access) -> None:
    by_standard, offline, asking = (
        requested(),
        requested(provider="offline"),
        requested(provider="gemini"),
    )
    with access.owner() as cursor:
        for number, each in enumerate((asking, by_standard, offline)):
            requests.submit(cursor, each, user_id=None, now=NOW + timedelta(seconds=number))
        found = claim(cursor, kind="offline")
        assert found is not None
        assert found.request_id == by_standard.request_id
        requests.release(cursor, found.request_id, found.epoch)
        found = claim(cursor, kind="offline", standard="openai")
        assert found is not None
        assert found.request_id == offline.request_id
        found = claim(cursor, kind="asking")
        assert found is not None
        assert found.request_id == asking.request_id


def test_a_worker_without_a_sign_of_life_is_replaced_and_its_result_dropped(
    access: Access,
) -> None:
    asked = requested()
    with access.owner() as cursor:
        requests.submit(cursor, asked, user_id=None, now=NOW)
        lost = claim(cursor, "lost")
        assert lost is not None
        soon, late = NOW + timedelta(seconds=59), NOW + timedelta(seconds=130)
        assert claim(cursor, "heir", now=soon) is None
        assert requests.beat(cursor, lost.request_id, lost.epoch, soon)
        assert claim(cursor, "heir", now=NOW + timedelta(seconds=100)) is None
        heir = claim(cursor, "heir", now=late)
        assert heir is not None
        assert heir.epoch == 2
        assert not requests.beat(cursor, lost.request_id, lost.epoch, late)
        assert not requests.release(cursor, lost.request_id, lost.epoch)
        with pytest.raises(SupersededRequestError):
            requests.end(cursor, lost.request_id, lost.epoch, now=late, answer={"by": "lost"})
        requests.end(cursor, heir.request_id, heir.epoch, now=late, answer={"by": "heir"})
        with pytest.raises(SupersededRequestError):
            requests.end(cursor, heir.request_id, heir.epoch, now=late, answer={"by": "again"})
        found = requests.of(cursor, asked.request_id)
    assert found is not None
    assert (found.status, found.answer, found.error) == ("done", {"by": "heir"}, None)


def test_a_question_is_on_the_disk_before_it_is_asked_and_its_last_result_counts(
    access: Access,
) -> None:
    log = AttemptTable(access.owner, request_id="r")
    log.asking(question())
    status = fetch(access.settings, "SELECT status, prompt, request_id FROM generation_log")
    assert status == [("asking", "buy", "r")]
    first = Result("partial", answer="a\0b\ud800", code="x = 1", ended_at=NOW)
    log.ended("attempt-1", first)
    log.ended(
        "attempt-1",
        Result(
            "success", ending="finished", answer="a", code="x = 1", answered_by="m-1",
            input_tokens=10, output_tokens=20, seconds=1.5, ended_at=NOW,
        ),
    )  # fmt: skip
    log.asking(question(2))
    latest, before = log.attempts()
    assert (latest.question.number, latest.result.status) == (2, "asking")
    assert before.question == Question(**{**vars(question()), "generation_id": "r"})
    assert (before.result.status, before.result.output_tokens) == ("success", 20)
    assert len(log.attempts(1)) == 1


def test_what_no_text_is_is_kept_as_it_can_be(access: Access) -> None:
    log = AttemptTable(access.owner, request_id="r")
    log.asking(question())
    problem = {"line": None, "code": "syntax", "message": "a\0b"}
    log.ended("attempt-1", Result("failure", answer="a\0b\ud800c", problems=[problem]))
    [found] = log.attempts()
    assert found.result.answer == "a\\0b\\ud800c"


def test_a_log_that_cannot_be_kept_is_an_error_of_the_operating_system(access: Access) -> None:
    away = access.settings.model_copy(update={"database_url": "postgresql://127.0.0.1:1/none"})

    @contextmanager
    def connect() -> Iterator[Cursor]:
        with database.session(away, application="test") as cursor:
            yield cursor

    with pytest.raises(OSError, match="no database at"):
        AttemptTable(connect, request_id="r").asking(question())


def test_what_a_lost_worker_asked_is_a_failure_that_may_have_been_billed(access: Access) -> None:
    log = AttemptTable(access.owner, request_id="r")
    with access.owner() as cursor:
        assert not attempts.interrupt(cursor, "r", NOW)
    log.asking(question(1))
    log.ended("attempt-1", Result("failure", ending="truncated"))
    log.asking(question(2))
    with access.owner() as cursor:
        assert attempts.interrupt(cursor, "r", NOW)
    latest, before = log.attempts()
    assert (latest.result.status, latest.result.error) == ("failure", INTERRUPTED)
    assert before.result.error is None


def test_the_log_is_each_users_own_and_filtered_page_by_page(access: Access) -> None:
    alice, bob = access.alice, access.bob

    def as_alice() -> object:
        return access.api(alice)

    log = AttemptTable(as_alice, request_id="r", user_id=alice.user_id)  # type: ignore[arg-type]
    for number in (1, 2, 3):
        log.asking(question(number))
    log.ended("attempt-2", Result("failure", error="no"))
    with access.api(bob) as cursor:
        assert attempts.logged(cursor) == []
    with access.api(alice) as cursor:
        page = attempts.logged(cursor, limit=2)
        assert [each.attempt.question.number for each in page] == [3, 2]
        last = page[-1].attempt.question
        rest = attempts.logged(cursor, after=(last.asked_at, last.attempt_id))
        assert [each.attempt.question.number for each in rest] == [1]
        failed = attempts.logged(cursor, status="failure", provider="openai")
        assert [each.attempt.question.number for each in failed] == [2]
        assert failed[0].user_id == alice.user_id


def test_two_backtests_at_once_count_each_other(access: Access) -> None:
    counted: list[int] = []
    gate = threading.Barrier(4)

    def judge(number: int) -> None:
        gate.wait()
        with access.owner() as cursor:
            counted.append(tries.note_and_count(cursor, Run("ada", f"c{number}", ("a",)), NOW))

    threads = [threading.Thread(target=judge, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(counted) == [1, 2, 3, 4]
    with access.owner() as cursor:
        again = Run("ada", "c0", ("a",))
        assert tries.note_and_count(cursor, again, NOW) == 4
    assert fetch(access.settings, "SELECT count(*) FROM strategy_tries") == [(4,)]


def test_a_strategy_bears_the_request_that_made_it(access: Access) -> None:
    asked = requested()
    with access.owner() as cursor:
        requests.submit(cursor, asked, user_id=None, now=NOW)
        found = claim(cursor)
        assert found is not None
        made = strategies.add(cursor, COMMAND_LINE, by_rule(), owner="ada", user_id=None, now=NOW)
        requests.end(
            cursor, found.request_id, found.epoch, now=NOW, answer={},
            strategy_id=made.strategy_id,
        )  # fmt: skip
        ended = requests.of(cursor, asked.request_id)
    assert ended is not None
    assert ended.strategy_id == made.strategy_id
