"""Ports are chosen once and kept; what others must not read, they cannot."""

import socket
import stat
from pathlib import Path

import pytest

from trackrecord.local.errors import StackFailed
from trackrecord.local.layout import HOST, Home, choose_ports, read_json, write_private


@pytest.fixture
def home(tmp_path: Path) -> Home:
    place = Home.at(tmp_path / "home")
    place.make()
    return place


def test_ports_are_distinct_and_the_same_the_next_time(home: Home) -> None:
    names = ["kafka", "postgres", "stage-0", "stage-1"]
    first = choose_ports(home, names, {})
    assert len(set(first.values())) == len(names)
    assert choose_ports(home, names, {}) == first


def test_a_kept_port_that_is_taken_by_now_is_replaced(home: Home) -> None:
    first = choose_ports(home, ["kafka", "postgres"], {})
    with socket.create_server((HOST, first["kafka"])):
        second = choose_ports(home, ["kafka", "postgres"], {})
    assert second["kafka"] != first["kafka"]
    assert second["postgres"] == first["postgres"]


def test_a_port_asked_for_is_used_or_refused_with_a_reason(home: Home) -> None:
    free = choose_ports(home, ["any"], {})["any"]
    assert choose_ports(home, ["kafka"], {"kafka": free}) == {"kafka": free}
    with (
        socket.create_server((HOST, free)),
        pytest.raises(StackFailed, match=f"port {free}, asked for kafka, is taken"),
    ):
        choose_ports(home, ["kafka"], {"kafka": free})


def test_a_kept_port_gives_way_to_one_asked_for(home: Home) -> None:
    kept = choose_ports(home, ["kafka"], {})["kafka"]
    chosen = choose_ports(home, ["kafka", "postgres"], {"postgres": kept})
    assert chosen["postgres"] == kept
    assert chosen["kafka"] != kept


def test_private_files_are_private_and_whole(home: Home) -> None:
    write_private(home.state, '{"a": 1}')
    write_private(home.state, '{"a": 2}')
    assert stat.S_IMODE(home.state.stat().st_mode) == 0o600
    assert read_json(home.state) == {"a": 2}
    assert [path.name for path in home.path.glob("*.new")] == []


def test_what_is_no_object_reads_as_nothing(home: Home) -> None:
    assert read_json(home.path / "absent.json") is None
    for text in ("", "[1]", '{"cut of'):
        home.state.write_text(text)
        assert read_json(home.state) is None
