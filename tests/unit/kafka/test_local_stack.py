"""Is the right stack found from a folder, and nothing taken that is down, foreign or overruled?"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.homes import home_in, running_in
from trackrecord.kafka.local_stack import completed, found_from, home_of, running

BROKERS = "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS"


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment whose user has no home yet; the current folder is below the test's."""
    folder = tmp_path / "project" / "sub" / "deeper"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


def test_the_nearest_home_upwards_is_found(tmp_path: Path, alone: dict[str, str]) -> None:
    assert home_of(alone) is None
    user = home_in(tmp_path / "state", "trackrecord")
    assert home_of(alone) == user
    far = home_in(tmp_path / "project")
    assert home_of(alone) == far
    near = home_in(tmp_path / "project" / "sub")
    assert home_of(alone) == near
    assert found_from(tmp_path, alone) == user
    assert found_from(None, alone) == user


def test_a_folder_in_which_no_stack_was_started_is_no_home(
    tmp_path: Path, alone: dict[str, str]
) -> None:
    (tmp_path / "project" / ".trackrecord" / "demo").mkdir(parents=True)
    assert home_of(alone) is None


def test_a_named_home_is_taken_as_it_is(tmp_path: Path, alone: dict[str, str]) -> None:
    home_in(tmp_path / "project")
    assert home_of({**alone, "TRACKRECORD_HOME": "elsewhere"}) == Path.cwd() / "elsewhere"
    assert home_of({**alone, "TRACKRECORD_HOME": " "}) == tmp_path / "project" / ".trackrecord"


def test_another_accounts_home_is_passed_over_unless_it_is_named(
    tmp_path: Path, alone: dict[str, str]
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    foreign = home_in(tmp_path / "project")
    os.chown(foreign, 12345, 12345)
    assert home_of(alone) is None
    assert home_of({**alone, "TRACKRECORD_HOME": str(foreign)}) == foreign
    mine = home_in(tmp_path / "mine")
    link = tmp_path / "project" / "sub" / ".trackrecord"
    link.symlink_to(mine)
    os.lchown(link, 12345, 12345)
    assert home_of(alone) is None


def test_a_stack_runs_while_its_supervisor_holds_the_lock(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    assert running(home) is None
    with running_in(home, "127.0.0.1:7", topic_prefix="t."):
        stack = running(home)
        assert stack is not None
        assert (stack.brokers, stack.database_url) == ("127.0.0.1:7", "postgresql://db")
        assert stack.topic_prefix == "t."
    assert (home / "state.json").exists()
    assert running(home) is None  # it crashed, and what it wrote down is stale


@pytest.mark.parametrize("phase", ["stopping", "failed"])
def test_a_stack_that_ends_is_not_taken(tmp_path: Path, phase: str) -> None:
    home = home_in(tmp_path)
    with running_in(home, "127.0.0.1:7", phase=phase):
        assert running(home) is None


@pytest.mark.parametrize("text", ["", "[]", "{", '{"kafka": 7}', '{"kafka": ""}', "\xff"])
def test_a_state_that_cannot_be_read_is_no_stack(tmp_path: Path, text: str) -> None:
    home = home_in(tmp_path)
    with running_in(home, "127.0.0.1:7"):
        (home / "state.json").write_bytes(text.encode("latin-1"))
        assert running(home) is None


def test_a_stack_stands_in_for_what_is_not_set(tmp_path: Path, alone: dict[str, str]) -> None:
    home = home_in(tmp_path / "project")
    assert completed(alone) == {**alone, "TRACKRECORD_HOME": str(home)}
    others = {
        "TRACKRECORD_KAFKA_SASL_PASSWORD": "x",
        "TRACKRECORD_KAFKA_SECURITY_PROTOCOL": "ssl",
        "TRACKRECORD_KAFKA_LINGER_MS": "7",
    }
    with running_in(home, "127.0.0.1:7", topic_prefix="t."):
        assert completed({**alone, **others}) == {
            **alone,
            "TRACKRECORD_HOME": str(home),
            BROKERS: "127.0.0.1:7",
            "TRACKRECORD_TOPIC_PREFIX": "t.",
            "DATABASE_URL": "postgresql://db",
            "TRACKRECORD_KAFKA_LINGER_MS": "7",
        }


def test_what_is_set_wins(tmp_path: Path, alone: dict[str, str]) -> None:
    home = home_in(tmp_path / "project")
    given = {**alone, BROKERS: "b:1", "DATABASE_URL": "postgresql://mine"}
    with running_in(home, "127.0.0.1:7", topic_prefix="t."):
        assert completed(given) == {**given, "TRACKRECORD_HOME": str(home)}
        prefixed = completed({**alone, "TRACKRECORD_TOPIC_PREFIX": "p."})
        assert prefixed["TRACKRECORD_TOPIC_PREFIX"] == "p."


def test_a_current_folder_that_was_deleted_is_no_obstacle(
    tmp_path: Path, alone: dict[str, str]
) -> None:
    Path.cwd().rmdir()
    home_in(tmp_path / "project")
    assert home_of(alone) is None
