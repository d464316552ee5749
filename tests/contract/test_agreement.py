"""Do schema and model give the same verdict on whatever a publisher may send?

Examples are changed at random. Both must accept the result or both refuse it;
the exceptions are named here, and ``schemas/README.md`` explains them.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackrecord.events import EVENTS
from trackrecord.events.codec import InvalidEventError, decode
from trackrecord.events.types import FRACTION_DIGITS

from .wire import EXAMPLES, load, schema_of, validator

MODEL_ONLY: Final = re.compile(
    r"high is below|low is above|closed_at is not after"  # one field against another
    r"|outside the years"  # a time whose UTC is in another year
    r"|lone surrogate"  # patterns count code units in some engines, characters in others
    r"|\b(metadata|parameters|metrics|problems[.0-9]*): (holds|is nested)"  # any depth of JSON
    r"|should be a valid integer"  # 1.0 is an integer for JSON Schema
    r"|finite number|should be a valid number"  # beyond a double
)
"""What the model says of values that only it can refuse."""

TIME_WITH_A_SPACE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]")

VALIDATORS: Final = {event_type: validator(schema_of(event_type)) for event_type in EVENTS}

texts = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=6),
    st.sampled_from(["", "x" * 64, "x" * 65, "x" * 128, "x" * 129, "x" * 200, "x" * 201]),
    st.sampled_from(["🐢" * 128, "a\nb", "a\x00b", "a\x7f", "a\x85b", "\ud800", "USD\n", "1d\n"]),
    st.sampled_from(
        ["BUY", "SELL", "LONG", "SHORT", "buy", "Short", "HOLD", "own", "barriers", "target"]
    ),
    st.sampled_from(["USD", "usd", "U", "A" * 13, "1d", "0d", "10000m", "3M", "1y"]),
)
decimals = st.one_of(
    st.from_regex(r"\A-?[0-9]{0,21}(\.[0-9]{0,19})?\Z"),
    st.sampled_from(["0", "-0", "0.0", "-0.0", "00", "1", "-1", "0.999", "1.000", "1e3", "NaN"]),
    st.sampled_from(["٣", "+1", " 1", "1\n", "1.", ".1", "0" * 20, "0" * 21, "-" + "0" * 20]),
)
times = st.one_of(
    st.datetimes().map(lambda time: time.isoformat() + "Z"),
    st.from_regex(
        r"\A[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]"
        r"(\.[0-9]{0,7})?(Z|[+-][0-2][0-9]:[0-6][0-9])?\Z"
    ),
    st.sampled_from(["0001-01-01T00:00:00+01:00", "2026-03-02", "2026-02-29T00:00:00Z"]),
    st.sampled_from(["2026-03-02 09:15:00+00:00", "2026-03-02 09:15:00.5Z", "2026-03-02 09:15Z"]),
)
integers = st.integers(-3, 3) | st.sampled_from([2**31 - 1, 2**31, -(2**31) - 1, 10**20, 10**400])
floats = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, 1.0, 1.5, -0.0])
scalars = st.one_of(st.none(), st.booleans(), integers, floats, texts, decimals, times)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)


@st.composite
def changed(draw: st.DrawFn, examples: list[dict[str, Any]], schema: dict[str, Any]) -> Any:
    event = dict(draw(st.sampled_from(examples)))
    fields = [*schema["properties"], "a_field_of_somebody_else"]
    for field in draw(st.lists(st.sampled_from(fields), min_size=1, max_size=2, unique=True)):
        kind = draw(st.integers(0, 9))
        if kind == 0:
            event.pop(field, None)
        elif kind == 1:
            event[field] = draw(values)
        else:
            event[field] = draw(near(schema["properties"].get(field, {})))
    return event


def near(field: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values of about the right kind, so that limits are met and not only types."""
    described = json.dumps(field)
    if f"{{1,{FRACTION_DIGITS}}}" in described:
        return decimals | integers
    if "date-time" in described:
        return times
    if '"enum"' in described:
        words = re.findall(r'"([a-zA-Z_]+)"', described)
        return st.sampled_from(words) | texts
    if '"object"' in described:
        objects = st.dictionaries(texts, floats, max_size=2) | st.dictionaries(texts, values)
        return st.lists(objects, max_size=2) if '"array"' in described else objects
    if '"integer"' in described or '"number"' in described:
        return integers | floats
    return scalars if '"boolean"' in described else texts


