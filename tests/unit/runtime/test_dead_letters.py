"""Dead letters and the limit that stops a consumer which makes too many."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from confluent_kafka import Message
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.runtime import dead_letters
from trackrecord.runtime.dead_letters import Limit, trace_id
from trackrecord.runtime.decoding.decoder import Refusal
from trackrecord.runtime.errors import HaltedError

NOW = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)


def letter(**fields: Any) -> dead_letters.DeadLetter:
    values: dict[str, Any] = {
        "topic": "eu.signal_emitted", "partition": 2, "offset": 41, "key": b"AAPL",
        "value": b"\x00\xff", "timestamp": (2, 1_772_461_800_000),
    }  # fmt: skip
    refusal = Refusal(0, "invalid", fields.pop("reason", "price: must be above 0"))
    return dead_letters.make("signal_tracker", Message(**(values | fields)), refusal, NOW)


def test_it_says_where_it_came_from_who_refused_it_and_why() -> None:
    made = letter(headers=[("ce_id", b"e-1"), ("traceparent", b"00-abc-def-01")])
    assert (made.topic, made.partition, made.offset) == ("eu.signal_emitted", 2, 41)
    assert (made.key, made.value) == (b"AAPL", b"\x00\xff")
    assert made.attempt == 1
    headers = dict(made.outgoing_headers())
    assert headers["ce_id"] == b"e-1"
    assert headers["traceparent"] == b"00-abc-def-01"
    assert headers["dlq_topic"] == b"eu.signal_emitted"
    assert (headers["dlq_partition"], headers["dlq_offset"]) == (b"2", b"41")
    assert headers["dlq_stage"] == b"signal_tracker"
    assert headers["dlq_error_class"] == b"invalid"
    assert headers["dlq_reason"] == b"price: must be above 0"
    assert headers["dlq_timestamp"] == b"2026-03-02T14:30:00Z"
    assert headers["dlq_attempt"] == b"1"
    assert headers["dlq_id"] == made.id.encode()


def test_its_id_follows_from_its_place_so_that_refusing_it_twice_is_one_letter() -> None:
    assert letter().id == letter(reason="other").id
    assert letter().id != letter(offset=42).id


def test_the_attempt_is_counted_on_and_old_dlq_headers_are_replaced() -> None:
    made = letter(headers=[("dlq_attempt", b"3"), ("dlq_reason", b"old")])
    assert made.attempt == 3
    names = [name for name, _ in made.outgoing_headers()]
    assert len(names) == len(set(names))
    assert dict(made.outgoing_headers())["dlq_reason"] == b"price: must be above 0"


@pytest.mark.parametrize("said", [b"", b"-1", b"x", b"1.5", b"9" * 30, b"\xff"])
def test_an_attempt_that_is_no_number_counts_as_the_first(said: bytes) -> None:
    assert letter(headers=[("dlq_attempt", said)]).attempt == 1


def test_a_message_without_key_value_and_headers_has_a_letter_too() -> None:
    made = letter(key=None, value=None, timestamp=(0, -1))
    assert (made.key, made.value) == (None, None)
    assert made.timestamp == datetime(1970, 1, 1, tzinfo=UTC)


def test_a_nul_in_a_reason_is_written_out_since_the_database_takes_none() -> None:
    assert "\x00" not in letter(reason="holds \x00").reason


@pytest.mark.parametrize(
    ("traceparent", "found"),
    [(b"00-abc-def-01", "abc"), (b"abc", None), (b"\xff", None), (None, None)],
)
def test_the_trace_id_is_that_of_the_w3c_header(
    traceparent: bytes | None, found: str | None
) -> None:
    assert trace_id([("traceparent", traceparent)]) == found


# -- the limit --------------------------------------------------------------------------------


def run(limit: Limit, batches: list[tuple[int, list[int]]]) -> Limit:
    for count, refused in batches:
        limit = limit.check(count, refused)
    return limit


def test_fewer_in_a_row_than_the_limit_go_through() -> None:
    run(Limit(5, 100, 1.0), [(4, [0, 1, 2, 3]), (1, []), (4, [0, 1, 2, 3])])


def test_so_many_in_a_row_stop_it_even_across_batches() -> None:
    limit = run(Limit(5, 100, 1.0), [(3, [0, 1, 2])])
    with pytest.raises(HaltedError, match=r"5 messages in a row.*DEAD_LETTERS_IN_A_ROW"):
        limit.check(10, [0, 1])


def test_a_good_message_in_between_begins_the_row_anew() -> None:
    run(Limit(3, 100, 1.0), [(5, [0, 1, 3, 4]), (3, [1, 2])])


def test_more_than_the_share_of_a_full_window_stops_it() -> None:
    limit = run(Limit(1000, 10, 0.5), [(10, [0, 2, 4, 6, 8])])
    with pytest.raises(HaltedError, match=r"6 of the last 10 .* more than 50%.*DEAD_LETTERS_SHARE"):
        run(limit, [(2, [1]), (2, [0, 1])])


def test_a_window_that_is_not_full_yet_is_no_share() -> None:
    run(Limit(1000, 100, 0.5), [(1, [0]), (1, []), (2, [0, 1])])


def test_a_batch_that_was_not_committed_leaves_the_limit_as_it_was() -> None:
    limit = Limit(3, 100, 1.0)
    for _ in range(10):  # the same batch, rolled back each time
        limit.check(2, [0, 1])
    limit = limit.check(2, [0, 1])
    with pytest.raises(HaltedError):
        limit.check(1, [0])


@given(
    st.lists(st.booleans(), max_size=60),
    st.integers(1, 8),
    st.integers(1, 12),
    st.sampled_from([0.25, 0.5, 0.9, 1.0]),
    st.integers(1, 60),
)
def test_how_messages_fall_into_batches_does_not_matter(
    refused: list[bool], in_a_row: int, window: int, share: float, size: int
) -> None:
    def halts(step: int) -> bool:
        limit = Limit(in_a_row, window, share)
        try:
            for start in range(0, len(refused), step):
                part = refused[start : start + step]
                limit = limit.check(len(part), [n for n, bad in enumerate(part) if bad])
        except HaltedError:
            return True
        return False

    def expected() -> bool:
        row = 0
        for end in range(1, len(refused) + 1):
            row = row + 1 if refused[end - 1] else 0
            last = refused[max(0, end - window) : end]
            if row >= in_a_row or (len(last) == window and sum(last) > share * window):
                return True
        return False

    assert halts(1) == halts(size) == expected()
