"""The parts of the stages' READMEs and of docs/operations.md that follow from the code.

``python -m tests.unit.deploy.stage_readme`` writes them anew.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

from services import STAGES
from trackrecord.events.topics import TOPICS
from trackrecord.runtime import hints
from trackrecord.runtime.jobs import JobStage
from trackrecord.runtime.metrics import RUNTIME_METRICS, Metric
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.stage import Stage

ROOT = Path(__file__).parents[3]
OPERATIONS = ROOT / "docs" / "operations.md"
BEGIN = "<!-- written from the code by tests/unit/deploy/stage_readme.py: {} -->"
END = "<!-- end -->"
PARTS = ("events", "metrics", "settings")


def path_of(stage: str) -> Path:
    """Where a stage's README is."""
    return ROOT / "services" / stage / "README.md"


def completed(stage: str, text: str) -> str:
    """A README with its written parts as the code has them now.

    Raises:
        ValueError: The place for a part is missing.
    """
    for part in PARTS:
        text = _put(text, part, _part(stage, part))
    return text


def operations_completed(text: str) -> str:
    """docs/operations.md with the metrics of every stage as the code has them now.

    Raises:
        ValueError: The place for them is missing.
    """
    return _put(text, "metrics", _metrics(RUNTIME_METRICS))


def _put(text: str, part: str, written: str) -> str:
    begin = BEGIN.format(part)
    if text.count(begin) != 1:
        raise ValueError(f"must stand once in the document: {begin} ... {END}")
    before, rest = text.split(begin)
    return f"{before}{begin}\n\n{written}\n\n{END}{rest.split(END, 1)[1]}"


def _part(stage: str, part: str) -> str:
    if part == "events":
        return _events(import_module(f"services.{stage}.service").STAGE)
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
    if isinstance(stage, JobStage):
        tables = ", ".join(f"`{table.name}`" for table in stage.tables)
        return "\n".join(rows) + (
            f"\n\nThe tables that it alone writes: {tables}. They hold decisions, which replay "
            "leaves as they are."
        )
    rows += [
        f"| refuses to | `{TOPICS[event.event_type].dead_letter().name}` | as it came"
        f" | {stage.name} | `trackrecord dlq` |"
        for event in stage.consumes
    ]
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


def main() -> None:
    """Write all of them."""
    for stage in STAGES:
        path = path_of(stage)
        path.write_text(completed(stage, path.read_text()))
    OPERATIONS.write_text(operations_completed(OPERATIONS.read_text()))


if __name__ == "__main__":
    main()
