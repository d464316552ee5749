"""Derived ids are those that anybody else makes of the same name."""

from uuid import uuid5

from hypothesis import given
from hypothesis import strategies as st

from trackrecord.events import derived_id
from trackrecord.events.base import NAMESPACE

PART = st.one_of(st.text(st.characters(exclude_categories=["Cs"])), st.integers())


@given(st.lists(PART, max_size=4))
def test_an_id_is_the_uuid_of_version_5_of_its_parts(parts: list[str | int]) -> None:
    name = "\x1f".join(str(part) for part in parts)
    assert derived_id(*parts) == str(uuid5(NAMESPACE, name))
