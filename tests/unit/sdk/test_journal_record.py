"""Is what is read back from a spool frame what was put in, and is damage seen?"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trackrecord.sdk._journal_record import Record, frame, frames

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
RECORDS = st.builds(
    Record,
    topic=TEXTS,
    key=st.none() | st.binary(max_size=40),
    value=st.binary(max_size=200),
    headers=st.lists(st.tuples(TEXTS, st.binary(max_size=40)), max_size=5).map(tuple),
)


@given(st.lists(RECORDS, max_size=5))
def test_records_read_back_byte_for_byte(records: list[Record]) -> None:
    data = b"".join(map(frame, records))
    found = list(frames(data))
    assert [record for record, _ in found] == records
    assert not found or found[-1][1] == len(data)


@given(st.lists(RECORDS, min_size=1, max_size=4), st.data())
def test_a_record_that_was_cut_short_is_not_read_and_those_before_it_are(
    records: list[Record], data: st.DataObject
) -> None:
    whole = b"".join(map(frame, records))
    last = len(whole) - len(frame(records[-1]))
    cut = data.draw(st.integers(last, len(whole) - 1))
    assert [record for record, _ in frames(whole[:cut])] == records[:-1]


@given(RECORDS, RECORDS, st.data())
def test_a_flipped_bit_costs_its_own_record_and_not_the_next(
    first: Record, second: Record, data: st.DataObject
) -> None:
    damaged = bytearray(frame(first) + frame(second))
    place = data.draw(st.integers(8, len(frame(first)) - 1))
    damaged[place] ^= 1 << data.draw(st.integers(0, 7))
    assert [record for record, _ in frames(bytes(damaged))] == [None, second]
