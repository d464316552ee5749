"""Does a publisher that nobody gave a broker reach the stack of its folder, and follow it?"""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient
from conftest import Broker

from tests.support.homes import home_in, running_in
from trackrecord.sdk import Publisher

BROKERS = "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS"
NOBODY = "127.0.0.1:1"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, in a project without a stack."""
    folder = tmp_path / "project" / "sub"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    prefix = f"{uuid4().hex[:8]}."
    return {"XDG_STATE_HOME": str(tmp_path / "state"), "TRACKRECORD_TOPIC_PREFIX": prefix}


@pytest.fixture
def other() -> Broker:
    return Broker()


def signals(broker: Broker, environ: dict[str, str]) -> list[str]:
    topic = environ["TRACKRECORD_TOPIC_PREFIX"] + "signal_emitted"
    client = AdminClient({"bootstrap.servers": broker.address})
    if topic not in client.list_topics(timeout=10).topics:
        return []  # the mock makes it for the first event
    return sorted(message.key().decode() for message in broker.messages(topic))


def leave(symbol: str, environ: dict[str, str], **more: Any) -> Path:
    """Publish while nobody takes anything; returns the spool in which it waits."""
    publisher = Publisher("mine", environ=environ, **more)
    publisher.signal(symbol, "BUY", price=1)
    assert publisher.close(0.2) == 1
    assert publisher.spool_dir is not None
    return publisher.spool_dir


def test_the_running_stack_is_found_with_its_spool_and_prefix(
    broker: Broker, place: Path, environ: dict[str, str]
) -> None:
    home = home_in(place.parent)
    prefix = environ.pop("TRACKRECORD_TOPIC_PREFIX")
    with running_in(home, broker.address, topic_prefix=prefix):
        with Publisher("mine", environ=environ) as publisher:
            publisher.signal("AAPL", "BUY", price=1)
            assert publisher.flush(10) == 0
        assert publisher.spool_dir == home / "spool"
    assert signals(broker, {"TRACKRECORD_TOPIC_PREFIX": prefix}) == ["AAPL"]


def test_both_broker_and_spool_are_of_a_named_home(
    broker: Broker, place: Path, environ: dict[str, str]
) -> None:
    home_in(place)
    named = home_in(place.parent, "elsewhere")
    environ["TRACKRECORD_HOME"] = str(named)
    with running_in(named, broker.address), Publisher("mine", environ=environ) as publisher:
        publisher.signal("AAPL", "BUY", price=1)
        assert publisher.flush(10) == 0
    assert publisher.spool_dir == named / "spool"


def test_what_is_named_wins_and_waits_where_it_always_did(
    broker: Broker, place: Path, environ: dict[str, str]
) -> None:
    with running_in(home_in(place), NOBODY):
        for given, named in (({}, broker.address), ({BROKERS: broker.address}, None)):
            both = {**environ, **given}
            with Publisher("mine", environ=both, bootstrap_servers=named) as publisher:
                publisher.signal("AAPL", "BUY", price=1)
                assert publisher.flush(10) == 0
            user_spool = Path(environ["XDG_STATE_HOME"]) / "trackrecord" / "spool"
            assert publisher.spool_dir == user_spool


def test_a_stack_that_is_down_is_not_taken_and_is_named_at_the_end(
    broker: Broker, place: Path, environ: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    home = home_in(place)
    with running_in(home, broker.address):
        pass
    spool = leave("AAPL", environ)
    assert spool == home / "spool"
    assert signals(broker, environ) == []
    [said] = [record.getMessage() for record in caplog.records if "wait in" in record.getMessage()]
    for words in ("1 events wait", str(spool), "127.0.0.1:9092", str(home), "`trackrecord up`"):
        assert words in said


def test_what_waits_for_a_home_follows_its_stack_to_another_port(
    broker: Broker, place: Path, environ: dict[str, str]
) -> None:
    home = home_in(place)
    with running_in(home, NOBODY):
        leave("AAPL", environ)
    with running_in(home, broker.address), Publisher("other", environ=environ) as publisher:
        publisher.signal("MSFT", "BUY", price=1)
        assert publisher.flush(10) == 0
        assert publisher.stats.adopted == 1
    assert signals(broker, environ) == ["AAPL", "MSFT"]
    assert list((home / "spool").iterdir()) == []


def test_what_waited_before_there_was_a_stack_goes_to_the_one_that_is_started_there(
    broker: Broker, place: Path, environ: dict[str, str]
) -> None:
    spool = leave("AAPL", environ)
    home = home_in(place.parent)
    with running_in(home, broker.address), Publisher("other", environ=environ) as publisher:
        assert publisher.flush(10) == 0
    assert signals(broker, environ) == ["AAPL"]
    assert list(spool.iterdir()) == []


def test_what_waited_in_another_project_stays(
    broker: Broker, place: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = leave("AAPL", environ)
    elsewhere = place.parents[1] / "another"
    home = home_in(elsewhere)
    monkeypatch.chdir(elsewhere)
    with running_in(home, broker.address), Publisher("mine", environ=environ) as publisher:
        assert publisher.flush(10) == 0
    assert signals(broker, environ) == []
    assert len(list(spool.iterdir())) == 1


@pytest.mark.usefixtures("place")
def test_what_waited_without_a_broker_goes_to_the_one_that_is_named_then_and_that_is_said(
    broker: Broker, environ: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    leave("AAPL", environ)
    with Publisher("mine", environ={**environ, BROKERS: broker.address}) as publisher:
        assert publisher.flush(10) == 0
    assert signals(broker, environ) == ["AAPL"]
    [said] = [r for r in caplog.records if "are sent to" in r.getMessage()]
    assert said.levelno == logging.WARNING


@pytest.mark.usefixtures("place")
def test_what_is_for_other_brokers_stays_and_the_command_that_sends_it_works(
    broker: Broker, environ: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    leave("AAPL", environ, bootstrap_servers=NOBODY)
    options: dict[str, Any] = {"environ": environ, "bootstrap_servers": broker.address}
    with Publisher("mine", **options) as publisher:
        assert publisher.flush(10) == 0
    assert signals(broker, environ) == []
    [said] = [r.getMessage() for r in caplog.records if "echo" in r.getMessage()]
    address, _, file = said.rpartition("echo ")[2].partition(" > ")
    Path(file).write_text(address + "\n")
    with Publisher("mine", **options) as publisher:
        assert publisher.flush(10) == 0
    assert signals(broker, environ) == ["AAPL"]


def test_a_living_publisher_follows_a_stack_that_is_started_and_moves(
    broker: Broker, other: Broker, place: Path, environ: dict[str, str]
) -> None:
    with Publisher("mine", environ=environ) as publisher:
        publisher.signal("AAPL", "BUY", price=1)
        home = home_in(place)
        with running_in(home, broker.address):
            assert publisher.flush(20) == 0
            assert repr(publisher) == f"Publisher('mine', '{broker.address}')"
    assert signals(broker, environ) == ["AAPL"]
    with running_in(home, NOBODY):
        moving = Publisher("mine", environ=environ)
        moving.signal("MSFT", "BUY", price=1)
        time.sleep(0.2)
    with running_in(home, other.address):
        assert moving.flush(20) == 0
        moving.close()
    assert signals(other, environ) == ["MSFT"]
