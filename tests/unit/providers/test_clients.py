"""The makers' real clients against a server that answers as badly as any may."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.support.fake_models import (
    WIRES,
    Action,
    Drip,
    Endless,
    FakeModels,
    Half,
    Raw,
    Refuse,
    Say,
    Silence,
    Status,
    Wire,
    models,
    whole,
    zipped_bomb,
)
from tests.support.pipeline import until
from trackrecord import redaction
from trackrecord.providers.choice import provider_named
from trackrecord.providers.provider import Answer, Budget, Prompt, Provider
from trackrecord.runtime.errors import ConfigurationError
from trackrecord.runtime.settings import load_settings

KEY = "sk-S3cret-0123456789abcdefghij"
PROMPT = Prompt("You write strategies.", "Buy a close above the 20 day high, geschrieben für dich.")

pytestmark = pytest.mark.parametrize("wire", WIRES)


@pytest.fixture(autouse=True)
def known() -> Iterator[None]:
    redaction.forget()
    yield
    redaction.forget()


def provider(server: FakeModels, wire: Wire, key: str = KEY) -> Provider:
    name = wire.upper()
    settings = load_settings(
        {
            f"{name}_API_KEY": key,
            f"{name}_BASE_URL": server.url(wire),
            f"TRACKRECORD_{name}_MODEL": "fake-small",
        }
    )
    return provider_named(wire, settings)


def answer(wire: Wire, action: Action, seconds: float = 60.0) -> Answer:
    with models(action) as server:
        found = provider(server, wire).ask(PROMPT, Budget(1_000, seconds))
        # No client asks again by itself; a busy machine may not come to ask within a second.
        assert len(server.asked) == 1 or (seconds < 5 and not server.asked)
    assert KEY not in repr(found)
    return found


def test_a_good_answer_is_text_with_its_tokens(wire: Wire) -> None:
    with models(Say("Here ☂:\n```python\nx = 1\n```")) as server:
        found = provider(server, wire).ask(PROMPT, Budget(1_234, 60))
    assert (found.ending, found.error) == ("finished", None)
    assert found.text == "Here ☂:\n```python\nx = 1\n```"
    assert (found.input_tokens, found.output_tokens) == (100, 50)
    assert found.model == "fake-1"
    assert 0 < found.seconds < 60
    [asked] = server.asked
    assert asked.instructions == PROMPT.instructions
    assert asked.request == PROMPT.request
    assert asked.key == KEY
    assert asked.tokens == 1_234
    assert "fake-small" in asked.path or asked.body["model"] == "fake-small"


def test_a_large_budget_is_no_reason_to_refuse(wire: Wire) -> None:
    with models(Say("x")) as server:
        found = provider(server, wire).ask(PROMPT, Budget(131_072, 3_600))
    assert (found.ending, server.asked[0].tokens) == ("finished", 131_072)


def test_an_answer_that_was_cut_off_is_truncated(wire: Wire) -> None:
    found = answer(wire, Say("```python\nx =", "truncated"))
    assert (found.ending, found.text) == ("truncated", "```python\nx =")
    assert "cut off" in (found.error or "")


@pytest.mark.parametrize("action", [Refuse(), Say("", "filtered"), Say("I was", "filtered")])
def test_a_refusal_is_one_however_it_is_said(wire: Wire, action: Action) -> None:
    found = answer(wire, action)
    assert found.ending == "refused"
    assert found.error
    assert found.input_tokens == 100


def test_an_empty_answer_is_a_failure(wire: Wire) -> None:
    found = answer(wire, Say(""))
    assert (found.ending, found.error) == ("failed", "the answer is empty")


def test_an_end_that_nobody_knows_is_a_failure_that_names_it(wire: Wire) -> None:
    found = answer(wire, Say("text", "odd"))
    assert found.ending == "failed"
    assert "not_yet" in (found.error or "").lower()


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("2.5", 2.5), ("soon", None), ("-3", None), ("1e99", None)]
)
def test_a_limit_is_told_with_how_long_to_wait(
    wire: Wire, header: str, seconds: float | None
) -> None:
    found = answer(wire, Status(429, "slow down", (("retry-after", header),)))
    assert (found.ending, found.retry_after) == ("rate_limited", seconds)
    assert "HTTP 429" in (found.error or "")
    assert "slow down" in (found.error or "")
    if seconds == 7.0:
        assert "wait 7 s" in (found.error or "")


def test_a_limit_may_name_the_instant(wire: Wire) -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    found = answer(wire, Status(429, headers=(("retry-after", until),)))
    assert found.retry_after is not None
    assert 3_000 < found.retry_after <= 3_600


def test_a_limit_may_stand_in_google_s_details(wire: Wire) -> None:
    body = (
        b'{"error": {"code": 429, "message": "quota", "status": "RESOURCE_EXHAUSTED", "details": '
        b'[{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "33s"}]}}'
    )
    found = answer(wire, Status(429, body=body))
    assert (found.ending, found.retry_after) == ("rate_limited", 33.0)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (400, "refuses the question"), (401, "refuses the key in"), (403, "refuses the key in"),
        (404, "has no model 'fake-small'"), (413, "refuses the question"), (500, "has failed"),
        (502, "has failed"), (503, "is overloaded"), (529, "is overloaded"),
    ],
)  # fmt: skip
def test_a_status_is_put_in_plain_words(wire: Wire, code: int, words: str) -> None:
    found = answer(wire, Status(code, "its own words"))
    assert found.ending == "failed"
    assert words in (found.error or "")
    assert f"HTTP {code}" in (found.error or "")
    assert "its own words" in (found.error or "")


@pytest.mark.parametrize(
    "body", [b"", b"<html>Bad Gateway</html>", b"[]", b"null", b'"no"', b'{"error": "no"}', b"[1]"]
)
def test_a_failure_in_another_form_is_still_told_by_its_status(wire: Wire, body: bytes) -> None:
    found = answer(wire, Status(502, body=body))
    assert found.ending == "failed"
    assert "HTTP 502" in (found.error or "")


@pytest.mark.parametrize(
    "action",
    [
        Raw(b"\x00\xff\xfe garbage \x80"), Raw(b"not JSON"), Raw(b""), Raw(b"[]"), Raw(b"null"),
        Raw(b"{}"), Raw(b"17"), Raw(b'{"choices": 5, "content": 5, "candidates": 5}'),
        Raw(b'{"choices": [5], "content": [5], "candidates": [5]}'),
        Raw(b'{"choices": [{}], "content": [{}], "candidates": [{}]}'),
        Raw(b"<html>Sign in to this network</html>", "text/html"), Raw(b"hello", "text/plain"),
        Raw(b"[" * 100_000), Raw(b"\x1f\x8b rubbish", headers=(("content-encoding", "gzip"),)),
        Half("```python\nx = 1\n```"), Status(204, body=b""),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_a_failure_in_one_line(wire: Wire, action: Action) -> None:
    found = answer(wire, action)
    assert (found.ending, found.text) == ("failed", "")
    assert found.error
    assert "\n" not in found.error
    assert len(found.error) < 600


def test_wrong_kinds_of_values_do_not_pass_for_an_answer(wire: Wire) -> None:
    for text in ("7", '["a"]', '{"a": 1}', "true"):
        body = whole(wire, "TEXT")
        raw = _json(body).replace('"TEXT"', text).replace("100", '"many"').replace("50", "-4")
        found = answer(wire, Raw(raw.encode()))
        assert found.ending in {"failed", "finished"}
        assert isinstance(found.text, str)
        assert found.output_tokens is None or found.output_tokens >= 0


def _json(value: object) -> str:
    import json  # noqa: PLC0415

    return json.dumps(value)


@pytest.mark.parametrize(
    "action", [Silence(), Drip("x" * 500, 0.05), Drip("x", 0.05, headers=True)]
)
def test_silence_and_drops_end_at_our_own_time_out(wire: Wire, action: Action) -> None:
    found = answer(wire, action, seconds=1.0)
    assert 1 <= found.seconds < 15  # on a machine that has other things to do
    assert found.ending == "timed_out"
    assert "TRACKRECORD_PROVIDER_SECONDS" in (found.error or "")
    until(
        lambda: not [each for each in threading.enumerate() if each.name == f"ask {wire}"],
        "what was left behind has ended",
        seconds=20,
    )


@pytest.mark.parametrize("action", [Endless(), zipped_bomb(400_000_000)])
def test_an_answer_without_end_is_given_up(wire: Wire, action: Action) -> None:
    found = answer(wire, action, seconds=30.0)
    assert found.ending == "failed"


def test_nobody_there_is_told(wire: Wire) -> None:
    with models(Say("x")) as server:
        gone = provider(server, wire)
    found = gone.ask(PROMPT, Budget(100, 60))
    assert found.ending == "failed"
    assert "cannot be reached" in (found.error or "")


def test_the_key_follows_no_redirect(wire: Wire) -> None:
    with models(Say("caught")) as other:
        for code in (301, 302, 303, 307, 308):
            to = (("location", f"{other.root}/v1/messages"),)
            found = answer(wire, Status(code, headers=to))
            assert found.ending == "failed"
            assert "another address" in (found.error or "")
        assert other.asked == []


def test_a_key_that_is_echoed_is_neither_told_nor_kept(wire: Wire) -> None:
    refused = answer(wire, Status(401, f"Incorrect API key provided: {KEY}."))
    assert "Incorrect API key provided: ***." in (refused.error or "")
    assert answer(wire, Say(f"you sent Bearer{KEY}!")).text == "you sent Bearer***!"


def test_the_key_is_in_no_repr(wire: Wire) -> None:
    with models(Say("x")) as server:
        assert KEY not in repr(provider(server, wire))


@pytest.mark.parametrize("key", ["sk-two words", "sk-one\nline", "sk-ümlaut", "sk-\x00"])
def test_a_key_that_no_header_can_carry_is_named_by_its_variable(wire: Wire, key: str) -> None:
    with models(Say("x")) as server, pytest.raises(ConfigurationError) as caught:
        provider(server, wire, key)
    assert f"{wire.upper()}_API_KEY" in str(caught.value)
    assert key not in str(caught.value)
    assert "sk-" not in str(caught.value)


def test_blanks_around_a_key_are_not_part_of_it(wire: Wire) -> None:
    with models(Say("x")) as server:
        provider(server, wire, f" {KEY}\n").ask(PROMPT, Budget())
    assert server.asked[0].key == KEY


@pytest.mark.parametrize(
    "url",
    [
        "localhost:80",
        "ftp://h/x",
        "http://",
        "https://a b/c",
        "http:///x",
        "http://[bad",
        "http://h:x/",
    ],
)
def test_an_address_that_is_none_is_named_by_its_variable(wire: Wire, url: str) -> None:
    environ = {f"{wire.upper()}_API_KEY": KEY, f"{wire.upper()}_BASE_URL": url}
    with pytest.raises(ConfigurationError, match=f"{wire.upper()}_BASE_URL"):
        provider_named(wire, load_settings(environ))


def test_without_a_key_it_is_not_asked(wire: Wire) -> None:
    with pytest.raises(ConfigurationError, match=f"set {wire.upper()}_API_KEY"):
        provider_named(wire, load_settings({}))


def test_a_client_that_is_not_installed_is_named_with_what_installs_it(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = {"gemini": "google.genai"}.get(wire, wire)
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(ConfigurationError) as caught:
        provider_named(wire, load_settings({f"{wire.upper()}_API_KEY": KEY}))
    assert f'pip install "trackrecord[{wire}]"' in str(caught.value)


def test_several_can_be_asked_at_once(wire: Wire) -> None:
    with models(*(Say(str(number)) for number in range(8))) as server:
        asking = provider(server, wire)
        found: list[str] = []
        threads = [
            threading.Thread(target=lambda: found.append(asking.ask(PROMPT, Budget()).text))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(found) == [str(number) for number in range(8)]
