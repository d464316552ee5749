"""The parts of a dashboard of the record: tables and lines, each with its question."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

POSTGRES: Final = {"type": "grafana-postgresql-datasource", "uid": "trackrecord-postgres"}
PROMETHEUS: Final = {"type": "prometheus", "uid": "trackrecord-prometheus"}

_ACROSS: Final = 24


@dataclass(frozen=True)
class Panel:
    """One question and how its answer is shown.

    Attributes:
        title: What it shows.
        description: How to read it.
        kind: ``table``, ``timeseries`` or ``stat``.
        sql: What Postgres is asked, or empty.
        expr: What Prometheus is asked, or empty.
        legend: How a series of Prometheus is called.
        width: Of 24.
        height: In rows of the grid.
        unit: Of its numbers.
        units: Of single columns of a table, by name.
        stepped: Whether a line keeps its value until the next.
        bars: Whether values are bars instead of a line.
    """

    title: str
    description: str
    kind: str = "table"
    sql: str = ""
    expr: str = ""
    legend: str = ""
    width: int = _ACROSS
    height: int = 9
    unit: str = "short"
    units: Mapping[str, str] = field(default_factory=dict)
    stepped: bool = False
    bars: bool = False

    def model(self, number: int, left: int, top: int) -> dict[str, Any]:
        """As Grafana keeps it."""
        source = POSTGRES if self.sql else PROMETHEUS
        return {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.description,
            "datasource": source,
            "gridPos": {"h": self.height, "w": self.width, "x": left, "y": top},
            "fieldConfig": {"defaults": self._defaults(), "overrides": self._overrides()},
            "options": self._options(),
            "targets": [{"datasource": source, "refId": "A", **self._question()}],
        }

    def _question(self) -> dict[str, Any]:
        if self.sql:
            asked = textwrap.dedent(self.sql).strip()
            shape = "time_series" if self.kind == "timeseries" else "table"
            return {"editorMode": "code", "rawQuery": True, "format": shape, "rawSql": asked}
        return {
            "editorMode": "code",
            "expr": self.expr,
            "legendFormat": self.legend,
            "range": self.kind == "timeseries",
            "instant": self.kind != "timeseries",
        }

    def _defaults(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"unit": self.unit}
        if self.kind == "timeseries":
            shown["custom"] = {
                "drawStyle": "bars" if self.bars else "line",
                "lineInterpolation": "stepAfter" if self.stepped else "linear",
                "fillOpacity": 60 if self.bars else 0,
                "lineWidth": 1,
                "showPoints": "never",
                "spanNulls": True,
            }
        return shown

    def _overrides(self) -> list[dict[str, Any]]:
        return [
            {
                "matcher": {"id": "byName", "options": column},
                "properties": [{"id": "unit", "value": unit}],
            }
            for column, unit in self.units.items()
        ]

    def _options(self) -> dict[str, Any]:
        if self.kind == "table":
            return {"cellHeight": "sm", "showHeader": True}
        if self.kind == "stat":
            last = {"calcs": ["lastNotNull"], "fields": "", "values": False}
            return {"reduceOptions": last, "colorMode": "none", "graphMode": "none"}
        return {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }


def by_day(
    title: str, description: str, *, table: str, owner: str, value: str, chosen: str, more: str = ""
) -> Panel:
    """Bars of a sum that a stage keeps by day, one for each owner.

    Args:
        title: Of the panel.
        description: How to read it.
        table: Of sums by day.
        owner: The column that names whose they are.
        value: The column that is added up.
        chosen: The condition of those that are shown.
        more: What follows the grouping.
    """
    return Panel(
        title,
        description,
        kind="timeseries",
        sql=f"""
        SELECT day::timestamp AS time, {owner} AS metric, sum({value}) AS value
        FROM {table} WHERE {chosen} AND $__timeFilter(day::timestamp)
        GROUP BY day, {owner}{more} ORDER BY day, {owner}
        """,
        width=_ACROSS // 2,
        bars=True,
    )


@dataclass(frozen=True)
class Choice:
    """What a reader of a dashboard chooses from.

    Attributes:
        name: In the queries: ``${name:sqlstring}``.
        label: On the page.
        sql: What lists the values.
        many: Whether several may be chosen, all of them at first.
    """

    name: str
    label: str
    sql: str
    many: bool = False

    def model(self) -> dict[str, Any]:
        """As Grafana keeps it."""
        asked = textwrap.dedent(self.sql).strip()
        return {
            "name": self.name,
            "label": self.label,
            "type": "query",
            "datasource": POSTGRES,
            "definition": asked,
            "query": asked,
            "current": {},
            "hide": 0,
            "includeAll": self.many,
            "multi": self.many,
            "options": [],
            "refresh": 2,
            "regex": "",
            "sort": 0,
        }


@dataclass(frozen=True)
class Board:
    """A dashboard.

    Attributes:
        name: Of its file.
        choices: What its reader chooses from.
        rows: Panels under their headings.
        since: From when on it shows at first, as Grafana writes it.
    """

    name: str
    choices: Sequence[Choice]
    rows: Mapping[str, Sequence[Panel]]
    since: str = "now-1y"

    def model(self) -> dict[str, Any]:
        """As Grafana keeps it."""
        return {
            "annotations": {"list": []},
            "editable": True,
            "fiscalYearStartMonth": 0,
            "graphTooltip": 1,
            "id": None,
            "links": [],
            "panels": self._placed(),
            "refresh": "1m",
            "schemaVersion": 41,
            "tags": ["trackrecord"],
            "templating": {"list": [choice.model() for choice in self.choices]},
            "time": {"from": self.since, "to": "now"},
            "timepicker": {},
            "timezone": "utc",
            "title": f"trackrecord {self.name}",
            "uid": f"trackrecord-{self.name}",
            "version": 1,
        }

    def _placed(self) -> list[dict[str, Any]]:
        placed: list[dict[str, Any]] = []
        top = 0
        for heading, panels in self.rows.items():
            placed.append(
                {
                    "id": len(placed) + 1,
                    "type": "row",
                    "title": heading,
                    "collapsed": False,
                    "gridPos": {"h": 1, "w": _ACROSS, "x": 0, "y": top},
                    "panels": [],
                }
            )
            top, left, tallest = top + 1, 0, 0
            for panel in panels:
                if left + panel.width > _ACROSS:
                    top, left, tallest = top + tallest, 0, 0
                placed.append(panel.model(len(placed) + 1, left, top))
                left, tallest = left + panel.width, max(tallest, panel.height)
            top += tallest
        return placed
