"""Is what waits sent to its own brokers, however they are named, and to no others?"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.homes import home_in
from trackrecord.sdk._destination import Destination, Verdict, may_send

NO_HOME = {"XDG_STATE_HOME": "/nowhere"}


def verdict(
    theirs: Destination, ours: Destination, *, same: bool = False, here: str = "/here"
) -> Verdict:
    return may_send(theirs, ours, same_strategy=same, here=here, environ=NO_HOME)


@given(st.builds(Destination, st.just("a:1,b:2"), st.text(), st.text(), st.text()))
def test_a_destination_is_read_back_as_it_was_written(destination: Destination) -> None:
    found = Destination.from_bytes(destination.to_text().encode())
    assert found == Destination(
        "a:1,b:2", destination.home, destination.folder, destination.cluster_id
    )


@pytest.mark.parametrize("data", [b"", b"\n", b" , ", b"\xe9", b'a:1\nhome "'])
def test_what_is_no_destination_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - which of several does not matter
        Destination.from_bytes(data)


def test_a_file_that_only_names_brokers_is_enough() -> None:
    assert Destination.from_bytes(b"B:2, a:1") == Destination("a:1,b:2")


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [
        # the stack of a home, on another port, made anew, or run by the mock
        (Destination("a:1", home="/h"), Destination("a:2", home="/h"), Verdict.YES),
        (
            Destination("a:1", home="/h", cluster="x"),
            Destination("a:2", home="/h", cluster="y"),
            Verdict.YES,
        ),
        (Destination("a:1", home="/h"), Destination("a:2", home="/i"), Verdict.NO),
        # a cluster that has another name now, and another one that has its name
        (Destination("a:1", cluster="x"), Destination("b:1", cluster="x"), Verdict.YES),
        (Destination("a:1", cluster="x"), Destination("a:1", cluster="y"), Verdict.NO),
        (Destination("a:1", cluster="x"), Destination("b:1"), Verdict.ASK),
        (Destination("a:1", cluster="x"), Destination("a:1"), Verdict.ASK),
        # only addresses are known
        (Destination("a:1"), Destination("a:1"), Verdict.YES),
        (Destination("a:1"), Destination("a:1", cluster="x"), Verdict.YES),
        (Destination("a:1,b:1"), Destination("b:1,c:1"), Verdict.YES),
        (Destination("a:1"), Destination("a:2", cluster="x"), Verdict.NO),
        (Destination("localhost:1"), Destination("127.0.0.1:1"), Verdict.YES),
        (Destination("localhost:1"), Destination("127.0.0.1:2"), Verdict.NO),
    ],
)
def test_who_may_send(theirs: Destination, ours: Destination, expected: Verdict) -> None:
    assert verdict(theirs, ours) is expected


def test_a_cluster_without_an_id_worth_keeping_is_told_by_its_address() -> None:
    ours = Destination("a:1").reached("mockCluster0x7f")
    assert ours.cluster_id == ""
    assert verdict(Destination("a:1", cluster="x"), ours) is Verdict.YES
    assert verdict(Destination("b:1", cluster="x"), ours) is Verdict.NO
    assert Destination("a:1").reached("x").cluster_id == "x"


def test_what_waited_without_a_named_broker_goes_where_one_is_found_from_its_folder(
    tmp_path: Path,
) -> None:
    home = home_in(tmp_path / "project")
    theirs = Destination("127.0.0.1:9092", folder=str(tmp_path / "project" / "sub"))
    assert verdict(theirs, Destination("a:2", home=str(home))) is Verdict.YES
    assert verdict(theirs, Destination("a:2", home="/other")) is Verdict.NO
    nearer = home_in(tmp_path / "project" / "sub")
    assert verdict(theirs, Destination("a:2", home=str(home))) is Verdict.NO
    assert verdict(theirs, Destination("a:2", home=str(nearer))) is Verdict.YES


def test_what_waited_without_a_named_broker_goes_to_the_one_the_same_strategy_names_there() -> None:
    theirs = Destination("127.0.0.1:9092", folder="/here")
    named = Destination("a:2")
    assert verdict(theirs, named, same=True) is Verdict.YES
    assert verdict(theirs, named, same=False) is Verdict.NO
    assert verdict(theirs, named, same=True, here="/there") is Verdict.NO
