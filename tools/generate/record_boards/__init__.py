"""Grafana's dashboards of what is on record: strategies, scripts, models.

``panels`` builds the parts of a dashboard, and each board is a module with its own queries. What
must be exact is asked of Postgres, over the totals that the stages keep; what is good enough as a
double, of Prometheus.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tools.generate.record_boards import models, scripts, strategies
from tools.generate.record_boards.panels import Board

FOLDER = Path("deploy/grafana/dashboards")
BOARDS = (strategies.BOARD, scripts.BOARD, models.BOARD)


def writers() -> dict[Path, Callable[[str], str]]:
    """By file: what makes its text."""
    return {FOLDER / f"{board.name}.json": _written(board) for board in BOARDS}


def _written(board: Board) -> Callable[[str], str]:
    return lambda _text: json.dumps(board.model(), indent=2, ensure_ascii=False) + "\n"
