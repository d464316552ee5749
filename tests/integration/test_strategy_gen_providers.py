"""strategy_gen beside providers that hang, talk nonsense, say no for ever, or outlive it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from tests.support.asked_for import answer, log, ready, states, told
from tests.support.compare import fetch
from tests.support.fake_models import Drip, FakeModels, Raw, Say, Silence, Status, models
from tests.support.pipeline import Pipeline, StageProcess, until
from tests.support.strategies_kept import requested
from trackrecord.providers.attempts import INTERRUPTED

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

KEY = "sk-of-a-test-0123456789"
CODE = """```python
# reads as: buys after a fall of three days
# assumes: daily bars
LOOKBACK = 30

def execute_strategy(market_data, strategy_params):
    closes = [bar["close"] for bar in market_data["bars"]]
    if closes[-1] < closes[-2] < closes[-3] < closes[-4]:
        return {"action": "buy", "metadata": {"horizon_bars": 5}}
    return {"action": "hold"}
```"""


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[FakeModels]:
    with models(*request.param) as found:
        yield found


def start(pipeline: Pipeline, server: FakeModels, **more: str) -> StageProcess:
    given = {
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": server.url("openai"),
        "TRACKRECORD_PROVIDER_SECONDS": "120",
        "TRACKRECORD_STRATEGY_STALE_SECONDS": "2",
        **more,
    }
    return ready(pipeline, **given)


def ask(pipeline: Pipeline, request_id: str, provider: str = "openai") -> None:
    pipeline.publish([requested("Buy after three falling days", request_id=request_id,
                                provider=provider, owner=request_id)])  # fmt: skip


@pytest.mark.parametrize("server", [[Say(CODE)]], indirect=True)
def test_code_of_a_model_is_validated_in_full_and_bears_its_author(
    pipeline: Pipeline, server: FakeModels
) -> None:
    process = start(pipeline, server)
    ask(pipeline, "r-1")
    event = answer(pipeline, "r-1", 120)
    assert (event.status, event.provider, event.problems) == ("validated", "openai", [])
    assert event.reads_as == "buys after a fall of three days"
    [row] = fetch(
        pipeline.settings,
        "SELECT kind, model, asked_at IS NOT NULL, rule, code LIKE '%%written by openai%%'"
        " FROM strategies JOIN strategy_versions USING (strategy_id)",
    )
    assert row == ("code", "gpt-5.4-mini", True, None, True)
    assert log(pipeline, "status, answered_by, input_tokens, output_tokens, number") == [
        ("success", "fake-1", 100, 50, 1)
    ]
    assert [each.key for each in server.asked] == [KEY]
    assert KEY not in process.said()


@pytest.mark.parametrize("server", [[Silence()]], indirect=True)
def test_killed_while_it_asks_the_request_fails_and_is_not_asked_again(
    pipeline: Pipeline, server: FakeModels
) -> None:
    process = start(pipeline, server)
    ask(pipeline, "r-1")
    until(lambda: server.asked, "the provider is asked", 60)
    # It was on the disk before that.
    assert log(pipeline) == [("asking", None)]
    process.kill()
    assert log(pipeline) == [("asking", None)]
    start(pipeline, server)
    event = answer(pipeline, "r-1")
    assert event.status == "refused"
    assert [each["message"] for each in event.problems] == [INTERRUPTED]
    assert log(pipeline) == [("failure", INTERRUPTED)]
    assert states(pipeline) == {"r-1": "failed"}
    assert fetch(pipeline.settings, "SELECT error FROM strategy_requests") == [(INTERRUPTED,)]
    assert len(server.asked) == 1


@pytest.mark.parametrize("server", [[Silence()]], indirect=True)
def test_asked_to_end_while_it_asks_it_says_so_itself(
    pipeline: Pipeline, server: FakeModels
) -> None:
    process = start(pipeline, server)
    ask(pipeline, "r-1")
    until(lambda: server.asked, "the provider is asked", 60)
    assert process.stop(25) == 0
    assert states(pipeline) == {"r-1": "failed"}
    assert log(pipeline) == [("failure", INTERRUPTED)]
    assert answer(pipeline, "r-1", 10).status == "refused"


@pytest.mark.parametrize("server", [[Silence()]], indirect=True)
def test_frozen_while_it_asks_it_is_replaced_and_writes_nothing_when_it_wakes(
    pipeline: Pipeline, server: FakeModels
) -> None:
    zombie = start(pipeline, server, TRACKRECORD_PROVIDER_SECONDS="15")
    ask(pipeline, "r-1")
    until(lambda: server.asked, "the provider is asked", 60)
    zombie.freeze()
    heir = start(pipeline, server)
    answer(pipeline, "r-1")
    zombie.thaw()
    until(lambda: zombie.lines("a request has ended elsewhere"), "it finds it was replaced", 60)
    assert states(pipeline) == {"r-1": "failed"}
    assert len(told(pipeline)) == 1
    assert len(server.asked) == 1
    assert heir.stop() == 0


@pytest.mark.parametrize("server", [[Silence()]], indirect=True)
def test_a_provider_that_hangs_keeps_no_sentence_waiting_and_ends_by_its_time(
    pipeline: Pipeline, server: FakeModels
) -> None:
    process = start(
        pipeline, server, TRACKRECORD_PROVIDER_SECONDS="6", TRACKRECORD_STRATEGY_ASKING="2"
    )
    for number in range(3):
        ask(pipeline, f"hangs-{number}")
    until(lambda: len(server.asked) == 2, "as many are asked as may be", 60)
    pipeline.publish([requested(request_id="quick")])
    assert answer(pipeline, "quick", 5).status == "validated"
    assert (process.status() or {})["asking"] == 2
    for number in range(3):
        event = answer(pipeline, f"hangs-{number}", 60)
        assert event.status == "refused"
        assert event.problems[0]["code"] == "timed_out"
    assert len(server.asked) == 3
    assert {state for name, state in states(pipeline).items() if "hangs" in name} == {"failed"}


@pytest.mark.parametrize(
    ("server", "code"),
    [
        ([Raw(b"\x00\xff not json {" * 1_000)], "failed"),
        ([Raw(b'{"choices": 7}')], "failed"),
        ([Drip(CODE, 0.3)], "timed_out"),
        ([Status(429, "slow down", (("retry-after", "1"),))], "rate_limited"),
        ([Status(500, "out of order")], "failed"),
        ([Status(401, f"wrong key {KEY}")], "failed"),
        ([Say("REFUSED: I give no advice")], "refused"),
        ([Say("here you are: import os")], "no_code"),
    ],
    indirect=["server"],
    ids=["garbage", "other JSON", "a drip", "429", "500", "401", "a refusal", "no code"],
)
def test_whatever_comes_back_the_request_ends_and_says_why(
    pipeline: Pipeline, server: FakeModels, code: str
) -> None:
    process = start(pipeline, server, TRACKRECORD_PROVIDER_SECONDS="4")
    ask(pipeline, "r-1")
    event = answer(pipeline, "r-1")
    assert event.status == "refused"
    assert event.problems[0]["code"] == code
    failed = code not in {"refused", "no_code"}
    assert states(pipeline) == {"r-1": "failed" if failed else "done"}
    # Nobody presses where the other side has said no, and three times is the most.
    assert len(server.asked) == (3 if code == "no_code" else 1)
    assert all(status == "failure" for status, _ in log(pipeline))
    kept = fetch(pipeline.settings, "SELECT generation_log::text FROM generation_log")
    assert KEY not in f"{kept}{process.said()}{event}"
    assert process.is_ready
    os.kill(process.pid, signal.SIGTERM)
    assert process.ended(25) == 0


@pytest.mark.parametrize(
    "server",
    [[Say("```python\nimport os\n\ndef execute_strategy(a, b):\n    os.system('x')\n```")]],
    indirect=True,
)
def test_code_that_is_no_strategy_is_a_draft_with_its_problems(
    pipeline: Pipeline, server: FakeModels
) -> None:
    start(pipeline, server)
    ask(pipeline, "r-1")
    event = answer(pipeline, "r-1", 120)
    assert event.status == "draft"
    assert event.code_digest
    assert event.problems
    assert fetch(pipeline.settings, "SELECT status FROM strategies") == [("draft",)]
    assert [status for status, _ in log(pipeline)] == ["partial"] * 3
