"""How long the other topics wait for the first one."""

from __future__ import annotations

from confluent_kafka import Message

from tests.support.clocks import HandClock
from trackrecord.runtime.kafka import Origin
from trackrecord.runtime.loop.catch_up import CatchUp
from trackrecord.runtime.loop.offsets import Claim

FIRST, SECOND = "signal_emitted", "signal_closed"
CLAIMS = {(FIRST, 0): Claim(1, 10), (FIRST, 1): Claim(1, 5), (SECOND, 0): Claim(1, 0)}
ORIGINS = {
    (FIRST, 0): Origin("a", 0, 30),
    (FIRST, 1): Origin("a", 0, 5),
    (SECOND, 0): Origin("b", 0, 900),
}


def message(partition: int, offset: int) -> Message:
    return Message(topic=FIRST, partition=partition, offset=offset, value=b"")


def begun(clock: HandClock) -> CatchUp:
    catch_up = CatchUp(FIRST, clock)
    catch_up.aim(CLAIMS, ORIGINS)
    catch_up.listen()
    return catch_up


def test_the_others_wait_until_the_first_is_read_to_where_it_stood() -> None:
    catch_up = begun(HandClock())
    assert catch_up.is_on
    assert catch_up.later(CLAIMS) == [(SECOND, 0)]
    catch_up.read([message(0, 28)])
    assert catch_up.is_on
    catch_up.read([message(0, 29)])
    assert not catch_up.is_on


def test_nobody_waits_where_the_first_has_nothing_left() -> None:
    catch_up = CatchUp(FIRST, HandClock())
    catch_up.aim({**CLAIMS, (FIRST, 0): Claim(1, 30)}, ORIGINS)
    assert not catch_up.is_on


def test_marks_of_transactions_are_not_waited_for_longer_than_the_silence_allows() -> None:
    clock = HandClock()
    catch_up = begun(clock)
    clock.move(1.9)
    catch_up.read([])
    assert catch_up.is_on
    catch_up.read([message(0, 20)])  # it has spoken again
    clock.move(1.9)
    catch_up.read([])
    assert catch_up.is_on
    clock.move(0.2)
    catch_up.read([])
    assert not catch_up.is_on
