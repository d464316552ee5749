"""Prometheus and Grafana: they ask for metrics that exist, and the rules hold what they say."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
import yaml

from services import STAGES
from tests.unit.deploy.compose_file import DEPLOY
from trackrecord.access.store import database_role, reader_role
from trackrecord.api.result_metrics import API_METRICS, STRATEGY_METRICS
from trackrecord.runtime import hints
from trackrecord.runtime.metrics import RUNTIME_METRICS, Metric

PROMETHEUS = DEPLOY / "prometheus"
BOARDS = {
    path.stem: json.loads(path.read_text())
    for path in sorted((DEPLOY / "grafana/dashboards").glob("*.json"))
}
DASHBOARD = BOARDS.pop("pipeline")
OPERATIONS = (DEPLOY.parent / "docs/operations.md").read_text()

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metrics in (
        RUNTIME_METRICS,
        hints.METRICS,
        *(import_module(f"services.{stage}.metrics").METRICS for stage in STAGES),
        API_METRICS,
    )
    for metric in metrics
}
LABELS_OF_PROMETHEUS = {"job", "instance", "stage", "le"}


def _rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((PROMETHEUS / "rules.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _panels() -> Iterator[dict[str, Any]]:
    yield from (panel for panel in DASHBOARD["panels"] if panel["type"] != "row")


def _expressions() -> list[str]:
    shown = [target["expr"] for panel in _panels() for target in panel["targets"]]
    of_boards = [target["expr"] for _, target in _board_targets() if "expr" in target]
    return shown + of_boards + [rule["expr"] for rule in _rules()]


def _board_targets() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """What the panels of the record ask, each with its dashboard."""
    for board in BOARDS.values():
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                yield board, target


def _asked(expression: str) -> list[tuple[str, Metric | None]]:
    """The series that an expression names, each with the metric that makes it."""
    found = []
    for series in re.findall(r"\btrackrecord_\w+", expression):
        base = re.sub(r"_(bucket|sum|count)$", "", series)
        metric = METRICS.get(base)
        if metric is not None and (metric.kind == "histogram") != (base != series):
            metric = None
        found.append((series, metric))
    return found


@pytest.mark.parametrize("expression", _expressions())
def test_every_expression_names_metrics_and_labels_that_we_export(expression: str) -> None:
    asked = _asked(expression)
    assert asked or re.search(r"\bup\{", expression)
    labels = set(LABELS_OF_PROMETHEUS)
    for series, metric in asked:
        assert metric is not None, f"nobody exports {series}"
        labels |= set(metric.labels)
        if metric.kind != "gauge" and "offset" not in expression:
            before = expression[: expression.index(series)]
            assert re.search(r"(rate|increase)\($", before), f"{series} only ever grows"
    for grouping in re.findall(r"by \(([^)]*)\)", expression):
        assert {label.strip() for label in grouping.split(",")} <= labels


def test_every_metric_is_on_the_dashboard() -> None:
    shown = {
        metric.name
        for panel in _panels()
        for target in panel["targets"]
        for _, metric in _asked(target["expr"])
        if metric is not None
    }
    assert shown == set(METRICS) - {metric.name for metric in STRATEGY_METRICS}


def test_the_dashboard_is_the_same_wherever_it_is_loaded() -> None:
    assert DASHBOARD["uid"] == "trackrecord-pipeline"
    assert DASHBOARD["title"] == "trackrecord pipeline"
    assert DASHBOARD["schemaVersion"] == 41
    assert DASHBOARD["id"] is None
    sources = {target["datasource"]["uid"] for panel in _panels() for target in panel["targets"]}
    assert sources == {"$datasource"}
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))


def test_the_boards_of_the_record_ask_what_grafana_is_given() -> None:
    assert set(BOARDS) == {"strategies", "scripts", "models"}
    given = {
        source["uid"]
        for path in (DEPLOY / "grafana/provisioning/datasources").glob("*.yml")
        for source in yaml.safe_load(path.read_text())["datasources"]
    }
    for name, board in BOARDS.items():
        assert (board["uid"], board["id"]) == (f"trackrecord-{name}", None)
        ids = [panel["id"] for panel in board["panels"]]
        assert len(ids) == len(set(ids))
    for board, target in _board_targets():
        assert target["datasource"]["uid"] in given
        chosen = {choice["name"] for choice in board["templating"]["list"]}
        text = target.get("rawSql") or target["expr"]
        named = re.findall(r"\$\{?(\w+)", text.replace("$__", ""))
        assert set(named) <= chosen
        # What a reader chose is data: Grafana writes it as text of the language that is asked.
        if "rawSql" in target:
            assert not re.search(r"\$(?!__)(?!\{\w+:sqlstring\})", text)


def test_grafana_finds_the_datasources_and_the_dashboards() -> None:
    folder = DEPLOY / "grafana/provisioning"
    sources = {
        source["uid"]: source
        for name in ("prometheus", "postgres")
        for source in yaml.safe_load((folder / f"datasources/{name}.yml").read_text())[
            "datasources"
        ]
    }
    assert sources["trackrecord-prometheus"]["url"] == "http://prometheus:9090"
    assert sources["trackrecord-postgres"]["url"] == "postgres:5432"
    assert sources["trackrecord-postgres"]["user"] == reader_role.NAME
    providers = yaml.safe_load((folder / "dashboards/trackrecord.yml").read_text())["providers"]
    compose = yaml.safe_load((DEPLOY / "docker-compose.yml").read_text())["services"]["grafana"]
    path = providers[0]["options"]["path"]
    assert f"./grafana/dashboards:{path}:ro" in compose["volumes"]


def test_every_stage_is_scraped_and_missed_when_it_is_gone() -> None:
    jobs = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]
    found = {job["job_name"]: job.get("dns_sd_configs", [{}])[0] for job in jobs}
    down = next(rule["expr"] for rule in _rules() if rule["alert"] == "StageDown")
    for stage in STAGES:
        assert found[stage]["names"] == [stage]
        assert found[stage]["port"] == 9100
        assert f'absent(up{{job="{stage}"}})' in down
        assert stage in re.findall(r"\w+", re.findall(r'job=~"([^"]*)"', down)[0])


@pytest.mark.parametrize("rule", _rules(), ids=lambda rule: rule["alert"])
def test_every_alert_says_what_to_do(rule: dict[str, Any]) -> None:
    notes = rule["annotations"]
    assert set(notes) == {"summary", "action", "runbook"}
    document, anchor = notes["runbook"].split("#")
    assert document == "docs/operations.md"
    assert anchor == rule["alert"].lower()
    assert f"\n### {rule['alert']}\n" in OPERATIONS
    assert rule["labels"]["severity"] in {"critical", "warning"}


def test_operations_names_no_metric_that_nobody_exports() -> None:
    named = set(re.findall(r"\btrackrecord_[a-z_]+", OPERATIONS))
    assert named - {database_role.NAME, reader_role.NAME} <= set(METRICS)


def test_every_failure_has_an_alert() -> None:
    """What can go wrong with a stage, by the metric that shows it first."""
    alerts = {rule["alert"]: rule["expr"] for rule in _rules()}
    for alert, metric in {
        "LagGrows": "trackrecord_lag_messages",
        "StageDown": "up",
        "StageStuck": "trackrecord_last_commit_timestamp_seconds",
        "StageRetries": "trackrecord_retries_total",
        "DeadLetters": "trackrecord_dead_letters_total",
        "DeadLettersRise": "trackrecord_dead_letters_total",
        "StageHalted": "trackrecord_halted",
        "StageFenced": "trackrecord_fenced_total",
        "OutboxNotDraining": "trackrecord_outbox_pending_messages",
        "StageNotReady": "trackrecord_ready",
        "StageReadsNothing": "trackrecord_assigned_partitions",
        "TrainingFails": "trackrecord_failed_runs_in_a_row",
        "TrainingHangs": "trackrecord_training_running",
        "StageDeaf": "trackrecord_listening",
    }.items():
        assert re.search(rf"\b{metric}\b", alerts[alert])


def test_every_section_on_an_alert_says_what_to_look_at_and_what_to_do() -> None:
    alerts = {rule["alert"] for rule in _rules()}
    sections = re.split(r"^### ", OPERATIONS.split("## Alerts", 1)[1].split("\n## ", 1)[0],
                        flags=re.MULTILINE)[1:]  # fmt: skip
    titles = {section.split("\n", 1)[0] for section in sections}
    assert titles == alerts
    for section in sections:
        words = section.split("\n", 1)[1].split()
        assert len(words) > 25, section


def test_every_alert_is_tested() -> None:
    tests = yaml.safe_load((PROMETHEUS / "rules_test.yml").read_text())["tests"]
    fired = {
        case["alertname"]
        for test in tests
        for case in test["alert_rule_test"]
        if case["exp_alerts"]
    }
    assert fired == {rule["alert"] for rule in _rules()}


@pytest.mark.parametrize(
    "words",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "rules.yml"),
        ("test", "rules", "rules_test.yml"),
    ],
    ids=" ".join,
)
def test_promtool_agrees(words: tuple[str, ...]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian package prometheus)")
    done = subprocess.run(
        [promtool, *words], cwd=PROMETHEUS, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
