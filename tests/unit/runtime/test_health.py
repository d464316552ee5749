"""The pages that a process serves, and its metrics in them."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from dataclasses import dataclass

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from services.extractor.metrics import METRICS as EXTRACTOR
from services.signal_tracker.metrics import METRICS as TRACKER
from tests.support.clocks import HandClock
from trackrecord.runtime import health as pages
from trackrecord.runtime.health import Health
from trackrecord.runtime.metrics import (
    BATCH_SECONDS,
    DEAD_LETTERS,
    FENCED,
    LAG_MESSAGES,
    LAST_COMMIT_TIMESTAMP_SECONDS,
    MESSAGES,
    RETRIES,
    RUNTIME_METRICS,
    Histogram,
    Metric,
    Metrics,
)


@dataclass
class Served:
    port: int
    health: Health
    metrics: Metrics
    clock: HandClock

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


@pytest.fixture
def served() -> Served:
    registry = CollectorRegistry()
    metrics = Metrics(registry, "sink", RUNTIME_METRICS)
    clock = HandClock()
    health = Health("sink", clock=clock)
    return Served(pages.serve("127.0.0.1", 0, health, registry), health, metrics, clock)


def test_before_its_first_assignment_it_is_alive_and_not_ready(served: Served) -> None:
    assert served.get("/healthz")[0] == 200
    code, body = served.get("/readyz")
    assert (code, json.loads(body)) == (503, {"ready": False, "reason": "starting"})


def test_once_it_reads_it_is_ready(served: Served) -> None:
    served.health.ready = True
    served.health.status = {"lag": 7}
    assert served.get("/readyz") == (200, '{"ready": true, "reason": null}\n')
    assert json.loads(served.get("/status")[1]) == {
        "stage": "sink", "healthy": True, "ready": True, "reason": None, "lag": 7,
        "last_commit_age": None, "retries": 0, "fenced": 0, "dead_letters": {},
    }  # fmt: skip


def test_status_tells_what_was_counted_since_the_start(served: Served) -> None:
    count = served.metrics.count
    count(RETRIES, 3)
    count(FENCED)
    for topic in ("signal_emitted", "signal_closed"):
        count(DEAD_LETTERS, 2, topic=topic, error_class="invalid")
    count(DEAD_LETTERS, topic="signal_emitted", error_class="conflict")
    served.metrics.set(LAST_COMMIT_TIMESTAMP_SECONDS, served.clock.now().timestamp() - 42)
    told = json.loads(served.get("/status")[1])
    assert (told["retries"], told["fenced"]) == (3, 1)
    assert told["dead_letters"] == {"invalid": 4, "conflict": 1}
    assert 42 <= told["last_commit_age"] < 50


def test_a_loop_that_stopped_turning_is_neither_alive_nor_ready(served: Served) -> None:
    served.health.ready = True
    served.clock.move(61)
    assert served.get("/healthz")[0] == 503
    assert served.get("/readyz")[0] == 503
    assert json.loads(served.get("/status")[1])["healthy"] is False


def test_an_unknown_page_names_the_known_ones(served: Served) -> None:
    code, body = served.get("/nothing")
    assert code == 404
    assert "/metrics" in body


def test_it_listens_on_the_address_it_was_given_only(served: Served) -> None:
    with socket.socket() as other:
        assert other.connect_ex(("127.0.0.2", served.port)) != 0


def test_a_port_that_is_taken_is_an_error(served: Served) -> None:
    with pytest.raises(OSError, match="in use"):
        pages.serve("127.0.0.1", served.port, served.health, CollectorRegistry())


def samples(text: str) -> dict[str, float]:
    return {
        sample.name + str(sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_metrics_without_labels_exist_before_anything_happened(served: Served) -> None:
    found = samples(served.get("/metrics")[1])
    assert found["trackrecord_batches_total[('stage', 'sink')]"] == 0
    assert found["trackrecord_lag_messages[('stage', 'sink')]"] == 0
    assert found["trackrecord_batch_seconds_count[('stage', 'sink')]"] == 0


def test_metrics_show_what_was_counted(served: Served) -> None:
    served.metrics.count(MESSAGES, 3, topic="t")
    served.metrics.count(MESSAGES, topic="t")
    served.metrics.set(LAG_MESSAGES, 12)
    served.metrics.observe(BATCH_SECONDS, 0.2)
    found = samples(served.get("/metrics")[1])
    assert found["trackrecord_messages_total[('stage', 'sink'), ('topic', 't')]"] == 4
    assert found["trackrecord_lag_messages[('stage', 'sink')]"] == 12
    assert found["trackrecord_batch_seconds_sum[('stage', 'sink')]"] == pytest.approx(0.2)


@pytest.mark.parametrize("metrics", [RUNTIME_METRICS, EXTRACTOR, TRACKER])
def test_every_metric_says_what_it_means_and_what_to_do(metrics: tuple[Metric, ...]) -> None:
    for metric in metrics:
        assert metric.name.startswith("trackrecord_")
        assert metric.meaning
        assert metric.action
        assert (metric.kind == "counter") == metric.name.endswith("_total")
        assert (metric.kind == "histogram") == isinstance(metric, Histogram)
        assert not isinstance(metric, Histogram) or metric.buckets
        assert not {label for label in metric.labels if label.endswith("id")}
