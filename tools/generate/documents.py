"""The parts of the documents that follow from the code: the stages, their events and metrics."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path

from services import stage_named
from tools.generate.regions import ROOT, put_passage
from trackrecord.events.topics import TOPICS
from trackrecord.runtime import hints
from trackrecord.runtime.jobs import JobStage
from trackrecord.runtime.metrics import RUNTIME_METRICS, Metric
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.stage import Stage
from trackrecord.stages import STAGES

OPERATIONS = Path("docs/operations.md")
ARCHITECTURE = Path("docs/architecture.md")
PARTS = ("events", "metrics", "settings")
"""What is written into each stage's README."""


def readme_of(stage: str) -> Path:
    """Where a stage's README is."""
    return Path("services") / stage / "README.md"


def writers() -> dict[Path, Callable[[str], str]]:
    """By file: what makes its text as it should be from its text as it is."""
    return {
        **{readme_of(stage): partial(_readme, stage) for stage in STAGES},
        OPERATIONS: lambda text: put_passage(text, "metrics", _metrics(RUNTIME_METRICS)),
        ARCHITECTURE: lambda text: put_passage(text, "stages", _stages()),
    }


def _readme(stage: str, text: str) -> str:
    for part in PARTS:
        text = put_passage(text, part, _part(stage, part))
    return text


def _stages() -> str:
    rows = [
        "| stage | plane | reads | publishes | rules | what it does |",
        "|---|---|---|---|---|---|",
    ]
    for name, stage in STAGES.items():
        cells = (
            f"[{name}](../services/{name}/README.md)",
            stage.plane,
            ", ".join(f"`{each}`" for each in stage.reads),
            ", ".join(f"`{each}`" for each in stage.publishes) or "nothing",
            ", ".join(f"`trackrecord/{each}`" for each in stage.rules),
            stage.purpose,
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _part(stage: str, part: str) -> str:
    if part == "events":
        return _events(stage_named(stage))
    if part == "metrics":
        own = import_module(f"services.{stage}.metrics").METRICS
        is_job = isinstance(import_module(f"services.{stage}.service").STAGE, JobStage)
        return _metrics((*hints.METRICS, *own) if is_job else own)
    return _settings(stage)


def _events(stage: Stage | JobStage) -> str:
    rows = ["| | topic | key | published by | read by |", "|---|---|---|---|---|"]
    for word, events in (("consumes", stage.consumes), ("produces", stage.produces)):
        for event in events:
            spec = TOPICS[event.event_type]
            makers = ", ".join(spec.producers) if word == "consumes" else stage.name
            readers = ", ".join(spec.consumers)
            rows.append(f"| {word} | `{spec.name}` | {spec.key} | {makers} | {readers} |")
    refuses = stage.consumes
    if isinstance(stage, JobStage):
        refuses = () if stage.kept is None else tuple(stage.kept.keep)
    rows += [
        f"| refuses to | `{TOPICS[event.event_type].dead_letter().name}` | as it came"
        f" | {stage.name} | `trackrecord dlq` |"
        for event in refuses
    ]
    if isinstance(stage, JobStage):
        tables = ", ".join(f"`{table.name}`" for table in stage.tables)
        whose = "The tables that it alone writes"
        if stage.others_write:
            whose = f"Its tables, which {stage.others_write} write, too"
        return "\n".join(rows) + (
            f"\n\n{whose}: {tables}. They hold decisions, which replay leaves as they are."
        )
    tables = ", ".join(f"`{table.name}`" for table in stage.tables)
    return "\n".join(rows) + f"\n\nThe tables that it alone writes, and replay rebuilds: {tables}."


def _metrics(metrics: tuple[Metric, ...]) -> str:
    rows = ["| metric | labels | what it says | what to do |", "|---|---|---|---|"]
    for metric in metrics:
        labels = ", ".join(("stage", *metric.labels))
        rows.append(
            f"| `{metric.name}` ({metric.kind}) | {labels} | {metric.meaning} | {metric.action} |"
        )
    return "\n".join(rows)


def _settings(stage: str) -> str:
    """The settings that the stage's own files read."""
    code = "".join(path.read_text() for path in sorted((ROOT / "services" / stage).rglob("*.py")))
    read = set(re.findall(r"settings\.([a-z_]+)", code))
    rows = ["| variable | default | what it changes |", "|---|---|---|"]
    rows += [
        f"| `{field.validation_alias}` | {field.default} | "
        f"{' '.join((field.description or '').split())} |"
        for name, field in Settings.model_fields.items()
        if name in read
    ]
    return "\n".join(rows)
