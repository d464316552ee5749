"""The pages of a stage's process."""

from __future__ import annotations

import urllib.request

from tests.support.pipeline import StageProcess


def page(process: StageProcess, path: str) -> str:
    port = process.lines("started")[0]["metrics_port"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as reply:
        return str(reply.read().decode())
