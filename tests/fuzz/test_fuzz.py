"""A short campaign with a new seed each time; ``python -m tests.fuzz`` is the long one."""

from __future__ import annotations

import json
import os
import secrets
import time
from pathlib import Path

import pytest

from tests.fuzz import campaign
from tests.fuzz.__main__ import main
from tests.fuzz.differential import Judge, explained
from tests.fuzz.fragments import HOSTILE
from tests.fuzz.payloads import Headers, Payload, clean, examples, payloads
from trackrecord.events import EVENTS, InvalidEventError
from trackrecord.events.codec import is_too_deep, parse_json
from trackrecord.runtime.decoding.batch import Batch, Reader

COUNT = 20_000


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge()


@pytest.fixture
def seed() -> int:
    result = int(os.environ.get("TRACKRECORD_FUZZ_SEED") or secrets.randbelow(10**9))
    print(f"TRACKRECORD_FUZZ_SEED={result}")  # noqa: T201 - pytest shows it with a failure
    return result


def test_every_payload_is_applied_or_refused_with_a_reason_and_all_ways_of_reading_agree(
    judge: Judge, seed: int
) -> None:
    outcome = campaign.run(payloads(seed, COUNT), judge)
    assert not outcome.raised, outcome.raised[0]
    assert not outcome.differences, explained(outcome)
    assert outcome.applied + outcome.refused.total() == outcome.payloads == COUNT
    # Else the generator has gone blunt: nothing of it would reach the rules.
    assert outcome.applied > COUNT // 8
    assert outcome.fast > COUNT // 40
    assert all(outcome.refused[name] > COUNT // 40 for name in ("unreadable", "invalid"))


@pytest.mark.parametrize(
    ("event_type", "free"),
    [("signal_emitted", b'"metadata"'), ("script_executed", b'"parameters"')],
)
def test_a_value_that_a_later_one_replaces_counts_for_both_ways_of_reading(
    judge: Judge, event_type: str, free: bytes
) -> None:
    """The decoder skips what the model reads: bytes, numbers and nesting that nothing else sees."""
    good = dict(examples(event_type)[0]) | {free: b'{"a": 1}'}
    own: Headers = [("ce_type", EVENTS[event_type].ce_type().encode())]
    nested = [left * n + b"1" + right * n for n in (32, 255, 256, 257, 900, 985, 1010, 5000)
              for left, right in ((b"[", b"]"), (b'{"a":', b"}"))]  # fmt: skip
    made = [
        Payload(
            event_type,
            "shadow",
            b"k",
            b"{" + b",".join(k + b":" + v for k, v in [(name, bad), *good.items()]) + b"}",
            own,
        )
        for name in (free, *list(good)[:3])
        for bad in (*HOSTILE, *nested)
    ]
    outcome = campaign.run(made, judge)
    assert not outcome.raised
    assert not outcome.differences, explained(outcome)


def test_nesting_is_judged_alike_however_deep_the_reader_has_been_called() -> None:
    def called(deep: int, value: bytes) -> str:
        if deep:
            return called(deep - 1, value)
        try:
            parse_json(value)
        except InvalidEventError as error:
            return str(error)
        return "read"

    for levels, expected in ((256, "read"), (257, "nested too deeply"), (980, "nested too deeply")):
        value = b"[" * levels + b"]" * levels
        said = {called(deep, value) for deep in (0, 100, 400)}
        assert len(said) == 1
        assert expected in said.pop()


def test_brackets_in_a_text_are_no_nesting_and_nothing_takes_long() -> None:
    assert parse_json(b'"' + b"[" * 1000 + b'"') == "[" * 1000
    assert parse_json(b'["\\\\", "\\"' + b"[{" * 300 + b'"]')
    started = time.monotonic()
    for value in (b'"' + b'\\"' * 131_000, b'["a",' * 52_000, b"[]" * 131_000, b'["' * 130_000):
        is_too_deep(value)
    assert time.monotonic() - started < 2


def test_the_same_seed_gives_the_same_payloads() -> None:
    assert list(payloads(5, 300)) == list(payloads(5, 300))
    assert list(payloads(5, 300)) != list(payloads(6, 300))


def test_what_a_sound_publisher_sends_is_applied(judge: Judge) -> None:
    outcome = campaign.run(clean(1, 2_000), judge)
    assert (outcome.applied, outcome.refused.total()) == (2_000, 0)
    assert not outcome.differences


def test_a_reader_that_reads_wrongly_is_found(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Reader.read

    def without_last_digits(self: Reader, messages: object) -> Batch:
        batch = read(self, messages)  # type: ignore[arg-type]
        for name, frame in batch.frames.items():
            if "price" in frame.columns:
                batch.frames[name] = frame.with_columns(frame["price"].str.slice(0, 12))
        return batch

    monkeypatch.setattr(Reader, "read", without_last_digits)
    outcome = campaign.run(payloads(1, 2_000), judge)
    assert outcome.differences
    assert "applied with price=" in explained(outcome)


def test_a_payload_that_raises_is_found_among_its_batch(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Reader.read

    def hates_nothing(self: Reader, messages: object) -> Batch:
        if any(each.value() == b"null" for each in messages):  # type: ignore[attr-defined]
            raise RecursionError
        return read(self, messages)  # type: ignore[arg-type]

    monkeypatch.setattr(Reader, "read", hates_nothing)
    made = list(payloads(2, 8_000))
    outcome = campaign.run(made, judge)
    assert outcome.raised
    assert {each.value for each, _ in outcome.raised} == {b"null"}
    assert len(outcome.raised) == sum(each.value == b"null" for each in made)
    assert outcome.payloads == len(made)


def test_the_command_writes_its_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "fuzz.json"
    assert main(["--count", "500", "--seed", "3", "--output", str(output)]) == 0
    written = json.loads(output.read_text())
    assert json.loads(capsys.readouterr().out) == written
    assert (written["seed"], written["payloads"]) == (3, 500)
    assert (written["raised"], written["differences"]) == (0, 0)
    assert written["applied"] + written["refused"] == 500
    assert set(written["slowdown"]["by_share_of_hostile"]) == {"1%", "10%", "50%", "100%"}
