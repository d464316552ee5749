"""Old and new producers together: what was recorded long ago, and what comes with more fields.

The old messages are the recorded ones of tests/contract/golden, byte for byte.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.support import compare, oracle, wire
from tests.support.pipeline import Letters, Pipeline
from trackrecord.events import EVENTS, Event
from trackrecord.events.codec import decode
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka

GOLDEN = Path(__file__).parents[1] / "contract" / "golden"


def old(settings: Settings, folder: str) -> wire.Parcel:
    """A recorded message, headers and bytes."""
    lines = (GOLDEN / folder / "headers.txt").read_text("utf-8").splitlines()
    headers = [(name, value.encode()) for name, value in (each.split(": ", 1) for each in lines)]
    value = (GOLDEN / folder / "value.json").read_bytes()
    event_type = folder.split(".", maxsplit=1)[0]
    key = decode(EVENTS[event_type], value).key.encode()
    return wire.Parcel(settings.topic(event_type), key, value, headers)


def new(parcel: wire.Parcel, **fields: Any) -> wire.Parcel:
    """The same from a producer of the next minor version: more fields, more headers."""
    data = json.loads(parcel.value or b"") | {
        "venue": "XNAS",
        "risk": {"budget": "0.02", "tags": ["a", None]},
        **fields,
    }
    headers = [
        *parcel.headers,
        ("ce_dataschema", b"https://127.0.0.1/v1.7"),
        ("ce_subject", b"x"),
        ("tracestate", b"vendor=1"),
    ]
    return wire.Parcel(parcel.topic, parcel.key, json.dumps(data, indent=1).encode(), headers)


def next_major(parcel: wire.Parcel) -> wire.Parcel:
    """A message of a version that nobody here can read."""
    headers = [(n, v.replace(b".v1", b".v2") if v else v) for n, v in parcel.headers]
    return wire.Parcel(parcel.topic, parcel.key, parcel.value, headers)


def read(settings: Settings, parcel: wire.Parcel) -> Event:
    return decode(EVENTS[parcel.topic.removeprefix(settings.topic(""))], parcel.value)


def test_a_tracker_reads_old_and_new_producers_on_one_topic(
    pipeline: Pipeline, rng: random.Random
) -> None:
    settings = pipeline.settings
    entries = [old(settings, each.name) for each in sorted(GOLDEN.glob("signal_emitted.*"))]
    exit_ = old(settings, "signal_closed.v1")
    parcels = [*entries, exit_]
    for number, entry in enumerate(entries):
        data = json.loads(entry.value or b"")
        # A new producer's exit of an old producer's signal, and the reverse.
        common = {"symbol": data["symbol"], "strategy": data["strategy"], "exit_id": f"n{number}"}
        parcels.append(new(exit_, signal_id=data["signal_id"], quantity=None, **common))
        parcels.append(new(entry, signal_id=f"new-{number}"))
        closing = json.loads(exit_.value or b"") | common | {"signal_id": f"new-{number}"}
        parcels.append(
            wire.Parcel(exit_.topic, entry.key, json.dumps(closing).encode(), exit_.headers)
        )
    # A correction by a new producer of what an old one said.
    parcels.append(new(entries[0], revision=1, price="400.125"))
    rng.shuffle(parcels)
    unreadable = [next_major(each) for each in (entries[0], exit_)]

    pipeline.start("signal_tracker")
    places = wire.send(settings, [*parcels, *unreadable])
    pipeline.done("signal_tracker")
    expected = oracle.expect([read(settings, each) for each in parcels])
    assert not expected.conflicts
    assert len(expected.signals) == 2 * len(entries)
    compare.check(settings, expected)
    refused: Letters = {
        place: each.value for place, each in zip(places[-2:], unreadable, strict=True)
    }
    pipeline.check_letters("signal_tracker", refused)
    reasons = compare.fetch(settings, "SELECT error_class, reason FROM dead_letters")
    assert all(error == "wrong_type" and ".v2" in reason for error, reason in reasons)
    pipeline.check_replay()


def test_an_extractor_reads_old_and_new_producers_on_one_topic(pipeline: Pipeline) -> None:
    settings = pipeline.settings
    recorded = old(settings, "script_executed.v1")
    renewed = new(recorded, execution_id="new")
    pipeline.start("extractor")
    wire.send(settings, [recorded, renewed])
    pipeline.done("extractor")
    first = json.loads(recorded.value or b"")["execution_id"]
    kept = compare.fetch(
        settings, "SELECT execution_id, script, exit_code FROM executions ORDER BY 1"
    )
    assert {row[0] for row in kept} == {first, "new"}
    assert len({row[1:] for row in kept}) == 1
    pipeline.check_letters("extractor", {})
