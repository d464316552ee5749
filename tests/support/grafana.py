"""Grafana's questions about the record, asked as Grafana asks them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from tests.unit.deploy.compose_file import DEPLOY

BOARDS = {
    name: json.loads((DEPLOY / f"grafana/dashboards/{name}.json").read_text("utf-8"))
    for name in ("strategies", "scripts", "models")
}

_FROM, _TO = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def panels(board: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The panels of a dashboard, without headings."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def expanded(sql: str, chosen: Mapping[str, Sequence[str]]) -> str:
    """A query with Grafana's own words replaced as it does.

    Raises:
        AssertionError: One is left.
    """

    def listed(found: re.Match[str]) -> str:
        return ",".join("'" + value.replace("'", "''") + "'" for value in chosen[found[1]])

    sql = re.sub(r"\$\{(\w+):sqlstring\}", listed, sql)
    between = f"BETWEEN '{_FROM.isoformat()}' AND '{_TO.isoformat()}'"
    sql = re.sub(r"\$__timeFilter\(((?:[^()]|\([^()]*\))*)\)", rf"\1 {between}", sql)
    assert "$" not in sql, sql
    return sql


def chosen(connection: Connection, board: Mapping[str, Any]) -> dict[str, list[str]]:
    """What a reader would see chosen: the first of each, or all where there may be several."""
    values: dict[str, list[str]] = {}
    for choice in board["templating"]["list"]:
        with connection.cursor() as cursor:
            cursor.execute(expanded(choice["query"], values))
            found = [name for (name,) in cursor.fetchall()]
        assert found, f"there is no {choice['label']} to choose"
        values[choice["name"]] = found if choice["multi"] else found[:1]
    return values


def answers(connection: Connection, board: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """What Postgres says to each panel that asks it, by title; column names are looked at."""
    values = chosen(connection, board)
    found = {}
    for panel in panels(board):
        [target] = panel["targets"]
        if "rawSql" not in target:
            continue
        with connection.cursor() as cursor:
            cursor.execute(expanded(target["rawSql"], values))
            names = [column.name for column in cursor.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        overridden = {each["matcher"]["options"] for each in panel["fieldConfig"]["overrides"]}
        assert overridden <= set(names), panel["title"]
        if target["format"] == "time_series":
            assert names == ["time", "metric", "value"], panel["title"]
            assert all(isinstance(row["time"], datetime) for row in rows)
            assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)
        found[panel["title"]] = rows
    return found
