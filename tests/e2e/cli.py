"""The command line as its user has it: a process, its two outputs, its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """Its answer with --json."""
        return json.loads(self.out)


def environment(**more: str) -> dict[str, str]:
    """This machine's environment without any setting of ours, and then some."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("TRACKRECORD") and name != "DATABASE_URL"
    }
    kept = {
        name: os.environ[name]
        for name in ("TRACKRECORD_LOCAL_POSTGRES_BIN", "TRACKRECORD_LOCAL_CACHE")
        if name in os.environ
    }
    return {**clean, **kept, **more}


def trackrecord(
    *arguments: str | Path,
    stdin: str | bytes = b"",
    cwd: Path | None = None,
    seconds: float = 90,
    **settings: str,
) -> Ran:
    """Run one command to its end."""
    run = subprocess.run(
        command(*arguments),
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        cwd=cwd or ROOT,
        env=environment(**settings),
        timeout=seconds,
        check=False,
    )
    return Ran(run.returncode, run.stdout.decode(), run.stderr.decode())


def command(*arguments: str | Path) -> Sequence[str]:
    return [sys.executable, "-m", "trackrecord.cli.main", *map(str, arguments)]
