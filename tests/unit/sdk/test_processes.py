"""Do events survive the ends that processes come to: killed, forked, forgotten?"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.clocks import HandClock
from tests.support.pipeline import until
from tests.unit.sdk.conftest import Broker
from trackrecord.sdk import Publisher

BEGINNING = """
import os, signal, sys, time
from trackrecord.sdk import Publisher
address, folder, prefix = sys.argv[1:]
def publisher(**options):
    return Publisher("s", bootstrap_servers=address, spool_dir=folder, topic_prefix=prefix,
                     environ={}, **options)
AWAY = {"security.protocol": "ssl"}  # the mock broker speaks plain text, so it is not reached
"""


@pytest.fixture
def prefix() -> str:
    return f"{uuid4().hex[:8]}."


def run(code: str, broker: Broker, folder: Path, prefix: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BEGINNING + code, broker.address, str(folder), prefix],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def send_what_is_left(broker: Broker, folder: Path, prefix: str) -> int:
    with Publisher(
        "s", bootstrap_servers=broker.address, spool_dir=folder, topic_prefix=prefix, environ={}
    ) as publisher:
        assert publisher.flush(10) == 0
        return publisher.stats.adopted


def numbers(broker: Broker, prefix: str) -> list[int]:
    messages = broker.messages(prefix + "signal_emitted")
    return [int(json.loads(message.value())["signal_id"]) for message in messages]


def test_what_a_killed_process_had_in_its_spool_is_sent_by_the_next(
    broker: Broker, tmp_path: Path, prefix: str
) -> None:
    code = """
p = publisher(kafka=AWAY, max_buffered_messages=50)
for number in range(500):
    p.signal("AAPL", "BUY", price=1, signal_id=str(number))
time.sleep(0.2)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = run(code, broker, tmp_path, prefix)
    assert done.returncode == -signal.SIGKILL, done.stderr
    (log,) = tmp_path.glob("*/*.log")
    log.write_bytes(log.read_bytes() + b"\0\0\1")  # as if it had died in mid-write
    assert send_what_is_left(broker, tmp_path, prefix) == 500
    assert numbers(broker, prefix) == list(range(500))
    assert list(tmp_path.iterdir()) == []


def test_the_spool_of_a_process_that_dies_meanwhile_is_taken_over_by_a_living_one(
    broker: Broker, tmp_path: Path, prefix: str
) -> None:
    clock = HandClock()
    with Publisher(
        "s",
        bootstrap_servers=broker.address,
        spool_dir=tmp_path,
        topic_prefix=prefix,
        environ={},
        clock=clock,
    ) as living:
        living.signal("AAPL", "BUY", price=1, signal_id="100")
        assert living.flush(10) == 0
        code = """
p = publisher(kafka=AWAY)
p.signal("AAPL", "BUY", price=1, signal_id="101")
time.sleep(0.2)
os.kill(os.getpid(), signal.SIGKILL)
"""
        run(code, broker, tmp_path, prefix)
        clock.move(16)  # spools of ended processes are looked for every 15 s
        until(lambda: living.stats.adopted, "its spool is taken over")
        assert living.flush(10) == 0
    assert numbers(broker, prefix) == [100, 101]


def test_a_program_that_forgets_to_close_delivers_all_the_same(
    broker: Broker, tmp_path: Path, prefix: str
) -> None:
    done = run(
        'publisher().signal("AAPL", "BUY", price=1, signal_id="7")', broker, tmp_path, prefix
    )
    assert done.returncode == 0, done.stderr
    assert numbers(broker, prefix) == [7]
    assert list(tmp_path.iterdir()) == []


def test_a_program_without_a_broker_ends_soon_and_says_where_its_events_are(
    broker: Broker, tmp_path: Path, prefix: str
) -> None:
    code = """
import logging; logging.basicConfig()
p = publisher(kafka=AWAY)
p.signal("AAPL", "BUY", price=1, signal_id="7")
"""
    done = run(code, broker, tmp_path, prefix)
    assert done.returncode == 0
    assert f"1 events wait in {tmp_path}" in done.stderr
    assert send_what_is_left(broker, tmp_path, prefix) == 1
    assert numbers(broker, prefix) == [7]


def test_a_forked_child_is_told_to_make_its_own_and_does_the_parent_no_harm(
    broker: Broker, tmp_path: Path, prefix: str
) -> None:
    code = """
p = publisher()
p.signal("AAPL", "BUY", price=1, signal_id="1")
assert p.flush(10) == 0
child = os.fork()
if child == 0:
    try:
        p.signal("AAPL", "BUY", price=1, signal_id="2")
    except RuntimeError as error:
        assert "each process" in str(error), error
    else:
        os._exit(1)
    assert p.close() == 0
    with publisher() as own:
        own.signal("AAPL", "BUY", price=1, signal_id="3")
    sys.exit(0)  # runs the interpreter's whole end, with the parent's client in it
_, status = os.waitpid(child, 0)
assert status == 0, status
p.signal("AAPL", "BUY", price=1, signal_id="4")
assert p.close(10) == 0
"""
    done = run(code, broker, tmp_path, prefix)
    assert done.returncode == 0, done.stderr
    assert numbers(broker, prefix) == [1, 3, 4]
    assert list(tmp_path.iterdir()) == []