@pytest.mark.parametrize("event_type", EVENTS)
def test_schema_and_model_agree(event_type: str) -> None:
    examples = [load(path) for path in EXAMPLES if path.parent.name == event_type]

    @settings(max_examples=200, deadline=None)
    @given(changed(examples, VALIDATORS[event_type].schema))
    def agree(event: dict[str, Any]) -> None:
        assert_same_verdict(event_type, event)

    agree()


def assert_same_verdict(event_type: str, event: dict[str, Any]) -> None:
    problems = list(VALIDATORS[event_type].iter_errors(event))
    refusal = refusal_of_the_model(event_type, event)
    if refusal is None:
        refused = [problem for problem in problems if not read_although_not_promised(problem)]
        assert not refused, f"the model lets it pass, the schema says: {refused[0].message}"
    elif not problems:
        assert only_the_model_knows(refusal), f"the schema lets it pass, the model says: {refusal}"


def refusal_of_the_model(event_type: str, event: dict[str, Any]) -> str | None:
    try:
        decode(EVENTS[event_type], json.dumps(event).encode())
    except InvalidEventError as error:
        return str(error)
    return None


def only_the_model_knows(refusal: str) -> bool:
    return all(MODEL_ONLY.search(problem) for problem in refusal.split("; "))


def read_although_not_promised(problem: Any) -> bool:
    """What the model reads besides what the schema promises, and writes as it promises."""
    if isinstance(problem.instance, str):
        if "BUY" in json.dumps(problem.schema):
            return problem.instance.upper() in problem.schema["enum"]
        return TIME_WITH_A_SPACE.match(problem.instance) is not None
    return integer_for_a_decimal(problem)


def integer_for_a_decimal(problem: Any) -> bool:
    whole = isinstance(problem.instance, int) and not isinstance(problem.instance, bool)
    return whole and f"{{1,{FRACTION_DIGITS}}}" in json.dumps(problem.schema)


@pytest.mark.parametrize(
    ("event_type", "fields"),
    [
        ("signal_emitted", {"fee": "1", "fee_rate": "0.1"}),
        ("signal_closed", {"fee": "1", "fee_rate": "0.1"}),
        ("signal_emitted", {"quantity": "0"}),
        ("signal_closed", {"quantity": "-0.1"}),
        ("signal_emitted", {"fee_rate": "1"}),
        ("signal_emitted", {"leverage": "0.00"}),
        ("signal_emitted", {"strategy": "a\tb"}),
        ("signal_emitted", {"emitted_at": "2026-02-30T00:00:00Z"}),
        ("script_executed", {"output": "a\x00"}),
        ("script_executed", {"program": "x" * 1025}),
        ("signal_assessed", {"features": {"": 1}}),
        ("signal_assessed", {"features": {"a\n": 1}}),
        ("signal_assessed", {"probability": 1.01}),
        ("signal_scored", {"mae": 0.1}),
        ("signal_scored", {"mfe": -0.1}),
        ("model_trained", {"metrics": {"auc": "0.6"}}),
        ("model_trained", {"promoted": 1}),
        ("strategy_requested", {"prompt": ""}),
        ("strategy_requested", {"prompt": "x" * 20_001}),
        ("market_bar", {"volume": "-1"}),
    ],
)
def test_a_rule_that_a_schema_can_express_is_in_it(event_type: str, fields: dict[str, Any]) -> None:
    event = load(next(path for path in EXAMPLES if path.parent.name == event_type)) | fields
    assert list(VALIDATORS[event_type].iter_errors(event))
    with pytest.raises(InvalidEventError):
        decode(EVENTS[event_type], json.dumps(event).encode())


@pytest.mark.parametrize(
    ("event_type", "fields"),
    [
        ("market_bar", {"high": "0.01"}),
        ("market_bar", {"closed_at": "2000-01-01T00:00:00Z"}),
        ("market_bar", {"revision": 1.0}),
        ("signal_emitted", {"strategy": "\ud800"}),
        ("signal_emitted", {"emitted_at": "0001-01-01T00:00:00+01:00"}),
        ("signal_emitted", {"metadata": {"a": "\x00"}}),
        ("signal_scored", {"return": 10**400}),
    ],
)
def test_a_rule_that_only_the_model_knows_is_one_of_the_named_ones(
    event_type: str, fields: dict[str, Any]
) -> None:
    event = load(next(path for path in EXAMPLES if path.parent.name == event_type)) | fields
    assert not list(VALIDATORS[event_type].iter_errors(event))
    with pytest.raises(InvalidEventError) as caught:
        decode(EVENTS[event_type], json.dumps(event).encode())
    assert only_the_model_knows(str(caught.value))
