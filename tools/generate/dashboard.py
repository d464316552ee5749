"""Grafana's dashboard: a row for each stage and the API, and each of its metrics on a panel.

Panels are drawn by hand where that shows more. What is missing is added here: a row for one of them
without, and in it a panel for each metric that no panel shows. What belongs to a stage that
is no longer there goes.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from trackrecord.api.metrics import REQUEST_SECONDS, REQUESTS
from trackrecord.runtime.metrics import RUNTIME_METRICS, Metric
from trackrecord.stages import STAGES

DASHBOARD = Path("deploy/grafana/dashboards/pipeline.json")

Panel = dict[str, Any]

_SHARED_ROWS = frozenset({"Is it well?", "Every stage"})
"""Rows that are about all stages alike."""

_SOURCE = {"type": "prometheus", "uid": "$datasource"}
_WIDTH, _HEIGHT, _ACROSS = 6, 8, 24


def writers() -> dict[Path, Callable[[str], str]]:
    """By file: what makes its text as it should be from its text as it is."""
    return {DASHBOARD: completed}


def completed(text: str) -> str:
    """The dashboard with all stages and all metrics on it."""
    board = json.loads(text)
    owners = _owners()
    sections = _sections(board["panels"])
    sections = {
        title: panels
        for title, panels in sections.items()
        if title in _SHARED_ROWS or title in owners
    }
    sample = _first_timeseries(sections)
    number = max(panel["id"] for panels in sections.values() for panel in panels)
    for owner, metrics in owners.items():
        if owner not in sections:
            number += 1
            row = {"id": number, "type": "row", "title": owner, "collapsed": False}
            sections[owner] = [{**row, "gridPos": {}, "panels": []}]
        shown = " ".join(
            target["expr"]
            for panels in sections.values()
            for panel in panels
            for target in panel.get("targets", [])
        )
        for metric in metrics:
            if not re.search(rf"\b{metric.name}(_bucket|_sum|_count)?\b", shown):
                number += 1
                sections[owner].append(_panel(sample, number, metric))
    board["panels"] = _placed(sections)
    return json.dumps(board, indent=2, ensure_ascii=False) + "\n"


def _owners() -> dict[str, tuple[Metric, ...]]:
    """The stages and the API, each with the metrics that are its own."""
    stages = {stage: import_module(f"services.{stage}.metrics").METRICS for stage in STAGES}
    return {**stages, "api": (REQUESTS, REQUEST_SECONDS)}


def runtime_metrics_not_shown(text: str) -> list[str]:
    """Metrics of every stage that no panel shows: where they belong is for a person to say."""
    return [each.name for each in RUNTIME_METRICS if not re.search(rf"\b{each.name}", text)]


def _sections(panels: list[Panel]) -> dict[str, list[Panel]]:
    """The panels under each row, the row first."""
    result: dict[str, list[Panel]] = {}
    title = ""
    for panel in panels:
        if panel["type"] == "row":
            title = panel["title"]
        result.setdefault(title, []).append(panel)
    return result


def _placed(sections: dict[str, list[Panel]]) -> list[Panel]:
    """All panels, section below section; what was added stands below what was drawn."""
    result: list[Panel] = []
    top = 0
    for row, *panels in sections.values():
        row["gridPos"] = {"h": 1, "w": _ACROSS, "x": 0, "y": top}
        drawn = [panel["gridPos"] for panel in panels if panel["gridPos"]]
        added = [panel["gridPos"] for panel in panels if not panel["gridPos"]]
        shift = top + 1 - min((place["y"] for place in drawn), default=0)
        for place in drawn:
            place["y"] += shift
        bottom = max((place["y"] + place["h"] for place in drawn), default=top + 1)
        for number, place in enumerate(added):
            down, across = divmod(number, _ACROSS // _WIDTH)
            place |= {"h": _HEIGHT, "w": _WIDTH, "x": across * _WIDTH, "y": bottom + down * _HEIGHT}
        result += [row, *panels]
        top = max((place["y"] + place["h"] for place in [*drawn, *added]), default=bottom)
    return result


def _first_timeseries(sections: dict[str, list[Panel]]) -> Panel:
    return next(
        panel for panels in sections.values() for panel in panels if panel["type"] == "timeseries"
    )


def _panel(sample: Panel, number: int, metric: Metric) -> Panel:
    """A panel that shows one metric of a stage."""
    panel = copy.deepcopy(sample)
    name = metric.name.removeprefix("trackrecord_").removesuffix("_total").replace("_", " ")
    panel |= {"id": number, "title": name.capitalize(), "description": metric.meaning}
    panel["gridPos"] = {}
    unit = "s" if metric.name.endswith("_seconds") else "short"
    panel["fieldConfig"]["defaults"]["unit"] = "cps" if metric.kind == "counter" else unit
    panel["targets"] = [
        {
            "datasource": _SOURCE,
            "editorMode": "code",
            "expr": expression,
            "legendFormat": legend,
            "range": True,
            "refId": reference,
        }
        for reference, (expression, legend) in zip("AB", _expressions(metric), strict=False)
    ]
    return panel


def _expressions(metric: Metric) -> list[tuple[str, str]]:
    """What is asked of Prometheus, and how each line is called."""
    by = f" by ({', '.join(metric.labels)})" if metric.labels else ""
    legend = " ".join(f"{{{{{label}}}}}" for label in metric.labels) or metric.name
    if metric.kind == "counter":
        return [(f"sum{by} (rate({metric.name}[$__rate_interval]))", legend)]
    if metric.kind == "gauge":
        return [(f"max{by} ({metric.name})", legend)]
    rate = f"sum by (le) (rate({metric.name}_bucket[$__rate_interval]))"
    shares = ((0.5, "p50"), (0.99, "p99"))
    return [(f"histogram_quantile({share}, {rate})", words) for share, words in shares]
