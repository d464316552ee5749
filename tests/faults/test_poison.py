"""Messages that cannot be read: set aside with their bytes and the reason, and only they."""

from __future__ import annotations

import random

import pytest

from tests.faults import poison
from tests.support import compare, histories, oracle, wire
from tests.support.pipeline import Letters, Pipeline
from trackrecord.events import Event, SignalClosed, SignalEmitted

pytestmark = pytest.mark.kafka


def test_only_what_is_bad_is_refused_among_good_events(
    pipeline: Pipeline, seed: str, rng: random.Random
) -> None:
    settings = pipeline.settings
    history = histories.make(seed, 300)
    items = [wire.parcel(settings, event) for event in history]
    for model in (SignalEmitted, SignalClosed):
        # An id from which three changed bytes lead to no other signal's: that one's events lie in
        # another partition, and which of two with the same revision comes first would be open.
        good = next(each for each in history if isinstance(each, model))
        good = good.model_copy(update={"signal_id": f"{seed}-apart"})
        for parcel in (wire.parcel(settings, good), *poison.parcels(settings, rng, good)):
            items.insert(rng.randrange(len(items)), parcel)
    models = {settings.topic(each.event_type): each for each in (SignalEmitted, SignalClosed)}
    read: list[Event | None] = [poison.read(models[each.topic], each) for each in items]

    pipeline.start("signal_tracker", TRACKRECORD_BATCH_SIZE="100")
    landed = wire.send(settings, items)
    pipeline.done("signal_tracker")

    events = [event for event in read if event is not None]
    places = [place for place, event in zip(landed, read, strict=True) if event is not None]
    conflicts = set(oracle.expect(events).conflicts)
    refused: Letters = {}
    index = 0
    for item, place, event in zip(items, landed, read, strict=True):
        if event is None or index in conflicts:
            refused[place] = item.value
        index += event is not None
    assert len(refused) > 100
    compare.check(settings, oracle.expect(events))
    pipeline.check_letters("signal_tracker", refused)
    pipeline.check_replay()
    assert len(places) == len(events)


def test_only_what_the_database_refuses_is_refused_and_the_rest_of_its_batch_counts(
    pipeline: Pipeline, seed: str, rng: random.Random
) -> None:
    settings = pipeline.settings
    with compare.session(settings) as cursor:
        cursor.execute("ALTER TABLE signals ADD CHECK (strategy <> 'unlucky')")
    # Each signal is sent once: an earlier revision that comes late never meets the database.
    shape = histories.Shape(conflict=0, duplicate=0, correction=0, moved=0)
    events = histories.make(seed, 200, shape)
    entries = [n for n, each in enumerate(events) if isinstance(each, SignalEmitted)]
    unlucky = sorted(rng.sample(entries, 5))
    for index in unlucky:
        events[index] = events[index].model_copy(update={"strategy": "unlucky"})
    places = pipeline.publish(events)
    pipeline.start("signal_tracker")
    pipeline.done("signal_tracker")
    compare.check(
        settings, oracle.expect(each for n, each in enumerate(events) if n not in set(unlucky))
    )
    pipeline.check_letters("signal_tracker", {places[n]: events[n].to_json() for n in unlucky})
    reasons = compare.fetch(settings, "SELECT DISTINCT error_class, reason FROM dead_letters")
    assert [error_class for error_class, _ in reasons] == ["refused"]
    assert "violates check constraint" in reasons[0][1]


def test_nothing_but_poison_stops_the_stage_loudly_and_moves_nothing_that_was_not_committed(
    pipeline: Pipeline, seed: str
) -> None:
    settings = pipeline.settings
    events = histories.make(seed, 100)
    places = pipeline.publish(events)
    topic = settings.topic("signal_emitted")
    bad = [wire.Parcel(topic, None, f"bad {n}".encode(), (), 0) for n in range(2_500)]
    landed = wire.send(settings, bad)
    first = landed[0][2]
    for _ in range(2):
        stage = pipeline.start("signal_tracker", TRACKRECORD_BATCH_SIZE="300")
        assert stage.ended() == 3
        (halted,) = stage.lines("halted")
        assert "in a row were refused" in halted["reason"]
        at = pipeline.positions("signal_tracker")[topic, 0]
        assert first <= at < landed[-1][2]
        rows = compare.fetch(
            settings, "SELECT log_offset FROM dead_letters WHERE error_class = 'unreadable'"
        )
        assert sorted(offset for (offset,) in rows) == list(range(first, at))

    events += (more := histories.make(f"{seed}-more", 100))
    places += pipeline.publish(more)
    pipeline.start("signal_tracker", TRACKRECORD_DEAD_LETTERS_IN_A_ROW="10000")
    pipeline.done("signal_tracker")
    pipeline.check_tracker(
        events, places, {place: each.value for place, each in zip(landed, bad, strict=True)}
    )


def test_dead_letters_replayed_after_a_bad_deploy_have_their_effect(
    pipeline: Pipeline, seed: str
) -> None:
    settings = pipeline.settings
    shape = histories.Shape(conflict=0, duplicate=0, correction=0)
    events = histories.make(seed, 60, shape)
    pipeline.publish(events)
    (unreadable,) = wire.send(settings, [wire.Parcel(settings.topic("signal_emitted"), b"k", b"?")])
    bad = pipeline.start("signal_tracker", "refuse_everything", 1)
    pipeline.done("signal_tracker")
    assert bad.stop() == 0
    assert compare.fetch(settings, "SELECT count(*) FROM dead_letters") == [(len(events) + 1,)]

    pipeline.start("signal_tracker")
    replayed = pipeline.command("dlq", "replay", "--json")
    assert replayed.returncode == 0, replayed.stderr
    pipeline.done("signal_tracker")
    compare.check(settings, oracle.expect(events))
    for model in (SignalEmitted, SignalClosed):
        copies: dict[tuple[bytes | None, bytes | None, str | None], list[str | None]] = {}
        for each in wire.read(settings, settings.topic(model.event_type)):
            same = (each.key, each.value, each.header("ce_id"))
            copies.setdefault(same, []).append(each.header("dlq_attempt"))
        assert all(sorted(each, key=str) == ["2", None] for each in copies.values())
    again = compare.fetch(
        settings,
        "SELECT attempt, value FROM dead_letters WHERE replayed_at IS NULL",
    )
    assert [(attempt, bytes(value)) for attempt, value in again] == [(2, b"?")]
    assert unreadable[0] == settings.topic("signal_emitted")
