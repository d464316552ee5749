"""What a client says when a broker does not let it in."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError

from trackrecord.runtime import kafka
from trackrecord.runtime.errors import FatalError, PassingError
from trackrecord.runtime.settings import load_settings


def test_no_answer_after_a_refusal_is_the_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "_refused", kafka.Refused())
    no_answer = KafkaError(KafkaError._TRANSPORT, "no answer")  # noqa: SLF001 - it has no other name
    assert type(kafka.classify(no_answer)) is PassingError
    words = "Authentication failed: invalid credentials with SASL mechanism PLAIN"
    hears = kafka.client_config(load_settings({}), "test")["error_cb"]
    hears(KafkaError(KafkaError.SASL_AUTHENTICATION_FAILED, words))
    found = kafka.classify(no_answer)
    assert type(found) is FatalError
    assert words in str(found)
    assert type(kafka.classify(KafkaError(KafkaError.NOT_LEADER_FOR_PARTITION))) is PassingError
